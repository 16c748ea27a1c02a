"""Tasks: what is pending, done, failed; and how far running ones are."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Header, HTTPException, Query
from pydantic import BaseModel, Field

from app import lining, system
from app.access import callers
from app.parameters import Number, pool
from dashcam.catalog import again, apply, arrival, held_back, work
from dashcam.catalog.models import Video
from dashcam.database import reading, unfit, writing
from dashcam.storage.layout import SHED
from dashcam.storage.roots import StoreError, split
from dashcam.tasks import table
from dashcam.tasks.chain import reads_clip
from dashcam.tasks.model import BEGINS, Changes, Completion, InputRef, NewTask, Task, TaskBrief, TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import behind

router = APIRouter(prefix="/tasks", tags=["tasks"])


class TaskPage(BaseModel):
    tasks: list[Task]
    total: int


class Failure(BaseModel):
    error: str = Field(max_length=4000)
    flow_run_id: str | None = Field(None, max_length=100)
    """The run that failed; where another one has the task by now, nothing is noted."""


class Wait(BaseModel):
    reason: str = Field(max_length=4000)
    flow_run_id: str | None = Field(None, max_length=100)


class ProgressReport(BaseModel):
    fraction: float = Field(ge=0, le=1)
    device: str = Field(default="", max_length=200)


class Videos(BaseModel):
    video_ids: list[str] = Field(max_length=1000)


class Changed(BaseModel):
    changed: bool


class Retried(BaseModel):
    tasks: int


@router.get("")
def list_tasks(
    pool: Annotated[str | None, Depends(pool)],
    task_type: Annotated[TaskType | None, Query(alias="type")] = None,
    state: Literal["pending", "complete"] | None = None,
    video_id: Annotated[str | None, Query(alias="video")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> TaskPage:
    """Tasks by type, state, video or device type, oldest first, a page at a time."""
    with reading(system.current().engine) as session:
        tasks, total = work.find(
            session,
            task_type=task_type,
            state=state,
            video_id=video_id,
            device_type=pool,
            limit=limit,
            offset=offset,
        )
    return TaskPage(tasks=with_progress(tasks), total=total)


@router.get("/pending")
def pending_tasks(
    pool: Annotated[str | None, Depends(pool)], limit: Annotated[int, Query(ge=1, le=100_000)] = 1000
) -> list[Task]:
    """What is still to do, oldest first."""
    with reading(system.current().engine) as session:
        return with_progress(work.pending(session, pool, limit))


@router.get("/changes")
async def get_changes(
    epoch: str | None = None,
    number: Number = 0,
    wait_s: Annotated[float, Query(ge=0, le=60)] = 0,
) -> Changes:
    """Which clips' tasks have changed since the answer with that epoch and number, and what is under way now.

    With ``wait_s`` the answer waits so long for a change. Without an epoch nothing is told but where to begin.
    """
    here = system.current()
    change = here.changes.next()
    if wait_s and here.journal.since(epoch, number) == []:
        try:
            await here.changes.wait(change, wait_s)
        except asyncio.CancelledError:
            raise HTTPException(503, "The main server is being stopped.") from None
    at = here.journal.number  # before the rest is read: what comes meanwhile is told the next time
    videos = here.journal.since(epoch, number)
    return Changes(epoch=here.journal.epoch, number=at, video_ids=videos, running=await under_way(here))


async def under_way(here: system.System) -> list[TaskBrief]:
    now = here.progress.snapshot()
    if not now:
        return []
    briefs = await here.ask(lambda session: table.briefs(session, TaskRow.task_id.in_(list(now))))
    return [
        brief.model_copy(update={"progress": now[brief.task_id].fraction, "device": now[brief.task_id].device})
        for brief in briefs
    ]


@router.post("/pending")
def pending_of(videos: Videos) -> list[TaskBrief]:
    """What is still to do for these clips; those that are through are not in the answer."""
    with reading(system.current().engine) as session:
        return table.briefs(session, TaskRow.video_id.in_(videos.video_ids))


@router.post("/retry")
def retry_failed(task_type: Annotated[TaskType | None, Query(alias="type")] = None) -> Retried:
    """Offer all that failed or is held again at once, of one stage or of all; what a run is at is left to it."""
    return Retried(tasks=lining.retry_failed(task_type))


@router.get("/{task_id}")
def get_task(task_id: Number, begins: Annotated[str, Header(alias=BEGINS, max_length=600)] = "") -> Task:
    """One task. A device that is about to work on it says its name in the header, percent-encoded."""
    caller = callers.current()
    device = caller.scope.hostname if begins and caller is not None and caller.scope is not None else unquote(begins)
    with reading(system.current().engine) as session:
        task = work.get(session, task_id)
        hidden = task and callers.of_a_person() and held_back.pictures(session, task.video_id)
    if task is None:
        raise HTTPException(404, f"There is no task {task_id}.")
    if task.record is not None and hidden:
        task = task.model_copy(update={"record": held_back.shown(task.record, hidden)})
    if task.state == "pending":
        system.current().metrics.began(task_id, task.task_type)
        if device:
            system.current().progress.begin(task_id, device)
    return task


@router.post("", status_code=201)
def create_task(new: NewTask) -> Changed:
    """Publish a task for a known video that has passed the stage before; publishing it twice is one task (``changed``
    is false the second time)."""
    here = system.current()
    try:
        with writing(here.engine) as session:
            changed = table.publish_in_turn(session, new)
    except table.UnknownVideo as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    except table.OutOfTurn as out_of_turn:
        raise HTTPException(409, str(out_of_turn)) from out_of_turn
    here.wake(new.video_id)
    return Changed(changed=changed)


@router.post("/{task_id}/complete")
def complete_task(task_id: Number, completion: Completion) -> Changed:
    """Store the result, complete the task and publish what follows, in one transaction; or do nothing at all.

    A clip ends as ``vanished`` only where its stage reads clips and neither a copy of it is known nor an archive: from
    one of these it goes on (``changed`` is false).
    """
    here = system.current()
    if completion.outcome == "vanished" and (
        goes_on_from_a_copy(here, task_id) or goes_on_from_its_archive(here, task_id)
    ):
        here.wake()
        return Changed(changed=False)
    try:
        with writing(here.engine) as session:
            video_id = table.complete(session, task_id, completion, partial(apply.apply, site=here.site))
    except table.OutOfTurn as out_of_turn:
        raise HTTPException(422, f"The task stays pending: {out_of_turn}") from out_of_turn
    except Exception as error:
        if (wrong := unfit(error)) is None:
            raise
        # final: whoever sent it would send the same again
        raise HTTPException(422, f"The task stays pending, its result cannot be kept: {wrong}.") from error
    here.progress.forget(task_id)
    if video_id:
        here.metrics.ended(task_id, completion.outcome)
    here.wake(*([video_id] if video_id else []))
    return Changed(changed=video_id is not None)


def goes_on_from_a_copy(here: system.System, task_id: int) -> bool:
    """Whether the task was given another place of its clip; 409 where it cannot have vanished."""
    with reading(here.engine) as session:
        task = work.get(session, task_id)
        if task is None or task.state != "pending":
            return False
        if not reads_clip(task):
            raise HTTPException(409, f"{task.task_type} does not read the clip, so it cannot find it gone.")
        try:
            found = arrival.still_there(session, here.stores, task.video_id)
        except (StoreError, OSError) as error:
            raise HTTPException(409, f"Whether the clip is gone cannot be seen now: {error}") from error
    if found is None:
        return False
    if found == task.input("video").uri:
        raise HTTPException(409, f"The main server sees the clip at {found}: check the device's mount of that store.")
    store, path = split(found)
    with writing(here.engine) as session:
        copy = InputRef(device=store, path=str(path), type="video")
        arrival.move(session, session.get_one(Video, task.video_id), copy)
    return True


def goes_on_from_its_archive(here: system.System, task_id: int) -> bool:
    """The clip lies nowhere; whether its archive shows what the task is to find out, which is taken from there, or from
    its crops. 409 where that cannot be seen."""
    with reading(here.engine) as session:
        task = work.get(session, task_id)
    if task is None or task.state != "pending" or SHED not in here.stores.roots:
        return False
    try:
        record = behind.archived(here.stores, task.video_id)
    except (StoreError, OSError) as error:
        raise HTTPException(409, f"Whether the clip is archived cannot be seen now: {error}") from error
    if record is None:
        return False
    with writing(here.engine) as session:
        return behind.found_gone(session, record, here.site) or (
            behind.has_the_newest(session, record) and again.from_archive(session, task_id)
        )


@router.post("/{task_id}/failed")
def fail_task(task_id: Number, failure: Failure) -> Changed:
    """Note why an attempt failed; the task stays pending and is offered again after a growing delay."""
    here = system.current()
    delay = timedelta(seconds=here.site.global_.task_retry_delay_seconds)
    with writing(here.engine) as session:
        changed = table.fail(session, task_id, failure.error, delay, failure.flow_run_id)
        video_id = table.video_of(session, task_id)
    here.progress.forget(task_id)
    if changed:
        here.metrics.failed(task_id)
    here.wake(*([video_id] if video_id else []))
    return Changed(changed=changed)


@router.post("/{task_id}/waits")
def let_wait(task_id: Number, wait: Wait) -> Changed:
    """There is no room for what the task would write: it is tried again in a minute, and that is no failure."""
    here = system.current()
    with writing(here.engine) as session:
        changed = table.wait(session, task_id, wait.reason, wait.flow_run_id)
        waiting = table.briefs(session, TaskRow.task_id == task_id)
    for task in waiting if changed else []:
        here.shortages.stage(task.task_type, wait.reason)
        here.progress.forget(task_id)
        here.wake(task.video_id)
    return Changed(changed=changed)


@router.post("/{task_id}/retry")
def retry_task(task_id: Number) -> Changed:
    """Offer a pending task again at once, whatever held it back."""
    here = system.current()
    with writing(here.engine) as session:
        changed = table.release(session, task_id)
        video_id = table.video_of(session, task_id)
    here.shortages.try_again()
    here.wake(*([video_id] if video_id else []))
    return Changed(changed=changed)


@router.post("/{task_id}/progress")
async def report_progress(task_id: Number, report: ProgressReport) -> None:
    system.current().progress.report(task_id, report.fraction, report.device)


def with_progress(tasks: list[Task]) -> list[Task]:
    now = system.current().progress.snapshot()
    return [
        task.model_copy(update={"progress": now[task.task_id].fraction, "device": now[task.task_id].device})
        if task.task_id in now
        else task
        for task in tasks
    ]
