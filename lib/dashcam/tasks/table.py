"""The task table's rules. Every function works inside the caller's transaction (`database.writing`)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, column, distinct, false, or_, select, table, text, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashcam.database import INSERT, dialect_of
from dashcam.tasks import chain
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import Completion, InputRef, NewTask, TaskBrief, TaskType
from dashcam.tasks.row import FIRST, IN_RUN, LAST, OFFERABLE, PENDING, PUT_OFF, SUSPECTED, TaskRow

Apply = Callable[[Session, TaskType, str, Completion], None]
"""Makes of a completed task's result what is known of the video (its id is the third)."""

MAX_BACKOFF = timedelta(hours=6)
ROOM_WAIT = timedelta(seconds=60)
"""After so long what did not fit is tried again."""
VIDEO = table("video", column("video_id"), column("duration_s"))
pending = text(PENDING)
place_or_none = case((TaskRow.not_before <= LAST, TaskRow.not_before), else_=TaskRow.place)
"""What a clip's place in line leaves of ``not_before`` when nothing else holds the task back."""


class UnknownVideo(Exception):
    """A task was published for a video that nobody has handed in; the message says what to do."""


class OutOfTurn(Exception):
    """A task was published that is not the next of its clip's chain; the message says which is."""


@dataclass(frozen=True)
class Waiting:
    """A pending task that no run has, as the dispatcher needs it."""

    task_id: int
    video_id: str
    created_at: datetime
    not_before: datetime | None
    attempts: int
    footage_s: float | None


def publish(session: Session, new: NewTask, least: int = 1, not_before: datetime | None = None) -> bool:
    """Insert the task unless this (type, video, revision) was published before; tells whether it is new.

    The revision is the stage's, or ``least`` where that is higher; ``not_before`` is `FIRST`, `LAST` or nothing. Raises
    `UnknownVideo`, after which the transaction cannot go on.
    """
    try:
        return session.scalar(once(dialect_of(session), told=True), row_of(new, least, not_before)) is not None
    except IntegrityError as error:
        raise UnknownVideo(f"There is no video {new.video_id}: send it to /api/v1/ingest first.") from error


def publish_in_turn(session: Session, new: NewTask) -> bool:
    """`publish` of what no completed task has brought: only where the stage before it has been passed.

    Raises `OutOfTurn` too.
    """
    stage = chain.before(new.task_type)
    passed = TaskRow.video_id == new.video_id, TaskRow.task_type == stage, TaskRow.outcome == "processed"
    if stage is not None and not session.scalar(select(some(*passed))) and is_known(session, new.video_id):
        raise OutOfTurn(f"{new.task_type} of {new.video_id} comes after {stage}, which the clip has not passed.")
    return publish(session, new)


def is_known(session: Session, video_id: str) -> bool:
    return session.scalar(select(VIDEO.c.video_id).where(VIDEO.c.video_id == video_id)) is not None


def publish_all(session: Session, tasks: Sequence[NewTask]) -> None:
    """`publish` for many tasks in one statement, in this order; of videos that are there."""
    session.execute(once(dialect_of(session)), [row_of(new) for new in tasks])


def publish_last(session: Session, tasks: Sequence[tuple[NewTask, int]]) -> None:
    """`publish` for many tasks in one statement, each at least at its revision, behind all else; of videos that are
    there."""
    if tasks:
        rows = [row_of(new, least, LAST) for new, least in tasks]
        session.connection().execute(once(dialect_of(session)), rows)


@cache
def once(dialect: str, told: bool = False) -> Any:
    """The INSERT of a task that leaves one alone that was published before; if ``told``, it gives the new number."""
    footage = select(VIDEO.c.duration_s).where(VIDEO.c.video_id == bindparam("of_video")).scalar_subquery()
    new = INSERT[dialect](TaskRow.__table__).values(footage_s=footage)
    new = new.on_conflict_do_nothing(index_elements=["task_type", "video_id", "revision"])
    return new.returning(TaskRow.__table__.c.task_id) if told else new


def row_of(new: NewTask, least: int = 1, not_before: datetime | None = None) -> dict[str, Any]:
    stage = STAGES[new.task_type]
    return {
        "task_type": new.task_type,
        "video_id": new.video_id,
        "of_video": new.video_id,
        "revision": max(stage.revision, least),
        "device_type": stage.pool,
        "inputs": [ref.model_dump() for ref in new.inputs],
        "created_at": datetime.now(UTC),
        "not_before": not_before,
    }


def complete(session: Session, task_id: int, completion: Completion, apply: Apply) -> str | None:
    """Complete, ``apply`` the result and publish what follows, or do nothing at all; gives the clip whose task it was.

    None when the task was complete already, or its number is another task's than the completion's: the late result is
    dropped and nothing is published (rule 3). Raises
    `OutOfTurn` for a completion that publishes something else than the clip's next task, and whatever ``apply`` raises.
    """
    done = session.execute(
        update(TaskRow)
        .where(TaskRow.task_id == task_id, pending, *its_own(completion))
        .values(
            state="complete",
            completed_at=datetime.now(UTC),
            outcome=completion.outcome,
            reason=completion.reason,
            result=completion.result,
            hold=None,
            not_before=place_or_none,
            place=None,
        )
        .returning(TaskRow.task_type, TaskRow.video_id, TaskRow.revision, TaskRow.not_before)
    ).one_or_none()
    if done is None:
        return None
    task_type, video_id = TaskType(done.task_type), str(done.video_id)
    refuse_out_of_turn(task_type, video_id, completion)
    apply(session, task_type, video_id, completion)
    for new in completion.publish:
        # what a stage does anew the later ones do anew; a clip that goes first does so to its end
        publish(session, new, done.revision, done.not_before)
    return video_id


def its_own(completion: Completion) -> list[ColumnElement[bool]]:
    said = {TaskRow.task_type: completion.task_type, TaskRow.video_id: completion.video_id}
    return [column == value for column, value in said.items() if value is not None]


def refuse_out_of_turn(task_type: TaskType, video_id: str, completion: Completion) -> None:
    for new in completion.publish:
        follows = chain.before(new.task_type) is task_type and new.video_id == video_id
        if not follows or completion.outcome != "processed":
            how = f"{task_type} of {video_id} that ends {completion.outcome}"
            raise OutOfTurn(f"{new.task_type} of {new.video_id} does not come after {how}.")


def fail(session: Session, task_id: int, error: str, retry_delay: timedelta, flow_run_id: str | None = None) -> bool:
    """Note a failure; the task stays pending and is not offered before a delay that doubles with each failure.

    False when it is complete, when the run that has it has reported its failure before (a report may be sent twice),
    or when another run than ``flow_run_id`` has it by now: what woke late has no part in that one.
    """
    again = TaskRow.told, TaskRow.flow_run_id.is_not(None)
    its = true() if flow_run_id is None else or_(TaskRow.flow_run_id.is_(None), TaskRow.flow_run_id == flow_run_id)
    done = session.execute(
        update(TaskRow)
        .where(TaskRow.task_id == task_id, pending, ~(again[0] & again[1]), its)
        .values(told=True, **one_more_failure(error, retry_delay))
    )
    return changed(done) > 0


def wait(session: Session, task_id: int, reason: str, flow_run_id: str | None = None) -> bool:
    """What the task needs is not there now, which is nobody's failure: it is offered again after `ROOM_WAIT`.

    False where `fail` would say so.
    """
    its = true() if flow_run_id is None else or_(TaskRow.flow_run_id.is_(None), TaskRow.flow_run_id == flow_run_id)
    done = session.execute(
        update(TaskRow)
        .where(TaskRow.task_id == task_id, pending, ~(TaskRow.told & TaskRow.flow_run_id.is_not(None)), its)
        .values(told=True, last_error=reason, not_before=datetime.now(UTC) + ROOM_WAIT, place=place_or_none)
    )
    return changed(done) > 0


def one_more_failure(error: str, retry_delay: timedelta) -> dict[str, Any]:
    """Counted by the database, so that two who count at the same moment count two."""
    now = datetime.now(UTC)
    delays = [min(retry_delay * 2**failures, MAX_BACKOFF) for failures in range(17)]
    later = case({failures: now + delay for failures, delay in enumerate(delays)}, value=TaskRow.failures,
                 else_=now + delays[-1])  # fmt: skip
    return {"failures": TaskRow.failures + 1, "last_error": error, "not_before": later, "place": place_or_none}


def offered(session: Session, task_ids: Iterable[int], flow_run_id: str) -> None:
    session.execute(
        update(TaskRow)
        .where(TaskRow.task_id.in_(list(task_ids)), pending)
        .values(attempts=TaskRow.attempts + 1, flow_run_id=flow_run_id, told=False)
    )


def hold(session: Session, task_ids: Iterable[int], reason: str) -> None:
    session.execute(
        update(TaskRow)
        .where(TaskRow.task_id.in_(list(task_ids)), pending)
        .values(hold=reason, flow_run_id=None, told=False)
    )


anew = (
    update(TaskRow)
    .where(pending)
    .values(hold=None, not_before=place_or_none, place=None, failures=0, crashes=0, flow_run_id=None, told=False)
)
"""How earlier runs ended is forgotten."""


def release(session: Session, task_id: int) -> bool:
    """Offer a pending task again at once, whatever held it back; how its earlier runs ended is forgotten."""
    return changed(session.execute(anew.where(TaskRow.task_id == task_id))) > 0


def close(session: Session, video_id: str, stages: Iterable[TaskType], reason: str) -> None:
    """End what is pending of the clip at these stages without a result; one that comes late changes nothing."""
    ended = {"state": "complete", "completed_at": datetime.now(UTC), "reason": reason, "hold": None, "not_before": None}
    mine = TaskRow.video_id == video_id, TaskRow.task_type.in_([stage.value for stage in stages])
    session.execute(update(TaskRow).where(*mine, pending).values(ended))


def move_clip(session: Session, video_id: str, clip: InputRef) -> None:
    """The clip lies elsewhere now: what is pending for it, or ended because it had vanished, goes on from there."""
    waits = or_(pending, TaskRow.outcome == "vanished")
    for row in session.scalars(select(TaskRow).where(TaskRow.video_id == video_id, waits)):
        row.inputs = [clip.model_dump() if one["type"] == clip.type else one for one in row.inputs]
        if row.outcome == "vanished":
            row.state, row.outcome, row.reason, row.completed_at = "pending", None, None, None
            row.failures, row.last_error, row.flow_run_id = 0, None, None
            row.crashes, row.told = 0, False


def anything_pending(session: Session) -> bool:
    return bool(session.scalar(select(select(1).select_from(TaskRow).where(pending).exists())))


def stages_pending(session: Session) -> set[TaskType]:
    """The stages at which anything is pending, held or not."""
    there = [some(pending, TaskRow.task_type == stage.value).label(stage) for stage in STAGES]
    return {TaskType(stage) for stage, found in session.execute(select(*there)).one()._mapping.items() if found}


def stages_waiting(session: Session, now: datetime) -> list[TaskType]:
    """The stages that have something to offer, in the order in which a clip travels."""
    there = [
        or_(*(some(text(free), TaskRow.task_type == stage.value, is_due) for free in (OFFERABLE, SUSPECTED)
              for is_due in (TaskRow.not_before.is_(None), TaskRow.not_before <= now))).label(stage)
        for stage in STAGES
    ]  # fmt: skip
    return [TaskType(stage) for stage, found in session.execute(select(*there)).one()._mapping.items() if found]


def is_back_in_line(session: Session, now: datetime) -> bool:
    """Whether a task waits no longer that has a place in line."""
    return bool(session.scalar(select(some(text(PUT_OFF), TaskRow.not_before <= now))))


def take_their_places(session: Session, now: datetime) -> int:
    """What was put off and waits no longer stands again where it stood; how many tasks."""
    its = text(PUT_OFF), TaskRow.not_before <= now
    return changed(session.execute(update(TaskRow).where(*its).values(not_before=TaskRow.place, place=None)))


def some(*conditions: Any) -> ColumnElement[bool]:
    return select(1).select_from(TaskRow).where(*conditions).exists()


def waiting(session: Session, stage: TaskType, now: datetime, limit: int, suspects: bool = False) -> list[Waiting]:
    """At most so many tasks that may be offered now, those put first and then the oldest; those put last where there
    are no others. ``suspects`` are asked for by themselves.

    Costs the same whatever else is pending: each question is answered by the head of an index.
    """
    columns = [getattr(TaskRow, name) for name in Waiting.__dataclass_fields__]
    free = select(*columns).where(text(SUSPECTED if suspects else OFFERABLE), TaskRow.task_type == stage.value)
    by_age = TaskRow.created_at, TaskRow.task_id
    fresh = free.where(TaskRow.not_before.is_(None)).order_by(*by_age)
    first = free.where(TaskRow.not_before == FIRST).order_by(*by_age)
    due = free.where(TaskRow.not_before > LAST, TaskRow.not_before <= now).order_by(TaskRow.not_before, *by_age)
    found = [Waiting(*row) for query in (first, fresh, due) for row in session.execute(query.limit(limit))]
    if not found:
        last = free.where(TaskRow.not_before == LAST).order_by(*by_age)
        return [Waiting(*row) for row in session.execute(last.limit(limit))]
    return sorted(found, key=lambda one: (one.not_before != FIRST, one.created_at, one.task_id))[:limit]


def pending_among(session: Session, task_ids: Iterable[int]) -> set[int]:
    return set(session.scalars(select(TaskRow.task_id).where(TaskRow.task_id.in_(list(task_ids)), pending)))


def runs_with_tasks(session: Session) -> set[str]:
    """The runs whose end has not been settled."""
    return {run for run in session.scalars(select(distinct(TaskRow.flow_run_id)).where(text(IN_RUN))) if run}


def video_of(session: Session, task_id: int) -> str | None:
    return session.scalar(select(TaskRow.video_id).where(TaskRow.task_id == task_id))


def briefs(session: Session, *wanted: ColumnElement[bool]) -> list[TaskBrief]:
    """The pending ones of these tasks, by their number."""
    columns = [
        getattr(TaskRow, name) for name in ("task_id", "task_type", "video_id", "failures", "hold", "last_error")
    ]
    put_off = case((TaskRow.not_before > LAST, TaskRow.not_before)).label("not_before")
    found = session.execute(select(*columns, put_off).where(pending, *wanted).order_by(TaskRow.task_id))
    return [TaskBrief(**row._mapping) for row in found]


def tasks_of_run(session: Session, flow_run_id: str) -> Sequence[tuple[int, str]]:
    """The number and video of each."""
    mine = text(IN_RUN), TaskRow.flow_run_id == flow_run_id
    return session.execute(select(TaskRow.task_id, TaskRow.video_id).where(*mine)).tuples().all()


def settle(
    session: Session, flow_run_id: str, retry_delay: timedelta, *, crashed: str | None = None, failed: str | None = None
) -> None:
    """The run has ended; what it leaves pending is free again.

    ``crashed`` or ``failed`` says how, and counts for the tasks that it has not told of: a failure at once, a crash
    from the second on (a power cut is nobody's fault). Settling it once more finds nothing.
    """
    mine = update(TaskRow).where(text(IN_RUN), TaskRow.flow_run_id == flow_run_id)
    free = {"flow_run_id": None, "told": False}
    if failed is not None:
        session.execute(mine.where(TaskRow.told == false()).values(free | one_more_failure(failed, retry_delay)))
    elif crashed is not None:
        one_more = {"crashes": TaskRow.crashes + 1}
        untold = mine.where(TaskRow.told == false())
        counted = free | one_more | one_more_failure(crashed, retry_delay)
        session.execute(untold.where(TaskRow.crashes > 0).values(counted))
        session.execute(untold.values(free | one_more))
    session.execute(mine.values(free))


def shorten_waits(session: Session, now: datetime) -> int:
    """Nothing waits longer than `MAX_BACKOFF` from now, not even what was put off while a clock was ahead."""
    far = TaskRow.task_type.in_([stage.value for stage in STAGES]), TaskRow.not_before > now + MAX_BACKOFF
    return sum(
        changed(session.execute(update(TaskRow).where(text(free), *far).values(not_before=now + MAX_BACKOFF)))
        for free in (OFFERABLE, SUSPECTED)
    )


def changed(done: Any) -> int:
    """How many rows a statement has changed."""
    return int(done.rowcount)
