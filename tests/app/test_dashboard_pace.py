"""An open dashboard costs the main server little, however much changes on it."""

import time
from contextlib import nullcontext
from typing import Any

from app.pages.dashboard import SHARE, PagePart


class Part(nullcontext[None]):
    """Stands for a part of the page."""

    def clear(self) -> None:
        pass


def burnt(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_part_that_is_dear_to_draw_keeps_to_its_share_of_a_core_and_shows_the_newest_in_the_end() -> None:
    drawn: list[Any] = []

    def draw(what: int) -> None:
        burnt(0.02)
        drawn.append(what)

    place = PagePart(Part(), draw)  # type: ignore[arg-type]
    began, number = time.monotonic(), 0
    while time.monotonic() - began < 0.6 * 0.02 / SHARE:
        place.show(number)
        number += 1
    assert drawn == [0, 1], "the first change at once"
    deadline = time.monotonic() + 60
    while len(drawn) < 3:
        assert time.monotonic() < deadline
        place.show("the newest")
    assert drawn == [0, 1, "the newest"]


def test_what_has_not_changed_is_not_drawn_again() -> None:
    drawn: list[Any] = []
    place = PagePart(Part(), drawn.append)  # type: ignore[arg-type]
    for what in (1, 1, 1):
        place.rests_until = 0.0
        place.show(what)
    assert drawn == [1]
