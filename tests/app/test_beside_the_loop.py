"""The event loop serves every page, the API and the dispatcher: it never waits for the database."""

import asyncio
import threading

import pytest
from sqlalchemy import Engine, update

from app.system import System
from dashcam.config import Site
from dashcam.database import writing
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.tasks.test_table import publish


def test_a_write_that_waits_for_another_leaves_the_event_loop_free(engine: Engine) -> None:
    task_id = publish(engine, TaskType.INGEST_VIDEO)
    here = System(engine, Site(), Stores({}), "token")
    begun, release = threading.Event(), threading.Event()

    def long_transaction() -> None:
        with writing(engine) as session:
            session.execute(update(TaskRow).values(hold="a long transaction"))
            begun.set()
            release.wait(60)

    async def press_try_again() -> bool:
        pressed = asyncio.create_task(here.change(lambda session: table.release(session, task_id)))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not pressed.done()
        release.set()
        return await pressed

    other = threading.Thread(target=long_transaction)
    other.start()
    assert begun.wait(30)
    assert asyncio.run(press_try_again())
    other.join()


def test_what_takes_long_to_count_is_not_counted_each_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    here, counted = System(engine, Site(), Stores({}), "token"), []
    cpu_s = iter([0.0, 0.05, 0.0, 0.05])
    clock = 1000.0
    monkeypatch.setattr("app.system.time.monotonic", lambda: clock)
    monkeypatch.setattr("app.system.time.thread_time", lambda: next(cpu_s))

    async def ask() -> None:
        assert await here.recent(lambda_of_one) == len(counted)

    def lambda_of_one(_session: object) -> int:
        counted.append(1)
        return len(counted)

    for clock in (1000.0, 1001.0, 1029.0):  # noqa: B007  fifty milliseconds are worth thirty seconds
        asyncio.run(ask())
    assert len(counted) == 1
    clock = 1031.0
    asyncio.run(ask())
    assert len(counted) == 2


def test_the_zone_of_the_pages_is_kept_beside_the_event_loop(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    here, on_loop = System(engine, Site(), Stores({}), "token"), []
    look = here.look_at_zone

    def looked() -> None:
        on_loop.append(threading.current_thread() is threading.main_thread())
        look()

    monkeypatch.setattr(here, "look_at_zone", looked)
    monkeypatch.setattr("app.system.ZONE_KEPT_S", 0.01)

    async def a_while() -> None:
        keeping = asyncio.create_task(here.keep_zone())
        async with asyncio.timeout(30):
            while len(on_loop) < 3:
                await asyncio.sleep(0.005)
        keeping.cancel()

    asyncio.run(a_while())
    assert on_loop == [False] * len(on_loop)
