"""Filters of the REST API mean the same everywhere: device types, times with and without a zone."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app import system
from app.system import System
from dashcam.config import Site
from dashcam.config.pools import POOLS
from dashcam.database import writing
from dashcam.tasks.model import TaskType
from tests.catalog.rows import NOON, add_sighting, add_task, add_video


@pytest.mark.parametrize(
    ("asked", "found"),
    [("rtx_4090", 2), ("gpu", 2), ("jetson_coral", 1), ("jetson", 1), ("main_server", 0), ("shed_nas", 0)],
)
def test_a_device_type_is_the_guides_or_a_pools_name(client: TestClient, here: System, asked: str, found: int) -> None:
    with writing(here.engine) as session:
        for number in (1, 2):
            add_task(session, add_video(session, number), TaskType.HEAVY_PROCESS_VIDEO)
        add_task(session, add_video(session, 3), TaskType.PREPROCESS_VIDEO, device_type="jetson")
    assert client.get("/tasks", params={"device_type": asked}).json()["total"] == found
    pending = client.get("/tasks/pending", params={"device_type": asked}).json()
    assert len(pending) == found
    assert {POOLS[one["device_type"]] for one in pending} <= {POOLS.get(asked, asked)}, "answers name the guide's types"


def test_another_device_type_is_refused_with_those_there_are(client: TestClient) -> None:
    for path in ("/tasks", "/tasks/pending"):
        answer = client.get(path, params={"device_type": "rtx_5090"})
        assert answer.status_code == 422
        assert all(name in answer.json()["detail"] for name in POOLS)


@pytest.mark.parametrize("path", ["/search", "/sightings", "/videos", "/trips", "/export/sightings.csv"])
def test_a_time_without_a_zone_is_local_to_the_site_wherever_it_is_asked_for(
    client: TestClient, here: System, path: str
) -> None:
    site = Site.model_validate({"server": {"time_zone": "Asia/Tokyo"}})
    system.start(System(here.engine, site, here.stores, here.token))
    with writing(here.engine) as session:
        add_sighting(session, add_video(session, 1, start=NOON), "AB12CDE")
    local = NOON + timedelta(hours=9)
    same = [
        client.get(path, params={"since": since, "until": until}).text
        for since, until in (
            (f"{local - timedelta(hours=1):%Y-%m-%dT%H:%M}", f"{local + timedelta(hours=1):%Y-%m-%dT%H:%M}"),
            ((NOON - timedelta(hours=1)).isoformat(), (NOON + timedelta(hours=1)).isoformat()),
        )
    ]
    assert same[0] == same[1]
    assert client.get(path, params={"since": f"{local:%Y-%m-%d}"}).is_success
