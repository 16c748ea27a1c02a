"""Where the car was at every frame of a clip."""

from contextlib import suppress
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ValidationError

from app import system, zones
from app.media import file_inside, folder_of
from dashcam.catalog.models import Video
from dashcam.catalog.places import track_of
from dashcam.database import reading
from dashcam.gps import home
from dashcam.gps.track import Quality, Track
from dashcam.storage import layout

router = APIRouter(prefix="/videos", tags=["videos"])


class Frames(BaseModel):
    """One entry per frame in each list; null where nobody knows."""

    t_s: list[float]
    """Seconds after the first frame, from the frames' real times."""
    quality: list[Quality | Literal["none"]]
    lat: list[float | None]
    lon: list[float | None]
    speed_mps: list[float | None]
    heading_deg: list[float | None]
    accuracy_m: list[float | None]


class FrameList(BaseModel):
    """`layout.TIMES`."""

    t_s: list[float]


@router.get("/{video_id}/frames")
def get_frames(video_id: str) -> Frames:
    """Position, speed and heading at every frame, smoothed, each with where it comes from and how good it is."""
    here = system.current()
    with reading(here.engine) as session:
        video = session.get(Video, video_id)
        if video is None:
            raise HTTPException(404, f"There is no video {video_id}.")
        fixes = track_of(session, video)
        folder = folder_of(session, video_id)
    times = frame_times(folder)
    cut = zones.hidden()
    along = Track(fixes).along(times)
    places = [None if at is None or home.is_inside(cut, at.lat, at.lon) else at for at in along]
    return Frames(
        t_s=times,
        quality=[at.quality if at else "none" for at in places],
        lat=[at and round(at.lat, 7) for at in places],
        lon=[at and round(at.lon, 7) for at in places],
        speed_mps=[None if at is None or at.speed_mps is None else round(at.speed_mps, 2) for at in places],
        heading_deg=[None if at is None or at.heading_deg is None else round(at.heading_deg, 1) for at in places],
        accuracy_m=[at and round(at.accuracy_m, 2) for at in places],
    )


def frame_times(folder: Path) -> list[float]:
    """Of every frame of the clip; of a bundle that does not list them, or no more, of those in the low-resolution copy.
    Where that is damaged they are nowhere: 404, as asking again brings nothing."""
    import av  # the app starts without it

    with suppress(HTTPException, ValidationError):
        return FrameList.model_validate_json(file_inside(folder, layout.TIMES).read_bytes()).t_s
    path = str(file_inside(folder, layout.LOWRES))
    try:
        with av.open(path, metadata_errors="replace") as container:
            packets = container.demux(container.streams.video[0])
            known = [(packet.pts, packet.time_base) for packet in packets]
    except (av.error.FFmpegError, IndexError) as error:
        why = error.strerror if isinstance(error, av.error.FFmpegError) else "no picture is in it"
        raise HTTPException(
            404,
            f"Where the car was at each frame is not known: the small copy of this clip, {layout.LOWRES}, is damaged "
            f"({why}). `dashcam again {folder.name}` makes it anew from the clip.",
        ) from error
    times = sorted(float(pts * base) for pts, base in known if pts is not None and base is not None)
    return [round(t_s - times[0], 4) for t_s in times]
