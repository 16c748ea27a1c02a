"""Where home is, as people have drawn it: the table, made and changed by ``migrations/`` only."""

from sqlalchemy.orm import Mapped, mapped_column

from dashcam.database import Base


class HomeZone(Base):
    """A circle that counts beside those of the settings (`config.privacy.Zone`), known by its middle."""

    __tablename__ = "home_zone"

    lat: Mapped[float] = mapped_column(primary_key=True)
    lon: Mapped[float] = mapped_column(primary_key=True)
    radius_m: Mapped[float]
