"""Faults of those who work: they die, are late, come twice; and of the clock they go by. By name in `FAULTS`."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from dashcam.catalog import apply
from dashcam.chaos.interrupt import Killed, Watch
from dashcam.chaos.trial import Fault, Trial
from dashcam.chaos.world import InHand, Run
from dashcam.tasks.model import Completion


def die(change: str, path: Path) -> None:
    raise Killed


def worker_killed(trial: Trial, run: Run) -> str | None:
    """Just before one of its changes of a file; sometimes its machine starts anew at once."""
    watch = Watch(trial.world.watched, trial.moment(run.task_type), die)
    try:
        trial.go_on(run, watch)
        return None
    except Killed:
        run.state = "crashed"
        if trial.dice.random() < 0.5:
            trial.world.power_returns()
        return f"before {watch.done[-1]}"


def everything_killed(trial: Trial, run: Run) -> str | None:
    detail = worker_killed(trial, run)
    trial.world.restart_server()
    trial.world.power_returns()
    return detail


def killed_again_and_again(trial: Trial, run: Run) -> str | None:
    """It dies, is started again, dies on the same task."""
    details = [worker_killed(trial, run)]
    for _ in range(3):
        trial.world.power_returns()
        trial.world.sleep()
        again = [one for one in trial.world.offer() if one.task_type is run.task_type]
        details += [worker_killed(trial, one) for one in again]
    return "; ".join(filter(None, details)) or None


def server_killed(trial: Trial, run: Run) -> str | None:
    """In the midst of a completion, which its client then repeats."""
    hand = trial.world.begin(run)
    if hand is None or isinstance(hand.made, str):
        return None
    real = apply.apply

    def dies(*arguments: Any, **named: Any) -> None:
        real(*arguments, **named)
        raise Killed

    with mock.patch.object(apply, "apply", dies), suppress(Killed):
        trial.world.deliver(hand)
    trial.world.restart_server()
    trial.world.deliver(hand)
    return "before the commit"


def answer_lost(trial: Trial, run: Run) -> str | None:
    """The client never hears that its completion was taken, and repeats it."""
    hand = trial.world.begin(run)
    if hand is None:
        return None
    trial.world.deliver(hand)
    trial.world.restart_server()
    trial.world.deliver(hand)
    return "delivered twice"


def zombie(trial: Trial, run: Run, spoil: Callable[[InHand], Completion | str]) -> str | None:
    """A worker is taken for dead, its task is done by another, then it wakes."""
    world = trial.world
    hand = world.begin(run)
    if hand is None:
        return None
    run.state = "crashed"
    late = trial.dice.random() < 0.5
    if late:
        world.work_off(20)
    else:
        world.sleep()
        for other in world.offer():
            trial.go_on(other)
    hand.made = spoil(hand)
    world.deliver(hand)
    return "after everything was done" if late else "after another had done it"


def zombie_completes(trial: Trial, run: Run) -> str | None:
    return zombie(trial, run, lambda hand: hand.made)


def zombie_fails(trial: Trial, run: Run) -> str | None:
    return zombie(trial, run, lambda hand: "It woke late and found nothing.")


def zombie_works(trial: Trial, run: Run) -> str | None:
    """It does not only deliver late: it works late."""
    return zombie(trial, run, lambda hand: trial.world.attempt(hand.task))


def two_workers(trial: Trial, run: Run) -> str | None:
    """Another worker does the whole task in the midst of the first one's."""
    world = trial.world
    met: list[str] = []

    def other(change: str, path: Path) -> None:
        met.append(f"before {change} {path.name}")
        task = world.task(run.task_ids[run.begun - 1])
        if task is not None:
            made = world.attempt(task)
            if trial.dice.random() < 0.5:
                world.deliver(InHand(run, task, made))

    trial.go_on(run, Watch(world.watched, trial.moment(run.task_type), other))
    return met[0] if met else None


def duplicate_run(trial: Trial, run: Run) -> str | None:
    """Prefect gives the same run to a second worker, which has all its tasks before it."""
    world = trial.world
    second = Run(run.run_id, run.task_type, list(run.task_ids))
    hands = [world.begin(run), world.begin(second)]
    for hand in filter(None, hands):
        world.deliver(hand)
    while (more := world.begin(second)) is not None:
        world.deliver(more)
    return "both delivered" if all(hands) else None


def run_cancelled(trial: Trial, run: Run) -> str | None:
    """A person cancels the run while it works; what it made comes all the same, sometimes."""
    hand = trial.world.begin(run)
    run.state = "cancelled"
    trial.world.settle()
    if hand is not None and trial.dice.random() < 0.5:
        trial.world.deliver(hand)
    return "while it worked" if hand else None


def prefect_forgets(trial: Trial, run: Run) -> str | None:
    """Its database is lost: no run that it knew is known any more."""
    hand = trial.world.begin(run)
    trial.world.runs.clear()
    trial.world.keys.clear()
    trial.world.offer()
    if hand is not None:
        trial.world.deliver(hand)
    return "all runs gone"


def clock_ahead(trial: Trial, run: Run) -> str | None:
    """A year; something fails meanwhile; then the clock is right again."""
    world = trial.world
    year = timedelta(days=365)
    world.clock.now += year
    hand = world.begin(run)
    if hand is not None:
        world.deliver(InHand(hand.run, hand.task, "It failed while the clock was ahead."))
    world.offer()
    world.clock.now -= year
    trial.cap_waits()
    return "a year"


def clock_behind(trial: Trial, run: Run) -> str | None:
    world = trial.world
    back = timedelta(days=trial.dice.choice([1, 400]))
    world.clock.now -= back
    trial.go_on(run)
    trial.cap_waits()
    return f"{back.days} days"


FAULTS: dict[str, Fault] = {
    "worker-killed": Fault(worker_killed),
    "everything-killed": Fault(everything_killed),
    "killed-again-and-again": Fault(killed_again_and_again),
    "server-killed": Fault(server_killed),
    "answer-lost": Fault(answer_lost),
    "zombie-completes": Fault(zombie_completes),
    "zombie-fails": Fault(zombie_fails),
    "zombie-works": Fault(zombie_works),
    "two-workers": Fault(two_workers),
    "duplicate-run": Fault(duplicate_run),
    "run-cancelled": Fault(run_cancelled),
    "prefect-forgets": Fault(prefect_forgets),
    "clock-ahead": Fault(clock_ahead),
    "clock-behind": Fault(clock_behind),
}
