"""Which places are not for whoever asks: of the home zones a viewer is shown nothing, and no export has them."""

from collections.abc import Sequence

from app import system
from app.access import callers
from dashcam.access.roles import Role
from dashcam.config.privacy import Zone
from dashcam.gps import home, towns


def hidden() -> Sequence[Zone]:
    """On pages and in answers; those who live there see them."""
    return () if callers.may(Role.MEMBER) else system.current().site.privacy.home_zones


def cut(home: bool) -> Sequence[Zone]:
    """Out of what is given out, unless an admin asks for all of it. Raises `callers.NotAllowed`."""
    if home:
        callers.ensure(Role.ADMIN)
        return ()
    return system.current().site.privacy.home_zones


def way(ends: tuple[tuple[float, float], tuple[float, float]] | None) -> str:
    """Of a trip by where it began and ended, as ``near Delft`` or ``near Delft to near Leiden``."""
    names = [name for lat, lon in ends or () if (name := place(round(lat, 3), round(lon, 3)))]
    return " to ".join(dict.fromkeys(names)) if len(names) == 2 else ""


def place(lat: float, lon: float) -> str:
    """As ``near Delft``; empty where no town is near, and where it is not for whoever asks."""
    town = None if home.is_inside(hidden(), lat, lon) else towns.near(lat, lon)
    return f"near {town}" if town else ""
