"""Every page and the bar over it: HTML from the first, of what who looks may open, with what was typed as text."""

import pytest

from app.pages import PAGES
from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.app.access.test_every_route import example
from tests.catalog.looked import look, seen
from tests.catalog.rows import add_video

CONTENT = '<div id="content"'
BUILT = '<div id="nicegui-keep-alive-cache"'
"""After it comes what scripts read."""
NASTY = '"><img src=x onerror=alert(1)>'


def painted(page: str) -> str:
    """What a browser shows of it before it has any script."""
    shown, built, _ = page.partition("<body")[2].partition(BUILT)
    assert built
    return shown


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_before_its_scripts(home: Home, path: str) -> None:
    home.add("ana", Role.ADMIN)
    assert "</h" in painted(home.logged_in("ana").get(example(path)).text).partition(CONTENT)[2]


def test_names_of_files_stay_text_in_what_is_painted_and_its_buttons_wait_for_the_scripts(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    with writing(home.here.engine) as session:
        clip = add_video(session, 1, name=NASTY)
    for path in ("/videos", f"/videos/{clip.video_id}"):  # in a piece that stays as it is, and as the page's title
        shown = painted(home.logged_in("ana").get(path).text)
        assert "&lt;img src=x" in shown and "<img src=x" not in shown
    content = painted(home.logged_in("ana").get("/account").text).partition(CONTENT)[2]
    touched = content.count("<button") + content.count("<input")
    assert touched and content.count(" inert") >= touched


def test_the_buttons_of_a_piece_that_stays_as_it_is_wait_too_and_its_links_do_not(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    with writing(home.here.engine) as session:
        look(session, add_video(session, 1), [seen("TAX1", 1.0, 3.0)])
    page = home.logged_in("ana").get("/plates/TAX1").text
    assert page.count("card sighting") == 1, "scripts are not told once more what stands there"
    content = painted(page).partition(CONTENT)[2]
    entry = content.partition('class="sightings">')[2].partition("</ol>")[0]
    assert "<input inert" in entry and "<summary class" in entry and '<a class="card sighting"' in entry


def test_page_and_bar_are_seen_before_any_script_has_come(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    shown = painted(home.logged_in("ana").get("/plates").text)
    for one in ('href="#content"', '<nav class="top-nav"', 'role="search"', 'aria-label="Log ana out"', ">Plates</h1>"):
        assert shown.count(one) == 1, one


def test_what_was_typed_stays_text_in_the_bar(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    page = home.logged_in("ana").get("/plates", params={"q": NASTY}).text
    bar = page.partition('<header class="top">')[2].partition("</header>")[0]
    assert "&lt;img" in bar and "<img src=x" not in bar


def test_who_may_not_search_plates_is_not_asked_for_one(home: Home) -> None:
    home.add("vic", Role.VIEWER)
    home.add("ben", Role.MEMBER)
    viewer, member = (home.logged_in(name).get("/videos").text for name in ("vic", "ben"))
    assert 'role="search"' in member and 'href="/plates"' in member
    assert 'role="search"' not in viewer and 'href="/plates"' not in viewer and 'href="/videos"' in viewer
