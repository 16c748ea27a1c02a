"""``dashcam init``: a main server from nothing, and again from what is there."""

import json
import os
import stat
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from sqlalchemy import select
from typer.testing import CliRunner

from dashcam import config
from dashcam.access.models import Invitation
from dashcam.cli import app
from dashcam.database import open_engine, reading
from dashcam.site import machine, units
from tests.cli.running import NOBODY_LISTENS


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the settings are to be; nothing of this machine's own counts."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DASHCAM_"))}
    monkeypatch.setattr(os, "environ", mine)
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path / "etc"))
    for store in ("nas", "shed"):
        (tmp_path / store).mkdir()
    return tmp_path / "etc"


def init(etc: Path, *more: str) -> str:
    here = etc.parent
    stores = ("--store", f"indoor_nas={here / 'nas'}", "--store", f"shed_nas={here / 'shed'}")
    places = ("--state", str(here / "var"), "--address", "main-server")
    user = ("--user", "root") if machine.is_root() else ()
    done = CliRunner().invoke(app, ["init", *places, *stores, *user, "--no-services", "--yes", *more])
    assert done.exit_code == 0, done.output
    return done.output


def everything_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_dry_run_says_all_and_does_nothing(etc: Path) -> None:
    before = everything_below(etc.parent)
    said = init(etc, "--dry-run")
    assert "would    settings of the site" in said and "would    database" in said and "--code" not in said
    assert everything_below(etc.parent) == before and not etc.exists()


def test_a_main_server_from_nothing_and_all_of_it_again(etc: Path) -> None:
    said = init(etc, "--mark", "indoor_nas", "--mark", "shed_nas", "--prefect-port", "9")
    assert config.check(etc) == []
    site = config.load_site(etc)
    assert site.server.url == "http://main-server:8000" and site.server.prefect_url == NOBODY_LISTENS
    assert site.store_roots(config.load_device(etc)) == {
        "indoor_nas": etc.parent / "nas",
        "shed_nas": etc.parent / "shed",
    }
    for secret in ("token", "prefect-login", "config.json"):
        assert stat.S_IMODE((etc / secret).stat().st_mode) == 0o600, secret
    assert stat.S_IMODE(etc.stat().st_mode) == 0o700
    assert config.load_device(etc).scratch == etc.parent / "var/scratch/dashcam-scratch"
    assert (etc.parent / "nas/.dashcam-store").is_file() and (etc.parent / "shed/.dashcam-store").is_file()
    assert "dashcam join http://main-server:8000 --code " in said
    if not units.systemd_runs():
        assert "To be started here, and to be kept running: dashcam prefect, dashcam server, dashcam worker" in said
    letters = said.partition("--code ")[2].split()[0]
    engine = open_engine(site.server.database_url)
    with reading(engine) as session:
        (invitation,) = session.scalars(select(Invitation))
    engine.dispose()
    assert letters.replace("-", "") not in invitation.code_hash

    secrets = {name: (etc / name).read_text() for name in ("token", "prefect-login")}
    written = json.loads((etc / "config.json").read_text())
    written["dispatch"] = {"batch_minutes": 30}
    (etc / "config.json").write_text(json.dumps(written))
    again = init(etc, "--prefect-port", "9")
    assert {name: (etc / name).read_text() for name in secrets} == secrets
    assert config.load_site(etc).dispatch.batch_minutes == 30, "what an owner has written stays"
    for line in again.splitlines():
        if line.startswith("done"):
            assert "database" in line or "settings of the site" in line, line


def test_where_prefect_runs_it_is_set_up(etc: Path, prefect: str) -> None:
    port = prefect.rpartition(":")[2].removesuffix("/api")
    said = init(etc, "--prefect-port", port)
    assert "done     Prefect's pools, queues, blocks and deployments" in said
    with get_client(sync_client=True) as client:
        assert {"server", "jetson", "gpu", "nas"} <= {pool.name for pool in client.read_work_pools()}


def test_a_store_that_may_not_be_mounted_is_not_marked(etc: Path) -> None:
    said = " ".join(init(etc, "--prefect-port", "9").split())
    assert "waits store indoor_nas" in said and "is empty, and no disk is mounted there" in said
    assert not (etc.parent / "nas/.dashcam-store").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--store", "attic=/mnt"], "is not NAME=FOLDER with one of indoor_nas, shed_nas"),
        (["--store", "indoor_nas=mnt"], "is not NAME=FOLDER"),
        (["--cover", "jetson"], "--cover jetson is not POOL=POOL, such as jetson=server."),
        (["--yes"], "Where is indoor_nas mounted on this machine? Say so with --store indoor_nas=FOLDER."),
    ],
)
def test_what_is_not_known_is_one_sentence(etc: Path, arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["init", "--no-services", *arguments])
    assert done.exit_code == 1 and sentence in " ".join(done.output.split()), done.output
    assert not etc.exists()


def test_another_database_is_not_taken_in_silence(etc: Path) -> None:
    etc.mkdir()
    (etc / "config.json").write_text('{"server": {"database_url": "sqlite:////srv/dashcam.db"}}')
    stores = ("--store", f"indoor_nas={etc.parent / 'nas'}", "--store", f"shed_nas={etc.parent / 'shed'}")
    url = "postgresql+psycopg://dashcam:pw@localhost/dashcam"
    done = CliRunner().invoke(app, ["init", "--no-services", "--yes", *stores, "--database", url])
    said = " ".join(done.output.split())
    assert done.exit_code == 1 and "The site's database is another already (sqlite:////srv/dashcam.db)" in said
    assert "dashcam migrate-db site -" in said


def test_the_databases_url_and_the_password_are_read_from_standard_input(etc: Path) -> None:
    """A command line would show them to every user of the machine."""
    etc.mkdir()
    (etc / "config.json").write_text('{"server": {"database_url": "sqlite:////srv/dashcam.db"}}')
    stores = ("--store", f"indoor_nas={etc.parent / 'nas'}", "--store", f"shed_nas={etc.parent / 'shed'}")
    wanted = ("--database", "-", "--admin", "ana", "--admin-password", "-")
    typed = "postgresql+psycopg://dashcam:pw@localhost/dashcam\na horse and a battery\n"
    done = CliRunner().invoke(app, ["init", "--no-services", "--yes", *stores, *wanted], input=typed)
    assert done.exit_code == 1 and "The site's database is another already" in " ".join(done.output.split())


def test_an_owners_site_file_is_begun_with(etc: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"server": {"time_zone": "Europe/London", "url": "http://dashcam.lan"}}))
    said = init(etc, "--site", str(mine), "--prefect-port", "9")
    site = config.load_site(etc)
    assert site.server.time_zone == "Europe/London" and site.server.url == "http://dashcam.lan"
    assert "dashcam join http://dashcam.lan --code " in said
