"""The REST API as flows and scripts use it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.system import System
from dashcam.catalog.models import Rejection
from dashcam.database import named, writing
from dashcam.tasks.client import MainServerClient
from tests.catalog.rows import NOON, add_sighting, add_video
from tests.tasks.test_table import facts, heavy_result


@pytest.fixture
def clip(here: System) -> Path:
    path = here.stores.path("indoor_nas:raw/2026-06-28/a.MP4")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a real clip, but content all the same" * 1000)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def ingest(client: TestClient, *paths: str) -> list[dict[str, str]]:
    files = [{"device": "indoor_nas", "path": path} for path in paths]
    return client.post("/ingest", json={"files": files}).json()


def only_task(client: TestClient) -> dict[str, object]:
    (task,) = client.get("/tasks/pending").json()
    return task


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic YTpi", "Bearer "])
def test_calls_without_the_device_token_are_refused(anonymous: TestClient, here: System, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = anonymous.get("/tasks", headers=headers)
    assert answer.status_code == 401
    assert "device token" in answer.json()["detail"]
    assert anonymous.get("/health").json() == {"status": "ok", "database": named(here.engine)}


def test_a_new_clip_becomes_one_task_and_is_known_from_then_on(client: TestClient, clip: Path) -> None:
    (first,) = ingest(client, "raw/2026-06-28/a.MP4")
    (second,) = ingest(client, "raw/2026-06-28/a.MP4")
    assert (first["status"], second["status"]) == ("new", "known")
    assert first["video_id"] == second["video_id"]
    assert only_task(client)["task_type"] == "INGEST_VIDEO"


def test_the_same_clip_under_another_name_is_the_same_video(client: TestClient, clip: Path) -> None:
    (first,) = ingest(client, "raw/2026-06-28/a.MP4")
    moved = clip.parent / "RO"
    moved.mkdir()
    clip.rename(moved / "a.MP4")
    (second,) = ingest(client, "raw/2026-06-28/RO/a.MP4")
    assert second["status"] == "known"
    assert second["video_id"] == first["video_id"]


def test_a_file_that_is_not_there_is_said_and_the_others_go_on(client: TestClient, clip: Path) -> None:
    gone, there = ingest(client, "raw/gone.MP4", "raw/2026-06-28/a.MP4")
    assert gone["status"] == "unreadable" and "raw/gone.MP4" in gone["reason"]
    assert there["status"] == "new"


@pytest.mark.parametrize("path", ["../secret", "raw/../../secret", "/etc/passwd"])
def test_paths_do_not_leave_their_store(client: TestClient, here: System, path: str) -> None:
    (arrival,) = ingest(client, path)
    assert arrival["status"] == "unreadable"


def test_a_clip_travels_from_ingest_to_search(client: TestClient, clip: Path) -> None:
    (arrival,) = ingest(client, "raw/2026-06-28/a.MP4")
    video_id = arrival["video_id"]
    task = only_task(client)
    inputs = [{"device": "indoor_nas", "path": "raw/2026-06-28/a.MP4", "type": "video"}]
    preprocess = {"task_type": "PREPROCESS_VIDEO", "video_id": video_id, "inputs": inputs}
    done = {"result": facts().model_dump(mode="json"), "publish": [preprocess]}
    assert client.post(f"/tasks/{task['task_id']}/complete", json=done).json() == {"changed": True}
    assert client.post(f"/tasks/{task['task_id']}/complete", json=done).json() == {"changed": False}

    looked = {"candidates": "indoor_nas:preproc/x", "keyframes": 1, "kept_s": 3, "rejected_s": 0}
    looked |= {"brightness": 0.5, "sharpness": 0.5}
    done = {"result": looked, "publish": [preprocess | {"task_type": "HEAVY_PROCESS_VIDEO"}]}
    assert client.post(f"/tasks/{only_task(client)['task_id']}/complete", json=done).json() == {"changed": True}

    heavy = only_task(client)
    assert heavy["video"]["name"] == "a.MP4"
    result = heavy_result("AB12CDE").result
    client.post(f"/tasks/{heavy['task_id']}/complete", json={"result": result})
    video = client.get(f"/videos/{video_id}").json()
    assert [sighting["text"] for sighting in video["sightings"]] == ["AB12CDE"]
    assert video["positions"] == 3
    assert len(client.get(f"/videos/{video_id}/track").json()) == 3
    assert [plate["text"] for plate in client.get("/search", params={"q": "b1-2c"}).json()] == ["AB12CDE"]
    assert client.get("/search", params={"q": "B%2"}).json() == []
    assert client.get("/plates/ab12 cde").json()["sightings"] == 1


def test_a_task_runs_on_the_device_that_begins_it_before_it_says_how_far_it_is(
    client: TestClient, server: MainServerClient, clip: Path
) -> None:
    ingest(client, "raw/2026-06-28/a.MP4")
    task_id = only_task(client)["task_id"]
    server.pending(task_id)
    assert only_task(client)["device"] is None, "somebody has only looked at it"
    for end, said in (("failed", {"error": "NAS away"}), ("waits", {"reason": "no room"})):
        server.pending(task_id, device="gärage-pc")
        assert (only_task(client)["progress"], only_task(client)["device"]) == (None, "gärage-pc")
        client.post(f"/tasks/{task_id}/{end}", json=said)
        assert only_task(client)["device"] is None


def test_progress_shows_on_the_task_and_ends_with_it(client: TestClient, clip: Path) -> None:
    ingest(client, "raw/2026-06-28/a.MP4")
    task_id = only_task(client)["task_id"]
    client.post(f"/tasks/{task_id}/progress", json={"fraction": 0.4, "device": "gpu-1"})
    assert (only_task(client)["progress"], only_task(client)["device"]) == (0.4, "gpu-1")
    client.post(f"/tasks/{task_id}/failed", json={"error": "NAS away"})
    assert only_task(client)["progress"] is None
    assert only_task(client)["last_error"] == "NAS away"


def test_devices_report_themselves(client: TestClient) -> None:
    for _ in range(2):
        client.post("/devices/heartbeat", json={"hostname": "jetson-coral-1", "device_type": "jetson_coral"})
    assert [device["hostname"] for device in client.get("/devices").json()] == ["jetson-coral-1"]
    assert client.get("/devices/nobody").status_code == 404


@pytest.mark.parametrize("path", ["/tasks/77", "/videos/0000000000000000", "/plates/NONE1"])
def test_what_is_not_there_is_said_in_a_sentence(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(".")


def test_search_takes_misreadings_times_and_places(client: TestClient, here: System) -> None:
    with writing(here.engine) as session:
        for day, text in enumerate(("LT23CGK", "DX17ZWH")):
            video = add_video(session, day, NOON + timedelta(days=day))
            add_sighting(session, video, text, lat=51.0 + day, lon=-0.1)

    def texts(path: str = "/search", **wanted: str) -> list[str]:
        return [one["text"] for one in client.get(path, params=wanted).json()]

    assert texts(q="LTZ3C66", near="true") == []
    assert texts(q="LTZ3CGK", near="true") == ["LT23CGK"]
    assert texts(q="?X*") == ["DX17ZWH"]
    assert texts(since=(NOON + timedelta(hours=1)).isoformat()) == ["DX17ZWH"]
    assert texts(until="2026-06-28T14:30:00+02:00") == ["LT23CGK"]
    assert texts(box="50,-1,51.5,0") == texts("/sightings", box="50,-1,51.5,0") == ["LT23CGK"]
    assert texts("/sightings") == ["DX17ZWH", "LT23CGK"]


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "52,0,51,1", "nan,0,1,1", "0,170,1,190"])
def test_a_box_that_is_none_is_refused(client: TestClient, box: str) -> None:
    answer = client.get("/search", params={"box": box})
    assert answer.status_code == 422
    assert "south,west,north,east" in answer.json()["detail"]


def test_what_was_missed_is_told_by_reason(client: TestClient, here: System) -> None:
    assert client.get("/accuracy").json()["total"]["rate"] is None
    with writing(here.engine) as session:
        video = add_video(session, 1)
        known = {"seconds": 500.0, "audited_s": 10.0, "audited": 2, "missed_s": 5.0, "missed": 1}
        session.add(Rejection(video_id=video.video_id, reason="too dark", **known))
    answer = client.get("/accuracy").json()
    assert answer["reasons"][0]["reason"] == "too dark"
    assert answer["total"]["rate"] == 0.5
    assert 0 < answer["total"]["low"] < 0.5 < answer["total"]["high"] < 1


def test_a_preprocessing_task_comes_with_the_positions_it_goes_by_and_lists_do_without(
    client: TestClient, clip: Path
) -> None:
    ingest(client, "raw/2026-06-28/a.MP4")
    first = only_task(client)
    preprocess = {"task_type": "PREPROCESS_VIDEO", "video_id": first["video_id"], "inputs": first["inputs"]}
    known = {"result": facts().model_dump(mode="json"), "publish": [preprocess]}
    assert client.post(f"/tasks/{first['task_id']}/complete", json=known).status_code == 200
    listed = only_task(client)
    assert listed["video"]["fixes"] == []
    asked = client.get(f"/tasks/{listed['task_id']}").json()
    assert [fix["speed_mps"] for fix in asked["video"]["fixes"]] == [11, 11, 11]


def test_a_plate_tells_what_the_other_camera_has_seen_of_it(client: TestClient, here: System) -> None:
    with writing(here.engine) as session:
        for number, camera in ((1, "front"), (2, "rear")):
            clip = add_video(session, number, NOON + timedelta(seconds=10 * number), camera=camera)
            add_sighting(session, clip, "AB12CDE")
    rear, front = client.get("/plates/AB12CDE").json()["seen"]
    assert front["other_camera"] == {
        "sighting_id": rear["sighting_id"],
        "video_id": rear["video_id"],
        "camera": "rear",
        "best_s": 2.0,
        "apart_s": 9.0,
        "later": True,
        "passing": "you passed it",
        "together": 0.95,
    }
    assert not rear["other_camera"]["later"]


def test_a_plates_sightings_come_newest_first_some_at_a_time(client: TestClient, here: System) -> None:
    with writing(here.engine) as session:
        video = add_video(session, 1)
        for number in range(5):
            add_sighting(session, video, "LT21CGK", number, seen_utc=NOON + timedelta(minutes=number))
    told = [client.get("/plates/LT21CGK", params={"limit": 2, "offset": skip}).json() for skip in (0, 2, 4, 6)]
    assert [[one["best_s"] for one in some["seen"]] for some in told] == [[4, 3], [2, 1], [0], []]
    assert {some["sightings"] for some in told} == {5}
    assert len(client.get("/plates/LT21CGK").json()["seen"]) == 5
    assert client.get("/plates/LT21CGK", params={"limit": 5000}).status_code == 422
