"""What people have said of cameras: the tables, made and changed by ``migrations/`` only."""

from datetime import datetime

from sqlalchemy import true
from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime


class CameraClock(Base):
    """What a person says about a camera's clock: how far it is ahead. Clips timed by true UTC do not need it."""

    __tablename__ = "camera_clock"

    camera: Mapped[str] = mapped_column(primary_key=True)
    ahead_s: Mapped[float]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    applied: Mapped[bool] = mapped_column(default=True, server_default=true())
    """The clips' times go by it; until then it is being carried out, also after a restart."""


class CameraLens(Base):
    """What a person says about a camera's lens (`config.model.Lens`); it counts before what the settings say."""

    __tablename__ = "camera_lens"

    camera: Mapped[str] = mapped_column(primary_key=True)
    horizontal_fov_deg: Mapped[float | None]
    """None: it was taken back, the settings count again."""
    projection: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    applied: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Where other cars were goes by it; until then it is being carried out, also after a restart."""
