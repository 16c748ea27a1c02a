"""The task table's promises: two states, once only, all or nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from dashcam import records
from dashcam.catalog import work
from dashcam.catalog.models import Plate, PositionRow, SightingRow, Video
from dashcam.database import reading, writing
from dashcam.tasks import table
from dashcam.tasks.model import Completion, InputRef, NewTask, Outcome, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import applied

CLIP = InputRef(device="indoor_nas", path="raw/2026-06-28/a.MP4")
START = datetime(2026, 6, 28, 12, 0, tzinfo=UTC)


def new_task(task_type: TaskType, video_id: str = "v1") -> NewTask:
    return NewTask(task_type=task_type, video_id=video_id, inputs=[CLIP])


def publish(engine: Engine, task_type: TaskType, video_id: str = "v1") -> int:
    with writing(engine) as session:
        if session.get(Video, video_id) is None:
            session.add(Video(video_id=video_id, name="a.MP4", source=CLIP.uri, created_at=START))
            session.flush()
        table.publish(session, new_task(task_type, video_id))
    with reading(engine) as session:
        wanted = select(TaskRow.task_id).where(TaskRow.task_type == task_type, TaskRow.video_id == video_id)
        return session.scalars(wanted).one()


def facts() -> records.VideoFacts:
    fixes = [
        records.Fix(t_s=t, utc=START + timedelta(seconds=t), lat=52 + t / 10000, lon=4.0, speed_mps=11, heading_deg=0)
        for t in (0.0, 1.0, 2.0)
    ]
    return records.VideoFacts(
        name="a.MP4",
        sha256="0" * 64,
        size=1,
        trip="2026-06-28",
        start_utc=START,
        clock="gps",
        duration_s=3,
        width=1280,
        height=720,
        fps=30,
        codec="h264",
        frames=90,
        fixes=fixes,
    )


def heavy_result(*texts: str) -> Completion:
    sightings = [
        records.Sighting(
            text=text,
            confidence=0.9,
            confirmed=True,
            first_s=0.5,
            last_s=1.5,
            best_s=1.5,
            best_pts=45,
            box=(1, 2, 3, 4),
            slots=[{character: 1.0} for character in text],
            reads=[],
            crop=f"plates/{text}-{number}_best_crop.jpg",
            frame=f"frames/{text}-{number}_best_frame.jpg",
        )
        for number, text in enumerate(texts)
    ]
    result = records.HeavyResult(
        bundle="indoor_nas:heavy_output/v1", frames_decoded=90, frames_looked_at=15, models={}, sightings=sightings
    )
    return Completion(result=result.model_dump(mode="json"), publish=[new_task(TaskType.ARCHIVE_VIDEO)])


def count(engine: Engine, entity: type) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


def complete(engine: Engine, task_id: int, completion: Completion) -> bool:
    with writing(engine) as session:
        return table.complete(session, task_id, completion, applied) is not None


def test_publishing_twice_is_one_task(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        session.add(Video(video_id="v1", name="a", source="s:a", created_at=START))
        session.flush()
        assert table.publish(session, new_task(TaskType.INGEST_VIDEO))
        assert not table.publish(session, new_task(TaskType.INGEST_VIDEO))
    assert count(any_engine, TaskRow) == 1


def test_completing_stores_applies_and_publishes_at_once(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    done = Completion(
        result=facts().model_dump(mode="json"), publish=[NewTask(**new_task(TaskType.PREPROCESS_VIDEO).model_dump())]
    )
    assert complete(any_engine, task_id, done)
    with reading(any_engine) as session:
        video = session.get_one(Video, "v1")
        assert (video.start_utc, video.duration_s, video.trip) == (START, 3, "2026-06-28")
        todo, total = work.find(session, state="pending")
    assert total == 1
    assert todo[0].task_type is TaskType.PREPROCESS_VIDEO
    assert todo[0].video is not None and todo[0].video.sha256 == "0" * 64
    assert count(any_engine, PositionRow) == 3


def test_a_late_second_result_changes_nothing(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO)
    assert complete(any_engine, task_id, heavy_result("AB12CDE"))
    assert not complete(any_engine, task_id, heavy_result("ZZ99ZZZ"))
    with reading(any_engine) as session:
        assert session.scalars(select(Plate.text)).all() == ["AB12CDE"]
    assert count(any_engine, TaskRow) == 2


@pytest.mark.parametrize("outcome", ["processed", "rejected"])
def test_a_result_of_another_task_that_had_the_number_changes_nothing(any_engine: Engine, outcome: Outcome) -> None:
    """A backup was put back while it was worked on: its number went to the next task that was published."""
    task_id = publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO)
    late = heavy_result("ZZ99ZZZ").model_copy(update={"outcome": outcome, "reason": "No frame of it can be read."})
    for whose in ({"video_id": "another"}, {"video_id": "v1", "task_type": TaskType.FINALIZE_VIDEO}):
        assert not complete(any_engine, task_id, late.model_copy(update=whose))
    assert count(any_engine, Plate) == 0
    mine = {"video_id": "v1", "task_type": TaskType.HEAVY_PROCESS_VIDEO}
    assert complete(any_engine, task_id, heavy_result("AB12CDE").model_copy(update=mine))


def test_two_workers_completing_at_the_same_moment_leave_one_result(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO)
    start = threading.Barrier(4)
    won = []

    def finish(text: str) -> None:
        start.wait()
        won.append(complete(any_engine, task_id, heavy_result(text)))

    threads = [threading.Thread(target=finish, args=(f"AA1{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]
    assert count(any_engine, SightingRow) == 1
    assert count(any_engine, TaskRow) == 2


def test_a_result_that_cannot_be_applied_leaves_the_task_pending(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO)
    broken = Completion(result={"bundle": "x"}, publish=[new_task(TaskType.ARCHIVE_VIDEO)])
    with pytest.raises(ValueError):
        complete(any_engine, task_id, broken)
    with reading(any_engine) as session:
        task = work.get(session, task_id)
    assert task is not None and task.state == "pending"
    assert count(any_engine, TaskRow) == 1


def test_sightings_get_the_time_and_place_of_their_best_frame(any_engine: Engine) -> None:
    complete(any_engine, publish(any_engine, TaskType.INGEST_VIDEO), Completion(result=facts().model_dump(mode="json")))
    complete(any_engine, publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO), heavy_result("AB12CDE"))
    with reading(any_engine) as session:
        sighting = session.scalars(select(SightingRow)).one()
    assert sighting.seen_utc == START + timedelta(seconds=1.5)
    assert sighting.lat == pytest.approx(52.00015, abs=1e-6)
    assert sighting.lon == pytest.approx(4.0)


def test_a_rejected_clip_ends_with_its_reason(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    assert complete(any_engine, task_id, Completion(outcome="rejected", reason="a.MP4 is empty."))
    with reading(any_engine) as session:
        video = session.get_one(Video, "v1")
        assert (video.outcome, video.reason) == ("rejected", "a.MP4 is empty.")
        assert work.find(session, state="pending")[1] == 0


def test_positions_of_a_clip_without_a_picture_are_kept(any_engine: Engine) -> None:
    saved = facts().model_copy(update={"frames": 0, "width": 0, "height": 0, "codec": ""}).model_dump(mode="json")
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    complete(any_engine, task_id, Completion(outcome="rejected", reason="a.MP4 has no index (moov).", result=saved))
    with reading(any_engine) as session:
        video = session.get_one(Video, "v1")
        assert (video.outcome, video.reason) == ("rejected", "a.MP4 has no index (moov).")
        assert video.start_utc == START
    assert count(any_engine, PositionRow) == 3


@pytest.mark.parametrize(
    ("damage", "damaged", "reason"),
    [
        ("first 41 of 60 s: the file is cut off", 1, "first 41 of 60 s: the file is cut off"),
        ("", 4, "4 damaged places in the video; 90 frames were read"),
        ("", 0, None),
    ],
)
def test_a_processed_clip_says_what_of_it_is_lost(
    any_engine: Engine, damage: str, damaged: int, reason: str | None
) -> None:
    found = facts().model_copy(update={"damage": damage}).model_dump(mode="json")
    complete(any_engine, publish(any_engine, TaskType.INGEST_VIDEO), Completion(result=found))
    heavy = heavy_result("AB12CDE")
    assert heavy.result is not None
    heavy.result["damaged"] = damaged
    complete(any_engine, publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO), heavy)
    finished = Completion(result={"archive": "shed_nas:v1", "removed": []})
    complete(any_engine, publish(any_engine, TaskType.FINALIZE_VIDEO), finished)
    with reading(any_engine) as session:
        video = session.get_one(Video, "v1")
    assert (video.outcome, video.reason) == ("processed", reason)


def test_a_failure_waits_longer_each_time_and_stays_pending(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    waits = []
    for _ in range(3):
        with writing(any_engine) as session:
            table.fail(session, task_id, "NAS is away", timedelta(seconds=100))
        with reading(any_engine) as session:
            task = work.get(session, task_id)
        assert task is not None and task.state == "pending" and task.not_before is not None
        waits.append((task.not_before - datetime.now(UTC)).total_seconds())
    assert [round(wait, -1) for wait in waits] == [100, 200, 400]
    assert task.last_error == "NAS is away"
    with writing(any_engine) as session:
        assert table.release(session, task_id)
    with reading(any_engine) as session:
        task = work.get(session, task_id)
    assert task is not None and task.not_before is None and task.failures == 0


def row_of(engine: Engine, task_id: int) -> TaskRow:
    with reading(engine) as session:
        return session.get_one(TaskRow, task_id)


def test_no_delay_is_longer_than_six_hours(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    with writing(any_engine) as session:
        session.execute(update(TaskRow).values(failures=40))
        assert table.fail(session, task_id, "NAS is away", timedelta(minutes=5))
    wait = row_of(any_engine, task_id).not_before
    assert wait is not None and abs(wait - datetime.now(UTC) - timedelta(hours=6)) < timedelta(minutes=1)
    assert row_of(any_engine, task_id).failures == 41


def test_what_is_complete_neither_fails_nor_is_held_nor_tried_again(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    complete(any_engine, task_id, Completion(outcome="rejected", reason="a.MP4 is empty."))
    with writing(any_engine) as session:
        session.execute(update(TaskRow).values(failures=2, flow_run_id="r"))
    before = vars(row_of(any_engine, task_id)).copy()
    with writing(any_engine) as session:
        assert not table.fail(session, task_id, "too late", timedelta(minutes=5))
        table.hold(session, [task_id], "too late")
        assert not table.release(session, task_id)
        table.offered(session, [task_id], "another")
        table.settle(session, "r", timedelta(minutes=5), failed="too late")
    after = vars(row_of(any_engine, task_id))
    assert {name: after[name] for name in before if name[0] != "_"} == {
        name: value for name, value in before.items() if name[0] != "_"
    }


def test_failures_at_the_same_moment_are_all_counted(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    start = threading.Barrier(4)

    def fail() -> None:
        start.wait()
        with writing(any_engine) as session:
            table.fail(session, task_id, "NAS is away", timedelta(seconds=1))

    threads = [threading.Thread(target=fail) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert row_of(any_engine, task_id).failures == 4


def test_a_failure_reported_twice_by_one_run_is_one(any_engine: Engine) -> None:
    """The first report's answer was lost on the way."""
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    for run in ("first", "second"):
        with writing(any_engine) as session:
            table.offered(session, [task_id], run)
            assert table.fail(session, task_id, "NAS is away", timedelta(seconds=1))
            assert not table.fail(session, task_id, "NAS is away", timedelta(seconds=1))
    assert row_of(any_engine, task_id).failures == 2


def test_what_has_no_room_waits_a_minute_and_has_not_failed(any_engine: Engine) -> None:
    task_id = publish(any_engine, TaskType.INGEST_VIDEO)
    with writing(any_engine) as session:
        table.offered(session, [task_id], "first")
        assert not table.wait(session, task_id, "No room.", "another run")
        assert table.wait(session, task_id, "No room.", "first")
        assert not table.wait(session, task_id, "No room.", "first"), "it is told once a run"
        table.settle(session, "first", timedelta(seconds=1), crashed="it died after all")
        [brief] = table.briefs(session, TaskRow.task_id == task_id)
    row = row_of(any_engine, task_id)
    assert (row.failures, row.crashes, row.last_error, row.flow_run_id) == (0, 0, "No room.", None)
    assert row.not_before is not None
    assert timedelta(seconds=50) < row.not_before - datetime.now(UTC) <= table.ROOM_WAIT
    assert brief.waits
    with writing(any_engine) as session:
        table.fail(session, task_id, "NAS is away", timedelta(seconds=1))
        [brief] = table.briefs(session, TaskRow.task_id == task_id)
    assert not brief.waits, "it has failed"


def test_what_wakes_late_fails_no_task_that_another_run_has(any_engine: Engine) -> None:
    """A run that was frozen, taken for dead and given up: its tasks have been offered anew."""
    task_id, delay = publish(any_engine, TaskType.INGEST_VIDEO), timedelta(seconds=1)
    for run in ("zombie", "second"):
        with writing(any_engine) as session:
            table.offered(session, [task_id], run)
    with writing(any_engine) as session:
        assert not table.fail(session, task_id, "I slept", delay, "zombie")
    assert (row_of(any_engine, task_id).failures, row_of(any_engine, task_id).told) == (0, False)
    with writing(any_engine) as session:
        assert table.fail(session, task_id, "NAS is away", delay, "second")
        table.settle(session, "second", delay)
        assert table.fail(session, task_id, "retried in Prefect", delay, "zombie"), "no run has it"
    assert row_of(any_engine, task_id).failures == 2


def test_a_task_for_a_video_that_nobody_knows_is_refused_in_words(any_engine: Engine) -> None:
    """It was taken for published before, and the clip went no further."""
    with pytest.raises(table.UnknownVideo, match="There is no video v2"), writing(any_engine) as session:
        table.publish(session, new_task(TaskType.INGEST_VIDEO, "v2"))


def test_reprocessing_replaces_what_was_seen(any_engine: Engine) -> None:
    complete(any_engine, publish(any_engine, TaskType.HEAVY_PROCESS_VIDEO), heavy_result("AB12CDE", "XY34ZZZ"))
    with writing(any_engine) as session:
        session.execute(TaskRow.__table__.update().values(revision=0))  # as if the stage's revision had been raised
    complete(any_engine, publish_again(any_engine), heavy_result("XY34ZZZ"))
    with reading(any_engine) as session:
        assert session.scalars(select(Plate.text)).all() == ["XY34ZZZ"]
    assert count(any_engine, SightingRow) == 1


def publish_again(engine: Engine) -> int:
    with writing(engine) as session:
        assert table.publish(session, new_task(TaskType.HEAVY_PROCESS_VIDEO))
    with reading(engine) as session:
        wanted = select(TaskRow.task_id).where(TaskRow.state == "pending", TaskRow.task_type == "HEAVY_PROCESS_VIDEO")
        return session.scalars(wanted).one()
