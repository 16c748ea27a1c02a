"""An address without a page, and a page that fails: said in the house's look, with what to do and nothing of ours."""

import pytest

from app.pages import video as video_page
from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home
from tests.catalog.rows import add_video

CLIP = "/videos/0000000000000001"


def test_an_unknown_address_is_a_page_that_says_what_to_do(home: Home) -> None:
    home.add("ana", Role.ADMIN)
    home.add("vic", Role.VIEWER)
    answer = home.logged_in("ana").get("/no/such/page")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text and "To the first page" in answer.text and "top-nav" in answer.text
    refused = home.logged_in("vic").get("/no/such/page")
    assert refused.status_code == 404 and "There is no such page" in refused.text and "admin" not in refused.text
    stranger = home.browser().get("/no/such/page")
    assert stranger.status_code == 303 and stranger.headers["location"].startswith("/log-in")
    program = home.logged_in("ana").get("/no/such/page", headers={"accept": "application/json"})
    assert program.json() == {"detail": "There is nothing at this address."}


def test_a_page_that_fails_says_so_and_shows_nothing_of_why(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.add("ana", Role.ADMIN)

    def fails(*_: object) -> None:
        raise RuntimeError("a secret of the code")

    monkeypatch.setattr(video_page.video_table, "video", fails)
    answer = home.logged_in("ana").get(CLIP)
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text and answer.text.count('<nav class="top-nav"') == 1
    assert "secret" not in answer.text and "RuntimeError" not in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "strange", [{"moon_phase": "full"}, {"clock": "sundial"}, {"fps": "many"}, {"sha256": None}], ids=str
)
def test_a_clip_whose_facts_are_of_another_version_or_damaged_shows_what_is_known(
    home: Home, strange: dict[str, object]
) -> None:
    home.add("ana", Role.ADMIN)
    with writing(home.here.engine) as session:
        video = add_video(session, 1, name="known.MP4")
        video.facts = {**(video.facts or {}), **strange}
    answer = home.logged_in("ana").get(CLIP)
    assert answer.status_code == 200 and "known.MP4" in answer.text
