"""Roles and dates on every route of the whole application: what is hidden is in no answer, pages and files included."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.access.rules import rule_of
from dashcam.access import audit
from dashcam.access.roles import Role
from dashcam.catalog.deriving import derive_everything
from dashcam.catalog.reread_rows import ReadChange, Reread
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.app.access.conftest import Home
from tests.app.access.test_every_route import every as every
from tests.app.access.test_horizon import program
from tests.catalog.rows import NOON, add_route, add_sighting, add_task, add_video

NEW, OLD = f"{1:016x}", f"{2:016x}"
HIDDEN_NAME = "2026_0626_OLDCLIP_0002F.MP4"
PLATES = ("NEW1AAA", "OLD2BBB")


@pytest.fixture
def filled(home: Home) -> Home:
    with writing(home.here.engine) as session:
        for number, days, plate in ((1, 0, PLATES[0]), (2, 2, PLATES[1])):
            name = {"name": HIDDEN_NAME} if number == 2 else {}
            video = add_video(session, number, NOON - timedelta(days=days), **name)
            add_route(session, video)
            add_sighting(session, video, plate, 1.0, lat=44.43, lon=26.1)
            add_task(session, video, state="complete", completed_at=NOON)
            known = {"was": f"{plate}8", "now": plate, "said": plate, "crop": "plates/1000_best_crop.jpg"}
            session.add(ReadChange(video_id=video.video_id, at=NOON, best_s=1.0, **known))
            session.add(Reread(video_id=video.video_id, at=NOON))
    derive_everything(home.here.engine, Site().trips)
    root = home.here.stores.root("shed_nas")
    for video_id, plate in ((NEW, PLATES[0]), (OLD, PLATES[1])):
        for name in ("poster.jpg", "record.json", "video_lowres.mp4", "plates/1000_best_crop.jpg"):
            (root / video_id / name).parent.mkdir(parents=True, exist_ok=True)
            (root / video_id / name).write_text(
                f"{plate} in {name}" if name in ("record.json", "plates/1000_best_crop.jpg") else "x"
            )
    return home


def addresses(every: list[tuple[str, str]], home: Home) -> list[str]:
    """Every address that is asked for by GET, with all that there is in the place of its parameters."""
    trips = [str(number) for number in range(1, 4)]
    names = {
        "video_id": [NEW, OLD], "trip_id": trips, "task_id": ["1", "2"], "text": [*PLATES], "plate": [*PLATES],
        "plan_id": ["1"], "sighting_id": ["1", "2"], "hostname": ["gpu-pc"], "form": ["gpx", "geojson"],
        "path": ["record.json", "plates/1000_best_crop.jpg", "poster.jpg", "video_lowres.mp4"],
    }  # fmt: skip
    found = []
    for method, path in every:
        if method != "GET" or path.startswith(("/_nicegui", "/static", "/prefect")):
            continue
        spelled = [path.replace(":path", "")]
        for name, values in names.items():
            spelled = [
                one.replace(f"{{{name}}}", value)
                for one in spelled
                for value in (values if f"{{{name}}}" in one else [""])
            ]
        found += spelled
    asked = [f"/export/track.gpx?video={one}" for one in (NEW, OLD)] + ["/videos?q=OLDCLIP", "/plates?q=BB&unsure=1"]
    asked += ["/api/v1/search?q=BB", "/api/v1/search?q=OLD2BBC&near=true", f"/api/v1/sightings?video={OLD}"]
    return found + asked


def told(browser: TestClient, caller: TestClient, path: str) -> str:
    """All that an answer says, or nothing where it is none."""
    rule, _ = rule_of(path.partition("?")[0], "GET")
    answer = caller.get(path.removeprefix("/api/v1")) if rule.is_api else browser.get(path)
    assert answer.status_code != 500, f"{path}: {answer.text}"
    if not answer.is_success:
        return ""
    return answer.text


def test_a_viewer_is_told_no_plate_by_any_route(filled: Home, every: list[tuple[str, str]]) -> None:
    filled.add("vic", Role.VIEWER)
    browser, caller = filled.logged_in("vic"), program(filled, "vic")
    paths = addresses(every, filled)
    said = {path: told(browser, caller, path) for path in paths}
    assert [path for path, text in said.items() if any(plate in text for plate in PLATES)] == []
    assert sum(bool(text) for text in said.values()) > 15, "what is for viewers was answered"


def test_a_member_is_told_them(filled: Home, every: list[tuple[str, str]]) -> None:
    """So the walk above would have seen them."""
    filled.add("ben", Role.MEMBER)
    browser, caller = filled.logged_in("ben"), program(filled, "ben")
    said = {path: told(browser, caller, path) for path in addresses(every, filled)}
    with_plates = [path for path, text in said.items() if any(plate in text for plate in PLATES)]
    for path in (
        "/plates",
        f"/videos/{NEW}",
        f"/api/v1/videos/{NEW}",
        f"/media/{NEW}/record.json",
        "/maps/plates/NEW1AAA",
        "/rereads",
        "/api/v1/rereads",
    ):
        assert path in with_plates, path
    assert any(HIDDEN_NAME in text for text in said.values())


def test_from_a_date_on_no_route_tells_of_what_was_before(filled: Home, every: list[tuple[str, str]]) -> None:
    filled.add("cid", Role.MEMBER, NOON - timedelta(days=1))
    browser, caller = filled.logged_in("cid"), program(filled, "cid")
    said = {path: told(browser, caller, path) for path in addresses(every, filled)}
    for path, text in said.items():
        spoken = text.replace("OLD2BBB", "", text.count("OLD2BBB") if "OLD2BBB" in path else 0)
        assert HIDDEN_NAME not in text and "OLD2BBB" not in spoken and OLD not in text.replace(path, ""), path


def test_a_member_is_kept_from_all_that_is_an_admins(filled: Home, every: list[tuple[str, str]]) -> None:
    filled.add("ana", Role.ADMIN)
    filled.add("ben", Role.MEMBER)
    browser, caller = filled.logged_in("ben"), program(filled, "ben")
    tried = 0
    for method, path in every:
        rule, _ = rule_of(path.replace(":path", ""), method)
        if rule.least is not Role.ADMIN:
            continue
        client = caller if rule.is_api else browser
        answer = client.request(method, path.removeprefix("/api/v1") if rule.is_api else path)
        assert answer.status_code == 403, f"{method} {path}"
        tried += 1
    assert tried > 25


def test_who_looked_exported_corrected_and_deleted_is_written_down(filled: Home) -> None:
    filled.add("ana", Role.ADMIN)
    browser, admin = filled.logged_in("ana"), program(filled, "ana")
    asked = [
        (browser.get("/plates/NEW1AAA"), "plate", "looked a plate up: NEW1AAA"),
        (admin.get("/search", params={"q": "W1"}), "plate", "searched for plates: q=W1"),
        (browser.get("/maps/plates/NEW1AAA"), "plate", "looked a plate up on the map: NEW1AAA"),
        (browser.get(f"/export/track.gpx?video={NEW}"), "export", f"exported a track: gpx video={NEW}"),
        (
            admin.post(f"/videos/{NEW}/protect", json={"reason": "evidence"}),
            "correction",
            f"keeps a clip for good: {NEW}",
        ),
        (admin.delete(f"/videos/{NEW}/protect"), "deletion", f"took the mark off a clip: the rules hold again: {NEW}"),
        (admin.post("/tokens", json={"name": "x"}), "access", "made a token"),
    ]
    assert [answer.status_code for answer, _, _ in asked if not answer.is_success] == []
    admin.get(f"/plates/{'NOBODY'}")
    with reading(filled.here.engine) as session:
        told = [(one.who, one.kind, one.what) for one in reversed(audit.entries(session)) if one.kind != "log-in"]
    assert told == [("ana", kind, what) for _, kind, what in asked], "and of what was refused or is not there, nothing"
