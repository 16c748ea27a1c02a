"""What was read differently, as the page Read again and the call beside it say it."""

import html

import pytest
from starlette.testclient import TestClient

from app.pages import rereads as page
from dashcam.access.roles import Role
from dashcam.catalog import corrections
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.database import writing
from tests.app.access.conftest import Home, opened
from tests.app.access.test_horizon import program
from tests.catalog.looked import look, numbers, seen
from tests.catalog.rows import NOON, add_video

CLIP = f"{1:016x}"


@pytest.fixture
def ana(home: Home) -> TestClient:
    home.add("ana", Role.MEMBER)
    return home.logged_in("ana")


def read_again(home: Home) -> None:
    with writing(home.here.engine) as session:
        look(session, add_video(session, 1, frames_decoded=None), [seen("UCRM469", 1.0, 3.0), seen("B57", 6.0, 8.0)])
        corrections.say(session, numbers(session, "B57"), "B577", "ana", NOON, Site())
        better = [seen("UCRM4G9", 1.0, 3.0), seen("B58", 6.0, 8.0), seen("NEW1", 8.5, 9.5)]
        look(session, session.get_one(Video, CLIP), better)


def said(browser: TestClient) -> str:
    elements = opened(browser, "/rereads").elements.values()
    return " ".join(str(one._props.get("innerHTML") or getattr(one, "text", "") or "") for one in elements)


def test_each_plate_stands_there_before_and_now_with_its_second_and_what_a_person_says(
    home: Home, ana: TestClient
) -> None:
    read_again(home)
    text = html.unescape(said(ana))
    assert "UCRM4<mark>6</mark>9" in text and "UCRM4<mark>G</mark>9" in text
    assert f'href="/videos/{CLIP}?t=2.00"' in text and "plates/UCRM4G9-1-300_best_crop.jpg" in text
    assert "By hand" in text and "B577" in text and "Not seen before" in text
    assert "plates read differently" in text


def test_before_any_clip_was_read_again_it_says_how(ana: TestClient) -> None:
    text = said(ana)
    assert "No clip was read again yet" in text and "dashcam again VIDEO" in text


def test_scripts_are_told_the_same_page_by_page(home: Home, ana: TestClient) -> None:
    read_again(home)
    caller = program(home, "ana")
    found = caller.get("/rereads", params={"limit": 2}).json()
    assert {name: found[name] for name in ("clips", "waiting", "differently", "new", "gone")} == {
        "clips": 1, "waiting": 0, "differently": 2, "new": 1, "gone": 0,
    }  # fmt: skip
    last = found["changes"][-1]
    more = caller.get("/rereads", params={"before": last["at"], "change_id": last["change_id"]}).json()["changes"]
    every = [*found["changes"], *more]
    assert {(one["was"], one["now"], one["said"]) for one in every} == {
        ("UCRM469", "UCRM4G9", None), ("B57", "B58", "B577"), (None, "NEW1", None),
    }  # fmt: skip
    assert caller.get("/rereads", params={"video_id": "f" * 16}).json()["changes"] == []


def test_whoever_sees_no_plates_is_not_let_in(home: Home, ana: TestClient) -> None:
    read_again(home)
    home.add("vic", Role.VIEWER)
    assert home.logged_in("vic").get("/rereads").status_code == 403
    assert program(home, "vic").get("/rereads").status_code == 403


@pytest.mark.parametrize(
    ("was", "now", "marked"),
    [
        ("AB12", "A812", ("A[B]12", "A[8]12")),
        ("AB12", "AB123", ("AB12[·]", "AB12[3]")),
        ("AB12", "", ("AB12", "")),
        ("<b>", "<b>1", ("<b>[·]", "<b>[1]")),
    ],
)
def test_what_differs_is_marked_in_both(was: str, now: str, marked: tuple[str, str]) -> None:
    texts = page.differing(was, now)
    assert tuple("".join(f"[{text}]" if differs else text for text, differs in one) for one in texts) == marked
