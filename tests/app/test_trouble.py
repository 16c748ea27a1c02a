"""A database that is busy for longer than anyone waits: the caller is told to come back, and does."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from app.system import System
from dashcam import database
from dashcam.database import writing
from dashcam.tasks.client import MainServerClient
from tests.catalog.rows import add_task, add_video
from tests.conftest import migrated


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database for which nobody waits long."""
    monkeypatch.setattr(database, "PATIENCE_S", 0.05)
    yield from migrated(f"sqlite:///{tmp_path / 'dashcam.db'}")


@pytest.fixture
def locked(here: System) -> Iterator[ExitStack]:
    """Someone else's write transaction until it is closed, with one task in the table."""
    with writing(here.engine) as session:
        add_task(session, add_video(session, 1, outcome=None))
    with ExitStack() as other:
        other.enter_context(writing(here.engine)).connection()
        yield other


def test_a_busy_database_is_a_503_that_says_when_to_try_again(client: TestClient, locked: ExitStack) -> None:
    answer = client.post("/tasks/1/retry")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["detail"] == "The database is busy: try again in a few seconds."


def test_the_client_tries_again_until_it_is_free(client: TestClient, locked: ExitStack) -> None:
    refused = threading.Event()
    client.event_hooks["response"] = [lambda answer: refused.set() if answer.status_code == 503 else None]
    server = MainServerClient("http://testserver", "not used", patience_s=30)
    server.http = client
    failed = threading.Thread(target=server.failed, args=[1, "no reason"])
    failed.start()
    assert refused.wait(20)
    locked.close()
    failed.join(20)
    client.event_hooks["response"] = []
    assert client.get("/tasks/1").json()["failures"] == 1


def test_a_mistake_of_ours_stays_one(client: TestClient, here: System) -> None:
    with here.engine.begin() as connection:
        connection.execute(text("DROP TABLE task"))
    with pytest.raises(OperationalError, match="no such table"):
        client.post("/tasks/1/retry")
