"""Clips are done again from one of their stages on, for REST and for the pages. Each of these waits for the database
and for a store: to be called beside the event loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app import system, wording
from app.access import callers
from app.system import System
from dashcam.access.roles import Role
from dashcam.catalog import again, arrival, older_reads
from dashcam.catalog.again import NotAgain
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from dashcam.storage import layout
from dashcam.storage.roots import StoreError
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import ARCHIVE, TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import behind


class ClipGone(NotAgain):
    """Its file is not there any more."""


class Anew(NamedTuple):
    """A clip is done again."""

    task_id: int
    """Of the task that is offered now."""
    by_crops: bool
    """Its archive's crops are read, for the clip itself is gone."""


@dataclass(frozen=True)
class Begun:
    clips: int
    by_crops: int
    """Of these, clips that are gone, so that their archive's crops are read."""
    refused: Sequence[str]
    """Why the others are not: sentences."""


def begin(here: System, video_id: str, stage: TaskType) -> Anew:
    """Offer the stage's task anew. Raises `NotAgain`, also where the stage reads the clip, and its file is not there;
    but plates are read again in its archive's crops then."""
    source = what_to_read(here, video_id, stage) if STAGES[stage].reads_clip else None
    with writing(here.engine) as session:
        task_id = again.do_again(session, session.get_one(Video, video_id), stage, source)
        task = session.get_one(TaskRow, task_id)
        by_crops = any(ref["type"] == ARCHIVE for ref in task.inputs) and stage is TaskType.HEAVY_PROCESS_VIDEO
    here.wake(video_id)
    return Anew(task_id, by_crops)


def read_again(video_ids: Sequence[str]) -> Begun:
    """What a person asks for on a page: the clips' plates are looked for and read anew. One that cannot be keeps no
    other from it."""
    callers.ensure(Role.MEMBER)
    here, gone, by_crops, refused = system.current(), 0, 0, []
    for video_id in video_ids:
        try:
            by_crops += begin(here, video_id, TaskType.HEAVY_PROCESS_VIDEO).by_crops
        except ClipGone:
            gone += 1
        except NotAgain as why:
            refused.append(str(why))
    begun = Begun(len(video_ids) - gone - len(refused), by_crops, refused)
    if gone:
        files = "The clip's file is" if gone == 1 else f"The files of {gone:,} clips are"
        refused.append(f"{files} not there any more, nor is an archive: what was read stays as it is.")
    if begun.clips:
        what = video_ids[0] if len(video_ids) == 1 else wording.count(begun.clips, "clip")
        here.access.note(callers.name(), "correction", f"had {what} read again")
    return begun


def read_all() -> Begun:
    """All that an older reader has read is read again when nothing else waits, in short transactions."""
    callers.ensure(Role.MEMBER)
    here, share, clips, by_crops = system.current(), None, 0, 0
    while share is None or share.after:
        with writing(here.engine) as session:
            share = older_reads.offer_some(session, share.after if share else None)
        clips += len(share.video_ids)
        by_crops += share.by_crops
        here.wake(*share.video_ids)
    if clips:
        here.access.note(callers.name(), "correction", f"had all that an older reader has read again: {clips:,} clips")
    return Begun(clips, by_crops, [])


def what_to_read(here: System, video_id: str, stage: TaskType) -> str:
    """The clip where it lies; its archive, where the stage can do with that."""
    try:
        return where_it_lies(here, video_id)
    except ClipGone:
        if stage is not TaskType.HEAVY_PROCESS_VIDEO or not is_archived(here, video_id):
            raise
        return layout.archive(video_id)


def is_archived(here: System, video_id: str) -> bool:
    if layout.SHED not in here.stores.roots:
        return False
    try:
        record = behind.archived(here.stores, video_id)
    except (StoreError, OSError) as error:
        raise NotAgain(f"Whether the clip's archive is there cannot be seen now: {error}") from error
    with reading(here.engine) as session:
        return record is not None and behind.has_the_newest(session, record)


def where_it_lies(here: System, video_id: str) -> str:
    try:
        with reading(here.engine) as session:
            found = arrival.still_there(session, here.stores, video_id)
    except (StoreError, OSError) as error:
        raise NotAgain(f"Whether the clip is there cannot be seen now: {error}") from error
    if found is None:
        raise ClipGone("The clip's file is not there any more: it can be done again from ARCHIVE_VIDEO on.")
    return found
