"""Pausing a device over REST, and how its worker hears of it at once."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from app.system import System


@pytest.fixture
def gpu(client: TestClient) -> str:
    client.post("/devices/heartbeat", json={"hostname": "gpu-pc", "device_type": "rtx_4090"}).raise_for_status()
    return "/devices/gpu-pc"


def test_a_paused_device_says_so_until_it_is_resumed(client: TestClient, gpu: str) -> None:
    assert client.get(gpu).json()["paused"] is False
    until = datetime.fromisoformat(client.put(f"{gpu}/pause", json={"for_s": 7200}).json()["until"])
    assert timedelta(minutes=119) < until - datetime.now(UTC) <= timedelta(hours=2)
    assert client.get(gpu).json()["paused"] is True
    assert client.get(f"{gpu}/pause").json()["paused"] is True
    assert client.delete(f"{gpu}/pause").json() == {"paused": False, "until": None}
    assert client.get(gpu).json()["paused"] is False


def test_a_pause_ends_with_its_time(client: TestClient, gpu: str) -> None:
    client.put(f"{gpu}/pause", json={"for_s": 0.2})
    answer = client.get(f"{gpu}/pause", params={"known": True, "wait_s": 30}).json()
    assert (answer["paused"], answer["until"]) == (False, None)


def test_a_worker_that_waits_hears_of_a_pause_at_once(client: TestClient, gpu: str) -> None:
    heard: list[tuple[bool, float]] = []

    def listen() -> None:
        answer = client.get(f"{gpu}/pause", params={"known": False, "wait_s": 30}).json()
        heard.append((answer["paused"], time.monotonic()))

    listener = threading.Thread(target=listen)
    listener.start()
    listener.join(0.3)
    assert not heard, "nothing has changed yet"
    paused_at = time.monotonic()
    client.put(f"{gpu}/pause", json={})
    listener.join(20)
    ((paused, at),) = heard
    assert paused
    assert at - paused_at < 5, "long before the 30 s are over"


def test_a_worker_that_waits_hears_at_once_that_a_run_was_offered_to_its_pool(
    client: TestClient, here: System, gpu: str
) -> None:
    """It asks Prefect each 15 s only; without this a clip would wait as long at every stage."""
    heard: list[int] = []

    def listen() -> None:
        asked = {"known": False, "pool": "gpu", "offers": 0, "wait_s": 30}
        heard.append(client.get(f"{gpu}/pause", params=asked).json()["offers"])

    listener = threading.Thread(target=listen)
    listener.start()
    listener.join(0.3)
    here.offers["nas"].changed()
    listener.join(0.3)
    assert not heard, "another pool's runs are no news to it"
    here.offers["gpu"].changed()
    listener.join(20)
    assert heard == [1]
    missed = {"known": False, "pool": "gpu", "offers": 0, "wait_s": 30}
    assert client.get(f"{gpu}/pause", params=missed).json()["offers"] == 1, "one it missed is told at once"


def test_a_device_that_rests_is_no_longer_shown_at_work(client: TestClient, here: System, gpu: str) -> None:
    here.progress.report(7, 0.5, "gpu-pc")
    here.progress.report(8, 0.5, "other-pc")
    beat = {"hostname": "gpu-pc", "device_type": "rtx_4090", "drained": "paused"}
    client.post("/devices/heartbeat", json=beat)
    assert set(here.progress.snapshot()) == {8}
    assert client.get(gpu).json()["drained"] == "paused"


@pytest.mark.parametrize("body", [{"for_s": 0}, {"for_s": -5}, {"for_s": "soon"}, {"for_s": 1e12}])
def test_a_length_of_time_that_is_none_is_refused(client: TestClient, gpu: str, body: dict[str, object]) -> None:
    assert client.put(f"{gpu}/pause", json=body).status_code == 422


def test_only_a_known_device_is_paused_and_only_with_the_token(client: TestClient, gpu: str) -> None:
    answer = client.put("/devices/nobody/pause", json={})
    assert (answer.status_code, answer.json()["detail"]) == (404, "No device called nobody has reported here.")
    client.headers.pop("Authorization")
    assert client.put(f"{gpu}/pause", json={}).status_code == 401
