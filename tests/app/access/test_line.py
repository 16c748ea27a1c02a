"""First in line and tried again: over REST and on the page, and by whom."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.pages.still import Piece
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog.deriving import derive_everything
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.tasks import table
from dashcam.tasks.model import Completion
from dashcam.tasks.row import TaskRow
from tests.app.access.conftest import Home, act, opened
from tests.app.access.test_horizon import program
from tests.app.access.test_own_pages import words
from tests.catalog.rows import NOON, add_task, add_video

OLD, MIDDLE, NEW = (f"{number:016x}" for number in (1, 2, 3))


@pytest.fixture
def waiting(home: Home) -> Home:
    """Of two trips: the older one has a clip that waits, the newer one that waits and one that failed."""
    with writing(home.here.engine) as session:
        for number, minutes, trouble in ((1, 2880, {}), (2, 1, {}), (3, 0, {"failures": 2, "last_error": "No room."})):
            video = add_video(session, number, NOON - timedelta(minutes=minutes), outcome=None)
            add_task(session, video, created_at=NOON - timedelta(minutes=minutes), **trouble)
    derive_everything(home.here.engine, Site().trips)
    home.add("ana", Role.MEMBER)
    return home


def in_line(client: TestClient) -> list[tuple[str, bool]]:
    return [(one["video_id"], one["first"]) for one in client.get("/tasks/pending").json()]


def noted(home: Home) -> list[tuple[str, str]]:
    with reading(home.here.engine) as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.audit_id))
        return [(entry.who, entry.what) for entry in entries if entry.kind == "correction"]


def test_a_member_puts_a_clip_or_a_trip_first_and_back_over_rest(waiting: Home) -> None:
    ana = program(waiting, "ana")
    assert ana.post(f"/videos/{MIDDLE}/first").json() == {"tasks": 1}
    assert in_line(ana) == [(OLD, False), (MIDDLE, True), (NEW, False)]
    assert ana.delete(f"/videos/{MIDDLE}/first").json() == {"tasks": 1}
    (trip,) = [one["trip_id"] for one in ana.get("/trips").json()["trips"] if one["clips"] == 2]
    assert ana.post(f"/trips/{trip}/first").json() == {"tasks": 2}
    assert [first for _, first in in_line(ana)] == [False, True, True]
    assert ana.delete(f"/trips/{trip}/first").json() == {"tasks": 2}
    assert ana.delete(f"/trips/{trip}/first").json() == {"tasks": 0}
    words = ("put first in line", "put back in line")
    assert noted(waiting) == [("ana", f"{did}: {what}") for what in (f"clip {MIDDLE}", f"trip {trip}") for did in words]


def test_what_is_not_there_cannot_go_first(waiting: Home) -> None:
    ana = program(waiting, "ana")
    assert "There is no video f" in ana.post("/videos/f/first").json()["detail"]
    assert ana.post("/trips/99/first").status_code == 404
    with writing(waiting.here.engine) as session:
        (task_id,) = session.scalars(select(TaskRow.task_id).where(TaskRow.video_id == OLD))
        table.complete(session, task_id, Completion(), lambda *result: None)
    assert ana.post(f"/videos/{OLD}/first").json() == {"tasks": 0}, "it is through"


def test_nobody_moves_what_is_not_there_for_them(waiting: Home) -> None:
    waiting.add("vic", Role.VIEWER)
    waiting.add("ben", Role.MEMBER, NOON - timedelta(hours=24))
    with writing(waiting.here.engine) as session:
        for row in session.scalars(select(TaskRow)):
            row.failures = 1
    viewer, ben = program(waiting, "vic"), program(waiting, "ben")
    for path in ("/tasks/retry", f"/videos/{NEW}/first", "/trips/1/first"):
        assert viewer.post(path).status_code == 403
    assert ben.post(f"/videos/{OLD}/first").status_code == 404
    (own,) = [one["trip_id"] for one in ben.get("/trips").json()["trips"]]
    assert {ben.post(f"/trips/{trip}/first").status_code for trip in (1, 2) if trip != own} == {404}
    assert ben.post("/tasks/retry").json() == {"tasks": 2}, "of the clips from his date on"
    assert waiting.here.changes.number > 0


def test_all_that_failed_is_tried_again_over_rest_and_each_stage_by_itself(waiting: Home) -> None:
    ana = program(waiting, "ana")
    assert ana.post("/tasks/retry", params={"type": "ARCHIVE_VIDEO"}).json() == {"tasks": 0}
    assert ana.post("/tasks/retry").json() == {"tasks": 1}
    assert {one["failures"] for one in ana.get("/tasks/pending").json()} == {0}
    assert noted(waiting) == [("ana", "had all that failed tried again: 1 of all stages")]


def test_the_page_has_both_and_the_way_back(waiting: Home) -> None:
    ana = waiting.logged_in("ana")
    press(ana, "/tasks?view=stuck", "Try it again", lambda: bool(noted(waiting)))
    name = "2026_0628_000002_0002F.MP4"
    press(ana, "/tasks", f"Put {name} first in line", lambda: len(noted(waiting)) == 2)
    listed = words(opened(ana, "/tasks").layout)
    assert re.findall(r"\S+\.MP4", listed)[0] == name and "First in line" in listed
    press(ana, "/tasks", f"Let {name} wait its turn", lambda: len(noted(waiting)) == 3)
    assert [what for _, what in noted(waiting)] == [
        "had all that failed tried again: 1 of all stages",
        f"put first in line: clip {MIDDLE}",
        f"put back in line: clip {MIDDLE}",
    ]


def press(browser: TestClient, address: str, label: str, done: Callable[[], bool]) -> None:
    """A button of the list, by its label or what it is called aloud."""
    page = opened(browser, address)
    (listed,) = [one for one in page.elements.values() if isinstance(one, Piece) and one._event_listeners]
    (made,) = [one for one in re.findall("<button[^>]*>[^<]*", listed.content) if label in one]
    said = dict(re.findall('data-(act|of)="([^"]*)"', made))
    act(browser, page, listed, said, done)
