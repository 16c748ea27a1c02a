"""The owner's layout, and the one place where a bundle's differs from an archive's: the crops' folder."""

from pathlib import Path

import pytest

from dashcam.storage import layout
from dashcam.storage.roots import StoreError


def test_the_places_of_a_clip_are_those_of_the_owners_documents() -> None:
    assert layout.candidates("v1") == "indoor_nas:preproc/v1/candidates.json"
    assert layout.bundle("v1") == "indoor_nas:heavy_output/v1"
    assert layout.archive("v1") == "shed_nas:v1"
    assert layout.bundled(layout.crop("AB123")) == "plate_crops/AB123_best_crop.jpg"
    assert layout.crop("AB123") == "plates/AB123_best_crop.jpg"


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("plate_crops/p.jpg", "plates/p.jpg"),
        ("plates/p.jpg", "plates/p.jpg"),
        ("frames/p.jpg", "frames/p.jpg"),
        ("frames/times.json", "frames/times.json"),
        ("video_lowres.mp4", "video_lowres.mp4"),
        ("detections.json", None),
        ("plates", None),
        ("notes/plates/p.jpg", None),
    ],
)
def test_of_a_bundle_pictures_and_video_are_archived(name: str, there: str | None) -> None:
    assert layout.archived(name) == there


def test_what_is_archived_is_found_again_in_the_bundle_it_came_from(tmp_path: Path) -> None:
    crop = layout.crop("p")
    assert layout.find(tmp_path, crop) == tmp_path / crop  # nothing is there: the name that was asked for
    new, old = tmp_path / "plate_crops/p_best_crop.jpg", tmp_path / crop
    for path in (new, old):
        path.parent.mkdir()
        path.touch()
        assert layout.find(tmp_path, crop) == path
    assert layout.address("indoor_nas:heavy_output/v1", crop) == f"indoor_nas:heavy_output/v1/plate_crops/{new.name}"
    assert layout.address("shed_nas:v1", crop) == f"shed_nas:v1/plates/{new.name}"


@pytest.mark.parametrize("place", [layout.preproc, layout.bundle, layout.archive])
def test_an_id_that_is_no_folders_name_is_refused(place: object) -> None:
    with pytest.raises(StoreError):
        place("../v1")  # type: ignore[operator]
