"""The video with the plates drawn over it and a strip of sightings below it."""

from typing import Any

from nicegui.element import Element

from dashcam.catalog.sightings import SightingCard

MIN_BAR = 0.012
"""The shortest bar in the strip, as a part of the clip: a sighting of one frame is still something to click on."""


class Player(Element, component="player.js"):
    def __init__(
        self,
        source: str,
        poster: str,
        *,
        width: int,
        height: int,
        duration_s: float,
        start_s: float | None,
        sightings: list[SightingCard],
    ) -> None:
        """``width`` and ``height`` are the source's, in whose pixels the boxes are; the video may be any size."""
        super().__init__()
        lanes = lanes_of(sightings, duration_s)
        self.props["source"] = source
        self.props["poster"] = poster
        self.props["width"], self.props["height"] = width, height
        self.props["duration"] = duration_s
        self.props["start"] = start_s
        self.props["sightings"] = [drawn(one, lane) for one, lane in zip(sightings, lanes, strict=True)]


def drawn(one: SightingCard, lane: int) -> dict[str, Any]:
    return {
        "id": one.sighting_id,
        "text": one.text,
        "confirmed": one.confirmed,
        "first": one.first_s,
        "last": one.last_s,
        "best": one.best_s,
        "lane": lane,
        "boxes": [[round(value, 3) for value in box] for box in one.followed()],
    }


def lanes_of(sightings: list[SightingCard], duration_s: float) -> list[int]:
    """The lowest free lane for each sighting, so that bars never lie over each other; sightings in order of first_s."""
    free_from: list[float] = []
    lanes = []
    for one in sightings:
        end = max(one.last_s, one.first_s + MIN_BAR * duration_s)
        lane = next((lane for lane, free in enumerate(free_from) if free <= one.first_s), len(free_from))
        free_from[lane : lane + 1] = [end]
        lanes.append(lane)
    return lanes
