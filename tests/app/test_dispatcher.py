"""What a round of the dispatcher offers, on a real table with Prefect in memory; and a database that is away."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Completed, Crashed, Failed, Running, Scheduled, State
from sqlalchemy import Engine, update

import migrations
from app.dispatcher import GIVING_BACK, Dispatcher, being_given_back
from app.main import something_pending
from app.system import System
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.database import open_engine, writing
from dashcam.storage.roots import Stores
from dashcam.tasks import line, table
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow
from tests.app.main_site import MainSite, heavy
from tests.tasks.test_table import publish


@pytest.fixture
def site(any_engine: Engine) -> MainSite:
    return MainSite(any_engine)


def test_what_waits_is_offered_once_oldest_first_and_while_a_run_has_it_to_nobody_else(site: MainSite) -> None:
    ids = heavy(site, "a", "b", "c")
    site.round()
    assert site.prefect.given() == [ids]
    site.prefect.online("gpu", "gpu-pc", "laptop")
    site.round()
    assert site.prefect.given() == [ids], "a second worker gets nothing that the live run has"
    late = heavy(site, "d")
    site.round()
    assert site.prefect.given() == [ids, late]


def put_first(site: MainSite, clip: str) -> None:
    with writing(site.engine) as session:
        assert line.put_first(session, [clip]) == 1


def test_what_a_person_has_put_first_is_first_in_the_next_run(site: MainSite) -> None:
    a, b, c = heavy(site, "a", "b", "c")
    put_first(site, "c")
    site.round()
    assert site.prefect.given() == [[c, a, b]]


def test_what_was_first_and_put_off_is_first_again_when_its_time_has_come(site: MainSite) -> None:
    a, b, c = heavy(site, "a", "b", "c")
    put_first(site, "c")
    with writing(site.engine) as session:
        table.wait(session, c, "no room")
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(TaskRow).where(TaskRow.task_id == c).values(not_before=past))
    site.round()
    assert site.prefect.given() == [[c, a, b]]


def test_what_is_put_first_waits_for_no_company(site: MainSite) -> None:
    """A person waits for it."""
    site.system.site = Site.model_validate({"dispatch": {"batch_linger_seconds": 3600}})
    publish(site.engine, TaskType.INGEST_VIDEO, "on its way")
    heavy(site, "a")
    site.prefect.online("server")
    site.round()
    assert [run.name for run in site.prefect.runs.values() if run.name.startswith("heavy")] == []
    put_first(site, "a")
    site.round()
    assert len([run.name for run in site.prefect.runs.values() if run.name.startswith("heavy")]) == 1


def test_a_run_is_found_by_its_clips_and_their_trip(site: MainSite) -> None:
    heavy(site, "a", "b")
    with writing(site.engine) as session:
        session.execute(update(Video).values(trip="2026-06-28"))
    site.round()
    (run,) = site.prefect.runs.values()
    assert run.tags == ["dashcam", "trip:2026-06-28", "video:a", "video:b"]


def test_a_run_of_many_clips_has_no_more_tags_than_prefect_takes(site: MainSite) -> None:
    heavy(site, *(f"clip-{number}" for number in range(120)))
    site.round()
    (run,) = site.prefect.runs.values()
    assert len(run.parameters["task_ids"]) == 120
    assert len(run.tags) < 100


def test_a_stage_without_room_is_left_alone_until_a_person_says_so_or_a_minute_has_passed(site: MainSite) -> None:
    """Each clip of 250,000 would start a process to find out what the first one has told."""
    ids = heavy(site, "a", "b")
    site.system.shortages.stage(TaskType.HEAVY_PROCESS_VIDEO, "No room in store indoor_nas.")
    site.round()
    assert site.prefect.given() == []
    site.system.shortages.try_again()
    site.round()
    assert site.prefect.given() == [ids]


def test_what_a_run_retried_in_prefect_holds_is_not_offered(site: MainSite) -> None:
    """Nothing in the table says that such a run has the task."""
    first, second = heavy(site, "a", "b")
    site.prefect.online("gpu", "gpu-pc", "laptop")
    site.prefect.made_by_hand("heavy", [first], Running())
    site.round()
    assert site.prefect.given() == [[first], [second]]


def test_a_run_per_worker_and_a_resting_one_is_no_room(site: MainSite) -> None:
    site.prefect.online("gpu", "gpu-pc", "laptop", "shed")
    site.rest("laptop")
    heavy(site, "a", "b", "c", "d")
    site.round()
    assert [len(given) for given in site.prefect.given()] == [2, 2]
    site.prefect.runs.clear()


def test_a_clip_waits_in_the_pool_where_no_worker_is_online(site: MainSite) -> None:
    site.prefect.online("gpu")
    ids = heavy(site, "a", "b")
    site.round()
    site.round()
    assert site.prefect.given() == [ids]


def test_an_attempt_is_part_of_the_key_so_a_new_offer_is_a_new_run(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    for _ in range(3):
        site.run_once(Completed())
    keys = [run.idempotency_key for run in site.prefect.runs.values()]
    assert len(set(keys)) == 3
    assert site.task(task_id).attempts == 3
    site.round()
    site.try_again(task_id)
    site.prefect.put(list(site.prefect.runs)[-1], Crashed())
    site.round()
    assert len({run.idempotency_key for run in site.prefect.runs.values()}) == 5, "also after a person's word"


def test_an_offer_that_was_not_written_down_is_not_made_twice(site: MainSite) -> None:
    """The process dies between the run's creation and the note of it."""
    (task_id,) = heavy(site, "a")
    site.round()
    with writing(site.engine) as session:
        session.execute(update(TaskRow).values(flow_run_id=None, attempts=0))
    site.prefect.online("gpu", "gpu-pc", "laptop")
    site.round()
    assert site.prefect.given() == [[task_id]]


def test_runs_are_read_before_tasks_so_what_a_run_has_just_done_is_not_offered_again(site: MainSite) -> None:
    """At that very moment the run fails one task, completes the other and ends."""
    first, second = heavy(site, "a", "b")
    site.round()
    (run,) = site.prefect.runs.values()

    def ends() -> None:
        site.fail(first, "the disk is full")
        site.complete(second)
        site.prefect.put(run, Failed(message="1 of 2 clips failed"))

    site.prefect.before_read.append(ends)
    for _ in range(3):
        site.round()
    assert (site.task(first).failures, site.task(first).last_error) == (1, "the disk is full")
    assert site.prefect.given() == [[first, second]]


def test_what_a_worker_gives_back_keeps_its_run(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    site.round()
    (run,) = site.prefect.runs.values()
    site.rest("gpu-pc")
    site.prefect.put(run, Crashed(), worker="gpu-pc")
    site.round()
    site.prefect.put(run, Scheduled())
    site.rest("gpu-pc", None)
    site.round()
    assert site.prefect.given() == [[task_id]]
    assert (site.task(task_id).failures, site.task(task_id).crashes, site.task(task_id).attempts) == (0, 0, 1)


def test_whoever_waits_for_a_pool_is_told_of_its_new_run(site: MainSite) -> None:
    heavy(site, "a")
    site.round()
    assert {pool: offers.number for pool, offers in site.system.offers.items() if offers.number} == {"gpu": 1}


@pytest.mark.parametrize(
    ("state", "passed", "drained", "waits"),
    [
        (Crashed(), timedelta(), {"gpu-pc"}, True),
        (Crashed(), timedelta(), {"other-pc"}, False),
        (Crashed(), GIVING_BACK + timedelta(seconds=1), {"gpu-pc"}, False),
        (Cancelled(), timedelta(), {"gpu-pc"}, False),
        (None, timedelta(), {"gpu-pc"}, False),
    ],
)
def test_only_a_crash_under_a_worker_that_gives_way_is_left_alone_for_a_while(
    state: State | None, passed: timedelta, drained: set[str], waits: bool
) -> None:
    if state is not None:
        state.timestamp = datetime.now(UTC) - passed
    run = FlowRun(flow_id=uuid4(), state=state, labels={"prefect.worker.name": "gpu-pc"})
    assert being_given_back(run, drained) is waits


def test_deployments_made_anew_are_found_again(site: MainSite) -> None:
    heavy(site, "a")
    site.dispatcher.deployments["heavy"] = UUID(int=1)
    site.dispatcher.complain(RuntimeError("no such deployment"))
    assert site.dispatcher.deployments == {}


def test_a_database_that_is_away_before_anything_was_dispatched_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dashcam.db'}")  # without tables yet
    here = System(engine, Site(), Stores({}), "token")
    assert asyncio.run(something_pending(here)) is False
    assert [line.split(" (")[0] for line in caplog.messages] == ["the database does not answer"]
    migrations.upgrade(engine)
    publish(engine, TaskType.HEAVY_PROCESS_VIDEO)
    assert asyncio.run(something_pending(here)) is True
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
