"""What Prometheus is told: it parses, says what is so, and costs little however much waits."""

import asyncio
import json
import re
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, insert

from app.system import System
from dashcam.catalog import devices
from dashcam.database import writing
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.app.main_site import MainSite, heavy
from tests.conftest import REPOSITORY
from tests.tasks.test_table import publish


def told(client: TestClient) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels, which stand there by their names."""
    answer = client.get("/metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_backlog_devices_and_stores_are_told(client: TestClient, here: System) -> None:
    publish(here.engine, TaskType.HEAVY_PROCESS_VIDEO)
    with writing(here.engine) as session:
        devices.beat(session, "gpu-1", "rtx_4090", {"pool": "gpu"}, None, datetime.now(UTC))
    here.caretaker.look()
    said = told(client)
    assert said["dashcam_tasks_pending", "free", "HEAVY_PROCESS_VIDEO"] == 1
    assert said["dashcam_tasks_pending", "free", "INGEST_VIDEO"] == 0
    assert said["dashcam_oldest_pending_seconds",] >= 0
    assert abs(said["dashcam_device_last_seen_timestamp_seconds", "gpu-1", "rtx_4090"] - time.time()) < 60
    assert said["dashcam_store_free_bytes", "indoor_nas"] > 0
    assert said["dashcam_store_there", "shed_nas"] == 1
    assert said["dashcam_database_bytes",] > 10_000


def test_how_long_a_task_took_how_it_ended_and_failures_are_counted(client: TestClient, here: System) -> None:
    task_id = publish(here.engine, TaskType.HEAVY_PROCESS_VIDEO)
    client.get(f"/tasks/{task_id}")
    client.post(f"/tasks/{task_id}/failed", json={"error": "NAS away"})
    client.get(f"/tasks/{task_id}")
    client.post(f"/tasks/{task_id}/complete", json={"outcome": "rejected", "reason": "empty"})
    said = told(client)
    assert said["dashcam_task_failures_total", "HEAVY_PROCESS_VIDEO"] == 1
    assert said["dashcam_tasks_completed_total", "rejected", "HEAVY_PROCESS_VIDEO"] == 1
    assert said["dashcam_task_seconds_count", "HEAVY_PROCESS_VIDEO"] == 1


def test_the_dispatchers_rounds_are_timed(engine: Engine) -> None:
    site = MainSite(engine)
    heavy(site, "v1")
    asyncio.run(until_timed(site))
    assert b"dashcam_dispatch_round_seconds_count 0.0" not in site.system.metrics.text()


async def until_timed(site: MainSite) -> None:
    going_on = asyncio.create_task(site.dispatcher.rounds(site.prefect))  # type: ignore[arg-type]
    deadline = time.monotonic() + 60
    while b"dashcam_dispatch_round_seconds_count 0.0" in site.system.metrics.text():
        assert time.monotonic() < deadline and not going_on.done()
        await asyncio.sleep(0.01)
    going_on.cancel()


def test_a_scrape_needs_the_token(anonymous: TestClient) -> None:
    assert anonymous.get("/metrics").status_code == 401


def test_a_large_backlog_costs_a_scrape_what_a_small_one_does(client: TestClient, here: System) -> None:
    publish(here.engine, TaskType.INGEST_VIDEO)
    small = cost_of_a_scrape(client)
    long_ago = datetime.now(UTC) - timedelta(days=9)
    rows = [
        {"task_type": "HEAVY_PROCESS_VIDEO", "video_id": "v1", "revision": number, "device_type": "gpu"}
        | {"inputs": [], "created_at": long_ago, "footage_s": 60.0}
        for number in range(1, 60_001)
    ]
    with writing(here.engine) as session:
        session.execute(insert(TaskRow), rows)
    here._recent.clear()
    assert told(client)["dashcam_tasks_pending", "free", "HEAVY_PROCESS_VIDEO"] == 60_000
    large = cost_of_a_scrape(client)
    print(f"a scrape: {small * 1000:.1f} ms of CPU with one task, {large * 1000:.1f} with 60,000")
    assert large < 3 * small + 0.01


def cost_of_a_scrape(client: TestClient) -> float:
    """Median CPU seconds, of the server and this client."""
    spent = []
    for _ in range(15):
        began = time.process_time()
        client.get("/metrics")
        spent.append(time.process_time() - began)
    return median(spent)


def test_every_metric_of_the_dashboard_is_told(client: TestClient, here: System) -> None:
    dashboard = json.loads((REPOSITORY / "deploy/grafana/dashboard.json").read_text())
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    text = client.get("/metrics").text
    names = set(re.findall(r"dashcam_\w+|process_\w+", asked))
    assert len(names) > 9
    assert [name for name in names if re.sub(r"_(total|bucket|count|sum)$", "", name) not in text] == []
