"""A real main server (REST API and database) that can go away and come back at the same address."""

import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from app import api, system
from app.access.guard import stand_before
from blocks.register import register_all
from dashcam.config import Site
from dashcam.storage.roots import Stores
from dashcam.tasks import client

TOKEN = "a token of this test"


class MainServer:
    def __init__(self, engine: Engine, stores: dict[str, Path]) -> None:
        self.system = system.System(engine, Site(), Stores(stores), TOKEN)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        system.start(self.system)
        web = FastAPI()
        web.include_router(api.router)
        stand_before(web)
        self.server = uvicorn.Server(uvicorn.Config(web, log_level="error", timeout_graceful_shutdown=1))
        listening = socket.create_server(("127.0.0.1", self.port))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 30
        while not self.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        if self.server is not None:
            self.server.should_exit = True
            self.thread.join(30)
            self.server = None


def be_device(name: str, server: MainServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process works for the main server, in Prefect, from the folder on."""
    stores = {store: str(root) for store, root in server.system.stores.roots.items()}
    asyncio.run(register_all(Site.model_validate({"extra_stores": stores, "server": {"url": server.url}})))
    (home / "devices").mkdir()
    for key, value in {
        "DASHCAM_CONFIG": str(home),
        "DASHCAM_DEVICE": name,
        "DASHCAM_TOKEN": TOKEN,
        "DASHCAM_SCRATCH": str(home / "scratch"),
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(client, "PATIENCE_S", 0.5)
