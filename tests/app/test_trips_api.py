"""Trips, clocks and exports over REST: what a person decides, corrects and takes out."""

import csv
import io
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import gpxpy
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.system import System
from dashcam.catalog.models import PositionRow, SightingRow, Video
from dashcam.catalog.places import place_sightings
from dashcam.database import reading, writing
from dashcam.gps.plane import Plane
from tests.catalog.car import SITE, ZONE, Car, arrive
from tests.catalog.rows import NOON, add_sighting, add_video
from tests.media.made import write_clip

MORNING = datetime(2026, 6, 28, 8, 0, tzinfo=ZONE)


@pytest.fixture
def drives(here: System) -> None:
    """Two drives of nine minutes on one day; a plate in each camera's first clip, and a nasty one."""
    car = Car()
    car.drive(MORNING, 9)
    car.drive(MORNING + timedelta(hours=9), 9)
    with writing(here.engine) as session:
        for facts in car.clips:
            arrive(session, facts)
        plates = (("front", "LT23CGK"), ("rear", "DX17ZWH"), ("front", "=1+2"))
        for number, (camera, text) in enumerate(plates):
            box = [600.0, 400.0, 704.0, 422.0]
            add_sighting(session, clip_of(session, camera), text, 60.5, box=box, number=number)
        for camera in ("front", "rear"):
            place_sightings(session, clip_of(session, camera), SITE.place)


def clip_of(session: object, camera: str) -> Video:
    return session.scalars(select(Video).where(Video.camera == camera).order_by(Video.start_utc)).first()  # type: ignore[attr-defined,no-any-return]


def test_trips_are_listed_newest_first_and_by_time(client: TestClient, drives: None) -> None:
    page = client.get("/trips").json()
    assert (page["total"], page["time_zone"]) == (2, "Europe/Amsterdam")
    assert [trip["start_utc"] for trip in page["trips"]] == ["2026-06-28T15:00:00Z", "2026-06-28T06:00:00Z"]
    early = client.get("/trips", params={"until": "2026-06-28T10:00:00+00:00"}).json()["trips"]
    assert [trip["distance_m"] for trip in early] == [pytest.approx(8100, rel=0.02)]
    one = client.get(f"/trips/{early[0]['trip_id']}").json()
    assert (one["clips"], len(one["videos"]), one["cameras"]) == (6, 6, ["front", "rear"])


def test_a_split_comes_with_what_undoes_it(client: TestClient, drives: None) -> None:
    number = client.get("/trips").json()["trips"][1]["trip_id"]
    third = client.get(f"/trips/{number}").json()["videos"][2]
    undo = client.post(f"/trips/{number}/split", json={"video_id": third}).json()
    assert client.get("/trips").json()["total"] == 3
    client.put(f"/trips/decisions/{undo['video_id']}", json={"decision": undo["decision"]})
    assert client.get("/trips").json()["total"] == 2


def test_a_merge_comes_with_what_undoes_it(client: TestClient, drives: None) -> None:
    number = client.get("/trips").json()["trips"][0]["trip_id"]
    undo = client.post(f"/trips/{number}/merge").json()
    assert client.get("/trips").json()["total"] == 1
    client.put(f"/trips/decisions/{undo['video_id']}", json={"decision": undo["decision"]})
    assert client.get("/trips").json()["total"] == 2


def test_what_a_camera_says_about_its_fixes_is_kept(client: TestClient, here: System) -> None:
    car = Car()
    car.drive(MORNING, 3)
    front = car.clips[0]
    qualities = ["2d"] + ["3d"] * 2 + ["fix"] * (len(front.fixes) - 3)
    fixes = [fix.model_copy(update={"quality": q}) for fix, q in zip(front.fixes, qualities, strict=True)]
    with writing(here.engine) as session:
        arrive(session, front.model_copy(update={"fixes": fixes}))
        video_id = clip_of(session, "front").video_id
    assert [fix["quality"] for fix in client.get(f"/videos/{video_id}/track").json()] == qualities
    assert "<fix>3d</fix>" in client.get("/export/track.gpx", params={"video": video_id}).text


def test_a_sighting_says_how_its_place_is_known(client: TestClient, drives: None) -> None:
    (seen,) = client.get("/plates/LT23CGK").json()["seen"]
    assert (seen["place_quality"], 0 < seen["accuracy_m"] < 5) == ("interpolated", True)


def test_deriving_again_leaves_trips_as_they_are(client: TestClient, drives: None) -> None:
    before = client.get("/trips").json()
    assert client.post("/trips/derive").json() == {"trips": 2}
    assert client.get("/trips").json() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/trips/77", None, 404),
        ("POST", "/trips/77/merge", None, 409),
        ("POST", "/trips/77/split", {"video_id": "none"}, 409),
        ("PUT", "/trips/decisions/none", {"decision": None}, 404),
        ("GET", "/export/track.gpx?video=none", None, 404),
        ("GET", "/export/sightings.csv?trip=77", None, 404),
        ("GET", "/export/track.gpx", None, 422),
        ("GET", "/export/sightings.kml?plate=ZZ99ZZZ", None, 404),
        ("GET", "/export/track.gpx?video=a&trip=1", None, 422),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    client: TestClient, method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")


def test_a_trip_as_gpx_has_every_fix_with_its_time_once(client: TestClient, drives: None) -> None:
    number = client.get("/trips").json()["trips"][1]["trip_id"]
    answer = client.get("/export/track.gpx", params={"trip": number})
    assert answer.headers["content-type"].startswith("application/gpx+xml")
    (track,) = gpxpy.parse(answer.text).tracks
    assert [len(segment.points) for segment in track.segments] == [90, 90, 90], "front clips only, one after the other"
    points = [point for segment in track.segments for point in segment.points]
    assert points[0].time == MORNING.astimezone(UTC)
    assert points[-1].time == MORNING.astimezone(UTC) + timedelta(seconds=538)
    assert points[0].latitude == pytest.approx(52.37, abs=1e-6)
    assert track.length_2d() == pytest.approx(8070, rel=0.01)
    assert "<gpxtpx:speed>15.00</gpxtpx:speed>" in answer.text


def test_a_stretch_of_time_as_geojson_has_both_drives(client: TestClient, drives: None) -> None:
    asked = {"since": "2026-06-28T00:00:00+02:00", "until": "2026-06-29T00:00:00+02:00"}
    found = client.get("/export/track.geojson", params=asked).json()
    assert found["type"] == "FeatureCollection"
    assert len({feature["properties"]["track"] for feature in found["features"]}) == 2
    for feature in found["features"]:
        assert feature["geometry"]["type"] == "LineString"
        assert len(feature["geometry"]["coordinates"]) == len(feature["properties"]["times"]) == 90
    assert client.get("/export/track.geojson", params={"until": asked["since"]}).json()["features"] == []


def test_a_rear_clip_without_gps_goes_where_the_front_one_went(client: TestClient, here: System, drives: None) -> None:
    with reading(here.engine) as session:
        rear, front = clip_of(session, "rear"), clip_of(session, "front")
    found = [client.get("/export/track.gpx", params={"video": one.video_id}).text for one in (rear, front)]
    points = [gpxpy.parse(text).tracks[0].segments[0].points for text in found]
    assert [(point.latitude, point.time) for point in points[0]] == [
        (point.latitude, point.time) for point in points[1]
    ]


def test_sightings_as_csv_say_where_and_how_sure_and_hold_no_formula(client: TestClient, drives: None) -> None:
    lines = list(csv.DictReader(io.StringIO(client.get("/export/sightings.csv").text)))
    assert [line["plate"] for line in lines] == ["LT23CGK", "'=1+2", "DX17ZWH"]
    front, _, rear = lines
    assert front["seen_utc"] == "2026-06-28T06:01:00.500+00:00"
    # both cameras are in one car: the front plate is ahead, north of it, the rear one behind
    assert float(front["estimate_lat"]) > float(front["lat"]) > 52.37
    assert 52.37 < float(rear["estimate_lat"]) < float(rear["lat"])
    assert float(front["estimate_major_m"]) >= float(front["estimate_minor_m"]) > 0
    (seen,) = client.get("/plates/LT23CGK").json()["seen"]
    assert seen["estimate"]["kind"] == "estimate"
    assert seen["estimate"]["lat"] == float(front["estimate_lat"])


def corrected(client: TestClient, camera: str, ahead_s: float) -> int:
    """How many clips the correction has changed, when it is carried out."""
    answer = client.put("/cameras/clocks", json={"camera": camera, "ahead_s": ahead_s})
    assert (answer.status_code, answer.json()["ended"]) == (202, False)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        clocks = {one["camera"]: one["correcting"] for one in client.get("/cameras/clocks").json()}
        if clocks[camera]["ended"]:
            return clocks[camera]["changed"]
    raise AssertionError(clocks)


def test_the_clocks_offset_is_shown_and_a_correction_reaches_everything_that_hangs_on_it(
    client: TestClient, here: System, drives: None
) -> None:
    clocks = {one["camera"]: one for one in client.get("/cameras/clocks").json()}
    assert clocks["front"]["clips"] == {"utc": 6}
    assert (clocks["front"]["ahead_of_utc_s"], clocks["front"]["ahead_s"]) == (7200, 0)
    assert clocks["front"]["time_zone"] == "Europe/Amsterdam"
    assert clocks["rear"]["clips"] == {"camera": 6}

    def state() -> tuple[datetime | None, datetime | None, float | None, int]:
        with reading(here.engine) as session:
            rear = clip_of(session, "rear")
            (seen,) = session.scalars(select(SightingRow).where(SightingRow.video_id == rear.video_id))
            return rear.start_utc, seen.seen_utc, seen.lat, client.get("/trips").json()["total"]

    start, seen, lat, trips = state()
    assert corrected(client, "rear", 3600) == 6
    moved = state()
    hour = timedelta(hours=1)
    assert start and seen
    assert moved == (start - hour, seen - hour, None, 4), "no front clip runs beside it now, and it drives alone"
    assert corrected(client, "front", 3600) == 0
    assert corrected(client, "rear", 0) == 6
    assert state() == (start, seen, lat, trips)


def test_the_command_line_needs_a_camera_and_a_correction_together() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dashcam.cli", "clock", "front"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--ahead" in done.stderr


def test_every_frame_has_its_place_from_its_real_time(client: TestClient, here: System) -> None:
    """A frame rate that changes: half a second apart, then a twentieth; the fixes end before the clip does."""
    times = [0.0, 0.5, 1.0, 1.5, *(2 + step / 20 for step in range(20)), 8.0]
    with writing(here.engine) as session:
        video = add_video(session, 1)
        for t_s in range(4):
            lat = Plane(44.43, 26.1).to_degrees(0, 10.0 * t_s)[0]
            at = {"utc": NOON + timedelta(seconds=t_s), "lat": lat, "lon": 26.1, "speed_mps": 10.0, "heading_deg": 0.0}
            session.add(PositionRow(video_id=video.video_id, t_s=float(t_s), source="novatek", **at))
    folder = here.stores.path(f"shed_nas:{1:016x}")
    folder.mkdir()
    write_clip(folder / "video_lowres.mp4", [round(90_000 * t_s) for t_s in times])
    found = client.get(f"/videos/{1:016x}/frames").json()
    assert found["t_s"] == pytest.approx(times, abs=1e-3)
    assert found["quality"][:3] == ["fix", "interpolated", "fix"]
    assert found["quality"][-1] == "none" and found["lat"][-1] is None
    assert found["lat"][1] == pytest.approx(Plane(44.43, 26.1).to_degrees(0, 5.0)[0], abs=2e-6)
    assert all(0 < accuracy < 5 for accuracy in found["accuracy_m"][:-1])
    assert client.get("/videos/0000000000000009/frames").status_code == 404


def test_positions_are_at_every_frame_of_the_clip_also_at_those_the_copy_leaves_out(
    here: System, client: TestClient
) -> None:
    with writing(here.engine) as session:
        add_video(session, 1)
    folder = here.stores.path(f"shed_nas:{1:016x}") / "frames"
    folder.mkdir(parents=True)
    write_clip(folder.parent / "video_lowres.mp4", [0, 6000, 12_000])
    (folder / "times.json").write_text(json.dumps({"t_s": [0.0, 0.0333, 0.0667, 0.1, 0.1333]}))
    assert client.get(f"/videos/{1:016x}/frames").json()["t_s"] == [0.0, 0.0333, 0.0667, 0.1, 0.1333]


@pytest.mark.parametrize("spoiled", ["{", "{}", '{"t_s": ["soon"]}'])
def test_a_list_of_frames_that_is_damaged_counts_as_none(here: System, client: TestClient, spoiled: str) -> None:
    with writing(here.engine) as session:
        add_video(session, 1)
    folder = here.stores.path(f"shed_nas:{1:016x}") / "frames"
    folder.mkdir(parents=True)
    write_clip(folder.parent / "video_lowres.mp4", [0, 6000, 12_000])
    (folder / "times.json").write_text(spoiled)
    assert len(client.get(f"/videos/{1:016x}/frames").json()["t_s"]) == 3


def test_frames_of_a_damaged_small_copy_are_not_to_be_had_and_it_says_what_to_do(
    here: System, client: TestClient
) -> None:
    with writing(here.engine) as session:
        add_video(session, 1)
    folder = here.stores.path(f"shed_nas:{1:016x}")
    folder.mkdir()
    (folder / "video_lowres.mp4").write_bytes(b"\x00" * 4096)
    answer = client.get(f"/videos/{1:016x}/frames")
    assert answer.status_code == 404, answer.text
    assert "is damaged (Invalid data" in answer.json()["detail"]
    assert f"`dashcam again {1:016x}` makes it anew" in answer.json()["detail"]
