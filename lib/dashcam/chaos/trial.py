"""One seed in a world of its own: it chooses clips, faults and their moments, in the midst of a stage or between two.

Then the faults end, the work is done, and the invariants are asked, at each step those that always hold.
"""

import random
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from unittest import mock

from dashcam.chaos import fragile
from dashcam.chaos.clips import base_clips, variant
from dashcam.chaos.fragile import Fragile
from dashcam.chaos.interrupt import Watch
from dashcam.chaos.invariants import Breach, Ground, always, at_rest, canonical
from dashcam.chaos.report import Injection, Report, Violation
from dashcam.chaos.world import PLACES, Run, World, device
from dashcam.stages.common import StageFunction
from dashcam.stages.every import stages_on
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import TaskType
from dashcam.tasks.table import MAX_BACKOFF

ALL = tuple(STAGES)


@dataclass(frozen=True)
class Fault:
    """``do`` lets a worker go on with the run, at one of these ``stages``, and does what its name says meanwhile. It
    gives the detail, None where the run gave no occasion."""

    do: Callable[["Trial", Run], str | None]
    stages: Sequence[TaskType] = ALL
    on_nas: bool = False
    """It needs stores that can fail in anybody's hands (`Trial.nas`)."""


@dataclass(frozen=True)
class Undisturbed:
    """What the clips come to when nothing goes wrong, and how many file operations each stage has at most."""

    clips: Sequence[Path]
    stages: Mapping[TaskType, StageFunction]
    metadata: Mapping[str, str]
    operations: Mapping[TaskType, int]


@cache
def undisturbed(workdir: Path) -> Undisturbed:
    """Made once for all seeds of a process."""
    folder = workdir / "undisturbed"
    shutil.rmtree(folder, ignore_errors=True)
    clips = base_clips(folder / "clips")
    stages = stages_on(device(folder / "scratch"))
    world = World(folder / "world", stages)
    operations = dict.fromkeys(STAGES, 0)
    with world.clock.ticking():
        for clip in clips:
            world.hand_in(world.put(clip.name, clip.read_bytes()))
        while runs := world.offer():
            for run in runs:
                while hand := world.begin(run, watch := Watch(world.watched)):
                    operations[run.task_type] = max(operations[run.task_type], watch.count)
                    world.deliver(hand)
    metadata = canonical(world.engine, world.names, world.roots)
    world.close()
    return Undisturbed(clips, stages, metadata, operations)


@dataclass
class Trial:
    """One seed: its world, its dice and what has come of it so far."""

    seed: int
    world: World
    normal: Undisturbed
    dice: random.Random
    report: Report = field(default_factory=Report)
    healing: list[Callable[[], object]] = field(default_factory=list)
    """What ends the faults."""
    taken_away: set[str] = field(default_factory=set)
    spoiled: set[str] = field(default_factory=set)
    protected: set[str] = field(default_factory=set)
    restored: bool = False
    nas: Mapping[str, Fragile] = field(default_factory=dict)
    """The two stores, where a fault needs them so."""
    began: float = field(default_factory=time.monotonic)

    def ground(self) -> Ground:
        world = self.world
        return Ground(
            world.engine, world.roots, [world.scratch], world.names, self.normal.metadata, world.markers,
            self.taken_away, self.spoiled, protected=self.protected, restored=self.restored,
        )  # fmt: skip

    def go_on(
        self, run: Run, watch: Watch | None = None, stages: Mapping[TaskType, StageFunction] | None = None
    ) -> None:
        """The run's worker works on its next task, and delivers what came of it."""
        with mock.patch.object(self.world, "stages", {**self.world.stages, **(stages or {})}):
            hand = self.world.begin(run, watch)
        if hand is not None:
            self.world.deliver(hand)

    def cap_waits(self) -> None:
        """A round of the dispatcher later nothing that is free waits longer than it may."""
        self.world.settle()
        for task_id, until in self.world.waits().items():
            if until > self.world.clock.now + MAX_BACKOFF:
                self.note([Breach("waits-end", f"Task {task_id} waits until {until}, now is {self.world.clock.now}.")])

    def moment(self, task_type: TaskType) -> int:
        """The number of one of the stage's file operations."""
        return self.dice.randint(1, max(1, self.normal.operations[task_type]))

    def note(self, found: Sequence[Breach], fault: str = "") -> None:
        known = {(one.invariant, one.sentence) for one in self.report.violations}
        self.report.violations += [
            Violation(self.seed, one.invariant, one.sentence, fault, "alone") for one in found if one not in known
        ]

    def injected(self, fault: str, detail: str) -> None:
        at_s = round(time.monotonic() - self.began, 3)
        self.report.injections.append(Injection(self.seed, fault, at_s, detail, mode="alone"))

    def heal(self) -> None:
        while self.healing:
            self.healing.pop()()


def tried(
    seed: int, workdir: Path, faults: Mapping[str, Fault], most: int = 3, clips: int = 2, url: str = ""
) -> Report:
    """One seed: up to ``most`` of these faults on ``clips`` clips and sometimes a broken one; everything is checked.

    ``workdir`` keeps the undisturbed run for the next seed, and the folder of a seed in which something did not hold.
    """
    normal = undisturbed(workdir)
    folder = workdir / f"seed-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    dice = random.Random(seed)
    report = Report(seeds=[seed])
    planned = {name: faults[name] for name in dice.sample(sorted(faults), min(most, len(faults)))}
    if why := fragile.unavailable():
        report.skipped = {name: why for name, fault in planned.items() if fault.on_nas}
        planned = {name: fault for name, fault in planned.items() if not fault.on_nas}
    with ExitStack() as held:
        nas = {}
        if any(fault.on_nas for fault in planned.values()):
            for store, name in PLACES.items():
                nas[store] = held.enter_context(Fragile(folder / f"{name}.disk", folder / name))
        world = World(folder, normal.stages, url)
        held.callback(world.close)
        held.enter_context(world.clock.ticking())
        trial = Trial(seed, world, normal, dice, report, nas=nas)
        hand_in(trial, clips)
        disturb(trial, planned)
        trial.heal()
        recover(world)
        trial.spoiled.clear()
        trial.note(at_rest(trial.ground()))
    if not report.violations:
        shutil.rmtree(folder)
    return report


def hand_in(trial: Trial, clips: int) -> None:
    *good, broken = trial.normal.clips
    chosen = trial.dice.sample(good, min(clips, len(good))) + [broken] * (trial.dice.random() < 0.2 * (clips > 1))
    for clip in chosen:
        trial.world.hand_in(trial.world.put(clip.name, variant(clip, trial.seed)))


def disturb(trial: Trial, faults: dict[str, Fault], rounds: int = 60) -> None:
    """Work goes on as usual, until each fault has had its moment or nothing is left to do."""
    world = trial.world
    when = {name: trial.dice.choice(fault.stages) for name, fault in faults.items()}
    for _ in range(rounds):
        world.offer()
        live = [run for run in world.runs.values() if run.live]
        if not live and not world.sleep():
            return
        for run in live:
            name = next((one for one, stage in when.items() if stage is run.task_type), None)
            if name is None:
                if hand := world.begin(run):
                    world.deliver(hand)
            else:
                del when[name]
                detail = faults[name].do(trial, run)
                if detail is None:  # another occasion may come
                    when[name] = trial.dice.choice(faults[name].stages)
                    if run.live and (hand := world.begin(run)):
                        world.deliver(hand)
                else:
                    trial.injected(name, f"{run.task_type}: {detail}")
                    trial.note(always(trial.ground()), name)
                    if trial.dice.random() < 0.7:
                        trial.heal()


def recover(world: World) -> None:
    """Everything that ran is started anew, and works until nothing is left."""
    world.power_returns()
    world.release_held()
    world.work_off()
    world.sweep()
