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


def place(lat: float, lon: float) -> str:
    """As ``near Delft``; empty where no town is near, and where it is not for whoever asks."""
    town = None if home.is_inside(hidden(), lat, lon) else towns.near(lat, lon)
    return f"near {town}" if town else ""
