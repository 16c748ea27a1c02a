"""Who may delete a clip or a plate for good from its page, and what the audit log says of it."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app import system
from app.access import callers
from app.access.callers import Caller, NotAllowed
from app.pages import deletion
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.upkeep import deleting
from dashcam.upkeep.deleting import Wanted
from tests.app.access.conftest import Home, opened
from tests.catalog.rows import NOON, add_sighting, add_video

SAID = "Delete this {} for good"


@pytest.fixture
def video(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    kept = {"backup": {"folder": str(tmp_path / "backups")}, "privacy": {"key_file": str(tmp_path / "key")}}
    monkeypatch.setattr(home.here, "site", Site.model_validate(home.here.site.model_dump(by_alias=True) | kept))
    with writing(home.here.engine) as session:
        clip = add_video(session, 1)
        add_sighting(session, clip, "LT21CGK")
        return clip.video_id


def test_an_admin_is_offered_it_and_nobody_else(home: Home, video: str) -> None:
    home.add("ana", Role.ADMIN)
    home.add("ben", Role.MEMBER)
    for name, offered in (("ana", True), ("ben", False)):
        browser = home.logged_in(name)
        assert (SAID.format("clip") in browser.get(f"/videos/{video}").text) is offered
        assert (SAID.format("plate") in browser.get("/plates/LT21CGK").text) is offered


def test_what_the_page_says_goes_is_what_goes(home: Home, video: str) -> None:
    home.add("ana", Role.ADMIN)
    place = opened(home.logged_in("ana"), f"/videos/{video}").layout
    for act in (deletion.show, deletion.delete):
        with callers.speaking(Caller("ben", "session", Role.MEMBER)), pytest.raises(NotAllowed, match="for an admin"):
            asyncio.run(act(place, Wanted(clips=[video]), "/videos"))
    with reading(home.here.engine) as session:
        told = deleting.preview(session, system.current().site, Wanted(clips=[video]))
        assert deletion.said(told)[0] == "1 clip, with all that was seen in it."
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        asyncio.run(deletion.delete(place, Wanted(clips=[video]), "/videos"))
    with reading(home.here.engine) as session:
        assert session.scalars(select(Video)).all() == []
        noted = select(AuditEntry.who, AuditEntry.what).where(AuditEntry.kind == "deletion")
        assert session.execute(noted).tuples().all() == [("ana", "deleted clips: 1 clips, 0 sightings")]
    shown = [str(one.props.get("text") or getattr(one, "text", "")) for one in place.descendants()]
    assert "1 clip went from the database." in shown and any("within five minutes" in line for line in shown), shown


def test_days_are_two_days_in_their_order() -> None:
    assert deletion.days_of(NOON, NOON) is None and deletion.days_of(None, NOON) is None
    assert deletion.days_of(NOON, NOON + timedelta(days=1)) == Wanted(since=NOON, until=NOON + timedelta(days=1))
