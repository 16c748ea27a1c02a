"""Clips are done again from one of their stages on, for REST and for the pages. Each of these waits for the database
and for a store: to be called beside the event loop."""

from collections.abc import Sequence
from dataclasses import dataclass

from app import system, wording
from app.access import callers
from app.system import System
from dashcam.access.roles import Role
from dashcam.catalog import again, arrival
from dashcam.catalog.again import NotAgain
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from dashcam.storage.roots import StoreError
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType


class ClipGone(NotAgain):
    """Its file is not there any more."""


@dataclass(frozen=True)
class Begun:
    clips: int
    refused: Sequence[str]
    """Why the others are not: sentences."""


def begin(here: System, video_id: str, stage: TaskType) -> int:
    """The number of the task that is offered now. Raises `NotAgain`, also where the stage reads the clip, and its file
    is not there."""
    source = where_it_lies(here, video_id) if STAGES[stage].reads_clip else None
    with writing(here.engine) as session:
        task_id = again.do_again(session, session.get_one(Video, video_id), stage, source)
    here.wake(video_id)
    return task_id


def read_again(video_ids: Sequence[str]) -> Begun:
    """What a person asks for on a page: the clips' plates are looked for and read anew. One that cannot be keeps no
    other from it."""
    callers.ensure(Role.MEMBER)
    here, gone, refused = system.current(), 0, []
    for video_id in video_ids:
        try:
            begin(here, video_id, TaskType.HEAVY_PROCESS_VIDEO)
        except ClipGone:
            gone += 1
        except NotAgain as why:
            refused.append(str(why))
    begun = Begun(len(video_ids) - gone - len(refused), refused)
    if gone:
        files = "The clip's file is" if gone == 1 else f"The files of {gone:,} clips are"
        refused.append(f"{files} not there any more: what was read stays as it is.")
    if begun.clips:
        what = video_ids[0] if len(video_ids) == 1 else wording.count(begun.clips, "clip")
        here.access.note(callers.name(), "correction", f"had {what} read again")
    return begun


def where_it_lies(here: System, video_id: str) -> str:
    try:
        with reading(here.engine) as session:
            found = arrival.still_there(session, here.stores, video_id)
    except (StoreError, OSError) as error:
        raise NotAgain(f"Whether the clip is there cannot be seen now: {error}") from error
    if found is None:
        raise ClipGone("The clip's file is not there any more: it can be done again from ARCHIVE_VIDEO on.")
    return found
