"""deploy/ingestion_trigger.sh as cron runs it on the NAS: a real shell, curl and server."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from app import api, system
from app.access.guard import stand_before
from dashcam.catalog import work
from dashcam.config import Site
from dashcam.database import reading
from dashcam.storage.roots import Stores
from tests.conftest import REPOSITORY

TOKEN = "a token of this test"
SCRIPT = REPOSITORY / "deploy" / "ingestion_trigger.sh"
LONG_AGO = 1_700_000_000
TRY_LATER = 75

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here: apt install curl")


class Nas:
    def __init__(self, home: Path, engine: Engine) -> None:
        self.home, self.engine = home, engine
        self.root = home / "videos"
        (self.root / "raw").mkdir(parents=True)
        self.token = home / "token"
        self.token.write_text(TOKEN + "\n")
        self.token.chmod(0o600)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.server: uvicorn.Server | None = None

    def serve(self) -> None:
        system.start(system.System(self.engine, Site(), Stores({"indoor_nas": self.root}), TOKEN))
        web = FastAPI()
        web.include_router(api.router)
        stand_before(web)
        self.server = uvicorn.Server(uvicorn.Config(web, log_level="error"))
        threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]}, daemon=True).start()
        while not self.server.started:
            time.sleep(0.01)

    def put(self, path: str, content: str, settled: bool = True) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        if settled:
            os.utime(file, (LONG_AGO, LONG_AGO))

    def trigger(self, *files: str) -> subprocess.CompletedProcess[str]:
        own = {
            "DASHCAM_SERVER": f"http://127.0.0.1:{self.port}",
            "DASHCAM_TOKEN_FILE": str(self.token),
            "DASHCAM_ROOT": str(self.root),
            "DASHCAM_STATE": str(self.home / "state"),
        }
        return subprocess.run(
            ["sh", str(SCRIPT), *files], env=os.environ | own, capture_output=True, text=True, check=False
        )

    def spooled(self) -> list[str]:
        return (self.home / "state" / "spool").read_text().splitlines()

    def known(self) -> set[str]:
        with reading(self.engine) as session:
            return {task.inputs[0].path for task in work.find(session, limit=1000)[0]}


@pytest.fixture
def nas(tmp_path: Path, engine: Engine) -> Iterator[Nas]:
    one = Nas(tmp_path, engine)
    yield one
    if one.server is not None:
        one.server.should_exit = True
    one.listening.close()


def test_new_clips_are_told_and_only_once(nas: Nas) -> None:
    nas.serve()
    names = {f"raw/2026-06-28/{number}.MP4" for number in range(110)} | {'raw/a day/it\'s a "clip" & more.ts'}
    for name in names:
        nas.put(name, name)
    nas.put("raw/.hidden/a.MP4", "hidden")
    nas.put("raw/a.MP4.part", "partial")
    assert nas.trigger().returncode == 0
    assert nas.known() == names
    assert nas.spooled() == []
    assert nas.trigger().returncode == 0
    assert nas.known() == names


def test_a_clip_that_keeps_the_cameras_time_is_told_when_it_comes(nas: Nas) -> None:
    """As rsync and cp -p leave it: changed long before the last look, here only since."""
    nas.serve()
    nas.put("raw/20260628/2026_0628_133416_000001F.MP4", "first")
    assert nas.trigger().returncode == 0
    nas.put("raw/20260628/2026_0628_133420_000002F.MP4", "second")
    assert nas.trigger().returncode == 0
    assert {Path(path).name for path in nas.known()} == {"2026_0628_133416_000001F.MP4", "2026_0628_133420_000002F.MP4"}


def test_clips_wait_in_the_spool_while_the_server_is_away(nas: Nas) -> None:
    nas.listening.close()
    nas.put("raw/a.MP4", "a")
    ended = nas.trigger()
    assert ended.returncode == TRY_LATER
    assert "1 wait" in ended.stderr
    assert TOKEN not in ended.stderr
    nas.put("raw/b.MP4", "b")
    assert nas.trigger("raw/b.MP4").returncode == TRY_LATER
    assert nas.spooled() == ["raw/a.MP4", "raw/b.MP4"]
    nas.listening = socket.create_server(("127.0.0.1", nas.port))
    nas.serve()
    assert nas.trigger().returncode == 0
    assert nas.known() == {"raw/a.MP4", "raw/b.MP4"}
    assert nas.spooled() == []


def test_a_clip_that_may_still_grow_is_told_again(nas: Nas) -> None:
    nas.serve()
    nas.put('raw/a "b".MP4', "growing", settled=False)
    assert nas.trigger(str(nas.root / 'raw/a "b".MP4')).returncode == 0
    assert nas.known() == set()
    assert nas.spooled() == ['raw/a \\"b\\".MP4']
    nas.put('raw/a "b".MP4', "whole")
    assert nas.trigger().returncode == 0
    assert nas.known() == {'raw/a "b".MP4'}


def test_a_token_that_others_may_read_is_refused(nas: Nas) -> None:
    nas.token.chmod(0o644)
    ended = nas.trigger()
    assert ended.returncode == 1
    assert "chmod 600" in ended.stderr
