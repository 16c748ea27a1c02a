"""Scanning a folder: what is known costs nothing, what is new is handed in, what vanished ends."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prefect.logging import disable_run_logger
from sqlalchemy import event

from app.system import System
from blocks.device import LocalDevice
from dashcam.config import DeviceSettings
from dashcam.database import writing
from dashcam.media import identity
from dashcam.stages import ingest
from dashcam.stages.scan import scan
from dashcam.storage.roots import StoreMissing, Stores
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import Completion, Task, TaskType
from flows.clips import Work, work_on_clip
from tests.catalog.rows import add_task, add_video

LONG_AGO = 1_700_000_000


def put(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    os.utime(file, (LONG_AGO, LONG_AGO))
    return file


@pytest.fixture
def statements(here: System) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(here.engine, "before_cursor_execute", note)
    yield seen
    event.remove(here.engine, "before_cursor_execute", note)


def test_new_clips_are_handed_in_once(server: MainServerClient, here: System, raw: Path) -> None:
    for number in range(120):
        put(raw / f"2026-06-{number % 3:02d}" / f"{number}.MP4", str(number))
    put(raw / ".thumbs" / "1.MP4", "hidden")
    put(raw / "2026-06-01" / ".2.MP4.x.part", "partial")
    put(raw / "notes.txt", "no clip")
    first, again = (scan(server, here.stores, "indoor_nas:raw") for _ in range(2))
    assert (first.files, first.new, first.waiting, first.unreadable) == (120, 120, 0, [])
    assert (again.files, again.new) == (120, 0)
    assert len(server.all_pending()) == 120


def test_known_files_cost_neither_a_query_nor_a_hash_each_and_no_run(
    server: MainServerClient, here: System, raw: Path, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(600):
        put(raw / f"{number}.MP4", str(number))
    scan(server, here.stores, "indoor_nas:raw")
    pending = len(server.all_pending())
    opened: list[Path] = []
    reads = identity.video_id
    monkeypatch.setattr(identity, "video_id", lambda path: opened.append(path) or reads(path))
    woken: list[bool] = []
    monkeypatch.setattr(System, "wake", lambda self: woken.append(True))
    statements.clear()
    assert scan(server, here.stores, "indoor_nas:raw").files == 600
    assert len([one for one in statements if one.startswith("SELECT")]) == 2, "what is known, and what is hidden"
    assert not [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert opened == []
    assert woken == [] and len(server.all_pending()) == pending, "nothing for the dispatcher to start a run for"


def test_a_file_still_growing_waits_for_the_next_scan(server: MainServerClient, here: System, raw: Path) -> None:
    growing = put(raw / "a.MP4", "half")
    os.utime(growing)
    found = scan(server, here.stores, "indoor_nas:raw")
    assert (found.new, found.waiting) == (0, 1)
    put(growing, "the whole")
    assert scan(server, here.stores, "indoor_nas:raw").new == 1


STRANGE = (
    "new\nline.MP4", "quote\"'.MP4", "<img src=x>.MP4", "%2e%2e.MP4", " a space .MP4", "tab\t.MP4", "😀.MP4",
    "\u202eright to left.MP4", "a" * 250 + ".MP4", "con.MP4",
    "x; rm -rf.MP4", "1970_0101_000010_000001F.MP4", "9999_1231_235959_1F.MP4",
)  # fmt: skip


def test_strange_names_are_clips_like_any_other(server: MainServerClient, here: System, raw: Path) -> None:
    for number, name in enumerate(STRANGE):
        put(raw / name, str(number))
    found = scan(server, here.stores, "indoor_nas:raw")
    assert (found.new, found.unreadable) == (len(STRANGE), [])
    assert {task.inputs[0].path for task in server.all_pending()} == {f"raw/{name}" for name in STRANGE}


def test_what_cannot_be_taken_is_a_sentence_and_the_rest_goes_on(
    server: MainServerClient, here: System, raw: Path, too_deep: Callable[[Path], None]
) -> None:
    put(raw / "a.MP4", "a")
    put(raw / "z" / "b.MP4", "b")
    put(raw / "back\\slash.MP4", "c")
    put(raw / os.fsdecode(b"caf\xe9\n.MP4"), "d")
    (raw / "loop.MP4").symlink_to("loop.MP4")
    (raw / "dangling.MP4").symlink_to("nowhere")
    (raw / "around").symlink_to("..")
    (raw / "folder.MP4").mkdir()
    os.mkfifo(raw / "pipe.MP4")
    too_deep(raw)
    found = scan(server, here.stores, "indoor_nas:raw")
    assert found.new == 2
    not_utf8, endless, backslash = sorted(found.unreadable, key=lambda why: ("UTF-8" not in why, "backslash" in why))
    assert not_utf8.startswith(f"{raw}/caf??.MP4 has a name that is not UTF-8")
    assert "cannot be looked into (File name too long)" in endless
    assert "back\\\\slash.MP4" in backslash


def test_a_pipe_that_is_handed_in_keeps_nobody_waiting(client: TestClient, raw: Path) -> None:
    os.mkfifo(raw / "pipe.MP4")
    files = [{"device": "indoor_nas", "path": "raw/pipe.MP4"}]
    (answer,) = client.post("/ingest", json={"files": files, "vouched": True}).json()
    assert (answer["status"], answer["reason"].split(":")[0]) == ("unreadable", "raw/pipe.MP4 is no file")


def test_a_store_that_is_away_is_not_empty_and_a_folder_not_made_yet_is(server: MainServerClient, here: System) -> None:
    assert scan(server, here.stores, "indoor_nas:raw").files == 0
    here.stores.root("indoor_nas").rmdir()
    with pytest.raises(StoreMissing):
        scan(server, here.stores, "indoor_nas:raw")


def ingest_task(server: MainServerClient) -> Task:
    (task,) = server.all_pending()
    return task


def work(task: Task, server: MainServerClient, stores: Stores) -> str:
    """What the run of the clip says at its end."""
    one = Work(LocalDevice(DeviceSettings(), stores, "http://testserver", "not used"))
    one.server = server
    with disable_run_logger():
        return work_on_clip.fn(task, ingest.run, one).message or ""


def test_a_clip_that_vanished_ends_with_that_outcome(server: MainServerClient, here: System, raw: Path) -> None:
    clip = put(raw / "a.MP4", "content")
    put(raw / "b.txt", "the store is not empty")
    scan(server, here.stores, "indoor_nas:raw")
    clip.unlink()
    task = ingest_task(server)
    work(task, server, here.stores)
    assert server.all_pending() == []
    video = server.video(task.video_id) or {}
    assert video["outcome"] == "vanished"
    assert "raw/a.MP4" in video["reason"]


def test_a_clip_of_which_a_copy_is_known_goes_on_from_the_copy(
    server: MainServerClient, here: System, raw: Path
) -> None:
    clip = put(raw / "a.MP4", "content")
    put(raw / "copy" / "b.MP4", "content")
    scan(server, here.stores, "indoor_nas:raw")
    clip.unlink()
    work(ingest_task(server), server, here.stores)
    assert ingest_task(server).inputs[0].path == "raw/copy/b.MP4"
    assert (server.video(ingest_task(server).video_id) or {})["outcome"] is None


@pytest.mark.parametrize("renamed", ["0.MP4", "z.MP4"], ids=["seen before its successor", "seen after it"])
@pytest.mark.parametrize("worked_on_before_the_scan", [True, False])
def test_a_clip_whose_name_another_one_took_is_never_taken_for_it(
    server: MainServerClient, here: System, raw: Path, renamed: str, worked_on_before_the_scan: bool
) -> None:
    """Some cameras count from 1 again."""
    clip = put(raw / "GRMN0001.MP4", "content")
    scan(server, here.stores, "indoor_nas:raw")
    before = ingest_task(server)
    clip.rename(raw / renamed)
    put(raw / "GRMN0001.MP4", "another clip")
    if worked_on_before_the_scan:
        work(before, server, here.stores)
        assert server.pending(before.task_id) is None, "it waits for the next scan"
    scan(server, here.stores, "indoor_nas:raw")
    if server.pending(before.task_id) == before:
        work(before, server, here.stores)
    places = {task.video_id: here.stores.path(task.inputs[0].uri) for task in server.all_pending()}
    assert {path.name for path in places.values()} == {renamed, "GRMN0001.MP4"}
    assert all(identity.video_id(path) == video_id for video_id, path in places.items())


def test_a_device_that_sees_too_little_ends_nothing(
    server: MainServerClient, here: System, raw: Path, tmp_path: Path
) -> None:
    put(raw / "a.MP4", "content")
    scan(server, here.stores, "indoor_nas:raw")
    elsewhere = put(tmp_path / "an older disk" / "raw" / "z.MP4", "mounted in its place").parents[1]
    assert "FileNotFoundError" in work(ingest_task(server), server, Stores({"indoor_nas": elsewhere}))
    assert ingest_task(server).failures == 1


@pytest.mark.parametrize("mount_point", [True, False])
def test_a_copy_on_a_store_that_is_away_keeps_the_clip(
    server: MainServerClient, here: System, raw: Path, mount_point: bool
) -> None:
    clip = put(raw / "a.MP4", "content")
    shed = here.stores.root("shed_nas")
    put(shed / "old" / "a.MP4", "content")
    scan(server, here.stores, "indoor_nas:raw")
    scan(server, here.stores, "shed_nas:old")
    clip.unlink()
    put(raw / "b.txt", "the store is not empty")
    shed.rename(here.stores.root("indoor_nas") / "away")
    if mount_point:
        shed.mkdir()
    assert "a.MP4" in work(ingest_task(server), server, here.stores)
    assert len(server.all_pending()) == 1


@pytest.mark.parametrize("stage", [TaskType.ARCHIVE_VIDEO, TaskType.FINALIZE_VIDEO])
def test_a_stage_that_reads_no_clip_cannot_find_it_gone(
    server: MainServerClient, client: TestClient, here: System, raw: Path, stage: TaskType
) -> None:
    put(raw / "a.MP4", "content").rename(raw / "b.MP4")
    with writing(here.engine) as session:
        video = add_video(session, 1, outcome=None)
        add_task(session, video, stage)
    (task,) = server.all_pending()
    with pytest.raises(ServerRefused, match="does not read the clip"):
        server.complete(task.task_id, Completion(outcome="vanished", reason="so it says"))
    assert ingest_task(server).task_id == task.task_id


def test_a_clip_in_a_store_that_is_away_or_empty_stays_pending(
    server: MainServerClient, here: System, raw: Path
) -> None:
    clip = put(raw / "a.MP4", "content")
    scan(server, here.stores, "indoor_nas:raw")
    clip.unlink()
    raw.rmdir()
    assert "a.MP4" in work(ingest_task(server), server, here.stores)
    assert ingest_task(server).failures == 1


def test_a_clip_moved_while_a_worker_was_at_it_is_tried_again(
    server: MainServerClient, here: System, raw: Path
) -> None:
    clip = put(raw / "a.MP4", "content")
    scan(server, here.stores, "indoor_nas:raw")
    before = ingest_task(server)
    (raw / "RO").mkdir()
    clip.rename(raw / "RO" / "a.MP4")
    scan(server, here.stores, "indoor_nas:raw")
    assert "FileNotFoundError" in work(before, server, here.stores)
    assert ingest_task(server).inputs[0].path == "raw/RO/a.MP4"
