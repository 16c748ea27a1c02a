"""Two plates that are probably one car, on Tonight: a person says yes or no, and takes it back there."""

import pytest
from nicegui import Client
from nicegui.element import Element
from sqlalchemy import select

from app.pages import review
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog import plates
from dashcam.catalog.plate_words import PlateApart
from dashcam.database import reading, writing
from tests.app.access.conftest import Home, act, opened
from tests.app.access.test_own_pages import words
from tests.catalog.looked import look, seen
from tests.catalog.rows import add_video

KEY = "pair:UCRM469:HUCFM469"


@pytest.fixture
def drive(home: Home) -> Home:
    with writing(home.here.engine) as session:
        look(session, add_video(session, 1), [seen("UCRM469", 1.0, 3.0), seen("HUCFM469", 3.5, 6.0)])
    home.add("ana", Role.MEMBER)
    home.add("vic", Role.VIEWER)
    return home


def acts(page: Client) -> Element:
    (found,) = [one for one in page.elements.values() if one._props.get("id") == "acts"]
    return found


def shown_as(home: Home, text: str) -> str:
    with reading(home.here.engine) as session:
        return plates.shown_as(session, text)


def apart(home: Home) -> int:
    with reading(home.here.engine) as session:
        return len(session.scalars(select(PlateApart)).all())


def test_yes_is_a_merge_no_is_kept_and_both_are_taken_back(drive: Home) -> None:
    ana = drive.logged_in("ana")
    page = opened(ana, "/")
    asked = "read a moment apart at one place of the picture"
    assert "Probably one car" in words(page.layout) and asked in words(page.layout)
    act(ana, page, acts(page), {"act": "yes", "key": KEY}, lambda: shown_as(drive, "UCRM469") == "HUCFM469")
    act(ana, page, acts(page), {"act": "undo"}, lambda: shown_as(drive, "UCRM469") == "UCRM469")
    act(ana, page, acts(page), {"act": "no", "key": KEY}, lambda: apart(drive) == 1)
    assert "Probably one car" not in words(opened(ana, "/").layout), "nobody asks again"
    act(ana, page, acts(page), {"act": "undo"}, lambda: apart(drive) == 0)
    with reading(drive.here.engine) as session:
        said = [one.what.partition(":")[0] for one in session.scalars(select(AuditEntry)) if one.kind == "correction"]
    assert said == [
        "merged plates",
        "took a merge of plates back",
        "said that two plates are two cars",
        "took back that two plates are two cars",
    ]


def test_who_may_not_correct_is_not_asked(drive: Home) -> None:
    assert "Probably one car" not in words(opened(drive.logged_in("vic"), "/").layout)


@pytest.mark.parametrize(
    "key", ["pair:UCRM469", "pair::HUCFM469", "pair:<b>:X", "plate:A:B", f"pair:{'A' * 80}:B", None]
)
def test_what_a_browser_makes_up_changes_nothing(key: str | None) -> None:
    assert review.pair_of({"act": "yes", "key": key}) is None
