"""The files of a video, for the browser: low-res video, crops, frames, of its folder alone; and the clip itself."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from app import addresses, system
from app.access import callers
from app.parameters import VideoId
from dashcam import written
from dashcam.access.roles import Role
from dashcam.catalog import held_back
from dashcam.catalog import sightings as seen
from dashcam.catalog.models import SourceFile, Video
from dashcam.catalog.plate_words import SightingWord
from dashcam.database import reading
from dashcam.media.identity import video_id as identified
from dashcam.storage import layout
from dashcam.storage.roots import StoreError

CONTENT_TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".json": "application/json"}
HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
CHANGING = HEADERS | {"Cache-Control": "private, max-age=300"}
"""Of a picture that is another one after a word of a person."""
CLIP_TYPES = {".mp4": "video/mp4", ".mov": "video/mp4", ".ts": "video/mp2t", ".avi": "video/x-msvideo"}
FOR_ALL = (layout.LOWRES, layout.POSTER)
"""What a viewer may see of a clip: no crop, and nothing in which a plate is written."""
KNOWN = held_back.with_pictures(select(Video.media, Video.name).where(Video.video_id == bindparam("video_id")))
"""A page asks for dozens of pictures: it is one question, put together once."""
AT_ONCE = CapacityLimiter(2)
"""Looked for at a time: six that a browser asks for at once would wait for each other's turn, which costs half as much
again. One alone would have all wait for a slow store."""


def poster_url(video_id: str, path: str) -> str:
    """Of the picture that stands for a clip: another address once something was hidden, or is there again, and once a
    person has said what a plate is."""
    return addresses.media_url(video_id, path) + revision()


def revision() -> str:
    here = system.current()
    return f"?r={here.pictures + sum(written.so_often(here.engine, [SightingWord.__tablename__])):x}"


router = APIRouter(prefix="/media", tags=["media"])


@router.get("/{video_id}/original", response_class=FileResponse)
def original(video_id: VideoId) -> FileResponse:
    """The clip as the camera wrote it, while that is there; answers range requests. What has changed is not served."""
    with reading(system.current().engine) as session:
        video = session.scalar(select(Video).where(Video.video_id == video_id))
        file = None if video is None else original_of(session, video)
    if video is None:
        raise HTTPException(404, f"There is no video {video_id}.")
    if file is None:
        raise HTTPException(404, f"The original of {video.name} is not there: it was let go, or its store is away.")
    content_type = CLIP_TYPES.get(file.suffix.lower(), "application/octet-stream")
    headers = HEADERS | {"Cache-Control": "private, no-store"}
    return FileResponse(file, media_type=content_type, headers=headers)


@router.get("/{video_id}/{path:path}", response_class=FileResponse)
async def media(video_id: VideoId, path: str) -> Response:
    """One file of a video; answers range requests, so a player can seek.

    The poster is the frame with the best plate, where who asks may see plates.
    """
    return await to_thread.run_sync(file_of, video_id, path, limiter=AT_ONCE)


def file_of(video_id: str, path: str) -> Response:
    content_type = CONTENT_TYPES.get(Path(path).suffix.lower())
    if content_type is None:
        raise HTTPException(404, "Only videos, pictures and JSON files are served here.")
    with reading(system.current().engine) as session:
        if path == layout.POSTER:
            file, headers = poster_of(session, video_id), CHANGING
        else:
            if path not in FOR_ALL:
                callers.ensure(Role.MEMBER)
            videos = known(session, video_id)
            if path not in FOR_ALL:
                refuse_what_goes([one.pictures for one in videos if one.pictures is not None], path)
            file, headers = file_inside(place(videos[0]), path), HEADERS
    if file.suffix.lower() == ".jpg":  # small, and wanted whole: costs less than what may be asked for in parts
        return Response(file.read_bytes(), media_type=content_type, headers=headers)
    return FileResponse(file, media_type=content_type, headers=headers)


def refuse_what_goes(aside: list[list[str]], path: str) -> None:
    """A picture that was deleted is not shown while it can be had back; nor is a list in which it stands."""
    if any(path in going for going in aside) or (aside and path.endswith(".json") and path != layout.TIMES):
        raise HTTPException(404, f"{Path(path).name} is not among the files of this video.")


def poster_of(session: Session, video_id: str) -> Path:
    """The frame with the best plate that is shown; without one the poster that was made with the clip, and before that
    what preprocessing has seen in the middle of it."""
    video = known(session, video_id)[0]
    if video.media is None and (thumb := middle_thumb(video_id)):
        return thumb
    folder = place(video)
    if (best := seen.best_frame(session, video_id)) is not None:
        with suppress(HTTPException):  # its pictures may be gone, as those of a hashed plate are
            return file_inside(folder, best)
    return file_inside(folder, layout.POSTER)


def middle_thumb(video_id: str) -> Path | None:
    try:
        folder = system.current().stores.path(layout.preproc(video_id)) / layout.THUMBS
    except StoreError as error:
        raise HTTPException(404, str(error)) from None
    thumbs = sorted(folder.glob("*.jpg"))
    return file_inside(folder, thumbs[len(thumbs) // 2].name) if thumbs else None


def folder_of(session: Session, video_id: str) -> Path:
    return place(known(session, video_id)[0])


def known(session: Session, video_id: str) -> Sequence[Row[Any]]:
    """What `KNOWN` asks for: a line, or one for each time that something of the video was set aside."""
    found = session.execute(KNOWN, {"video_id": video_id}).all()
    if not found:
        raise HTTPException(404, f"There is no video {video_id}.")
    return found


def place(video: Row[Any]) -> Path:
    if video.media is None:
        raise HTTPException(404, f"{video.name} has no files yet: it has not been looked through.")
    try:
        return system.current().stores.path(video.media)
    except StoreError as error:
        raise HTTPException(404, str(error)) from None


def file_inside(folder: Path, path: str) -> Path:
    """The real file behind ``path``; 404 when it is not there or lies, by ``..`` or a link, outside the folder."""
    root = os.path.realpath(folder)
    try:
        target = Path(os.path.realpath(layout.find(folder, path)))
    except ValueError:  # a NUL in the path
        raise HTTPException(404, "There is no such file.") from None
    if not target.is_relative_to(root) or not target.is_file():
        raise HTTPException(404, f"{Path(path).name} is not among the files of this video.")
    return target


def original_of(session: Session, video: Video) -> Path | None:
    """The clip as the camera wrote it, where it lies within reach and is still that."""
    places = [video.source, *session.scalars(select(SourceFile.uri).where(SourceFile.video_id == video.video_id))]
    for uri in dict.fromkeys(places):
        try:
            file = system.current().stores.path(uri)
            if file.is_file() and identified(file) == video.video_id:
                return file
        except (StoreError, OSError):
            continue
    return None
