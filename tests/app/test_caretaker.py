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
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.caretaker import Caretaker
from app.system import System
from dashcam import config
from dashcam.catalog import devices, notes
from dashcam.catalog.models import TripRow, Video
from dashcam.catalog.notes import Note
from dashcam.config import ConfigError
from dashcam.database import writing
from dashcam.storage import layout
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.looked import look, seen
from tests.catalog.rows import NOON, add_video
from tests.doctor.ward import usage
from tests.tasks.test_table import complete, heavy_result, publish


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


def test_a_watched_plate_that_comes_in_is_told_of_once_and_so_is_what_may_be_it(
    here: System, caretaker: Caretaker, receiver: Receiver
) -> None:
    watched, now = caretaker.watched, datetime.now(UTC) - timedelta(minutes=1)
    with writing(here.engine) as session:
        notes.write(session, "AB12CDE", Note(watched=True), "ana", now)
        notes.write(session, "ABI2CDE", Note(ignored=True), "ana", now)
    watched.look(now)
    clip = publish(here.engine, TaskType.HEAVY_PROCESS_VIDEO)
    complete(here.engine, clip, heavy_result("AB12CDE", "AB12C0E", "ABI2CDE", "XYZ999"))
    receiver.status = 500
    watched.look(now + timedelta(minutes=3))
    receiver.status = 200
    assert receiver.bodies() == []
    Caretaker(here).watched.look(now + timedelta(minutes=4))
    (said,) = receiver.bodies()
    lines = said.splitlines()
    assert [line.split(" was seen: ")[0] for line in lines] == ["AB12C0E", "AB12CDE"]
    assert lines[0].endswith("It may be a misread of AB12CDE, which is watched.") and "misread" not in lines[1]
    for minutes in (5, 6):
        Caretaker(here).watched.look(now + timedelta(minutes=minutes))
    assert receiver.bodies() == [], "it is told once, a restart between them or not"


def test_a_clip_that_is_looked_through_again_is_no_news(here: System, caretaker: Caretaker, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    with writing(here.engine) as session:
        notes.write(session, "AB12CDE", Note(watched=True), "ana", now)
        look(session, add_video(session, 1), [seen("AB12CDE", 1.0, 3.0)])
        session.execute(update(TaskRow).values(completed_at=now - timedelta(days=1)))
    caretaker.watched.look(now)
    with writing(here.engine) as session:
        look(session, session.get_one(Video, f"{1:016x}"), [seen("AB12CDE", 1.0, 3.0)])
        session.execute(update(TaskRow).where(TaskRow.revision > 1).values(completed_at=now + timedelta(minutes=1)))
    caretaker.watched.look(now + timedelta(minutes=3))
    assert receiver.bodies() == []


def test_a_watched_plate_is_told_of_once_a_trip(here: System, caretaker: Caretaker, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    with writing(here.engine) as session:
        notes.write(session, "AB12CDE", Note(watched=True), "ana", now)
        trips = [one_trip(session) for _ in range(2)]
        for number, trip in enumerate([trips[0], trips[0], trips[1]]):
            add_video(session, number, NOON, trip_id=trip)
    caretaker.watched.look(now)
    for number in range(3):
        with writing(here.engine) as session:
            clip = session.get_one(Video, f"{number:016x}")
            trip = clip.trip_id
            look(session, clip, [seen("AB12CDE", 1.0, 3.0)])
            clip.trip_id = trip  # applying has sorted them by their times
            when = now + timedelta(minutes=5 * number + 1)
            session.execute(update(TaskRow).where(TaskRow.video_id == clip.video_id).values(completed_at=when))
        caretaker.watched.look(now + timedelta(minutes=5 * number + 4))
    assert [said.split(" was seen")[0] for said in receiver.bodies()] == ["AB12CDE", "AB12CDE"]


def one_trip(session: Session) -> int:
    row = TripRow(start_utc=NOON, end_utc=NOON, clips=1, parked=0, cameras=[], distance_m=0, moving_s=0, max_mps=0)
    row.leads, row.stops, row.events = [], [], []
    session.add(row)
    session.flush()
    return row.trip_id
