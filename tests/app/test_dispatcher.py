"""What the dispatcher makes of a run that has ended, and of a database that is away for a while."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Crashed, Failed, State
from sqlalchemy import Engine

import migrations
from app.dispatcher import GIVING_BACK, Dispatcher, being_given_back
from app.main import something_pending
from app.system import System
from dashcam.config import Site
from dashcam.database import open_engine, reading, writing
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.tasks.test_table import publish


@pytest.mark.parametrize(
    ("state", "ago", "resting", "waits"),
    [
        (Crashed(), timedelta(), {"gpu-pc"}, True),
        (Crashed(), timedelta(), {"other-pc"}, False),
        (Crashed(), GIVING_BACK + timedelta(seconds=1), {"gpu-pc"}, False),
        (Cancelled(), timedelta(), {"gpu-pc"}, False),
        (None, timedelta(), {"gpu-pc"}, False),
    ],
)
def test_only_a_crash_under_a_worker_that_gives_way_is_left_alone_for_a_while(
    state: State | None, ago: timedelta, resting: set[str], waits: bool
) -> None:
    if state is not None:
        state.timestamp = datetime.now(UTC) - ago
    run = FlowRun(flow_id=uuid4(), state=state, labels={"prefect.worker.name": "gpu-pc"})
    assert being_given_back(run, resting) is waits


class Ended:
    """Prefect, asked for the one run that has ended."""

    def __init__(self, run: FlowRun) -> None:
        self.run = run

    async def read_flow_runs(self, **_: object) -> list[FlowRun]:
        return [self.run]


@pytest.mark.parametrize(
    ("state", "earlier", "told", "failures"),
    [
        (Failed(message="MissingWeights"), 0, False, 1),
        (Failed(message="1 of 3 clips failed"), 0, True, 1),
        (Crashed(message="exit code -11"), 0, False, 0),
        (Crashed(message="exit code -11"), 1, False, 1),
    ],
    ids=["failed before the clip", "failed with the clip", "first crash", "second crash"],
)
def test_what_a_run_did_not_come_to_waits_longer_each_time(
    engine: Engine, state: State, earlier: int, told: bool, failures: int
) -> None:
    run = FlowRun(flow_id=uuid4(), name="heavy", state=state, state_type=state.type, start_time=datetime.now(UTC))
    task_id = publish(engine, TaskType.HEAVY_PROCESS_VIDEO)
    with writing(engine) as session:
        for _ in range(earlier):
            table.offered(session, [task_id], str(uuid4()))
        table.offered(session, [task_id], str(run.id))
        if told:
            table.fail(session, task_id, "the clip's own sentence", timedelta(minutes=1))
    dispatcher = Dispatcher(System(engine, Site(), Stores({}), "token"))
    ready = asyncio.run(dispatcher.without_ended(Ended(run), dispatcher.read_pending()))  # type: ignore[arg-type]
    with reading(engine) as session:
        row = session.get_one(TaskRow, task_id)
        assert row.failures == failures
        assert bool(ready) is (failures == 0), "the first crash is nobody's fault"
        if told:
            assert row.last_error == "the clip's own sentence"
        elif failures:
            assert row.last_error and str(state.message) in row.last_error


def test_a_database_that_is_away_before_anything_was_dispatched_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")  # without tables yet
    here = System(engine, Site(), Stores({}), "token")
    assert something_pending(here) is False
    assert [line.split(" (")[0] for line in caplog.messages] == ["the database does not answer"]
    migrations.upgrade(engine)
    publish(engine, TaskType.HEAVY_PROCESS_VIDEO)
    assert something_pending(here) is True
    engine.dispose()


def test_dispatching_outlives_a_database_that_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")  # without tables yet
    dispatcher = Dispatcher(System(engine, Site(), Stores({}), "token"))

    async def away_and_back() -> None:
        loop = asyncio.create_task(dispatcher.run())
        async with asyncio.timeout(30):
            while not dispatcher.trouble:
                await asyncio.sleep(0.05)
            await asyncio.to_thread(migrations.upgrade, engine)
            while dispatcher.trouble:
                assert not loop.done()
                await asyncio.sleep(0.05)
        loop.cancel()

    with caplog.at_level(logging.WARNING), temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        asyncio.run(away_and_back())
    assert [line.split(" (")[0] for line in caplog.messages] == ["the database does not answer"]
    engine.dispose()
