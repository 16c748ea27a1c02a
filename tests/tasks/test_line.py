"""The line of pending tasks: what a person puts first is first, to the clip's end; all that failed is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from dashcam.catalog import work
from dashcam.database import reading, writing
from dashcam.tasks import line, table
from dashcam.tasks.model import Completion, TaskType
from dashcam.tasks.row import FIRST, LAST, TaskRow
from tests.tasks.test_table import new_task, publish, row_of

INGEST, PREPROCESS, HEAVY = list(TaskType)[:3]
DELAY = timedelta(seconds=300)


def put_first(engine: Engine, *clips: str) -> int:
    with writing(engine) as session:
        return line.put_first(session, clips)


def offered(engine: Engine, stage: TaskType = HEAVY, limit: int = 10) -> list[int]:
    with reading(engine) as session:
        return [one.task_id for one in table.waiting(session, stage, datetime.now(UTC), limit)]


def fail(engine: Engine, *task_ids: int) -> None:
    with writing(engine) as session:
        for task_id in task_ids:
            table.fail(session, task_id, "the disk is full", DELAY)


def due(engine: Engine, task_id: int) -> None:
    with writing(engine) as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(TaskRow).where(TaskRow.task_id == task_id).values(not_before=past))


def test_who_is_put_first_is_offered_before_the_older_and_those_that_are_due(any_engine: Engine) -> None:
    a, b, c, d = (publish(any_engine, HEAVY, clip) for clip in "abcd")
    due(any_engine, b)
    assert put_first(any_engine, "c") == 1
    assert offered(any_engine) == [c, a, b, d]
    assert offered(any_engine, limit=1) == [c]
    put_first(any_engine, "d", "b")
    assert offered(any_engine) == [b, c, d, a], "among themselves the oldest first"
    with reading(any_engine) as session:
        assert [one.task_id for one in work.tasks(session)] == [b, c, d, a], "the page has it as it will be"
        assert [one.first for one in work.tasks(session)] == [True, True, True, False]


def test_what_nobody_waits_for_is_offered_when_nothing_else_is_and_so_is_what_follows(any_engine: Engine) -> None:
    a, b, c = (publish(any_engine, HEAVY, clip) for clip in "abc")
    with writing(any_engine) as session:
        session.execute(update(TaskRow).where(TaskRow.task_id.in_([a, b])).values(not_before=LAST))
    assert offered(any_engine) == [c]
    due(any_engine, c)
    assert offered(any_engine) == [c]
    put_first(any_engine, "b")
    assert offered(any_engine) == [b, c]
    with writing(any_engine) as session:
        follows = Completion(publish=[new_task(TaskType.ARCHIVE_VIDEO, "a")])
        table.complete(session, a, follows, lambda *result: None)
        table.hold(session, [b, c], "not now")
    (archive,) = offered(any_engine, TaskType.ARCHIVE_VIDEO)
    assert row_of(any_engine, archive).not_before == LAST
    with reading(any_engine) as session:
        (task,) = work.tasks_by_id(session, [archive])
        found = work.get(session, archive)
    assert not task.first and found is not None and found.not_before is None


def test_who_is_put_back_waits_its_turn(any_engine: Engine) -> None:
    a, b = (publish(any_engine, HEAVY, clip) for clip in "ab")
    put_first(any_engine, "b")
    with writing(any_engine) as session:
        assert line.put_back(session, ["a", "b"]) == 1
    assert offered(any_engine) == [a, b]


def test_a_clip_goes_first_at_every_stage_to_its_end(any_engine: Engine) -> None:
    other, mine = (publish(any_engine, INGEST, clip) for clip in "ab")
    put_first(any_engine, "b")
    for task_id, clip in ((other, "a"), (mine, "b")):
        with writing(any_engine) as session:
            follows = Completion(publish=[new_task(PREPROCESS, clip)])
            table.complete(session, task_id, follows, lambda *result: None)
    with reading(any_engine) as session:
        waiting = table.waiting(session, PREPROCESS, datetime.now(UTC), 10)
        assert [one.video_id for one in waiting] == ["b", "a"]
        (task,) = work.find(session, video_id="b", state="pending")[0]
        assert task.first and task.not_before is None, "how it is written down is nobody's business"
        (brief,) = table.briefs(session, TaskRow.task_id == task.task_id)
        assert brief.not_before is None and not brief.waits


def test_what_waits_after_a_failure_is_first_at_once_and_put_off_by_the_next_one(any_engine: Engine) -> None:
    a, b = (publish(any_engine, HEAVY, clip) for clip in "ab")
    fail(any_engine, b)
    put_first(any_engine, "b")
    assert offered(any_engine) == [b, a]
    fail(any_engine, b)
    assert offered(any_engine) == [a], "it does not keep others from their turn for ever"


def test_what_was_put_off_stands_again_where_it_stood(any_engine: Engine) -> None:
    """Twice, so that a place is kept over more than one failure; also when it is tried again by hand, or is through."""
    a, b, c = (publish(any_engine, HEAVY, clip) for clip in "abc")
    with writing(any_engine) as session:
        session.execute(update(TaskRow).where(TaskRow.task_id == a).values(not_before=LAST))
    put_first(any_engine, "c")
    for _ in range(2):
        fail(any_engine, a, c)
        assert offered(any_engine) == [b]
        due(any_engine, a)
        due(any_engine, c)
        with writing(any_engine) as session:
            now = datetime.now(UTC)
            assert table.is_back_in_line(session, now) and table.take_their_places(session, now) == 2
            assert not table.is_back_in_line(session, now)
        assert offered(any_engine) == [c, b]
    fail(any_engine, a, c)
    with writing(any_engine) as session:
        assert line.put_back(session, ["c"]) == 1
        assert row_of(any_engine, c).not_before is not None, "it waits all the same"
        table.release(session, a)
        table.release(session, c)
    assert (row_of(any_engine, a).not_before, row_of(any_engine, c).not_before) == (LAST, None)
    with writing(any_engine) as session:
        table.wait(session, a, "no room")
        table.complete(session, a, Completion(publish=[new_task(TaskType.ARCHIVE_VIDEO, "a")]), lambda *result: None)
    (archive,) = offered(any_engine, TaskType.ARCHIVE_VIDEO)
    assert row_of(any_engine, archive).not_before == LAST


def test_what_is_held_stays_held_and_is_first_when_it_is_tried_again(any_engine: Engine) -> None:
    a, b = (publish(any_engine, HEAVY, clip) for clip in "ab")
    with writing(any_engine) as session:
        table.hold(session, [b], "run was cancelled in Prefect")
    put_first(any_engine, "b")
    assert offered(any_engine) == [a]
    with writing(any_engine) as session:
        table.release(session, b)
    assert offered(any_engine) == [b, a]


def test_what_is_complete_is_not_moved(any_engine: Engine) -> None:
    task_id = publish(any_engine, HEAVY)
    with writing(any_engine) as session:
        table.complete(session, task_id, Completion(), lambda *result: None)
        assert line.put_first(session, ["v1"]) == 0
    assert row_of(any_engine, task_id).not_before is None


def test_all_that_failed_is_tried_again_but_what_a_run_is_at(any_engine: Engine) -> None:
    failed, held, told, at_it, fine = (publish(any_engine, HEAVY, clip) for clip in "abcde")
    ingest = publish(any_engine, INGEST, "f")
    fail(any_engine, failed, at_it, ingest)
    with writing(any_engine) as session:
        table.hold(session, [held], "run was cancelled in Prefect")
        table.offered(session, [told, at_it], "a run")
        table.fail(session, told, "the disk is full", DELAY, "a run")
        found = line.retry_failed(session, stage=HEAVY)
    assert (list(found.video_ids), found.after) == (["a", "b", "c"], None)
    assert offered(any_engine) == [failed, held, told, fine]
    assert row_of(any_engine, at_it).flow_run_id == "a run"
    assert row_of(any_engine, ingest).failures == 1, "another stage's"
    assert row_of(any_engine, failed).failures == 0


def test_many_that_failed_are_tried_again_in_shares_each_once(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "AT_ONCE", 2)
    ids = [publish(any_engine, HEAVY, clip) for clip in "abcde"]
    fail(any_engine, *ids)
    after, shares = None, []
    while after or not shares:
        with writing(any_engine) as session:
            share = line.retry_failed(session, after)
        fail(any_engine, *ids[:1])  # what fails anew meanwhile waits for the next word
        shares.append(list(share.video_ids))
        after = share.after
    assert shares == [["a", "b"], ["c", "d"], ["e"]]


def test_the_first_is_no_time_that_any_clock_says() -> None:
    assert FIRST.timestamp() == 0
