"""Home Assistant hears how the site is, through a real broker: Mosquitto, as it comes with Debian."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import update

from app import findings, named_broker
from app.broker import Broker
from app.named_broker import NamedBroker
from app.system import System
from dashcam.catalog import devices, notes
from dashcam.catalog.models import Plate
from dashcam.catalog.notes import Note
from dashcam.config import Site
from dashcam.config.telling import MqttSettings
from dashcam.database import writing
from dashcam.tasks import table
from dashcam.tasks.model import TaskType
from tests.catalog.rows import NOON
from tests.tasks.test_table import complete, heavy_result, publish

DEADLINE_S = 60.0
PATH = f"{os.environ['PATH']}:/usr/sbin"
USER, PASSWORD = "dashcam", "a password of this test"


@dataclass
class Mosquitto:
    folder: Path
    port: int
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [str(shutil.which("mosquitto", path=PATH)), "-c", str(self.folder / "mosquitto.conf")]
        self.running = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait(self.answers)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None


@dataclass
class House:
    """Whoever listens at the broker."""

    heard: dict[str, Any] = field(default_factory=dict)

    def listen(self, port: int) -> Client:
        client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(USER, PASSWORD)
        client.reconnect_delay_set(max_delay=1)
        client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        client.on_message = lambda _client, _data, message: self.hear(message)
        client.connect("127.0.0.1", port)
        client.loop_start()
        return client

    def hear(self, message: MQTTMessage) -> None:
        text = message.payload.decode()
        self.heard[message.topic] = json.loads(text) if text.startswith("{") else text


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not until():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    if shutil.which("mosquitto", path=PATH) is None:
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    words = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(words), USER, PASSWORD], check=True, capture_output=True)
    lines = (f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {words}", "user root")
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    one = Mosquitto(folder, port)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def broker(here: System, mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    (tmp_path / "mqtt-login").touch(0o600)
    (tmp_path / "mqtt-login").write_text(f"{USER}:{PASSWORD}\n")
    settings = MqttSettings(host="127.0.0.1", port=mosquitto.port)
    here.site = here.site.model_copy(update={"mqtt": settings})
    here.broker = Broker(here)
    return here.broker


def while_it_tells(broker: Broker, act: Callable[[], None]) -> None:
    """``act`` in a thread beside the loop on which it is told, until that is cancelled, as at the server's end."""

    async def both() -> None:
        telling = asyncio.create_task(broker.go_on())
        await asyncio.to_thread(act)
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling

    asyncio.run(both())


def busy(here: System) -> None:
    complete(here.engine, publish(here.engine, TaskType.HEAVY_PROCESS_VIDEO), heavy_result("AB12CDE"))
    held = publish(here.engine, TaskType.HEAVY_PROCESS_VIDEO, "v2")
    publish(here.engine, TaskType.INGEST_VIDEO, "v3")
    with writing(here.engine) as session:
        table.hold(session, [held], "three failures")
        devices.beat(session, "gpu-1", "rtx_4090", {"pool": "gpu"}, None, datetime.now(UTC))
        devices.beat(session, "jetson.1", "jetson_coral", {}, None, datetime.now(UTC) - timedelta(hours=2))
    here.caretaker.look()


def test_home_assistant_is_told_what_there_is_and_how_it_is(here: System, broker: Broker, mosquitto: Mosquitto) -> None:
    busy(here)
    house = House()
    client = house.listen(mosquitto.port)
    while_it_tells(broker, lambda: wait(lambda: "dashcam/devices/jetson.1" in house.heard))
    wait(lambda: house.heard["dashcam/status"] == "offline")
    client.disconnect()
    client.loop_stop()
    site = house.heard["dashcam/site"]
    assert (site["waiting"], site["held"], site["problem"]) == (2, 1, "ON")
    assert "1 task is held back." in site["wrong"]
    assert (site["retention"], site["due_gb"]) == ("OFF", None), "nothing was planned yet"
    assert house.heard["dashcam/stores/shed_nas"].keys() == {"there", "free_gb", "used_percent"}
    assert house.heard["dashcam/devices/gpu-1"] == {"there": "ON", "state": "works"}
    assert house.heard["dashcam/devices/jetson.1"] == {"there": "OFF", "state": "silent"}
    announced = {topic: said for topic, said in house.heard.items() if topic.endswith("/config")}
    assert set(announced) == {f"homeassistant/device/{one}/config" for one in
                              ("dashcam", "dashcam_gpu_1", "dashcam_jetson_1")}  # fmt: skip
    parts = [part for said in announced.values() for part in said["components"].values()]
    assert len({part["unique_id"] for part in parts}) == len(parts) >= 15
    for part in parts:
        (key,) = re.findall(r"value_json\.(\w+)", part["value_template"])
        assert key in house.heard[part["state_topic"]], part
        assert part["availability_topic"] == "dashcam/status" and part["platform"] in ("sensor", "binary_sensor")
    everything = json.dumps(house.heard)
    assert not [word for word in ("AB12CDE", "a.MP4", "v1", PASSWORD) if word in everything]


def test_of_plates_home_assistant_hears_of_the_watched_ones(here: System, broker: Broker, mosquitto: Mosquitto) -> None:
    busy(here)
    with writing(here.engine) as session:
        notes.write(session, "AB12CDE", Note(watched=True), "ana", datetime.now(UTC))
        session.execute(update(Plate).values(last_seen=datetime(2026, 6, 28, 12, tzinfo=UTC)))
    house = House()
    client = house.listen(mosquitto.port)
    while_it_tells(broker, lambda: wait(lambda: "dashcam/watched" in house.heard))
    client.disconnect()
    client.loop_stop()
    assert house.heard["dashcam/watched"] == {
        "plate": "AB12CDE",
        "read": "AB12CDE",
        "seen": "2026-06-28T12:00:00+00:00",
    }


def test_a_broker_that_was_away_is_told_all_of_it_again(here: System, broker: Broker, mosquitto: Mosquitto) -> None:
    """It has kept nothing; and while it is away the doctor says so."""

    def away_and_back() -> None:
        wait(lambda: bool(broker.said))
        mosquitto.stop()
        wait(lambda: broker.trouble is not None)
        (wrong,) = findings.broker(here, datetime.now(UTC))
        assert wrong.state == "warning" and "does not answer" in wrong.said and "mqtt-login" in (wrong.remedy or "")
        mosquitto.start()
        house = House()
        client = house.listen(mosquitto.port)
        wait(lambda: {"dashcam/status", "dashcam/site", "homeassistant/device/dashcam/config"} <= house.heard.keys())
        assert house.heard["dashcam/status"] == "online"
        client.disconnect()
        client.loop_stop()
        assert [one.state for one in findings.broker(here, datetime.now(UTC))] == ["ok"]

    while_it_tells(broker, away_and_back)


def test_a_wrong_password_is_said_and_not_repeated(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mqtt-login").write_text(f"{USER}:not this one\n")
    while_it_tells(broker, lambda: wait(lambda: broker.trouble is not None))
    assert broker.trouble is not None and "does not let the main server in" in broker.trouble
    assert "not this one" not in caplog.text + broker.trouble


def test_a_login_that_others_may_read_is_refused(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "mqtt-login").chmod(0o644)
    while_it_tells(broker, lambda: wait(lambda: broker.trouble is not None))
    assert broker.trouble is not None and "others may read it" in broker.trouble


def test_nobody_is_told_anything_unless_a_broker_is_named(here: System) -> None:
    asyncio.run(asyncio.wait_for(here.broker.keep_telling(*here.broker.named()), DEADLINE_S))
    assert list(findings.broker(here, datetime.now(UTC))) == [] and here.site.mqtt.host is None


def test_what_an_admin_names_is_told_at_once_and_nothing_any_more_when_that_is_taken_back(
    here: System, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    here.configured = Site.model_validate({"server": {"database_url": f"sqlite:///{tmp_path / 'dashcam.db'}"}})
    given = {"host": "127.0.0.1", "port": mosquitto.port, "tls": False, "user": USER, "who": "ana", "at": NOON}

    def act() -> None:
        named_broker.WORD.say(here.configured, NamedBroker.model_validate(given | {"password": "not this one"}))
        here.heed()
        wait(lambda: here.broker.trouble is not None)
        (wrong,) = findings.broker(here, datetime.now(UTC))
        assert "does not let the main server in" in wrong.said and "on the page Settings" in (wrong.remedy or "")
        named_broker.WORD.say(here.configured, NamedBroker.model_validate(given | {"password": PASSWORD}))
        here.heed()
        wait(lambda: here.broker.reached and here.broker.trouble is None)
        house = House()
        client = house.listen(mosquitto.port)
        wait(lambda: house.heard.get("dashcam/status") == "online")
        named_broker.WORD.unsay(here.configured)
        here.heed()
        wait(lambda: house.heard["dashcam/status"] == "offline")
        client.disconnect()
        client.loop_stop()
        assert here.site.mqtt.host is None and not here.broker.reached

    while_it_tells(here.broker, act)


def test_the_server_ends_while_another_broker_is_being_named(here: System, monkeypatch: pytest.MonkeyPatch) -> None:
    named, leaves = ["one"], asyncio.Event()

    async def telling(*_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            leaves.set()
            await asyncio.sleep(0.1)  # the last word to the one that was named before

    async def ends() -> bool:
        going_on = asyncio.create_task(here.broker.go_on())
        await asyncio.sleep(0)
        named[0] = "another"
        here.settled.changed()
        await asyncio.wait_for(leaves.wait(), DEADLINE_S)
        going_on.cancel()
        await asyncio.wait([going_on], timeout=2)
        return going_on.cancelled()

    monkeypatch.setattr(here.broker, "named", lambda: (named[0], None))
    monkeypatch.setattr(here.broker, "keep_telling", telling)
    assert asyncio.run(ends())


def test_what_ends_the_telling_by_itself_is_not_hidden(here: System, monkeypatch: pytest.MonkeyPatch) -> None:
    named = ["one"]

    async def telling(*_: object) -> None:
        raise LookupError("what nobody has thought of")

    async def goes_on() -> None:
        going_on = asyncio.create_task(here.broker.go_on())
        await asyncio.sleep(0)
        named[0] = "another"
        here.settled.changed()
        await asyncio.wait_for(going_on, DEADLINE_S)

    monkeypatch.setattr(here.broker, "named", lambda: (named[0], None))
    monkeypatch.setattr(here.broker, "keep_telling", telling)
    with pytest.raises(LookupError):
        asyncio.run(goes_on())
