"""A main server with a real table, and Prefect in memory."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prefect.client.schemas.objects import FlowRun
from prefect.states import Running, State
from sqlalchemy import Engine, update

from app.dispatcher import Dispatcher
from app.system import System
from dashcam.catalog import devices
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.model import Completion, TaskType
from dashcam.tasks.row import TaskRow
from tests.app.prefect_in_memory import PrefectInMemory
from tests.tasks.test_table import publish

HEAVY = TaskType.HEAVY_PROCESS_VIDEO


class MainSite:
    """A main server with the guide's delay of 300 s, and the Prefect it talks to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        site = Site.model_validate(
            {"global": {"task_retry_delay_seconds": 300}, "dispatch": {"batch_linger_seconds": 0}}
        )
        self.system = System(engine, site, Stores({}), "token")
        self.dispatcher = Dispatcher(self.system)
        self.prefect = PrefectInMemory()
        self.prefect.online("gpu", "gpu-pc")

    def round(self) -> None:
        asyncio.run(self.dispatcher.round(self.prefect))  # type: ignore[arg-type]

    def reconcile(self, later: timedelta = timedelta()) -> None:
        asyncio.run(self.dispatcher.reconcile(self.prefect, datetime.now(UTC) + later))  # type: ignore[arg-type]

    def run_once(self, state: State, before_it_ends: Callable[[FlowRun], None] = lambda run: None) -> FlowRun:
        """A round; the run that it creates starts, and ends with that state."""
        known = set(self.prefect.runs)
        self.round()
        (run_id,) = set(self.prefect.runs) - known
        run = self.prefect.put(run_id, Running())
        before_it_ends(run)
        return self.prefect.put(run_id, state)

    def task(self, task_id: int) -> TaskRow:
        with reading(self.engine) as session:
            return session.get_one(TaskRow, task_id)

    def fail(self, task_id: int, error: str) -> None:
        with writing(self.engine) as session:
            table.fail(session, task_id, error, timedelta(seconds=300))

    def try_again(self, task_id: int) -> None:
        with writing(self.engine) as session:
            assert table.release(session, task_id)

    def due(self, *task_ids: int) -> None:
        """Its delay is over."""
        with writing(self.engine) as session:
            session.execute(
                update(TaskRow)
                .where(TaskRow.task_id.in_(task_ids))
                .values(not_before=datetime.now(UTC) - timedelta(seconds=1))
            )

    def complete(self, *task_ids: int) -> None:
        with writing(self.engine) as session:
            for task_id in task_ids:
                table.complete(session, task_id, Completion(), lambda *what: None)

    def rest(self, hostname: str, why: str | None = "a person is at it") -> None:
        with writing(self.engine) as session:
            devices.beat(session, hostname, "gpu", {}, why, datetime.now(UTC))


def heavy(site: MainSite, *clips: str) -> list[int]:
    return [publish(site.engine, HEAVY, clip) for clip in clips]
