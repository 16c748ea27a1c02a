"""A file is taken once it is whole, and is the same video wherever it lies."""

import os
from pathlib import Path

from sqlalchemy import Engine, select

from dashcam.catalog.arrival import Arrival, Settling, admit, look
from dashcam.catalog.models import SourceFile, Video
from dashcam.database import reading, writing
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.model import Completion, InputRef, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import applied
from tests.tasks.test_table import facts

LONG_AGO = 1_700_000_000
SETTLE_S = 30.0


class Nas:
    """An indoor NAS in a folder, and what the server makes of the files on it."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self.engine, self.root, self.settling = engine, root, Settling()
        self.stores = Stores({"indoor_nas": root})

    def put(self, path: str, content: bytes = b"a clip", age_s: float | None = None) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if age_s is None:
            os.utime(file, (LONG_AGO, LONG_AGO))
        return file

    def hand_in(self, path: str) -> Arrival:
        found = look(self.engine, self.stores, InputRef(device="indoor_nas", path=path), self.settling, SETTLE_S)
        with writing(self.engine) as session:
            return admit(session, found)

    def finish(self, task_type: TaskType, completion: Completion) -> None:
        with writing(self.engine) as session:
            row = session.scalars(
                select(TaskRow).where(TaskRow.task_type == task_type, TaskRow.state == "pending")
            ).one()
            table.complete(session, row.task_id, completion, applied)

    def only(self) -> tuple[Video, TaskRow]:
        with reading(self.engine) as session:
            return session.scalars(select(Video)).one(), session.scalars(select(TaskRow)).one()


def test_a_file_settles_by_its_date_or_by_staying_as_it_was_seen() -> None:
    settling = Settling()
    at = 1000.0
    assert settling.settled("s:old", 5, int((at - 30) * 1e9), 30, at)
    ahead = int((at + 3600) * 1e9)  # a NAS whose clock is an hour ahead
    assert not settling.settled("s:a", 5, ahead, 30, at)
    assert not settling.settled("s:a", 5, ahead, 30, at + 10)
    assert not settling.settled("s:a", 6, ahead, 30, at + 31), "it has grown"
    assert not settling.settled("s:a", 6, ahead, 30, at + 60)
    assert settling.settled("s:a", 6, ahead, 30, at + 61)
    assert settling.settled("s:a", 6, ahead, 30, at + 61), "still so when it is handed in"


def test_a_file_of_any_size_is_taken(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    with nas.put("raw/a.MP4").open("r+b") as file:
        file.truncate(5 * 1024**3)  # a file with holes: nothing is written
    os.utime(nas.root / "raw/a.MP4", (LONG_AGO, LONG_AGO))
    assert nas.hand_in("raw/a.MP4").status == "new"


def test_fresh_hidden_and_partial_files_wait_and_are_taken_later(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    fresh = nas.put("raw/a.MP4", age_s=0)
    nas.put("raw/.b.MP4")
    nas.put("raw/.thumbs/c.MP4")
    nas.put("raw/d.MP4.part")
    waiting = [nas.hand_in(path) for path in ("raw/a.MP4", "raw/.b.MP4", "raw/.thumbs/c.MP4", "raw/d.MP4.part")]
    assert {one.status for one in waiting} == {"waiting"}
    assert all(one.reason and one.reason.endswith(".") for one in waiting)
    os.utime(fresh, (LONG_AGO, LONG_AGO))
    assert nas.hand_in("raw/a.MP4").status == "new"


def test_a_clip_downloaded_again_or_copied_is_the_same_video(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    nas.put("raw/a.MP4")
    first = nas.hand_in("raw/a.MP4")
    os.utime(nas.put("raw/a.MP4"), (LONG_AGO + 5, LONG_AGO + 5))
    nas.put("raw/copy/b.MP4")
    assert [nas.hand_in(path).video_id for path in ("raw/a.MP4", "raw/copy/b.MP4")] == [first.video_id] * 2
    video, task = nas.only()
    assert (video.source, task.inputs[0]["path"]) == ("indoor_nas:raw/a.MP4", "raw/a.MP4"), "a copy moves nothing"


def test_a_clip_that_was_moved_is_looked_for_where_it_is_now(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    name = "2026_0628_133416_000007F.MP4"
    file = nas.put(f"raw/Movie/{name}")
    nas.hand_in(f"raw/Movie/{name}")
    nas.finish(TaskType.INGEST_VIDEO, Completion(result=facts().model_dump(mode="json")))
    locked = file.parent / "RO" / name
    locked.parent.mkdir()
    file.rename(locked)
    assert nas.hand_in(f"raw/Movie/RO/{name}").status == "known"
    video, _ = nas.only()
    assert video.source == f"indoor_nas:raw/Movie/RO/{name}"
    assert video.facts is not None and video.facts["locked"] is True


def test_a_pending_task_follows_the_clip(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    file = nas.put("raw/a.MP4")
    nas.hand_in("raw/a.MP4")
    file.rename(tmp_path / "raw/b.MP4")
    nas.hand_in("raw/b.MP4")
    _, task = nas.only()
    assert (task.state, task.inputs[0]["path"]) == ("pending", "raw/b.MP4")


def test_a_vanished_clip_ends_and_goes_on_when_it_is_back(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    file = nas.put("raw/a.MP4")
    nas.hand_in("raw/a.MP4")
    file.unlink()
    nas.finish(TaskType.INGEST_VIDEO, Completion(outcome="vanished", reason="raw/a.MP4 was removed."))
    video, task = nas.only()
    assert (video.outcome, task.state) == ("vanished", "complete")
    with reading(any_engine) as session:
        assert session.scalars(select(SourceFile)).all() == []
    nas.put("raw/a.MP4")
    assert nas.hand_in("raw/a.MP4").status == "known"
    video, task = nas.only()
    assert (video.outcome, video.reason, task.state, task.outcome) == (None, None, "pending", None)
