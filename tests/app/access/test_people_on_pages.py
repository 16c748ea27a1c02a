"""What a person may change through a page's buttons, which arrive by the page's websocket; and who it is said to be."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import select

from app.access import callers
from app.access.callers import Caller, NotAllowed
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog.camera_rows import CameraLens
from dashcam.catalog.models import Protection
from dashcam.database import reading, writing
from tests.app.access.conftest import Home, act, opened
from tests.catalog.rows import add_video


@pytest.fixture
def video(home: Home) -> str:
    with writing(home.here.engine) as session:
        return add_video(session, 1).video_id


def test_what_a_member_does_on_a_page_is_written_down_as_theirs(home: Home, video: str) -> None:
    home.add("ana", Role.MEMBER)
    ana = home.logged_in("ana")

    def all_of(table: Any) -> list[Any]:
        with reading(home.here.engine) as session:
            return list(session.scalars(select(table)))

    def noted() -> list[tuple[str, str]]:
        return [(entry.who, entry.what) for entry in all_of(AuditEntry) if entry.kind == "correction"]

    page = opened(ana, f"/videos/{video}")
    lens, keep = [one for one in page.elements.values() if one.tag == "form" and one._event_listeners]
    act(ana, page, keep, {"reason": "evidence"}, lambda: bool(noted()))
    assert [(row.video_id, row.who) for row in all_of(Protection)] == [(video, "ana")]
    assert noted() == [("ana", f"keeps {video} for good")]
    marks = {"left": "0", "right": "1", "across_m": "10", "away_m": "5", "projection": "rectilinear"}
    act(ana, page, lens, marks, lambda: len(noted()) > 1)
    assert [(row.camera, row.horizontal_fov_deg) for row in all_of(CameraLens)] == [("front", 90.0)]
    assert ("ana", "said how wide a camera's lens is: front") in noted()


def test_a_viewer_sees_no_button_and_no_plates(home: Home, video: str) -> None:
    home.add("vera", Role.VIEWER)
    browser = home.logged_in("vera")
    page = opened(browser, f"/videos/{video}")
    assert not [one for one in page.elements.values() if one.tag == "form" and one._event_listeners]
    links = set(re.findall(r'href="([^"]*)"', browser.get(f"/videos/{video}").text))
    assert "/videos" in links and "/plates" not in links and "/tasks" not in links


def test_a_viewer_changes_nothing_whatever_page_it_comes_from(home: Home) -> None:
    with callers.speaking(Caller("vera", "session", Role.VIEWER)), pytest.raises(NotAllowed, match="for a member"):
        asyncio.run(home.here.change(lambda session: None))
    with callers.speaking(Caller("ana", "session", Role.MEMBER)):
        asyncio.run(home.here.change(lambda session: None))
