"""The home zones that people have drawn, remembered: they are asked for with every place that is shown."""

from collections.abc import Sequence

from sqlalchemy import Engine

from dashcam.catalog import home_zones
from dashcam.config.privacy import Zone
from dashcam.database import reading, writing


class DrawnZones:
    """Only through this are they changed. Nothing but `all` is for the event loop, once it was looked at them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._kept: Sequence[Zone] | None = None

    def all(self) -> Sequence[Zone]:
        return self.look() if self._kept is None else self._kept

    def look(self) -> Sequence[Zone]:
        with reading(self.engine) as session:
            self._kept = found = home_zones.drawn(session)
        return found

    def draw(self, zone: Zone) -> None:
        """One with the same middle is resized."""
        with writing(self.engine) as session:
            home_zones.draw(session, zone)
        self.look()

    def rub_out(self, lat: float, lon: float) -> bool:
        """Whether there was one with this middle."""
        with writing(self.engine) as session:
            found = home_zones.rub_out(session, lat, lon)
        self.look()
        return found
