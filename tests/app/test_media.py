"""A browser gets a video's own files, in parts if it asks for parts, and never anything else."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import media, system
from dashcam.catalog import held_back
from dashcam.catalog.aside_rows import NEVER, Going
from dashcam.catalog.models import Video
from dashcam.database import writing
from dashcam.records import PreprocessResult
from dashcam.storage import layout
from dashcam.tasks.model import Completion, TaskType
from tests.catalog.rows import NOON, add_sighting, add_video, applied

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


def test_a_clips_picture_is_the_frame_with_its_best_plate(
    here: system.System, browser: TestClient, bundle: Path
) -> None:
    """Of equally sure ones the largest, never an unsure one; without a plate, or its frame, the one made for it."""
    pictures = {"poster": b"the middle", "1_best_frame": b"small", "2_best_frame": b"large", "3_best_frame": b"unsure"}
    for name, content in pictures.items():
        (bundle / "frames").mkdir(exist_ok=True)
        (bundle / "frames" / f"{name}.jpg").write_bytes(content)

    def shown() -> bytes:
        return browser.get(f"/media/{VIDEO}/{layout.POSTER}").content

    assert shown() == b"the middle"
    with writing(here.engine) as session:
        video = session.get_one(Video, VIDEO)
        add_sighting(session, video, "B577PRO", 1.0, number=1, confidence=0.962)
        add_sighting(session, video, "LTZ3CGK", 2.0, number=2, confidence=0.958, box=[0.0, 0.0, 400.0, 100.0])
        add_sighting(session, video, "UCRM469", 3.0, number=3, confidence=0.99, confirmed=False)
    assert shown() == b"large"
    (bundle / "frames" / "2_best_frame.jpg").unlink()
    assert shown() == b"the middle"


def test_of_all_that_was_deleted_in_a_clip_nothing_is_shown(
    here: system.System, browser: TestClient, bundle: Path
) -> None:
    crops = [layout.crop(str(number)) for number in (1, 2, 3)]
    with writing(here.engine) as session:
        for crop in crops[:2]:
            going = Going(clips=[], texts=[crop], word_id=None, said=crop, who="ana", at=NOON, due=NEVER)
            session.add(going)
            session.flush()
            held_back.keep(session, going.going_id, VIDEO, [crop])
    for crop in crops:
        (bundle / crop).write_bytes(b"a picture")
    assert [browser.get(f"/media/{VIDEO}/{crop}").status_code for crop in crops] == [404, 404, 200]


def test_a_pages_pictures_are_looked_for_two_at_a_time(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, lock = set[int](), list[int](), threading.Lock()
    both = threading.Barrier(2)
    looks = media.file_inside

    def look(folder: Path, path: str) -> Path:
        with lock:
            inside.add(threading.get_ident())
            most.append(len(inside))
        both.wait(10)  # no answer comes before a second one is looked for beside it
        try:
            return looks(folder, path)
        finally:
            with lock:
                inside.discard(threading.get_ident())

    monkeypatch.setattr(media, "file_inside", look)
    address = f"/media/{VIDEO}/{layout.crop('1')}"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: browser.get(address).status_code, range(8)))
    assert answers == [200] * 8
    assert max(most) == 2


def test_while_a_clip_waits_its_picture_is_what_preprocessing_saw_in_the_middle(
    here: system.System, browser: TestClient, tmp_path: Path
) -> None:
    with writing(here.engine) as session:
        video_id = add_video(session, 5, media=None, outcome=None, poster=None).video_id
        found = PreprocessResult(
            candidates=layout.candidates(video_id), keyframes=3, kept_s=1, rejected_s=0, brightness=1, sharpness=1,
            proposals="none", spans=[],
        )  # fmt: skip
        applied(session, TaskType.PREPROCESS_VIDEO, video_id, Completion(result=found.model_dump()))
        poster = session.get_one(Video, video_id).poster
    thumbs = tmp_path / "indoor_nas" / "preproc" / video_id / layout.THUMBS
    thumbs.mkdir(parents=True)
    for number in (0, 2, 4):
        (thumbs / f"{number:04d}.jpg").write_bytes(b"%d" % number)
    assert browser.get(f"/media/{video_id}/{poster}").content == b"2"
