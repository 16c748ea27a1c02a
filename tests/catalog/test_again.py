"""A clip is done again from a stage on; what follows it follows, whatever was done before."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog.again import NotAgain, do_again
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from dashcam.tasks import chain, table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import Completion, InputRef, NewTask, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import add_video

CLIP = InputRef(device="indoor_nas", path="raw/a.MP4")
BUNDLE = InputRef(device="indoor_nas", path="heavy_output/a", type="bundle")
ORDER = list(STAGES)
INGEST, PREPROCESS, HEAVY, ARCHIVE, FINALIZE = ORDER


@pytest.fixture
def clip(any_engine: Engine) -> str:
    with writing(any_engine) as session:
        video_id = add_video(session, 1, source=CLIP.uri).video_id
        table.publish(session, NewTask(task_type=INGEST, video_id=video_id, inputs=[CLIP]))
    return video_id


def complete_next(engine: Engine) -> TaskType:
    with writing(engine) as session:
        row = session.scalars(select(TaskRow).where(TaskRow.state == "pending")).one()
        stage = TaskType(row.task_type)
        follows = [NewTask(task_type=one, video_id=row.video_id, inputs=[CLIP, BUNDLE])
                   for one in ORDER[ORDER.index(stage) + 1 :][:1]]  # fmt: skip
        assert table.complete(session, row.task_id, Completion(publish=follows), lambda *result: None)
    return stage


def come_to(engine: Engine, stage: TaskType) -> None:
    while pending(engine) != [stage]:
        complete_next(engine)


def pending(engine: Engine) -> Sequence[str]:
    with reading(engine) as session:
        return session.scalars(select(TaskRow.task_type).where(TaskRow.state == "pending")).all()


def revisions(engine: Engine) -> dict[str, list[int]]:
    with reading(engine) as session:
        found = session.execute(select(TaskRow.task_type, TaskRow.revision).order_by(TaskRow.revision)).all()
    return {stage: [revision for of, revision in found if of == stage] for stage in ORDER}


def again(engine: Engine, video_id: str, stage: TaskType, source: str | None = None) -> TaskRow:
    with writing(engine) as session:
        return session.get_one(TaskRow, do_again(session, session.get_one(Video, video_id), stage, source))


def through(engine: Engine) -> list[TaskType]:
    done = []
    while pending(engine):
        done.append(complete_next(engine))
    return done


def test_the_later_stages_follow_and_nothing_before_is_done_again(any_engine: Engine, clip: str) -> None:
    through(any_engine)
    task = again(any_engine, clip, HEAVY, "indoor_nas:raw/RO/a.MP4")
    assert (task.inputs[0]["path"], task.inputs[1]["path"]) == ("raw/RO/a.MP4", BUNDLE.path), "it was moved since"
    with reading(any_engine) as session:
        assert session.get_one(Video, clip).outcome is None, "it is on its way"
    assert through(any_engine) == [HEAVY, ARCHIVE, FINALIZE]
    again(any_engine, clip, ARCHIVE)
    assert through(any_engine) == [ARCHIVE, FINALIZE]
    again(any_engine, clip, HEAVY)
    assert through(any_engine) == [HEAVY, ARCHIVE, FINALIZE], "although it was archived more often than read"
    assert revisions(any_engine) == {
        INGEST: [1], PREPROCESS: [1], HEAVY: [1, 2, 4], ARCHIVE: [1, 2, 3, 4], FINALIZE: [1, 2, 3, 4],
    }  # fmt: skip


def test_what_waits_to_go_on_with_the_old_is_replaced(any_engine: Engine, clip: str) -> None:
    come_to(any_engine, ARCHIVE)
    with reading(any_engine) as session:
        refused = session.scalars(select(TaskRow.task_id).where(TaskRow.task_type == ARCHIVE)).one()
    again(any_engine, clip, HEAVY)
    with writing(any_engine) as session:
        assert not table.complete(session, refused, Completion(), lambda *result: None), "a late result is dropped"
        assert session.get_one(TaskRow, refused).reason == f"replaced: {HEAVY} is done again"
    assert through(any_engine) == [HEAVY, ARCHIVE, FINALIZE]


def test_what_is_pending_at_that_stage_is_offered_at_once(any_engine: Engine, clip: str) -> None:
    come_to(any_engine, HEAVY)
    with writing(any_engine) as session:
        (task_id,) = session.scalars(select(TaskRow.task_id).where(TaskRow.state == "pending"))
        table.hold(session, [task_id], "cancelled")
    task = again(any_engine, clip, HEAVY)
    assert (task.task_id, task.hold) == (task_id, None)
    assert revisions(any_engine)[HEAVY] == [1]


@pytest.mark.parametrize(("at", "says"), [(INGEST, "is at INGEST_VIDEO still"), (None, "has not come as far")])
def test_what_has_not_come_so_far_is_refused(any_engine: Engine, clip: str, at: TaskType | None, says: str) -> None:
    if at is None:  # rejected at once
        with writing(any_engine) as session:
            (task_id,) = session.scalars(select(TaskRow.task_id))
            table.complete(session, task_id, Completion(outcome="rejected", reason="empty"), lambda *result: None)
    with pytest.raises(NotAgain, match=says):
        again(any_engine, clip, HEAVY)


def test_a_stage_whose_revision_was_raised_is_followed(
    any_engine: Engine, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    through(any_engine)
    monkeypatch.setitem(chain.STAGES, HEAVY, chain.Stage("gpu", "heavy", revision=2, reads_clip=True))
    with writing(any_engine) as session:
        assert table.publish(session, NewTask(task_type=HEAVY, video_id=clip, inputs=[CLIP]))
    assert through(any_engine) == [HEAVY, ARCHIVE, FINALIZE]
