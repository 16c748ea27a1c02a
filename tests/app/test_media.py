"""A browser gets a video's own files, in parts if it asks for parts, and never anything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import media, system
from dashcam.database import writing
from dashcam.storage import layout
from tests.catalog.rows import add_video

VIDEO = f"{1:016x}"


@pytest.fixture
def bundle(here: system.System, tmp_path: Path) -> Path:
    with writing(here.engine) as session:
        add_video(session, 1)
        add_video(session, 2, media=None, outcome=None)
        add_video(session, 3, media="attic:0003")
    folder = tmp_path / "shed_nas" / VIDEO
    (folder / "plates").mkdir(parents=True)
    (folder / "video_lowres.mp4").write_bytes(bytes(range(100)))
    (folder / "plates" / "1_best_crop.jpg").write_bytes(b"a picture")
    (folder / "notes.html").write_text("<script>alert(1)</script>")
    (tmp_path / "shed_nas" / "secret.json").write_text("{}")
    return folder


@pytest.fixture
def browser(bundle: Path) -> Iterator[TestClient]:
    web = FastAPI()
    web.include_router(media.router)
    with TestClient(web) as client:
        yield client


def test_a_player_may_ask_for_a_part_of_the_video(browser: TestClient) -> None:
    answer = browser.get(f"/media/{VIDEO}/video_lowres.mp4", headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206
    assert answer.content == bytes(range(10, 20))
    assert answer.headers["content-range"] == "bytes 10-19/100"
    assert answer.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("crops", ["plate_crops", "plates"])
def test_a_bundles_crop_is_found_under_the_name_it_has_in_the_archive(
    here: system.System, browser: TestClient, tmp_path: Path, crops: str
) -> None:
    """Also in a bundle from before the folder was called ``plate_crops``."""
    with writing(here.engine) as session:
        add_video(session, 4, media=layout.bundle(f"{4:016x}"))
    folder = tmp_path / "indoor_nas" / "heavy_output" / f"{4:016x}" / crops
    folder.mkdir(parents=True)
    (folder / "7_best_crop.jpg").write_bytes(b"a crop")
    assert browser.get(f"/media/{4:016x}/{layout.crop('7')}").content == b"a crop"


def test_files_are_private_and_of_the_type_they_are_sent_as(browser: TestClient) -> None:
    answer = browser.get(f"/media/{VIDEO}/plates/1_best_crop.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"a picture", "image/jpeg")
    assert "private" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["..%2fsecret.json", "plates/..%2f..%2fsecret.json", "%2fetc%2fpasswd.json", "link.json", "x%00.jpg", "plates", ""],
)
def test_nothing_outside_the_videos_folder_is_served(browser: TestClient, bundle: Path, path: str) -> None:
    (bundle / "link.json").symlink_to(bundle.parent / "secret.json")
    assert browser.get(f"/media/{VIDEO}/{path}").status_code == 404


def test_only_videos_pictures_and_json_are_served(browser: TestClient) -> None:
    assert browser.get(f"/media/{VIDEO}/notes.html").status_code == 404


@pytest.mark.parametrize("video_id", ["..", "1", "ABCDEF0123456789", f"{VIDEO}0", "0000 00000000001"])
def test_only_a_videos_id_names_a_video(browser: TestClient, video_id: str) -> None:
    assert browser.get(f"/media/{video_id}/poster.jpg").status_code in (404, 422)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(2, "has no files yet"), (3, "'attic' is not a store of this device"), (9, "There is no video")],
)
def test_what_is_missing_is_said_in_plain_words(browser: TestClient, number: int, sentence: str) -> None:
    answer = browser.get(f"/media/{number:016x}/poster.jpg")
    assert answer.status_code == 404
    assert sentence in answer.json()["detail"]


def test_an_unmounted_store_is_said_to_be_not_there(browser: TestClient, bundle: Path) -> None:
    bundle.parent.rename(bundle.parent.with_name("elsewhere"))
    answer = browser.get(f"/media/{VIDEO}/poster.jpg")
    assert answer.status_code == 404
    assert "Store shed_nas is not there" in answer.json()["detail"]
