"""The player: one clip or a whole trip, with the plates over the picture and a timeline below it.

What it plays it asks for itself (`app.timelines`); what moves in it is in ``static/`` (`OWN`), without a round trip.
"""

import math

from nicegui.element import Element

from app.pages.parts import tag

OWN = ("player.css", "screen.js", "footage.js", "timeline.js", "film.js", "keys.js", "player-bar.js", "player.js")
"""The styles and scripts of a page with a player, for `app.pages.frame.frame`."""


def player(
    source: str,
    at_s: float | None,
    window_s: float | None = None,
    size: tuple[int, int] = (16, 9),
    original: str = "",
) -> Element:
    """``source`` is the address of the timeline; ``window_s`` how much of it is seen; ``size`` of its first picture;
    ``original`` the type of a clip's own file, where that may be played too."""
    given = {"at": at_s, "zoom": window_s}
    known = {name: f"{value:.2f}" for name, value in given.items() if value is not None}
    known |= {"original": original} if original else {}
    width, height = size
    return tag("dashcam-player", "player", source=source, style=f"--wide: {width}; --high: {height}", **known)


def second_of(text: str, length_s: float | None = None) -> float | None:
    """The second asked for in the address, inside the length; None when it is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return max(0.0, min(value, length_s or value)) if math.isfinite(value) else None
