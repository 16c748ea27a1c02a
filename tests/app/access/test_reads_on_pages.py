"""What was read of a sighting: fetched when somebody opens it on the plate's page, and over REST."""

import html
import re

import pytest
from starlette.testclient import TestClient

from app.pages import plate_reads
from dashcam.access.roles import Role
from dashcam.catalog import readings
from dashcam.catalog.readings import Readings
from dashcam.database import reading, writing
from dashcam.records import Read
from tests.app.access.conftest import Home
from tests.app.conftest import TOKEN
from tests.catalog.looked import look, numbers, seen
from tests.catalog.rows import add_sighting, add_video

HASHED = "#k3vqab2dabcdab7d"
SURE = [{"T": 0.97, "7": 0.02, "I": 0.004}, {"A": 1.0}, {"<b>": 0.6, "K": 0.3, "H": 0.05, "R": 0.03, "M": 0.02}]


@pytest.fixture
def ana(home: Home) -> TestClient:
    with writing(home.here.engine) as session:
        clip = add_video(session, 1)
        look(session, clip, [seen("TAX1", 1.0, 3.0, slots=SURE)])
        add_sighting(session, clip, HASHED, 8.0)
    home.add("ana", Role.MEMBER)
    return home.logged_in("ana")


def of_plate(home: Home, text: str) -> tuple[int, Readings]:
    with reading(home.here.engine) as session:
        (number,) = numbers(session, text)
        found = readings.of_sighting(session, number)
    assert found is not None
    return number, found


def shown(browser: TestClient, path: str) -> str:
    """What the page shows once somebody opens what was read; nothing of it is there before."""
    page = browser.get(path).text
    assert 'class="slots"' not in page
    (address,) = set(re.findall(r'data-reads="(/found/reads/[0-9]+)"', page))
    return browser.get(address).text


def test_each_character_has_what_else_it_may_be_and_each_read_its_frame(home: Home, ana: TestClient) -> None:
    text = shown(ana, "/plates/TAX1")
    together = re.findall(r"<b>(.*?)</b>.*?width:([\d.]+)%.*?>([<>\d]+ %)<", text.partition("5 reads")[0])
    assert together == [
        ("T", "97.0", "97 %"), ("7", "2.0", "2 %"), ("A", "100.0", "100 %"),
        ("&lt;b&gt;", "60.0", "60 %"), ("K", "30.0", "30 %"), ("H", "5.0", "5 %"), ("R", "3.0", "3 %"),
    ]  # fmt: skip
    assert re.findall(r'href="(/videos/[^"]+)"', text) == [
        f"/videos/{1:016x}?t={second}" for second in ("1.00", "1.50", "2.00", "2.50", "3.00")
    ]
    (frame,) = re.findall(r'href="(/media/[^"]+)" download', text)
    assert frame == f"/media/{1:016x}/frames/TAX1-1-300_best_frame.jpg"
    assert text.count("90 % sure, 80 % legible") == 5 and text.count('class="slots"') == 6


def test_of_a_hashed_plate_nothing_of_what_was_read_is_shown(home: Home, ana: TestClient) -> None:
    text = html.unescape(shown(ana, "/plates/%23k3vqab2dabcdab7d"))
    assert "seen longer ago than plates are kept here" in text and "href" not in text and "<b>" not in text


def test_reads_of_a_sighting_that_has_gone_are_a_sentence(home: Home, ana: TestClient) -> None:
    assert "It is not there any more" in ana.get("/found/reads/9999").text
    assert ana.get("/found/reads/99999999999999999999").status_code == 422


def test_of_many_reads_the_most_legible_have_their_characters() -> None:
    read = seen("TAX1", 1.0, 3.0).reads[0]
    reads = [read.model_copy(update={"t_s": at / 10, "legibility": at / 100}) for at in range(60)]
    text = plate_reads.piece(Readings("00", "TAX1", 0.9, 0.0, "frames/1.jpg", SURE, reads))
    assert "60 reads, with the characters of the 20 most legible" in text
    assert text.count("/videos/") == 60 and text.count('class="slots"') == 1 + 20
    assert readings.clearest(reads, 2) == {58, 59}


def test_over_rest_they_are_whole(home: Home, ana: TestClient) -> None:
    number, found = of_plate(home, "TAX1")
    answer = home.program(TOKEN).get(f"/sightings/{number}/reads").json()
    assert answer["slots"] == SURE and answer["text"] == "TAX1"
    assert [Read.model_validate(one) for one in answer["reads"]] == found.reads
    assert home.program(TOKEN).get("/sightings/9999/reads").status_code == 404
    assert home.program(TOKEN).get("/sightings/99999999999999999999/reads").status_code in (404, 422)
