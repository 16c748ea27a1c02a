"""A site of one machine on which all is well: real settings, stores, main server; a stand-in that says what Prefect's
server says when it is asked for its version."""

import base64
import json
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from dashcam.catalog import devices
from dashcam.cli import app
from dashcam.database import writing
from dashcam.doctor.examine import CHECKS, examine
from dashcam.doctor.finding import Finding
from dashcam.doctor.host import Host
from dashcam.tasks.chain import POOLS
from tests.flows.main_server import TOKEN, MainServer


class Answers(ThreadingHTTPServer):
    """On a free port, until it is closed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.login: str | None = None
        self.version = version("prefect")
        self.date: datetime | None = None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        login = self.server.login
        wanted = login and f"Basic {base64.b64encode(login.encode()).decode()}"
        status = 401 if wanted and self.headers.get("Authorization") != wanted else 200
        body = json.dumps({"status": "ok", "database": "SQLite"} if "health" in self.path else self.server.version)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def date_time_string(self, timestamp: float | None = None) -> str:
        date = self.server.date
        return super().date_time_string(date.timestamp() if date is not None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Ward:
    def __init__(self, folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.engine, self.monkeypatch = folder, engine, monkeypatch
        self.data: Path | None = None
        self.checks = CHECKS
        self.config = folder / "config"
        self.system = folder / "system"
        self.stores = {name: folder / name for name in ("indoor_nas", "shed_nas")}
        for root in self.stores.values():
            root.mkdir()
            (root / "here.txt").touch()
        self.server = MainServer(engine, self.stores)
        self.others: list[Answers] = []
        self.prefect = self.another()
        self.site: dict[str, Any] = {
            "storage_paths": {
                "indoor_nas": {"base": str(self.stores["indoor_nas"]), "marker": "here.txt"},
                "shed_nas": {"archive_base": str(self.stores["shed_nas"]), "marker": "here.txt"},
            },
            "server": {"url": self.server.url, "prefect_url": f"{self.prefect.url}/api"},
            "backup": {"folder": str(folder / "backups")},
        }
        self.device: dict[str, Any] = {"storage": {"local_scratch": str(folder / "scratch")}}
        (self.config / "devices").mkdir(parents=True)
        self.write()
        self.token = self.config / "token"
        self.token.touch(0o600)
        self.token.write_text(TOKEN)
        self.upkeep_in(folder / "backups")

    def upkeep_in(self, folder: Path) -> None:
        """The database of these tests is where they are, not where the settings say."""
        upkeep = self.server.system.upkeep
        settings = upkeep.site.backup.model_copy(update={"folder": str(folder)})
        upkeep.site = upkeep.site.model_copy(update={"backup": settings})

    def write(self) -> None:
        (self.config / "config.json").write_text(json.dumps(self.site))
        (self.config / "devices/me.json").write_text(json.dumps(self.device))

    def another(self) -> Answers:
        """A server that says what a main server, or Prefect's, would say."""
        self.others.append(Answers())
        return self.others[-1]

    def types(self, *words: str) -> None:
        """A command of ours on this machine; it has to go well."""
        self.monkeypatch.setenv("DASHCAM_CONFIG", str(self.config))
        self.monkeypatch.setenv("DASHCAM_DEVICE", "me")
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output

    def change(self, **device: Any) -> None:
        self.device |= device
        self.write()

    def beat(self, pools: tuple[str, ...] = POOLS, ago: timedelta = timedelta()) -> None:
        with writing(self.engine) as session:
            for pool in pools:
                told = {"pool": pool}
                devices.beat(session, f"me-{pool}", "main_server", told, None, datetime.now(UTC) - ago)

    def findings(self, *only: str) -> list[Finding]:
        return list(examine(Host(self.config, "me", data=self.data, system=self.system), only or tuple(CHECKS)))

    def about(self, check: str) -> list[Finding]:
        """What is found of that, whichever check looks at it."""
        its_own = (check,) if check in CHECKS else ()
        only = its_own if its_own and check not in ("token", "server") else (*its_own, "server")
        return [one for one in self.findings(*only) if one.check == check]


Planted = Generator[tuple[str, str, str], None, None]
"""Plants a fault; gives the check, words of what is said and words of the remedy; then follows the remedy."""
Plant = Callable[[Ward], Planted]


@contextmanager
def ward_in(folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    for name in ("DASHCAM_TOKEN", "DASHCAM_TOKEN_FILE", "PREFECT_API_AUTH_STRING", "DASHCAM_DEVICE", "DASHCAM_POOL"):
        monkeypatch.delenv(name, raising=False)
    ward = Ward(folder, engine, monkeypatch)
    ward.server.start()
    ward.beat()
    try:
        yield ward
    finally:
        ward.server.stop()
        for one in ward.others:
            one.shutdown()
            one.server_close()


def usage(total: int, free: int) -> Any:
    """What `shutil.disk_usage` says of a disk like that."""
    return lambda _path: shutil._ntuple_diskusage(total, total - free, free)  # type: ignore[attr-defined]
