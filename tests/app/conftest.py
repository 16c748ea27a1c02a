"""The real web application on a new database, without a network: requests go straight into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from app import api, system
from app.access.guard import stand_before
from app.trouble import answer_trouble
from dashcam.config import Site
from dashcam.storage.roots import Stores
from dashcam.tasks.client import MainServerClient
from tests.app.on_the_loop import refuse_on_the_loop

TOKEN = "a token of this test"


@pytest.fixture
def here(engine: Engine, tmp_path: Path) -> system.System:
    roots = {name: tmp_path / name for name in ("indoor_nas", "shed_nas")}
    for root in roots.values():
        root.mkdir()
    one = system.System(engine, Site(), Stores(roots), TOKEN)
    system.start(one)
    return one


@pytest.fixture
def anonymous(here: system.System) -> Iterator[TestClient]:
    web = FastAPI()
    answer_trouble(web)
    web.include_router(api.router)
    stand_before(web)
    with TestClient(web, base_url="http://testserver/api/v1") as client:
        yield client


@pytest.fixture
def client(anonymous: TestClient) -> TestClient:
    anonymous.headers["Authorization"] = f"Bearer {TOKEN}"
    return anonymous


@pytest.fixture(autouse=True)
def never_on_the_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("browser"):  # its own thread has an event loop; the site has the same guard
        yield
        return
    event.listen(Engine, "begin", refuse_on_the_loop)
    yield
    event.remove(Engine, "begin", refuse_on_the_loop)


@pytest.fixture
def server(client: TestClient) -> MainServerClient:
    """The flows' own client, its requests going straight into the real application."""
    one = MainServerClient("http://testserver", "not used", patience_s=0)
    one.http = client
    return one


@pytest.fixture
def raw(here: system.System) -> Path:
    folder = here.stores.root("indoor_nas") / "raw"
    folder.mkdir()
    return folder
