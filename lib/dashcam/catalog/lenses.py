"""The cameras' lenses: what a person says of one counts before what the settings say, also for what was seen before."""

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Engine, exists, false, select, update
from sqlalchemy.orm import Session

from dashcam.catalog.camera_rows import CameraLens
from dashcam.catalog.models import SightingRow, Video
from dashcam.config.model import Lens, PlaceSettings
from dashcam.database import reading, writing

NEWEST = Video.start_utc.desc()
SHORT_S = 0.5
"""A write transaction ends after about so long, so that nobody waits for it."""


def known(session: Session, settings: PlaceSettings) -> PlaceSettings:
    """The settings with what people have said of lenses."""
    rows = session.scalars(select(CameraLens).where(CameraLens.horizontal_fov_deg.is_not(None))).all()
    said = {row.camera: {"horizontal_fov_deg": row.horizontal_fov_deg, "projection": row.projection} for row in rows}
    lenses = {name: lens.model_dump() for name, lens in settings.lenses.items()} | said
    return PlaceSettings.model_validate(settings.model_dump() | {"lenses": lenses}) if said else settings


class KnownLens(NamedTuple):
    """Of one camera."""

    settings: PlaceSettings
    """With what people have said."""
    said: bool
    """A person has, of this one."""


def of_camera(session: Session, camera: str, settings: PlaceSettings) -> KnownLens:
    row = session.get(CameraLens, camera)
    return KnownLens(known(session, settings), row is not None and row.horizontal_fov_deg is not None)


def note(engine: Engine, camera: str, lens: Lens | None) -> None:
    """Write down what a person says, or with None that it is taken back; `carry_out` is owed from then on."""
    with writing(engine) as session:
        row = CameraLens(camera=camera, decided_at=datetime.now(UTC), applied=False)
        row.horizontal_fov_deg = lens.horizontal_fov_deg if lens else None
        row.projection = (lens or Lens()).projection
        session.merge(row)


def owed(session: Session) -> list[str]:
    """The cameras whose sightings do not, or not all, go by what was said."""
    return list(session.scalars(select(CameraLens.camera).where(CameraLens.applied == false())))


def carry_out(
    engine: Engine, camera: str, again: Callable[[Session, Video], None], go_on: Callable[[], bool] = lambda: True
) -> None:
    """Have ``again`` say of each of the camera's clips, the newest first, where other cars were.

    In short transactions. One that is cut short stays `owed`, and is finished by doing it again.
    """
    with reading(engine) as session:
        decided_at = session.scalar(select(CameraLens.decided_at).where(CameraLens.camera == camera))
        seen = exists().where(SightingRow.video_id == Video.video_id)
        clips = deque(session.scalars(select(Video.video_id).where(Video.camera == camera, seen).order_by(NEWEST)))
    while clips:
        if not go_on():
            return
        begun = time.monotonic()
        with writing(engine) as session:
            while clips:
                if (video := session.get(Video, clips.popleft())) is not None:
                    again(session, video)
                if time.monotonic() - begun >= SHORT_S:
                    break
    with writing(engine) as session:
        same = CameraLens.camera == camera, CameraLens.decided_at == decided_at  # nothing else was said meanwhile
        session.execute(update(CameraLens).where(*same).values(applied=True))
