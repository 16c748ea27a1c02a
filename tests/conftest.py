"""Fixtures that more than one room uses."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

import migrations
from dashcam.database import open_engine
from dashcam.sample import write_drive

REPOSITORY = Path(__file__).resolve().parents[1]
COLLECTED = pytest.StashKey[set[str]]()
"""What pytest has found, before it leaves out what was not asked for."""

# a busy machine is slow now and then; how fast things are is for benchmarks
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgresql", action="store_true", help="who asks for a database gets PostgreSQL, not SQLite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What starts real processes or a browser is tried once more on a busy machine; the summary names it (RERUN). What
    waits for a clock comes last, so that the others run meanwhile."""
    config.stash[COLLECTED] = {item.nodeid for item in items}
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    for item in items:
        if item.get_closest_marker("system") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data folder; tests that need it are skipped, loudly, where it is not."""
    folder = Path(os.environ.get("DASHCAM_SHARED") or REPOSITORY.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: set DASHCAM_SHARED")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of SQLite and once of PostgreSQL."""
    return empty_database(request.param, request, tmp_path)


def empty_database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'dashcam.db'}"
    return postgresql_database(request.getfixturevalue("postgresql"), f"t{os.urandom(4).hex()}")


def postgresql_database(socket_folder: Path, name: str, template: str = "template1") -> str:
    address = URL.create(
        "postgresql+psycopg", username="postgres", database="postgres", query={"host": str(socket_folder)}
    )
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    server.dispose()
    return address.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A new database made by the migrations, once as SQLite and once as PostgreSQL."""
    yield from new_engine(request.param, request, tmp_path)


@pytest.fixture
def too_deep() -> Callable[[Path], None]:
    """Makes folders in folders, more than a path has letters for: whoever enters them fails, even root."""

    def make(place: Path) -> None:
        here = os.open(place, os.O_RDONLY)
        for _ in range(25):
            os.mkdir("deep" * 50, dir_fd=here)
            inside = os.open("deep" * 50, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inside
        os.close(here)

    return make


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A new database, made by the migrations: SQLite, with ``--postgresql`` PostgreSQL."""
    kind = "postgresql" if request.config.getoption("--postgresql") else "sqlite"
    yield from new_engine(kind, request, tmp_path)


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """The same, always SQLite: for what is about its files."""
    yield from migrated(f"sqlite:///{tmp_path / 'dashcam.db'}")


def new_engine(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if kind == "sqlite":
        yield from migrated(f"sqlite:///{tmp_path / 'dashcam.db'}")
        return
    template = request.getfixturevalue("postgresql_template")
    name = f"t{os.urandom(4).hex()}"
    engine = open_engine(postgresql_database(request.getfixturevalue("postgresql"), name, template))
    yield engine
    engine.dispose()


def migrated(url: str) -> Iterator[Engine]:
    """The SQLite database at that address; where there is none, a new one."""
    file = Path(str(make_url(url).database))
    if not file.exists():
        file.write_bytes(new_sqlite())
    engine = open_engine(url)
    yield engine
    engine.dispose()


@cache
def new_sqlite() -> bytes:
    """The file of a new database. The migrations make it once a process: they take longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dashcam.db"
        made_by_migrations(f"sqlite:///{file}")
        return file.read_bytes()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: Path) -> str:
    """The database on that server of which new ones are copies."""
    made_by_migrations(postgresql_database(postgresql, "made"))
    return "made"


def made_by_migrations(url: str) -> None:
    engine = open_engine(url)
    migrations.upgrade(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """A PostgreSQL server of our own on a socket in a folder; skipped, loudly, where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="dashcam-pg-"))
    as_user = {"user": "postgres"} if os.getuid() == 0 else {}  # PostgreSQL refuses to run as root
    if as_user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    init = [programs / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync"]
    subprocess.run(init, check=True, capture_output=True, cwd=folder, **as_user)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = [programs / "pg_ctl", "--pgdata", data, "--wait", "--log", folder / "log"]
    subprocess.run([*control, "--options", options, "start"], check=True, capture_output=True, cwd=folder, **as_user)
    yield folder
    subprocess.run([*control, "--mode", "immediate", "stop"], check=True, capture_output=True, cwd=folder, **as_user)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample drive, drawn once."""
    folder = tmp_path_factory.mktemp("drive")
    write_drive(folder)
    return folder


@pytest.fixture(scope="session")
def prefect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API of a real Prefect server of our own, one for the whole session; tests leave their things behind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("prefect")
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
        "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "lib"), str(REPOSITORY))),
    }
    argv = [sys.executable, "-m", "flows.prefect_server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    url, deadline = f"http://127.0.0.1:{port}/api", time.monotonic() + 120
    try:
        while True:
            assert server.poll() is None and time.monotonic() < deadline, (home / "log").read_text()
            try:
                if httpx.get(f"{url}/health", timeout=2).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def prefect(prefect_url: str) -> Iterator[str]:
    """What this test does with Prefect it does there; gives the address."""
    quiet = {PREFECT_API_URL: prefect_url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}  # else each flow ends 1 s later
    with temporary_settings(quiet):
        yield prefect_url
