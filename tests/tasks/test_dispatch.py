"""Natural batching: what is started now, and what waits for company."""

from hypothesis import given
from hypothesis import strategies as st

from dashcam.tasks.dispatch import Offer, plan


def offers(count: int, minutes: float = 1.0, waited_s: float = 60.0) -> list[Offer]:
    return [Offer(task_id, minutes, waited_s) for task_id in range(1, count + 1)]


def planned(waiting: list[Offer], **changes: object) -> list[list[int]]:
    settings = {"live_runs": 0, "workers": 1, "upstream_busy": False, "linger_s": 4.0, "cap_minutes": 60.0} | changes
    return plan(waiting, **settings)  # type: ignore[arg-type]


def test_all_that_waits_goes_into_one_run() -> None:
    assert planned(offers(30)) == [list(range(1, 31))]


def test_nothing_is_started_beside_a_live_run_of_the_only_worker() -> None:
    assert planned(offers(5), live_runs=1) == []


def test_a_device_that_is_off_gets_one_run_that_waits() -> None:
    assert planned(offers(5), workers=0) == [[1, 2, 3, 4, 5]]
    assert planned(offers(5), workers=0, live_runs=1) == []


def test_two_workers_share_what_waits() -> None:
    assert planned(offers(5), workers=2) == [[1, 3, 5], [2, 4]]


def test_what_may_kill_its_process_runs_alone_when_nothing_else_waits() -> None:
    waiting = [Offer(1, 1.0, 60.0, suspect=True), *offers(3)[1:], Offer(4, 1.0, 60.0, suspect=True)]
    assert planned(waiting) == [[2, 3]]
    assert planned(waiting, workers=3) == [[2], [3], [1]]
    assert planned([waiting[0], waiting[3]]) == [[1]]
    assert planned([waiting[0], waiting[3]], workers=2) == [[1], [4]]


def test_a_run_is_capped_by_minutes_of_footage() -> None:
    assert planned(offers(5, minutes=25)) == [[1, 2]]


def test_a_clip_longer_than_the_cap_still_runs() -> None:
    assert planned(offers(1, minutes=600)) == [[1]]


def test_the_first_task_waits_for_company_while_more_is_on_its_way() -> None:
    assert planned(offers(1, waited_s=1.0), upstream_busy=True) == []
    assert planned(offers(1, waited_s=5.0), upstream_busy=True) == [[1]]
    assert planned(offers(1, waited_s=0.0), upstream_busy=False) == [[1]]


@given(
    minutes=st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=40),
    live_runs=st.integers(0, 4),
    workers=st.integers(0, 4),
    cap=st.floats(1, 120),
)
def test_no_task_is_given_twice_and_no_worker_two_runs(
    minutes: list[tuple[float, bool]], live_runs: int, workers: int, cap: float
) -> None:
    waiting = [Offer(task_id, length, 60.0, suspect) for task_id, (length, suspect) in enumerate(minutes)]
    runs = planned(waiting, live_runs=live_runs, workers=workers, cap_minutes=cap)
    given_out = [task_id for run in runs for task_id in run]
    assert len(given_out) == len(set(given_out))
    assert live_runs + len(runs) <= max(1, workers, live_runs)
    for run in runs:
        assert run == sorted(run)
        assert len(run) == 1 or sum(minutes[task_id][0] for task_id in run) <= cap
    if waiting and live_runs < max(1, workers):
        assert given_out, "something waits, a worker is free, and nothing is started"
