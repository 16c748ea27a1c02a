"""A file is taken once it is whole, and is the same video wherever it lies."""

import os
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select
from sqlalchemy.orm import Session

from dashcam.catalog.arrival import Arrival, FoundFile, Settling, admit, look
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

    def hand_in(self, *paths: str) -> list[Arrival]:
        refs = [InputRef(device="indoor_nas", path=path) for path in paths]
        found = look(self.engine, self.stores, refs, self.settling, SETTLE_S)
        with writing(self.engine) as session:
            return admit(session, found)

    def take(self, path: str) -> Arrival:
        (arrival,) = self.hand_in(path)
        return arrival

    def finish(self, task_type: TaskType, completion: Completion) -> None:
        with writing(self.engine) as session:
            row = session.scalars(
                select(TaskRow).where(TaskRow.task_type == task_type, TaskRow.state == "pending")
            ).one()
            table.complete(session, row.task_id, completion, applied)

    def end_what_is_gone(self) -> None:
        """As the stage that finds the clip gone says it."""
        with writing(self.engine) as session:
            for row in session.scalars(select(TaskRow).where(TaskRow.state == "pending")).all():
                if not (self.root / row.inputs[0]["path"]).exists():
                    gone = Completion(outcome="vanished", reason="It was removed.")
                    table.complete(session, row.task_id, gone, applied)

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
    assert nas.take("raw/a.MP4").status == "new"


def test_fresh_hidden_and_partial_files_wait_and_are_taken_later(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    fresh = nas.put("raw/a.MP4", age_s=0)
    nas.put("raw/.b.MP4")
    nas.put("raw/.thumbs/c.MP4")
    nas.put("raw/d.MP4.part")
    waiting = nas.hand_in("raw/a.MP4", "raw/.b.MP4", "raw/.thumbs/c.MP4", "raw/d.MP4.part")
    assert {one.status for one in waiting} == {"waiting"}
    assert all(one.reason and one.reason.endswith(".") for one in waiting)
    os.utime(fresh, (LONG_AGO, LONG_AGO))
    assert nas.take("raw/a.MP4").status == "new"


def test_a_clip_downloaded_again_or_copied_is_the_same_video(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    nas.put("raw/a.MP4")
    first = nas.take("raw/a.MP4")
    os.utime(nas.put("raw/a.MP4"), (LONG_AGO + 5, LONG_AGO + 5))
    nas.put("raw/copy/b.MP4")
    assert [nas.take(path).video_id for path in ("raw/a.MP4", "raw/copy/b.MP4")] == [first.video_id] * 2
    video, task = nas.only()
    assert (video.source, task.inputs[0]["path"]) == ("indoor_nas:raw/a.MP4", "raw/a.MP4"), "a copy moves nothing"


def test_a_clip_that_was_moved_is_looked_for_where_it_is_now(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    name = "2026_0628_133416_000007F.MP4"
    file = nas.put(f"raw/Movie/{name}")
    nas.take(f"raw/Movie/{name}")
    nas.finish(TaskType.INGEST_VIDEO, Completion(result=facts().model_dump(mode="json")))
    locked = file.parent / "RO" / name
    locked.parent.mkdir()
    file.rename(locked)
    assert nas.take(f"raw/Movie/RO/{name}").status == "known"
    video, _ = nas.only()
    assert video.source == f"indoor_nas:raw/Movie/RO/{name}"
    assert video.facts is not None and video.facts["locked"] is True


def test_a_pending_task_follows_the_clip(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    file = nas.put("raw/a.MP4")
    nas.take("raw/a.MP4")
    file.rename(tmp_path / "raw/b.MP4")
    nas.take("raw/b.MP4")
    _, task = nas.only()
    assert (task.state, task.inputs[0]["path"]) == ("pending", "raw/b.MP4")


def test_a_vanished_clip_ends_and_goes_on_when_it_is_back(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    file = nas.put("raw/a.MP4")
    nas.take("raw/a.MP4")
    file.unlink()
    nas.finish(TaskType.INGEST_VIDEO, Completion(outcome="vanished", reason="raw/a.MP4 was removed."))
    video, task = nas.only()
    assert (video.outcome, task.state) == ("vanished", "complete")
    with reading(any_engine) as session:
        assert session.scalars(select(SourceFile)).all() == []
    nas.put("raw/a.MP4")
    assert nas.take("raw/a.MP4").status == "known"
    video, task = nas.only()
    assert (video.outcome, video.reason, task.state, task.outcome) == (None, None, "pending", None)


def test_two_clips_that_changed_places_are_each_looked_for_where_they_are(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    nas.put("raw/a.MP4", b"one")
    nas.put("raw/b.MP4", b"two")
    one, two = (arrival.video_id for arrival in nas.hand_in("raw/a.MP4", "raw/b.MP4"))
    os.utime(nas.put("raw/a.MP4", b"two"), (LONG_AGO + 5, LONG_AGO + 5))
    os.utime(nas.put("raw/b.MP4", b"one"), (LONG_AGO + 5, LONG_AGO + 5))
    nas.hand_in("raw/a.MP4", "raw/b.MP4")
    with reading(any_engine) as session:
        sources = {video.video_id: video.source for video in session.scalars(select(Video))}
    assert sources == {one: "indoor_nas:raw/b.MP4", two: "indoor_nas:raw/a.MP4"}


def test_a_clip_that_is_moved_while_its_batch_is_read_leaves_nothing_behind(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    nas.put("raw/a.MP4")
    video_id = nas.take("raw/a.MP4").video_id
    before, after = (InputRef(device="indoor_nas", path=path) for path in ("raw/a.MP4", "raw/b.MP4"))
    seen = [FoundFile(before, 6, 1, video_id=video_id), FoundFile(after, 6, 1, video_id=video_id, left=before.uri)]
    with writing(any_engine) as session:
        admit(session, seen)
        assert session.scalars(select(SourceFile.uri)).all() == [after.uri]


def test_a_batch_costs_few_statements_and_copies_in_it_are_one_video(any_engine: Engine, tmp_path: Path) -> None:
    nas = Nas(any_engine, tmp_path)
    for number in range(60):
        nas.put(f"raw/{number}.MP4", str(number % 50).encode())
    statements: list[str] = []
    event.listen(any_engine, "before_cursor_execute", lambda _c, _cursor, said, *_rest: statements.append(said))
    arrivals = nas.hand_in(*(f"raw/{number}.MP4" for number in range(60)))
    assert Counter(one.status for one in arrivals) == {"new": 50, "known": 10}
    assert len([said for said in statements if said.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]) < 13
    with reading(any_engine) as session:
        tasks = session.scalars(select(TaskRow).order_by(TaskRow.task_id)).all()
    assert [task.inputs[0]["path"] for task in tasks] == [f"raw/{number}.MP4" for number in range(50)], "in their order"


PATHS = [f"raw/{name}.MP4" for name in "abcde"]
Change = tuple[str, bytes | None]
changes = st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from([None, b"1", b"2", b"3", b"4"])), max_size=6)
rounds = st.lists(st.tuples(changes, st.permutations(PATHS), st.booleans()), min_size=1, max_size=4)


def rows(session: Session) -> list[object]:
    """All that arrival writes down, without numbers and times."""
    videos = select(Video.video_id, Video.name, Video.source, Video.outcome).order_by(Video.video_id)
    files = select(SourceFile.uri, SourceFile.size, SourceFile.mtime_ns, SourceFile.video_id).order_by(SourceFile.uri)
    tasks = select(TaskRow.video_id, TaskRow.state, TaskRow.outcome, TaskRow.inputs).order_by(TaskRow.task_id)
    return [session.execute(query).all() for query in (videos, files, tasks)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds)
def test_a_batch_is_taken_as_its_files_one_by_one_are(
    any_engine: Engine, tmp_path: Path, story: list[tuple[list[Change], list[str], bool]]
) -> None:
    """Files come, go, change places and content; clips vanish and are back."""
    nas = Nas(any_engine, Path(tempfile.mkdtemp(dir=tmp_path)))
    moment = LONG_AGO
    with writing(any_engine) as session:
        for table_of in (TaskRow, SourceFile, Video):
            session.execute(delete(table_of))
    for changed, order, vanish in story:
        for path, content in changed:
            moment += 1
            (nas.root / path).unlink(missing_ok=True)
            if content is not None:
                os.utime(nas.put(path, content), (moment, moment))
        if vanish:
            nas.end_what_is_gone()
        refs = [InputRef(device="indoor_nas", path=path) for path in order]
        found = look(any_engine, nas.stores, refs, nas.settling, SETTLE_S)
        with Session(any_engine) as session:
            at_once = admit(session, found), rows(session)
        with writing(any_engine) as session:
            one_by_one = [arrival for one in found for arrival in admit(session, [one])], rows(session)
        assert at_once == one_by_one
