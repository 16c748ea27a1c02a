"""Who may delete a clip or a plate for good from its page, and what the audit log says of it."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import deletions, system
from app.access import callers
from app.access.callers import Caller, NotAllowed
from app.pages import deletion
from dashcam.access.models import AuditEntry
from dashcam.access.roles import Role
from dashcam.catalog.models import SightingRow, Video
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.upkeep import deleting, undoing
from dashcam.upkeep.deleting import Wanted
from tests.app.access.conftest import Home, opened
from tests.app.conftest import TOKEN
from tests.catalog.rows import NOON, add_sighting, add_video

SAID = "Delete this {}"


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


def test_what_the_page_says_goes_is_hidden_and_undo_brings_it_back(home: Home, video: str) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    place = opened(browser, f"/videos/{video}").layout
    with callers.speaking(Caller("ben", "session", Role.MEMBER)):
        with pytest.raises(NotAllowed, match="for an admin"):
            asyncio.run(deletion.show(place, Wanted(clips=[video]), "/videos"))
        with pytest.raises(NotAllowed, match="for an admin"):
            deletions.hide(system.current(), Wanted(clips=[video]))
    with reading(home.here.engine) as session:
        told = deleting.preview(session, system.current().site, Wanted(clips=[video]))
        assert deletion.said(told)[0] == "1 clip, with all that was seen in it."
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        asyncio.run(deletion.delete(place, Wanted(clips=[video]), "/videos"))
    shown = [str(one.props.get("text") or getattr(one, "text", "")) for one in place.descendants()]
    assert any("nobody is shown it any more" in line for line in shown) and "Undo" in shown, shown
    assert "There is no such" in browser.get(f"/videos/{video}").text
    listed = browser.get("/storage").text
    assert "Deleted, and can be had back" in listed and "Undo: 2026_0628_000001" in listed and " by ana" in listed
    with reading(home.here.engine) as session:
        assert session.scalars(select(Video)).all() == []
        (line,) = undoing.listed(session)
        noted = select(AuditEntry.who, AuditEntry.what).where(AuditEntry.kind == "deletion")
        assert session.execute(noted).tuples().all() == [("ana", "deleted clips, which goes for good in a day")]
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        deletions.take_back(system.current(), line.going_id)
    assert browser.get(f"/videos/{video}").status_code == 200 and "LT21CGK" in browser.get("/plates/LT21CGK").text


def test_nobody_is_shown_a_hidden_plate_nor_its_pictures(home: Home, video: str) -> None:
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    crop = f"/media/{video}/plates/2000_best_crop.jpg"
    folder = home.here.stores.path(f"shed_nas:{video}")
    for name in ("plates/2000_best_crop.jpg", "frames/2000_best_frame.jpg", "record.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"LT21CGK")
    pictures = [crop, f"/media/{video}/frames/2000_best_frame.jpg", f"/media/{video}/record.json"]
    assert [browser.get(one).status_code for one in pictures] == [200, 200, 200]
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        line = deletions.hide(system.current(), Wanted(plate="LT21CGK"))
    assert [browser.get(one).status_code for one in pictures] == [404, 404, 404]
    program = home.program(TOKEN)
    asked = ["/", f"/videos/{video}", "/videos", "/plates?q=LT21", "/trips", "/map", "/found/plates?q=LT21"]
    answers = [browser.get(one) for one in asked]
    answers += [program.get(one) for one in (f"/videos/{video}", "/search?q=LT21CGK", "/rereads")]
    for answer in answers:
        assert answer.status_code == 200 and "LT21CGK" not in answer.text, answer.url
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        deletions.take_back(system.current(), line.going_id)
    assert [browser.get(one).status_code for one in pictures] == [200, 200, 200]
    assert "LT21CGK" in browser.get(f"/videos/{video}").text


def poster(browser: TestClient, video: str) -> str:
    """Its address on the page of clips, and in the player."""
    (address,) = set(re.findall(rf"/media/{video}/frames/poster.jpg\?r=\w+", browser.get("/videos").text))
    told = browser.get(f"/timeline/videos/{video}").json()
    assert address.endswith(f"/{told['clips'][0]['poster']}{told['pictures']}"), "the player's is another one"
    return str(address)


def test_a_clip_is_shown_anew_once_a_person_has_said_what_its_plate_is(home: Home, video: str) -> None:
    """Its picture is the frame with its best plate, which may be another one now."""
    home.add("ana", Role.ADMIN)
    browser, program = home.logged_in("ana"), home.program(TOKEN)
    before = poster(browser, video)
    with reading(home.here.engine) as session:
        number = session.scalars(select(SightingRow.sighting_id).where(SightingRow.video_id == video)).first()
    (word,) = program.post("/corrections", json={"sightings": [number], "text": "LT21CGX"}).json()["words"]
    said = poster(browser, video)
    assert said != before and poster(browser, video) == said
    program.delete(f"/corrections/{word}").raise_for_status()
    assert poster(browser, video) not in (before, said)


def test_a_browser_keeps_no_picture_of_what_is_hidden_for_a_clip(home: Home, video: str) -> None:
    """A clip is shown by the frame with its best plate, which a browser keeps by its address."""
    home.add("ana", Role.ADMIN)
    browser = home.logged_in("ana")
    folder = home.here.stores.path(f"shed_nas:{video}")
    for name, content in (("frames/2000_best_frame.jpg", b"LT21CGK"), ("frames/poster.jpg", b"the middle")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    before = poster(browser, video)
    assert (before, browser.get(before).content) == (poster(browser, video), b"LT21CGK")
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        line = deletions.hide(system.current(), Wanted(plate="LT21CGK"))
    hidden = poster(browser, video)
    assert hidden != before and browser.get(hidden).content == b"the middle"
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        deletions.take_back(system.current(), line.going_id)
    again = poster(browser, video)
    assert again not in (before, hidden) and browser.get(again).content == b"LT21CGK"


@pytest.mark.parametrize(
    ("path", "wanted", "name"),
    [("/videos/{}", {"clips": ["{}"]}, "2026_0628_000001"), ("/plates/LT21CGK", {"plate": "LT21CGK"}, "LT21CGK")],
)
def test_what_is_hidden_alone_is_listed_on_storage_until_it_is_shown_again(
    home: Home, video: str, path: str, wanted: dict[str, Any], name: str
) -> None:
    home.add("ana", Role.ADMIN)
    home.add("ben", Role.MEMBER)
    browser, path = home.logged_in("ana"), path.format(video)
    of = Wanted.model_validate({key: [video] if key == "clips" else value for key, value in wanted.items()})
    assert "Hide this " in browser.get(path).text and "Hide this " not in home.logged_in("ben").get(path).text
    place = opened(browser, path).layout
    with callers.speaking(Caller("ben", "session", Role.MEMBER)), pytest.raises(NotAllowed):
        deletions.hide(system.current(), of, stays=True)
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        asyncio.run(deletion.hide(place, of, "/videos"))
    shown = [str(one.props.get("text") or getattr(one, "text", "")) for one in place.descendants()]
    assert any("can be shown again at any time" in line for line in shown) and "Undo" in shown, shown
    listed = browser.get("/storage").text
    assert f"Show again: {name}" in listed and "Show again" not in home.logged_in("ben").get("/storage").text
    assert "LT21CGK" not in browser.get("/found/plates?q=LT21").text
    (line,) = home.program(TOKEN).get("/deletions/going").json()
    assert line["due"] is None
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        deletions.take_back(system.current(), line["going_id"])
    assert "LT21CGK" in browser.get(path).text and "Show again" not in browser.get("/storage").text
    with reading(home.here.engine) as session:
        noted = session.scalars(select(AuditEntry.what).where(AuditEntry.kind == "deletion")).all()
    assert noted == [f"hid {'clips' if of.clips else 'a plate'}", "took back what was deleted or hidden"]


def test_several_sightings_are_deleted_in_one_go_with_one_undo(home: Home, video: str) -> None:
    with writing(home.here.engine) as session:
        add_sighting(session, session.get_one(Video, video), "LT21CGK", 6.0)
    with reading(home.here.engine) as session:
        numbers = list(session.scalars(select(SightingRow.sighting_id)))
    assert len(numbers) == 2
    home.add("ana", Role.ADMIN)
    place = opened(home.logged_in("ana"), "/plates/LT21CGK").layout
    with callers.speaking(Caller("ana", "session", Role.ADMIN)):
        line = deletions.hide_sightings(system.current(), numbers)
    deletion.say_it_goes(place, line, "/plates/LT21CGK", "/plates")
    shown = [str(one.props.get("text") or getattr(one, "text", "")) for one in place.descendants()]
    assert any("2 sightings: nobody is shown it" in line for line in shown) and shown.count("Undo") == 1, shown
    with reading(home.here.engine) as session:
        assert session.scalars(select(SightingRow.sighting_id)).all() == []
        assert "deleted 2 sightings, which go for good in a day" in session.scalars(select(AuditEntry.what)).all()
    listed = home.logged_in("ana").get("/storage").text
    assert "Undo: LT21CGK, 2 sightings" in listed and "one sighting" not in listed
    with callers.speaking(Caller("ben", "session", Role.MEMBER)), pytest.raises(NotAllowed):
        deletions.hide_sightings(system.current(), numbers)


def test_the_api_hides_takes_back_and_lets_go(home: Home, video: str) -> None:
    program = home.program(TOKEN)
    with reading(home.here.engine) as session:
        number = session.scalars(select(SightingRow.sighting_id)).one()
    one = program.post(f"/deletions/going/sightings/{number}").json()
    assert one["said"] == "LT21CGK, one sighting" and program.get("/deletions/going").json() == [one]
    assert program.delete(f"/deletions/going/{one['going_id']}").status_code == 200
    other = program.post("/deletions/going", json={"plate": "LT21CGK"}).json()
    refused = program.post("/deletions/preview", json={"plate": "LT21CGK"})
    assert refused.status_code == 404 and "deleted already" in refused.json()["detail"]
    assert program.post(f"/deletions/going/{other['going_id']}/now").status_code == 200
    for method, address in (("DELETE", ""), ("POST", "/now")):
        again = program.request(method, f"/deletions/going/{other['going_id']}{address}")
        assert again.status_code == 404 and "gone for good" in again.json()["detail"]


def test_days_are_two_days_in_their_order() -> None:
    assert deletion.days_of(NOON, NOON) is None and deletion.days_of(None, NOON) is None
    assert deletion.days_of(NOON, NOON + timedelta(days=1)) == Wanted(since=NOON, until=NOON + timedelta(days=1))
