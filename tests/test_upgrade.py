"""docs/upgrade.md, followed with what an older release has left.

``tests/upgrade/`` holds, by the revision of their tables, the database of releases 307c370 (0013) and a51e006 (0015)
after `dashcam sample` and `dashcam process`, with a clip protected, one to be done again and a device paused, in the
second people and tokens too; and what that release's REST API said of it. ``python -m tests.upgrade`` makes such a one.
"""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import migrations
from app import api, system
from app.main import configured
from dashcam.cli.upkeep import offline
from dashcam.database import DatabaseUnusable, open_engine
from tests.cli.running import NOBODY_LISTENS
from tests.conftest import REPOSITORY

LEFT = REPOSITORY / "tests/upgrade"
NEWEST = max(file.name[:4] for file in (REPOSITORY / "migrations/versions").glob("0*.py"))
TOKEN = "a token of this test, and long enough"
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=sorted(folder.name for folder in LEFT.iterdir() if folder.name.isdigit()))
def when(request: pytest.FixtureRequest) -> str:
    """The revision of its tables."""
    return str(request.param)


@pytest.fixture
def site(tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a main server as the older release has left it: settings, token, database."""
    put_back(tmp_path / "dashcam.db", when)
    stores = {name: tmp_path / name for name in ("indoor_nas", "shed_nas")}
    for folder in stores.values():
        folder.mkdir()
    settings = {
        "storage_paths": {
            "indoor_nas": {"base": str(stores["indoor_nas"])},
            "shed_nas": {"archive_base": str(stores["shed_nas"])},
        },
        "server": {"database_url": f"sqlite:///{tmp_path / 'dashcam.db'}", "url": NOBODY_LISTENS},
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path))
    for name in ("DASHCAM_TOKEN", "DASHCAM_TOKEN_FILE", "DASHCAM_DATABASE_URL", "DASHCAM_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path


def put_back(file: Path, when: str) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(gzip.decompress((LEFT / when / "site.sql.gz").read_bytes()).decode())
    connection.close()


def rows(file: Path) -> Rows:
    """All that is in each table, columns by their names."""
    connection = sqlite3.connect(file)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for table in tables:
        cursor = connection.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in cursor.description]
        found[table] = [dict(zip(columns, row, strict=True)) for row in cursor]
    connection.close()
    return found


def holds(now: Any, then: Any) -> bool:
    """Everything that was said then is said now; more may be."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(name in now and holds(now[name], value) for name, value in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


def test_what_the_release_before_has_left_is_all_there_after_the_upgrade(site: Path, when: str) -> None:
    before = rows(site / "dashcam.db")
    assert before["alembic_version"] == [{"version_num": when}] and len(before["sighting"]) > 3
    here = configured()
    try:
        system.start(here)
        web = FastAPI()
        web.include_router(api.router)
        client = TestClient(web, base_url="http://testserver/api/v1", headers={"Authorization": f"Bearer {TOKEN}"})
        said = json.loads(gzip.decompress((LEFT / when / "answers.json.gz").read_bytes()))
        assert len(said) > 15
        for path, then in said.items():
            now = client.get(path).raise_for_status().json()
            assert holds(now, then), path
        assert any(one["paused"] for one in client.get("/devices").json())
        assert not migrations.is_older(here.engine)
    finally:
        here.engine.dispose()
    after = rows(site / "dashcam.db")
    for table in before.keys() - {"alembic_version"} - set_aside(after):
        assert holds(after[table], before[table]), table


def set_aside(after: Rows) -> set[str]:
    """SQLite's own."""
    return {table for table in after if table.startswith("sqlite_")}


def test_the_way_back_has_all_that_was_there(site: Path, when: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = rows(site / "dashcam.db")
    configured().engine.dispose()
    backups = list((site / "backups").glob("dashcam-*.db"))
    if when == NEWEST:
        assert backups == [], "no table has changed since: the release before opens the database as it is"
        return
    (backup,) = backups
    copied = rows(backup)
    assert {table: copied[table] for table in before} == before, "as the release before has left it"
    # that release's own `dashcam restore` is this one, at its own revision; here it is migrated once more
    with pytest.raises(BaseException) as ended:
        offline(None, "restore", str(backup))
    assert getattr(ended.value, "exit_code", None) == 0, capfd.readouterr().err
    assert list(site.glob("dashcam.db.before-*")), "the newer one stays beside it"
    assert holds(rows(site / "dashcam.db")["sighting"], before["sighting"])


def test_the_release_before_refuses_a_newer_database_and_leaves_it(site: Path) -> None:
    """Every release does: this one is shown a database of the next."""
    configured().engine.dispose()
    connection = sqlite3.connect(site / "dashcam.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = rows(site / "dashcam.db")
    engine = open_engine(f"sqlite:///{site / 'dashcam.db'}")
    with pytest.raises(DatabaseUnusable, match="newer"):
        migrations.upgrade(engine)
    engine.dispose()
    assert rows(site / "dashcam.db") == before
