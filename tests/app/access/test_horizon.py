"""What of the catalogue is there for whom: a viewer finds no plate, a person from a date on nothing from before."""

from datetime import timedelta

import pytest

from app.access import horizon
from dashcam.access.roles import Role
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.database import Base, writing
from tests.app.access.conftest import PASSWORD, Home
from tests.catalog.rows import NOON, add_route, add_sighting, add_video

NEW, OLD = f"{1:016x}", f"{2:016x}"


@pytest.fixture
def filled(home: Home) -> Home:
    """Two clips two days apart, each with a plate that was placed, and one in both."""
    with writing(home.here.engine) as session:
        for number, days, plate in ((1, 0, "NEW1AAA"), (2, 2, "OLD2BBB")):
            video = add_video(session, number, NOON - timedelta(days=days))
            add_route(session, video)
            for text, at in ((plate, 1.0), ("BOTH333", 2.0)):
                add_sighting(session, video, text, at, lat=44.43, lon=26.1)
    for video_id in (NEW, OLD):
        folder = home.here.stores.root("shed_nas") / video_id
        for name in (
            "video_lowres.mp4",
            "frames/poster.jpg",
            "frames/1_best_frame.jpg",
            "frames/1000_best_frame.jpg",
            "plates/1_best_crop.jpg",
            "record.json",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
    return home


def program(home: Home, name: str):  # type: ignore[no-untyped-def]
    told = home.program("none").post("/auth/token", json={"user": name, "password": PASSWORD})
    return home.program(told.json()["access_token"])


def test_a_viewer_finds_no_plate_anywhere(filled: Home) -> None:
    filled.add("vic", Role.VIEWER)
    viewer, browser = program(filled, "vic"), filled.logged_in("vic")
    assert viewer.get("/videos").json()["total"] == 2
    shown = viewer.get(f"/videos/{NEW}").json()
    assert shown["name"] and shown["sightings"] == []
    map_of_it = browser.get(f"/maps/videos/{NEW}")
    assert map_of_it.status_code == 200 and "NEW1AAA" not in map_of_it.text and "BOTH333" not in map_of_it.text
    files = {
        "video_lowres.mp4": 200,
        "frames/poster.jpg": 200,
        "frames/1_best_frame.jpg": 403,
        "plates/1_best_crop.jpg": 403,
        "frames/../plates/1_best_crop.jpg": 403,
        "record.json": 403,
    }
    for name, status in files.items():
        path = name.replace("..", "%2e%2e")
        assert browser.get(f"/media/{NEW}/{path}").status_code == status, name
    assert browser.get(f"/media/{NEW}/frames/poster.jpg").text == "frames/poster.jpg", "not the frame with a plate"


def test_a_member_finds_them(filled: Home) -> None:
    filled.add("ben", Role.MEMBER)
    member, browser = program(filled, "ben"), filled.logged_in("ben")
    assert {one["text"] for one in member.get("/plates").json()} == {"NEW1AAA", "OLD2BBB", "BOTH333"}
    assert "NEW1AAA" in browser.get(f"/maps/videos/{NEW}").text
    assert browser.get(f"/media/{NEW}/plates/1_best_crop.jpg").status_code == 200
    assert browser.get(f"/media/{NEW}/frames/poster.jpg").text == "frames/1000_best_frame.jpg"


def test_from_a_date_on_nothing_is_there_from_before(filled: Home) -> None:
    filled.add("cid", Role.MEMBER, NOON - timedelta(days=1))
    member, browser = program(filled, "cid"), filled.logged_in("cid")
    assert [one["video_id"] for one in member.get("/videos").json()["videos"]] == [NEW]
    assert member.get("/videos").json()["total"] == 1
    assert {one["text"]: one["sightings"] for one in member.get("/plates").json()} == {"NEW1AAA": 1, "BOTH333": 1}
    both = member.get("/plates/BOTH333").json()
    assert both["sightings"] == 1 and both["first_seen"] == both["last_seen"]
    assert [one["video_id"] for one in both["seen"]] == [NEW]
    assert {one["video_id"] for one in member.get("/sightings").json()} == {NEW}
    assert [one["text"] for one in member.get("/search", params={"q": "BB"}).json()] == []
    for near in ("BOTH333", "OLD2BBB"):
        found = member.get("/search", params={"q": near, "near": True}).json()
        assert {one["sightings"] for one in found} <= {1}
    assert "OLD2BBB" not in browser.get("/export/sightings.csv").text
    for path in (f"/videos/{OLD}", f"/videos/{OLD}/frames", "/plates/OLD2BBB", f"/videos/{OLD}/retention"):
        assert member.get(path).status_code == 404, path
    assert member.get(f"/videos/{OLD}/track").json() == []
    for path in (f"/maps/videos/{OLD}", f"/media/{OLD}/video_lowres.mp4", f"/export/track.gpx?video={OLD}"):
        assert browser.get(path).status_code == 404, path
    assert browser.get(f"/media/{NEW}/video_lowres.mp4").status_code == 200


def test_a_clip_whose_time_is_not_known_counts_as_before(filled: Home) -> None:
    with writing(filled.here.engine) as session:
        filled_in = add_video(session, 3, None)
        add_sighting(session, filled_in, "WHEN444", seen_utc=None)
    filled.add("cid", Role.MEMBER, NOON - timedelta(days=30))
    filled.add("ben", Role.MEMBER)
    unknown = f"{3:016x}"
    assert program(filled, "ben").get(f"/videos/{unknown}").status_code == 200
    member = program(filled, "cid")
    assert member.get(f"/videos/{unknown}").status_code == 404
    assert {one["video_id"] for one in member.get("/videos").json()["videos"]} == {NEW, OLD}
    assert "WHEN444" not in member.get("/search", params={"q": "WHEN", "unsure": True}).text


def test_every_table_that_hangs_on_a_clip_or_a_plate_is_behind_the_horizon() -> None:
    """A new one is a line there: else a viewer's question to it is answered."""
    tables = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    hang_on = {
        owner: {tables[table] for table in tables for key in table.foreign_keys if key.column.table is owner.__table__}
        for owner in (Video, Plate)
    }
    assert hang_on[Plate] <= set(horizon.OF_PLATES)
    assert hang_on[Video] <= {SightingRow, *horizon.OF_VIDEOS}
