"""Maps show the whole route and every placed sighting, ask nobody else for anything, and trust no text."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app import everything, map_sheet, maps, system
from app.everything import LONGEST
from dashcam.catalog.models import Video
from dashcam.catalog.places import place_sightings
from dashcam.database import writing
from dashcam.records import Fix
from tests.catalog.car import SITE, Car, arrive
from tests.catalog.rows import NOON, add_route, add_sighting, add_video

NASTY = "</script><img src=x onerror=alert(1)>`${alert(2)}`'\""


@pytest.fixture
def browser(here: system.System) -> Iterator[TestClient]:
    with writing(here.engine) as session:
        video = add_video(session, 1, name=NASTY)
        add_route(session, video)
        add_sighting(session, video, "LT23CGK", 2.0, lat=44.4304, lon=26.1)
        add_sighting(session, video, NASTY, 4.0, lat=44.4308, lon=26.1)
        add_sighting(session, video, "NOWHERE", 6.0)
        add_sighting(session, add_video(session, 2), "NOWHERE", 1.0)
    web = FastAPI()
    web.include_router(maps.router)
    web.include_router(everything.pages)
    with TestClient(web) as client:
        yield client


class Tags(HTMLParser):
    """The elements that a browser sees in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


def drawn(page: str) -> dict[str, Any]:
    """What the scripts of a map are given, by what they do with it."""
    (text,) = re.findall(r'<script type="application/json" id="given">(.*)</script>', page)
    return json.loads(text)  # type: ignore[no-any-return]


def without_data(page: str) -> str:
    return re.sub(r'id="given">.*</script>', "", page)


def test_a_videos_map_shows_its_route_and_the_sightings_that_have_a_place(browser: TestClient) -> None:
    shown = drawn(browser.get("/maps/videos/0000000000000001").text)
    (route,), (pins,) = shown["dashcamRoute"], shown["dashcamPins"]
    places = [tuple(place) for line in route["features"] for place in line["geometry"]["coordinates"]]
    assert places[0] == (26.1, 44.43)
    assert places[-1] == (26.1, pytest.approx(44.4318))
    assert [text for _lat, _lon, _number, _sure, text in pins] == ["LT23CGK", NASTY]
    assert pins[0][:2] == [44.4304, 26.1]
    assert browser.get(f"/maps/pins/{pins[0][2]}").json()["href"] == "/videos/0000000000000001?t=2.00"


def test_a_trips_map_shows_the_whole_way_with_what_happened_and_where_other_cars_may_have_been(
    browser: TestClient, here: system.System
) -> None:
    car = Car()
    car.drive(NOON + timedelta(days=1), 4, stand_s=20)
    with writing(here.engine) as session:
        for facts in car.clips:
            arrive(session, facts)
        front = session.scalars(select(Video).where(Video.name == car.clips[0].name)).one()
        add_sighting(session, front, NASTY, 60.0, box=[700.0, 400.0, 760.0, 413.0])
        place_sightings(session, front, SITE.place)
        number, video_id = front.trip_id, front.video_id
    page = browser.get(f"/maps/trips/{number}").text
    shown = drawn(page)
    (route,), (ellipses,) = shown["dashcamRoute"], shown["dashcamEllipses"]
    (pins,), (events,) = shown["dashcamPins"], shown["dashcamEvents"]
    places = [tuple(place) for line in route["features"] for place in line["geometry"]["coordinates"]]
    assert places[0][1] == pytest.approx(52.37) and places[-1][1] == pytest.approx(car.lat, abs=1e-5)
    (event,) = events["features"]
    assert event["properties"]["text"] == "Hard braking"
    assert event["properties"]["href"].startswith("/videos/")
    ((ring, _sure),) = ellipses
    assert ring[0] == ring[-1] and len(ring) > 20
    ((lat, _lon, seen, _sure, _text),) = pins
    assert max(place[0] for place in ring) > lat, "the plate is ahead, to the north"
    own = browser.get(f"/maps/pins/{seen}").json()
    assert own["text"] == NASTY and own["other"].startswith("Estimated ")
    assert Tags(page).seen <= {"html", "head", "title", "meta", "link", "style", "script", "body", "div"}
    assert f'"/videos/{video_id}?t=60.00"' in page, "a click on the route leads to the second of video"
    assert shown["dashcamJump"][1]["clips"][f"/videos/{video_id}"] == f"Front, {front.name}", (
        "a road that was driven twice is told by its clip"
    )
    assert browser.get("/maps/trips/999").status_code == 404


def test_text_from_outside_travels_as_data_only(browser: TestClient) -> None:
    for path in ("/maps/videos/0000000000000001", "/maps/plates/LT23CGK"):
        page = browser.get(path).text
        assert Tags(page).seen <= {"html", "head", "title", "meta", "link", "style", "script", "body", "div"}
        assert "`" not in without_data(page), "no template literal that text could end"


TEMPLATES = ("{{ 60013 * 70001 }}", "{% if 1 %}x{% endif %}", "{# x #}", "{{ lipsum.__globals__.os.getcwd() }}")


@pytest.mark.parametrize("text", TEMPLATES)
def test_no_text_from_outside_is_run_as_a_template(here: system.System, browser: TestClient, text: str) -> None:
    with writing(here.engine) as session:
        video = add_video(session, 3, name=f"{text}.MP4")
        add_route(session, video)
        add_sighting(session, video, text, 2.0, lat=44.4304, lon=26.1)
    for path in (f"/maps/videos/{video.video_id}", f"/maps/plates/{quote(text, safe='')}"):
        page = browser.get(path).text
        (pins,) = drawn(page)["dashcamPins"]
        assert [pin[4] for pin in pins] == [text]
        assert all(without_data(page).count(part) == 0 for part in (text, str(60013 * 70001), str(Path.cwd())))
    asked = drawn(browser.get("/maps/everything", params={"plate": text[:LONGEST]}).text)
    assert asked["dashcamEverything"][0]["plate"] == text[:LONGEST]


def test_a_map_names_no_place_outside_this_server(browser: TestClient) -> None:
    answer = browser.get("/maps/videos/0000000000000001")
    assert not re.findall(r"(?:https?:)?//[a-z]", answer.text)
    assert "http" not in answer.headers["content-security-policy"]
    for source in re.findall(r'(?:src|href)="(/maps/[^"]+)"', answer.text):
        assert browser.get(source).status_code == 200, source


def test_tiles_come_from_the_configured_server_and_only_from_there(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_sheet, "tile_url", lambda: "http://tiles.lan:8080/{z}/{x}/{y}.png")
    answer = browser.get("/maps/videos/0000000000000001")
    assert "http://tiles.lan:8080/{z}/{x}/{y}.png" in answer.text
    assert "img-src 'self' data: http://tiles.lan:8080;" in answer.headers["content-security-policy"]


def test_without_positions_there_is_no_map(browser: TestClient) -> None:
    assert browser.get("/maps/videos/0000000000000002").status_code == 404
    assert browser.get("/maps/plates/NOWHERE").status_code == 404
    assert browser.get("/maps/plates/UNKNOWN").status_code == 404


def test_the_leaflet_that_nicegui_brings_is_the_one_that_the_map_imports(browser: TestClient) -> None:
    script = browser.get("/maps/leaflet.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert re.search(r"export\s*\{\s*\w+ as leaflet\s*\}", script.text)


fixes = st.lists(
    st.builds(
        lambda step, lat, lon, speed: (step, lat, lon, speed),
        st.floats(0.1, 30),
        st.floats(-80, 80),
        st.floats(-179, 179),
        st.none() | st.floats(0, 60),
    ),
    max_size=30,
)


@given(fixes)
def test_every_step_of_the_drive_is_drawn_once_in_the_colour_of_its_speed_and_gaps_are_not(
    steps: list[tuple[float, float, float, float | None]],
) -> None:
    t_s, route = 0.0, []
    for step, lat, lon, speed in steps:
        t_s += step
        route.append(Fix(t_s=t_s, utc=NOON + timedelta(seconds=t_s), lat=lat, lon=lon, speed_mps=speed))
    drawn = []
    for line in maps.route_layer(route)["features"]:
        colour = line["properties"]["colour"]
        drawn += [(here, there, colour) for here, there in pairwise(line["geometry"]["coordinates"])]
    expected = [
        ((a.lon, a.lat), (b.lon, b.lat), maps.colour_of(a.speed_mps))
        for a, b in pairwise(route)
        if b.t_s - a.t_s <= maps.GAP_S
    ]
    assert drawn == expected
