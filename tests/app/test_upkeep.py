"""Backups and decisions over REST and as a process, as the main server and its owner use them."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import system
from dashcam.database import writing
from dashcam.storage import layout
from dashcam.tasks.client import MainServerClient
from dashcam.upkeep import backup
from dashcam.upkeep.asking import take_backup
from tests.catalog.rows import add_video
from tests.conftest import REPOSITORY


def ended(client: TestClient) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state: dict[str, Any] = client.get("/backup").raise_for_status().json()
        if state["state"] != "running":
            return state
        time.sleep(0.05)
    pytest.fail("the backup does not end")


def put_beside(here: system.System, folder: Path) -> None:
    """The database of these tests is where they are, not where the settings say."""
    settings = here.site.backup.model_copy(update={"folder": str(folder)})
    here.upkeep.site = here.site.model_copy(update={"backup": settings})


def test_a_backup_is_taken_and_told_of(here: system.System, server: MainServerClient, tmp_path: Path) -> None:
    put_beside(here, tmp_path / "backups")
    state = take_backup(server)
    assert (state["state"], state["reason"]) == ("done", None)
    (one,) = state["backups"]
    assert (tmp_path / "backups" / one["file"]).stat().st_size == one["bytes"]
    assert here.stores.path(f"{layout.BACKUPS}/{one['file']}").is_file(), "and once more beside the archives"
    assert here.stores.path(layout.DECISIONS).is_file()


def test_only_one_at_once(here: system.System, client: TestClient, tmp_path: Path) -> None:
    put_beside(here, tmp_path / "backups")
    assert here.upkeep._one.acquire(blocking=False)
    assert client.post("/backup").status_code == 409
    here.upkeep._one.release()
    assert client.post("/backup").status_code == 202
    assert ended(client)["state"] == "done"


def test_what_failed_is_shown(here: system.System, client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file where the folder should be")
    put_beside(here, tmp_path / "backups")
    client.post("/backup")
    state = ended(client)
    assert state["state"] == "failed" and state["reason"].startswith("There is no new backup of the database")
    assert client.get("/health").json()["backup"] == "needs attention"
    assert here.upkeep.trouble(datetime.now(UTC)) == state["reason"]


def test_a_backup_that_is_on_the_main_server_alone_is_one_and_is_said(
    here: system.System, client: TestClient, tmp_path: Path
) -> None:
    put_beside(here, tmp_path / "backups")
    here.stores.root(layout.SHED).rename(tmp_path / "unmounted")
    client.post("/backup")
    state = ended(client)
    assert state["state"] == "done" and "on the main server alone" in state["reason"] and len(state["backups"]) == 1
    assert here.upkeep.trouble(datetime.now(UTC)) == state["reason"]


def test_one_that_is_overdue_is_said(here: system.System, tmp_path: Path) -> None:
    put_beside(here, tmp_path)
    now = datetime.now(UTC)
    assert here.upkeep.trouble(now) is None
    assert "no backup of the database yet" in str(here.upkeep.trouble(now + timedelta(days=3)))
    (tmp_path / "dashcam-20260101T000000Z.db").touch()
    assert "newest backup of the database is of 2026-01-01" in str(here.upkeep.trouble(now))


def test_what_a_person_says_is_written_beside_the_archives(here: system.System, client: TestClient) -> None:
    here.upkeep.keep_decisions()
    file = here.stores.path(layout.DECISIONS)
    first = file.stat().st_mtime_ns
    here.upkeep.keep_decisions()
    assert file.stat().st_mtime_ns == first, "nothing was said since"
    with writing(here.engine) as session:
        video_id = add_video(session, 1).video_id
    client.post(f"/videos/{video_id}/protect", json={"reason": "evidence"}).raise_for_status()
    here.upkeep.keep_decisions()
    assert json.loads(file.read_text())["said"]["protection"][0]["reason"] == "evidence"


def test_a_record_is_asked_for(client: TestClient) -> None:
    assert client.get("/videos/none/record").status_code == 404


def offline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The process that opens the database while the main server does not run."""
    known = {
        "DASHCAM_CONFIG": str(folder),
        "DASHCAM_DATABASE_URL": f"sqlite:///{folder / 'dashcam.db'}",
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "lib"), str(REPOSITORY))),
    }
    argv = [sys.executable, "-m", "app.offline", *arguments]
    return subprocess.run(argv, env=os.environ | known, capture_output=True, text=True, check=False, timeout=120)


def test_restoring_and_rebuilding_are_a_process_of_the_main_server(here: system.System, tmp_path: Path) -> None:
    if here.engine.dialect.name != "sqlite":
        pytest.skip("the process is given a database by its file here; PostgreSQL is in tests/upkeep")
    stores = {"indoor_nas": {"base": str(tmp_path / "indoor_nas")}}
    stores["shed_nas"] = {"archive_base": str(tmp_path / "shed_nas")}
    port = {"port": 1, "url": "http://127.0.0.1:1"}
    (tmp_path / "config.json").write_text(json.dumps({"storage_paths": stores, "server": port}))
    with writing(here.engine) as session:
        add_video(session, 1)
    newest = backup.take(here.engine, tmp_path / "backups", keep=3).file
    here.engine.dispose()
    done = offline(tmp_path, "restore", str(tmp_path / "backups" / newest))
    assert done.returncode == 0 and "Restored: 1 clips" in done.stderr, done.stderr
    refused = offline(tmp_path, "restore", str(tmp_path / "config.json"))
    assert refused.returncode == 1 and "is no backup of a database" in refused.stderr
    refused = offline(tmp_path, "rebuild")
    assert refused.returncode == 1 and "has 1 videos already" in refused.stderr
    for file in tmp_path.glob("dashcam.db*"):
        file.unlink()
    done = offline(tmp_path, "rebuild")
    assert done.returncode == 0 and "Rebuilt: 0 clips" in done.stderr, done.stderr
