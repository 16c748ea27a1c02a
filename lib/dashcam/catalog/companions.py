"""Clips that the other cameras of the same car recorded at the same time."""

from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Video
from dashcam.media import names

CLOCKS_APART = timedelta(minutes=15)
"""A camera with GPS and one without may differ by so much in UTC; their names carry the same clock."""
LONGEST = timedelta(minutes=30)
"""Of one clip."""
SHARED = 0.5
"""At least so much of the shorter clip; the one before and the one after share a second or two."""


class Companion(BaseModel):
    video_id: str
    name: str
    camera: str
    offset_s: float
    """Its media time is this video's minus the offset."""


def companions(session: Session, video: Video) -> list[Companion]:
    """For each other camera the clip that overlaps this one most, by camera; starts and counters need not agree."""
    if video.start_utc is None or not video.duration_s or not video.camera:
        return []
    around = Video.start_utc.between(
        video.start_utc - CLOCKS_APART - LONGEST,
        video.start_utc + timedelta(seconds=video.duration_s) + CLOCKS_APART,
    )
    columns = (Video.video_id, Video.name, Video.camera, Video.start_utc, Video.duration_s)
    near = session.execute(select(*columns).where(around, Video.camera != video.camera, Video.camera != ""))
    best: dict[str, tuple[float, Companion]] = {}
    for row in near:
        offset = offset_s((video.name, video.start_utc), (row.name, row.start_utc))
        shared = min(video.duration_s, offset + (row.duration_s or 0)) - max(0.0, offset)
        if shared >= SHARED * min(video.duration_s, row.duration_s or 0) and shared > 0:
            one = Companion(video_id=row.video_id, name=row.name, camera=row.camera, offset_s=round(offset, 3))
            best[row.camera] = max(best.get(row.camera, (0.0, one)), (shared, one), key=lambda pair: pair[0])
    return [best[camera][1] for camera in sorted(best)]


def offset_s(this: tuple[str, datetime], other: tuple[str, datetime]) -> float:
    """How much later the other clip began: by the camera's own clock when both names tell it, else by UTC."""
    (name, start), (other_name, other_start) = this, other
    local, other_local = names.parse(name).start_local, names.parse(other_name).start_local
    if local is not None and other_local is not None:
        return (other_local - local).total_seconds()
    return (other_start - start).total_seconds()
