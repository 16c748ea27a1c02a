"""What `dashcam support-bundle` gives away: nothing that was planted here, and still what a helper needs."""

import json
import logging
import stat
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from dashcam import Explained, logs
from dashcam.cli import app
from dashcam.doctor import support
from dashcam.doctor.host import Host
from dashcam.doctor.scrub import scrubber
from tests.doctor.ward import Ward, ward_in

SECRETS = [
    "hunter2hunter2",
    "p4ssw0rd-of-prefect",
    "abcdefghijklmnopqrstuvwxyz",
    "topsecretmail",
    "Zx9-Qr7_Lm4Kp2Vt8Wn1Yb6c",
]
PLATES = ["B577PRO", "LT23CGK", "AB12 CDE", "M-AB 1234", "23-CGK", "WUNSCH"]
PLACES = ["51.50735", "-0.12776", "44.4268", "26.1025", "48.1, 11.5"]
CLIPS = ["2026_0628_133416_000001F.MP4", "my holiday.mov"]
LINES = [
    "Authorization: Bearer hunter2hunter2",
    "notified mailto://me:topsecretmail@mail.example",
    "token=Zx9-Qr7_Lm4Kp2Vt8Wn1Yb6c and again Zx9-Qr7_Lm4Kp2Vt8Wn1Yb6c",
    'sighting of "B577PRO" (LT23CGK, AB12 CDE), M-AB 1234; 23-CGK and WUNSCH',
    'GET /api/v1/plates/LT23CGK?q=LT23CGK 200, "GET /search?q=B577PRO"',
    "at 51.50735,-0.12776 then lat=44.4268 lon=26.1025, and (48.1, 11.5)",
    "clip indoor_nas:raw/2026-06-28/2026_0628_133416_000001F.MP4 failed; /videos/my holiday.mov",
]
HARMLESS = [
    "2026-06-28T13:34:16Z WARNING dashcam Prefect at http://127.0.0.1:4200/api does not answer",
    "run 0d9d4a2d-77bc-8c50-93e7-663e99d9a6b1 crashed: SIGTERM",
    "HEAVY_PROCESS_VIDEO: 3 task(s) offered, SQLite 3.53.4, torch 2.13.0, driver 580.65.06",
    "10:11:37 UTC the database is busy: try again in a few seconds.",
]


@pytest.fixture
def ward(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    with ward_in(tmp_path, engine, monkeypatch) as one:
        yield one


@pytest.mark.parametrize("line", HARMLESS)
def test_what_helps_stays(line: str) -> None:
    assert scrubber([])(line) == line


@pytest.mark.parametrize("line", LINES)
def test_what_concerns_nobody_goes(line: str) -> None:
    scrubbed = scrubber(SECRETS)(line)
    assert [one for one in (*SECRETS, *PLATES, *PLACES, *CLIPS) if one in scrubbed] == []


def test_no_planted_secret_plate_or_place_is_in_any_file_of_it(ward: Ward, tmp_path: Path) -> None:
    ward.server.system.token = ward.server.system.access.token = SECRETS[4]
    ward.token.write_text(SECRETS[4])
    (ward.config / "prefect-login").touch(0o600)
    (ward.config / "prefect-login").write_text(f"dashcam:{SECRETS[1]}\n")
    (ward.config / "environment").write_text(f"SOME_NAME={SECRETS[2]}\n")
    ward.site["notify"] = {"urls": [f"mailto://me:{SECRETS[3]}@mail.example"]}
    ward.site["server"]["database_url"] = f"postgresql+psycopg://dashcam:{SECRETS[0]}@db.lan/dashcam"
    ward.write()
    (ward.config / "config.json").chmod(0o600)
    ward.beat()
    data = tmp_path / "data"
    (data / "logs").mkdir(parents=True)
    (data / "logs/app.log").write_text("\n".join([*LINES, *HARMLESS]))
    host = Host(ward.config, "me", data=data, system=ward.system)
    file = tmp_path / "bundle.zip"
    names = support.write(file, host)
    assert {"versions.json", "settings.json", "doctor.json", "metrics.txt", "logs/app.txt"} <= set(names)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name).decode() for name in names}
    planted = (*SECRETS, *PLATES, *PLACES, *CLIPS)
    assert [(name, one) for name, text in content.items() for one in planted if one in text] == []
    assert all(line in content["logs/app.txt"] for line in HARMLESS)
    assert json.loads(content["settings.json"])["site"]["notify"]["urls"] == 1
    assert "dashcam_tasks_pending" in content["metrics.txt"]
    with pytest.raises(Explained, match="cannot be written"):
        support.write(file, host)


def test_the_command_says_what_it_has_written(ward: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHCAM_CONFIG", str(ward.config))
    monkeypatch.setenv("DASHCAM_DEVICE", "me")
    done = CliRunner().invoke(app, ["support-bundle", str(tmp_path / "one.zip")])
    assert done.exit_code == 0 and "settings.json" in done.output, done.output


def test_with_json_each_line_of_the_log_is_an_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DASHCAM_LOG", "json")
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("httpx").level
    try:
        logs.begin("%(message)s", logging.StreamHandler(sys.stderr))
        logging.getLogger("dashcam").warning("store %s is\naway", "shed_nas", extra={"store": "shed_nas"})
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("dashcam").exception("failed")
    finally:
        root.handlers, root.level = before[0], before[1]
        logging.getLogger("httpx").setLevel(before[2])
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["level"], first["message"], first["store"]) == ("warning", "store shed_nas is\naway", "shed_nas")
    assert datetime.fromisoformat(first["time"]).tzinfo == UTC
    assert "ValueError: no" in second["trace"]
