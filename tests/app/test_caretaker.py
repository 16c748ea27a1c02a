"""The owner is told what is wrong: once, until it is over, and again when it comes back."""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.caretaker import Caretaker
from app.system import System
from dashcam import config
from dashcam.catalog import devices
from dashcam.config import ConfigError
from dashcam.database import writing
from dashcam.storage import layout
from dashcam.tasks.model import TaskType
from tests.doctor.ward import usage
from tests.tasks.test_table import publish


class Receiver(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.heard: list[dict[str, Any]] = []
        self.status = 200
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def bodies(self) -> list[str]:
        """What was said since the last time."""
        said, self.heard = [one["message"] for one in self.heard], []
        return said


class Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.heard.append(body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def caretaker(here: System, receiver: Receiver, tmp_path: Path) -> Caretaker:
    port = receiver.server_address[1]
    notify = {"urls": [f"json://owner:secret@127.0.0.1:{port}/"], "silent_minutes": 10}
    here.site = here.site.model_copy(update={"notify": here.site.notify.model_copy(update=notify)})
    settings = here.site.backup.model_copy(update={"folder": str(tmp_path / "backups")})
    here.upkeep.site = here.site.model_copy(update={"backup": settings})
    here.caretaker = Caretaker(here)
    return here.caretaker


def beat(here: System, ago: timedelta) -> None:
    with writing(here.engine) as session:
        devices.beat(session, "gpu-1", "rtx_4090", {"pool": "gpu"}, None, datetime.now(UTC) - ago)


def test_a_silent_device_is_told_of_once_until_it_is_back(
    here: System, caretaker: Caretaker, receiver: Receiver
) -> None:
    beat(here, timedelta(minutes=5))
    caretaker.look()
    assert receiver.bodies() == [], "it may be on its way back"
    beat(here, timedelta(minutes=15))
    for _ in range(3):
        caretaker.look()
    (said,) = receiver.bodies()
    assert said.startswith("gpu-1 was last heard of at") and "dashcam doctor" in said
    Caretaker(here).look()
    assert receiver.bodies() == [], "a restart is no news"
    beat(here, timedelta())
    caretaker.look()
    beat(here, timedelta(minutes=15))
    caretaker.look()
    assert len(receiver.bodies()) == 1, "it has come and gone again"


def test_what_nobody_has_taken_is_told_at_the_next_look(
    here: System, caretaker: Caretaker, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    beat(here, timedelta(minutes=15))
    receiver.status = 500
    caretaker.look()
    assert "nobody could be told that gpu-1" in caplog.text and "secret" not in caplog.text
    receiver.status = 200
    caretaker.look()
    assert len(receiver.bodies()) == 1


def test_a_full_store_a_missing_one_and_a_failed_backup_are_told(
    here: System, caretaker: Caretaker, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    caretaker.look()
    assert receiver.bodies() == []
    here.upkeep.state, here.upkeep.reason = "failed", "There is no new backup of the database: the disk is full."
    here.stores.root(layout.SHED).rename(tmp_path / "unmounted")
    full = here.stores.root(layout.INDOOR)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**9 if path == full else 10**11)(path))
    caretaker.look()
    said = sorted(receiver.bodies())
    assert [words.split(":")[0].split(" at ")[0] for words in said] == [
        "Store indoor_nas",
        "Store shed_nas is not there",
        "There is no new backup of the database",
    ]
    assert " is full" in said[0]


def test_a_backlog_that_grows_is_told(here: System, caretaker: Caretaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.caretaker.SAMPLE_S", 0)
    monkeypatch.setattr("app.findings.OVERDUE", -timedelta(seconds=1))
    publish(here.engine, TaskType.INGEST_VIDEO, "v0")
    for _ in range(25):
        caretaker.look()
    assert not any(one.check == "backlog" for one in caretaker.found), "as much as a day ago"
    publish(here.engine, TaskType.INGEST_VIDEO, "v1")
    caretaker.look()
    (grows,) = [one for one in caretaker.found if one.check == "backlog"]
    assert grows.said == "The backlog grows: 2 clips wait, 1 more than a day ago."


def test_addresses_with_passwords_belong_into_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"notify": {"urls": ["mailto://me:secret@mail.example"]}}))
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="may hold passwords") as refused:
        config.load_site(tmp_path)
    assert "secret" not in str(refused.value)
    file.chmod(0o600)
    assert "secret" not in repr(config.load_site(tmp_path))
