"""Rounds of the dispatcher on a real table, with Prefect in memory; and a database that is away for a while."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending, Running, Scheduled, State
from sqlalchemy import Engine, update

import migrations
from app.dispatcher import GIVING_BACK, SPENT, Dispatcher, being_given_back
from app.main import something_pending
from app.system import System
from blocks.runs import CLAIM_LIMIT, SILENCE
from dashcam.catalog import devices
from dashcam.config import Site
from dashcam.database import open_engine, reading, writing
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.model import Completion, TaskType
from dashcam.tasks.row import TaskRow
from tests.app.prefect_in_memory import PrefectInMemory, ago
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


@pytest.fixture
def site(any_engine: Engine) -> MainSite:
    return MainSite(any_engine)


def heavy(site: MainSite, *clips: str) -> list[int]:
    return [publish(site.engine, HEAVY, clip) for clip in clips]


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


def test_a_cancelled_runs_tasks_are_held_until_try_again(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    site.run_once(Cancelled())
    site.round()
    assert "was cancelled in Prefect" in (site.task(task_id).hold or "")
    assert len(site.prefect.runs) == 1
    site.try_again(task_id)
    site.round()
    assert site.prefect.given() == [[task_id], [task_id]]


def test_try_again_tries_and_the_ended_run_is_not_judged_again(site: MainSite) -> None:
    """The device's own sentence stays, no failure is counted without a run, and nothing waits 300 s."""
    (task_id,) = heavy(site, "a")
    site.run_once(Failed(message="1 of 1 clips failed"), lambda run: site.fail(task_id, "the disk is full"))
    site.round()
    assert (site.task(task_id).failures, site.task(task_id).last_error) == (1, "the disk is full")
    assert len(site.prefect.runs) == 1, "it waits for its delay"
    site.try_again(task_id)
    site.round()
    task = site.task(task_id)
    assert (task.failures, task.not_before, task.last_error) == (0, None, "the disk is full")
    assert site.prefect.given() == [[task_id], [task_id]]


def test_try_again_while_the_run_is_just_ending_counts_nothing(site: MainSite) -> None:
    """The runs are read before the tasks, so the run may have ended in between."""
    (task_id,) = heavy(site, "a")
    site.round()
    (run,) = site.prefect.runs.values()
    site.prefect.put(run, Running())
    site.fail(task_id, "the disk is full")
    site.try_again(task_id)
    site.round()
    site.prefect.put(run, Failed(message="1 of 1 clips failed"))
    site.round()
    assert (site.task(task_id).failures, site.task(task_id).last_error) == (0, "the disk is full")
    assert site.prefect.given() == [[task_id], [task_id]]


def test_try_again_before_the_ended_run_was_judged_counts_nothing_either(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    site.run_once(Failed(message="MissingWeights"))
    site.try_again(task_id)
    site.round()
    assert (site.task(task_id).failures, site.task(task_id).not_before) == (0, None)
    assert site.prefect.given() == [[task_id], [task_id]]


def test_four_crashes_are_three_failures_and_after_try_again_none(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    for failures in (0, 1, 2, 3):
        site.run_once(Crashed(message="exit code -11"))
        for _ in range(3):
            known = len(site.prefect.runs)
            site.due(task_id)
            asyncio.run(site.dispatcher.settle(site.prefect, set()))  # type: ignore[arg-type]
            assert site.task(task_id).failures == failures, "a run is settled once"
            assert len(site.prefect.runs) == known
        site.due(task_id)
    site.try_again(task_id)
    site.run_once(Crashed(message="exit code -11"))
    site.round()
    assert site.task(task_id).failures == 0, "the first crash after a person's word is nobody's fault again"
    assert len(site.prefect.runs) == 6


@pytest.mark.parametrize(
    ("state", "earlier", "told", "failures", "offered_again"),
    [
        (Failed(message="MissingWeights"), 0, False, 1, False),
        (Failed(message="1 of 3 clips failed"), 0, True, 1, False),
        (Crashed(message="exit code -11"), 0, False, 0, True),
        (Crashed(message="exit code -11"), 1, False, 1, False),
        (Crashed(message="exit code -11"), 1, True, 1, False),
        (Completed(), 0, False, 0, True),
    ],
    ids=[
        "failed before the clip",
        "failed with the clip",
        "first crash",
        "second crash",
        "told, then crashed",
        "gone on",
    ],
)
def test_what_a_run_did_not_come_to_waits_longer_each_time(
    site: MainSite, state: State, earlier: int, told: bool, failures: int, offered_again: bool
) -> None:
    (task_id,) = heavy(site, "a")
    for _ in range(earlier):
        site.run_once(Crashed())
    site.run_once(state, lambda run: site.fail(task_id, "the clip's own sentence") if told else None)
    runs = len(site.prefect.runs)
    for _ in range(3):
        site.round()
    row = site.task(task_id)
    assert row.failures == failures
    assert (len(site.prefect.runs) > runs) is offered_again
    if told:
        assert row.last_error == "the clip's own sentence"
    elif failures:
        assert row.last_error and str(state.message) in row.last_error


def test_a_run_that_prefect_knows_no_more_frees_its_tasks(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    site.round()
    site.prefect.runs.clear()
    site.round()
    assert site.prefect.given() == [[task_id]]
    assert site.task(task_id).failures == 0


def test_a_suspect_runs_alone_and_after_all_others(site: MainSite) -> None:
    first, second = heavy(site, "a", "b")
    for _ in range(2):
        site.run_once(Crashed())
    third, fourth = heavy(site, "c", "d")
    site.round()
    site.due(first, second)
    assert site.prefect.given()[2:] == [[third, fourth]], "those that waited since went first, without the suspects"
    site.complete(third, fourth)
    site.prefect.put(list(site.prefect.runs)[-1], Completed())
    site.round()
    assert site.prefect.given()[3:] == [[first]]


def test_a_suspect_shares_a_run_with_nobody(site: MainSite) -> None:
    first, second = heavy(site, "a", "b")
    for _ in range(2):
        site.run_once(Crashed())
    site.round()
    site.due(first, second)
    (third,) = heavy(site, "c")
    site.prefect.online("gpu", "gpu-pc", "laptop")
    site.round()
    assert site.prefect.given()[2:] == [[third], [first]]


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


def test_a_completed_run_moved_back_to_pending_stands_in_nobodys_way(site: MainSite) -> None:
    """Prefect 3.8's worker may do so; its clips are through, and the one worker is free for the next."""
    (done,) = heavy(site, "a")
    run = site.run_once(Completed(), lambda run: site.complete(done))
    site.prefect.put(run, ago(Pending(), SPENT.total_seconds() + 1))
    (next_one,) = heavy(site, "b")
    site.round()
    assert site.prefect.given() == [[done], [next_one]]
    site.reconcile()
    assert site.prefect.runs[run.id].state_name == "Completed"
    fresh = site.prefect.runs[list(site.prefect.runs)[-1]]
    assert fresh.state_name == "Scheduled", "only what is spent is put right"


def test_a_claimed_run_that_never_started_has_no_start_time_and_is_crashed_in_time(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    site.round()
    (run,) = site.prefect.runs.values()
    site.prefect.put(run, Pending())
    assert run.start_time is None
    site.reconcile(CLAIM_LIMIT - timedelta(seconds=5))
    assert run.state_name == "Pending"
    site.reconcile(CLAIM_LIMIT + timedelta(seconds=5))
    assert run.state_name == "Crashed"
    site.round()
    assert site.prefect.given() == [[task_id], [task_id]]


def test_a_silent_run_is_crashed_and_one_that_is_heard_of_is_not(site: MainSite) -> None:
    heavy(site, "a")
    site.round()
    (run,) = site.prefect.runs.values()
    site.prefect.put(run, Running())
    site.prefect.heartbeats.add(run.id)
    site.reconcile(SILENCE + timedelta(seconds=5))
    assert run.state_name == "Running"
    site.prefect.heartbeats.clear()
    site.reconcile(SILENCE + timedelta(seconds=5))
    assert run.state_name == "Crashed"


def test_nothing_waits_longer_than_six_hours_from_now_whatever_a_clock_once_said(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    with writing(site.engine) as session:
        session.execute(update(TaskRow).values(not_before=datetime.now(UTC) + timedelta(days=400)))
    site.reconcile()
    assert site.task(task_id).not_before < datetime.now(UTC) + timedelta(hours=6, seconds=1)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("state", "passed", "resting", "waits"),
    [
        (Crashed(), timedelta(), {"gpu-pc"}, True),
        (Crashed(), timedelta(), {"other-pc"}, False),
        (Crashed(), GIVING_BACK + timedelta(seconds=1), {"gpu-pc"}, False),
        (Cancelled(), timedelta(), {"gpu-pc"}, False),
        (None, timedelta(), {"gpu-pc"}, False),
    ],
)
def test_only_a_crash_under_a_worker_that_gives_way_is_left_alone_for_a_while(
    state: State | None, passed: timedelta, resting: set[str], waits: bool
) -> None:
    if state is not None:
        state.timestamp = datetime.now(UTC) - passed
    run = FlowRun(flow_id=uuid4(), state=state, labels={"prefect.worker.name": "gpu-pc"})
    assert being_given_back(run, resting) is waits


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
