"""What people have said of the site, beside its settings: the tables, made and changed by ``migrations/`` only."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base, UtcDateTime


class HomeZone(Base):
    """A circle that counts beside those of the settings (`config.privacy.Zone`), known by its middle."""

    __tablename__ = "home_zone"

    lat: Mapped[float] = mapped_column(primary_key=True)
    lon: Mapped[float] = mapped_column(primary_key=True)
    radius_m: Mapped[float]


class RetentionWord(Base):
    """How long what is kept, as an admin has said: the newest word counts, before the settings. None stay for ever."""

    __tablename__ = "retention_word"

    said_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    who: Mapped[str]
    by_settings: Mapped[bool]
    """It was taken back: the settings count again."""
    enabled: Mapped[bool]
    raw_videos: Mapped[int | None]
    """Days."""
    lowres_months: Mapped[int | None]
