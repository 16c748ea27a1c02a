"""What the main server knows of the archives' health: which is to be read next, and what is done about a bad one."""

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from dashcam.catalog import again, arrival
from dashcam.catalog.models import ArchiveCheck, Video
from dashcam.storage import layout
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import PENDING, TaskRow

MOST_MENDINGS = 3
"""A store that spoils what is written anew is not mended by writing it once more."""
ARCHIVED = f"{layout.SHED}:"


class ToCheck(BaseModel):
    video_id: str
    archive: str
    """``store:path`` of its folder."""


class CheckResult(BaseModel):
    """What a check has found."""

    wrong: list[str] = []
    """Each difference from the manifest in words; empty where every byte is right."""


class Health(BaseModel):
    """An archive that is not as it should be."""

    video_id: str
    name: str
    checked_at: datetime
    wrong: list[str]
    mended_by: str | None
    """The stage from which on the clip is done again; None where it cannot be."""


class Way(NamedTuple):
    """How an archive can be made right again."""

    stage: TaskType
    source: str | None


def next_ones(session: Session, limit: int) -> list[ToCheck]:
    """Those whose last check is longest ago, never checked ones first; none of a clip that something is pending for."""
    busy = exists().where(TaskRow.video_id == Video.video_id, text(PENDING))
    query = (
        select(Video.video_id, Video.media)
        .outerjoin(ArchiveCheck, ArchiveCheck.video_id == Video.video_id)
        .where(Video.media.startswith(ARCHIVED), ~busy)
        .order_by(ArchiveCheck.checked_at.is_not(None), ArchiveCheck.checked_at, Video.video_id)
        .limit(limit)
    )
    return [ToCheck(video_id=video_id, archive=str(media)) for video_id, media in session.execute(query)]


def way_out(session: Session, stores: Stores, video_id: str) -> Way | None:
    """From its bundle where that is there, else from the clip itself; None where both are gone. Looks at the stores."""
    try:
        if (stores.path(layout.bundle(video_id)) / layout.LOWRES).is_file():
            return Way(TaskType.ARCHIVE_VIDEO, None)
        source = arrival.still_there(session, stores, video_id)
        if source is None:
            return None
        # without what preprocessing found, the heavy stage would look at more than it did
        whole = stores.path(layout.candidates(video_id)).is_file()
    except (StoreError, OSError):
        return None
    return Way(TaskType.HEAVY_PROCESS_VIDEO if whole else TaskType.PREPROCESS_VIDEO, source)


def note(session: Session, video_id: str, verdict: CheckResult, way: Way | None, now: datetime) -> TaskType | None:
    """Write down what was found; the stage from which on the clip is done again because of it, if it is."""
    row = session.get(ArchiveCheck, video_id)
    if row is None:
        row = ArchiveCheck(video_id=video_id, checked_at=now, mendings=0)
        session.add(row)
    row.checked_at, row.wrong, row.mended_by = now, verdict.wrong or None, None
    if not verdict.wrong:
        row.mendings = 0
        return None
    if way is None or row.mendings >= MOST_MENDINGS:
        return None
    video = session.get_one(Video, video_id)
    try:
        again.do_again(session, video, way.stage, way.source)
    except again.NotAgain:
        return None
    row.mended_by, row.mendings = way.stage.value, row.mendings + 1
    return way.stage


def damaged(session: Session, limit: int = 100) -> list[Health]:
    """Archives that were found wrong and have not been found right since."""
    query = select(ArchiveCheck, Video.name).join(Video, Video.video_id == ArchiveCheck.video_id)
    found = session.execute(query.where(ArchiveCheck.wrong.is_not(None)).order_by(ArchiveCheck.video_id).limit(limit))
    return [_health(row, name) for row, name in found]


def health(session: Session, video_id: str) -> Health | None:
    """What is wrong with the clip's archive; None where nothing is known to be."""
    row, video = session.get(ArchiveCheck, video_id), session.get(Video, video_id)
    return None if row is None or row.wrong is None or video is None else _health(row, video.name)


def _health(row: ArchiveCheck, name: str) -> Health:
    known = {"checked_at": row.checked_at, "wrong": row.wrong or [], "mended_by": row.mended_by}
    return Health.model_validate({"video_id": row.video_id, "name": name, **known})


def summary(session: Session) -> str | None:
    """One sentence for who may do something about it."""
    lost = ArchiveCheck.wrong.is_not(None), ArchiveCheck.mended_by.is_(None)
    count = session.scalar(select(func.count()).select_from(ArchiveCheck).where(*lost)) or 0
    if not count:
        return None
    first = session.scalars(select(ArchiveCheck).where(*lost).order_by(ArchiveCheck.video_id).limit(1)).one()
    name = session.get_one(Video, first.video_id).name
    said = f"The archive of {name} is damaged and cannot be mended ({(first.wrong or ['?'])[0]})"
    return f"{said}; {count - 1} more are." if count > 1 else f"{said}: `dashcam scrub --list` shows all of it."
