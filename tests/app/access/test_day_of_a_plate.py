"""A plate's page of one day shows that day's places."""

import html
import re
from datetime import timedelta

from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.catalog.rows import NOON, add_sighting, add_video

WHOLE, TWO_DAYS = "/plates/LT21CGK", ("2026-06-28", "2026-06-29")
PIN = ',"LT21CGK"]'
"""How a pin of it ends, in the data of a map."""


def test_the_map_of_a_plates_page_is_of_the_day_that_is_asked_for(home: Home) -> None:
    with writing(home.here.engine) as session:
        for number, place in enumerate(({"lat": 44.43, "lon": 26.1}, {"lat": 44.5, "lon": 26.2}, {})):
            video = add_video(session, number, NOON + timedelta(days=number))
            add_sighting(session, video, "LT21CGK", 1.0, **place)
    home.add("ana", Role.MEMBER)
    browser = home.logged_in("ana")

    def map_of(page: str) -> str | None:
        found = re.search(r'"src": ?"(/maps/[^"]+)"', html.unescape(browser.get(page).text))
        return found and found[1]

    assert map_of(WHOLE) == map_of(f"{WHOLE}?day=bent") == "/maps/plates/LT21CGK"
    for day, place in zip(TWO_DAYS, ("[[44.43,26.1,", "[[44.5,26.2,"), strict=True):
        source = map_of(f"{WHOLE}?day={day}")
        assert source == f"/maps/plates/LT21CGK?day={day}"
        shown = browser.get(source).text
        assert place in shown and shown.count(PIN) == 1
    assert browser.get("/maps/plates/LT21CGK?day=bent").text.count(PIN) == 2
    assert map_of(f"{WHOLE}?day=2026-06-30") is None, "no frame around an error"
    assert "No positions on this day" in browser.get(f"{WHOLE}?day=2026-06-30").text
