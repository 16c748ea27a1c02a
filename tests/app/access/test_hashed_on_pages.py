"""A plate of which only a hash is kept: wherever its text would stand, it is said in words what it is."""

import html
from urllib.parse import quote

import pytest

from app import wording
from dashcam.access.roles import Role
from dashcam.catalog.models import Video
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.app.conftest import TOKEN
from tests.catalog.rows import add_route, add_sighting, add_video

TEXT = "#k3vqab2dabcdab7d"


@pytest.fixture
def video(home: Home) -> Video:
    home.add("ana", Role.ADMIN)
    with writing(home.here.engine) as session:
        clip = add_video(session, 1)
        add_route(session, clip)
        add_sighting(session, clip, TEXT, lat=44.43, lon=26.1)
        add_sighting(session, clip, "LT21CGK", 3.0)
        return clip


def test_pages_and_maps_say_in_words_what_a_hash_is(home: Home, video: Video) -> None:
    browser, plate = home.logged_in("ana"), f"/plates/{quote(TEXT)}"
    maps = f"/maps{plate}", f"/maps/videos/{video.video_id}"
    for path in (plate, "/plates", f"/videos/{video.video_id}", "/maps/pins/1", *maps):
        page = html.unescape(browser.get(path).text)
        assert "Hashed #k3vq" in page, path
        assert path in maps or "seen longer ago than plates are kept here" in page, path
        assert f"Number plate {TEXT}" not in page, path
    assert "#k3vq" not in browser.get("/").text, "nothing of it is to be looked at"
    page = browser.get(f"/videos/{video.video_id}").text
    assert "best frame of LT21CGK" in page and "best frame of Hashed" not in page, "there is no such picture"


def test_who_searches_for_a_hash_is_told_where_it_is_found(home: Home, video: Video) -> None:
    page = html.unescape(home.logged_in("ana").get("/plates", params={"q": TEXT, "near": "0"}).text)
    assert "No plate is found by its hash" in page and "from the page of a clip" in page


def test_rest_says_it_too(home: Home, video: Video) -> None:
    program = home.program(TOKEN)
    assert {one["text"]: one["hashed"] for one in program.get("/plates").json()} == {TEXT: True, "LT21CGK": False}
    assert program.get(f"/plates/{quote(TEXT)}").json()["seen"][0]["hashed"]
    assert [one["hashed"] for one in program.get("/sightings").json()].count(True) == 1


def test_a_plate_that_is_none_stays_as_it_is() -> None:
    assert wording.plate("LT21CGK") == "LT21CGK" and not wording.is_hashed("LT21CGK")
    assert wording.crop_of("LT21CGK") == "Number plate LT21CGK"
