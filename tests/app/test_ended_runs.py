"""What becomes of the tasks of a run that has ended, or that nobody hears of any more."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending, Running, State
from sqlalchemy import Engine, update

from app.dispatcher import RECONCILE_S, SPENT
from blocks.runs import CLAIM_LIMIT, SILENCE
from dashcam.database import writing
from dashcam.tasks.row import TaskRow
from tests.app.main_site import MainSite, heavy
from tests.app.prefect_in_memory import ago


@pytest.fixture
def site(any_engine: Engine) -> MainSite:
    return MainSite(any_engine)


def test_a_cancelled_runs_tasks_are_held_until_try_again(site: MainSite) -> None:
    (task_id,) = heavy(site, "a")
    site.run_once(Cancelled())
    site.round()
    assert "was cancelled in Prefect" in (site.task(task_id).hold or "")
    assert len(site.prefect.runs) == 1
    site.try_again(task_id)
    site.round()
    assert site.prefect.given() == [[task_id], [task_id]]


def test_what_a_run_that_has_ended_was_at_runs_nowhere(site: MainSite) -> None:
    """Its device was switched off in the middle of the clip, and has told nobody."""
    (task_id,) = heavy(site, "a")
    site.run_once(Crashed(), lambda run: site.system.progress.begin(task_id, "gpu-pc"))
    site.round()
    assert site.system.progress.snapshot() == {}


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


def test_what_is_dead_is_free_again_within_three_minutes() -> None:
    """What `dashcam chaos` asks of every recovery."""
    assert max(CLAIM_LIMIT, SILENCE) + timedelta(seconds=RECONCILE_S) <= timedelta(minutes=3)


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
