"""The pipeline in one process: the real task table, catalogue and stages on two stores, with a clock of its own.

Prefect is played by a dictionary of runs, which knows a run by its key as Prefect does. A worker is whoever begins a
run here: it works on a task at once, and keeps what came of it until it is told to deliver it, so that it can die, be
late, or deliver twice.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal, cast

from sqlalchemy import Engine, select

import migrations
from dashcam import Explained
from dashcam.catalog import again, apply, arrival, work
from dashcam.catalog.models import Video
from dashcam.chaos.clock import StandingClock
from dashcam.chaos.interrupt import Watch, watching
from dashcam.chaos.office import Office
from dashcam.config import DeviceSettings, PreprocessSettings, Site
from dashcam.config.model import RetentionDays
from dashcam.database import open_engine, reading, writing
from dashcam.stages.common import StageContext, StageFunction, clip_vanished, of, worked
from dashcam.stages.room import filled_up
from dashcam.storage import layout
from dashcam.storage.bundle import DiskFull
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.dispatch import Offer, key_of, plan
from dashcam.tasks.model import Completion, InputRef, Task, TaskType
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import behind, planning, removing
from dashcam.upkeep.sweep import sweep

MARKER = ".dashcam-store"
PLACES = {layout.INDOOR: "indoor", layout.SHED: "shed"}
"""The stores' folders."""
OWNERS = {
    "global": {"storage_retention_days": {"raw_videos": 90, "preproc_data": 0, "heavy_output": 0}},
    "retention": {"enabled": True, "most_of_store": 1.0, "most_of_videos": 1.0},
}
"""What is kept: clips for 90 days, and what stages leave each other until a clip is through."""
NOTHING = RetentionDays(preproc_data=0, heavy_output=0)
log = logging.getLogger("dashcam.chaos")


@dataclass
class Run:
    """A run as Prefect knows it."""

    run_id: str
    task_type: TaskType
    task_ids: list[int]
    state: Literal["scheduled", "running", "completed", "failed", "crashed", "cancelled"] = "scheduled"
    begun: int = 0
    """How many of its tasks its worker has come to."""
    failed: bool = False

    @property
    def live(self) -> bool:
        return self.state in ("scheduled", "running")


class Waits(str):
    """Why a task could not go on, which is nobody's failure."""


@dataclass
class InHand:
    """What a worker has made of a task and not delivered yet: a completion, or a sentence about what went wrong."""

    run: Run
    task: Task
    made: Completion | str


@dataclass
class World:
    """``stages`` are shared by worlds: their engines take longer to load than a clip takes to be worked on."""

    folder: Path
    stages: Mapping[TaskType, StageFunction]
    url: str = ""
    clock: StandingClock = field(default_factory=StandingClock)
    workers: int = 2
    runs: dict[str, Run] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What was handed in: the clip's name by its id."""

    def __post_init__(self) -> None:
        self.roots = {store: self.folder / name for store, name in PLACES.items()}
        self.indoor, self.shed = self.roots[layout.INDOOR], self.roots[layout.SHED]
        self.scratch = self.folder / "scratch"
        for root in (self.indoor, self.shed):
            root.mkdir(parents=True, exist_ok=True)
            (root / MARKER).touch()
        self.scratch.mkdir(exist_ok=True)
        self.markers = dict.fromkeys(self.roots, MARKER)
        self.stores = Stores(self.roots, self.markers)
        self.site = Site.model_validate(OWNERS)
        self.device = device(self.scratch)
        self.url = self.url or f"sqlite:///{self.folder / 'dashcam.db'}"
        self.engine: Engine = open_engine(self.url)
        migrations.upgrade(self.engine)
        self.numbers = count(len(self.runs) + 1)

    def close(self) -> None:
        self.engine.dispose()

    def restart_server(self) -> None:
        """The web process dies and is there again; Prefect knows what it knew."""
        self.engine.dispose()
        self.engine = open_engine(self.url)

    def put(self, name: str, content: bytes, folder: str = "trip") -> Path:
        """A clip appears on the indoor NAS, whole at once."""
        path = self.indoor / layout.RAW / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{name}.part")
        part.write_bytes(content)
        return part.replace(path)

    def hand_in(self, path: Path) -> str | None:
        """As a scan does; gives the clip's id, None where it cannot be taken now."""
        ref = InputRef(device=layout.INDOOR, path=path.relative_to(self.indoor).as_posix())
        seen = arrival.look(self.engine, self.stores, [ref])
        with writing(self.engine) as session:
            (arrived,) = arrival.admit(session, seen)
        if arrived.video_id is not None:
            self.names[arrived.video_id] = path.name
        return arrived.video_id

    def offer(self) -> list[Run]:
        """One round of the dispatcher: what has ended is settled, what is free is offered."""
        self.settle()
        made = []
        with reading(self.engine) as session:
            stages = table.stages_waiting(session, self.clock.now)
        for stage in stages:
            live = [run for run in self.runs.values() if run.task_type == stage and run.live]
            held = {task_id for run in live for task_id in run.task_ids}
            with reading(self.engine) as session:
                found = [(one, bad) for bad in (False, True) for one in
                         table.waiting(session, stage, self.clock.now, 50, suspects=bad)]  # fmt: skip
            free = {one.task_id: one for one, _ in found if one.task_id not in held}
            offers = [Offer(one.task_id, 0.0, 0.0, bad) for one, bad in found if one.task_id in free]
            chosen = plan(
                offers, live_runs=len(live), workers=self.workers, upstream_busy=False, linger_s=0, cap_minutes=60
            )
            for task_ids in chosen:
                key = key_of(STAGES[stage].flow, [(one, free[one].attempts) for one in task_ids])
                run = self.create(key, stage, task_ids)
                with writing(self.engine) as session:
                    table.offered(session, task_ids, run.run_id)
                made.append(run)
        return made

    def create(self, key: str, stage: TaskType, task_ids: Sequence[int]) -> Run:
        """A run of that key, or the one that there is, whatever became of it: as Prefect does."""
        if key in self.keys:
            return self.runs[self.keys[key]]
        run = Run(f"run-{next(self.numbers)}", stage, list(task_ids))
        self.keys[key] = run.run_id
        self.runs[run.run_id] = run
        return run

    def settle(self) -> None:
        """As the dispatcher does for runs that have ended, and each minute for what waits too long."""
        delay = timedelta(seconds=self.site.global_.task_retry_delay_seconds)
        with writing(self.engine) as session:
            for run_id in sorted(table.runs_with_tasks(session)):
                run = self.runs.get(run_id)
                if run is None or run.state == "completed":
                    table.settle(session, run_id, delay)
                elif run.state == "crashed":
                    table.settle(session, run_id, delay, crashed=f"run {run_id} crashed")
                elif run.state == "failed":
                    table.settle(session, run_id, delay, failed=f"run {run_id} failed")
                elif run.state == "cancelled":
                    table.hold(session, [one for one, _ in table.tasks_of_run(session, run_id)], "run was cancelled")
            table.shorten_waits(session, self.clock.now)
            table.take_their_places(session, self.clock.now)

    def task(self, task_id: int) -> Task | None:
        with reading(self.engine) as session:
            return work.get(session, task_id)

    def begin(self, run: Run, watch: Watch | None = None) -> InHand | None:
        """A worker takes up the run's next pending task; None when all are done, and the run with them.

        Raises `Killed` where ``watch`` lets it die.
        """
        run.state = "running"
        while run.begun < len(run.task_ids):
            task = self.task(run.task_ids[run.begun])
            run.begun += 1
            if task is not None and task.state == "pending":
                hand = InHand(run, task, self.attempt(task, watch))
                run.failed |= isinstance(hand.made, str) and not isinstance(hand.made, Waits)
                return hand
        run.state = "failed" if run.failed else "completed"
        return None

    def attempt(self, task: Task, watch: Watch | None = None) -> Completion | str:
        """What a worker makes of the task: `flows.clips.work_on_clip` without Prefect."""
        here = self.scratch / f"clip-{next(self.numbers)}"
        here.mkdir()
        with watching(watch) if watch is not None else nullcontext():
            try:
                return worked(task, self.stages[task.task_type], StageContext(self.stores, here, self.device, log))
            except DiskFull as full:
                return Waits(filled_up(full, self.stores, self.scratch))
            except Exception as error:
                if clip_vanished(task, self.stores):
                    return of(task, Completion(outcome="vanished", reason="It was removed before it was processed."))
                return str(error) if isinstance(error, Explained) else f"{type(error).__name__}: {error}"
            finally:
                with suppress(OSError):  # as what is told to ignore errors does
                    shutil.rmtree(here, ignore_errors=True)

    def deliver(self, hand: InHand) -> bool:
        """As the REST API takes it; tells whether anything has changed."""
        delay = timedelta(seconds=self.site.global_.task_retry_delay_seconds)
        if isinstance(hand.made, Waits):
            with writing(self.engine) as session:
                return table.wait(session, hand.task.task_id, hand.made)
        if isinstance(hand.made, str):
            with writing(self.engine) as session:
                return table.fail(session, hand.task.task_id, hand.made, delay)
        if hand.made.outcome == "vanished" and (not self.is_gone(hand.task) or self.is_archived(hand.task)):
            return False
        with writing(self.engine) as session:
            return bool(table.complete(session, hand.task.task_id, hand.made, partial(apply.apply, site=self.site)))

    def is_gone(self, task: Task) -> bool:
        with reading(self.engine) as session:
            try:
                return arrival.still_there(session, self.stores, task.video_id) is None
            except (Explained, OSError):
                return False

    def is_archived(self, task: Task) -> bool:
        """And goes on from there; a shed that cannot be looked at leaves it as it is, as the REST API does."""
        current = self.task(task.task_id)
        if current is None or current.state != "pending" or current.video_id != task.video_id:
            return False
        try:
            record = behind.archived(self.stores, task.video_id)
        except (Explained, OSError):
            return True
        if record is None:
            return False
        with writing(self.engine) as session:
            return behind.found_gone(session, record, self.site)

    @property
    def watched(self) -> list[Path]:
        """Where workers change files."""
        return [self.indoor, self.shed, self.scratch]

    def sleep(self) -> bool:
        """Until the next task may be tried again; False when none waits."""
        waits = self.waits().values()
        if waits:
            self.clock.now = max(self.clock.now, min(waits))
        return bool(waits)

    def waits(self) -> dict[int, datetime]:
        """Until when each pending task waits that does, and that no run has."""
        free = TaskRow.state == "pending", TaskRow.flow_run_id.is_(None)
        with reading(self.engine) as session:
            rows = session.execute(select(TaskRow.task_id, TaskRow.not_before).where(*free))
            return {task_id: until for task_id, until in rows if until is not None}

    def do_again(self, video_id: str, stage: TaskType) -> None:
        """As a person has it done; nothing where the clip has not come so far."""
        with suppress(again.NotAgain), writing(self.engine) as session:
            again.do_again(session, session.get_one(Video, video_id), stage)

    def upgrade(self, stage: TaskType) -> None:
        """A newer version: what is published from now on of the stage and those behind it is another task."""
        for newer in list(STAGES)[list(STAGES).index(stage) :]:
            STAGES[newer] = replace(STAGES[newer], revision=STAGES[newer].revision + 1)

    def release_held(self) -> None:
        """A person has all that is held tried again."""
        with writing(self.engine) as session:
            for task_id in session.scalars(select(TaskRow.task_id).where(TaskRow.hold.is_not(None))).all():
                table.release(session, task_id)

    @property
    def office(self) -> MainServerClient:
        return cast(MainServerClient, Office(self.engine, self.stores, self.site, self.clock))

    def sweep(self) -> None:
        """The housekeeping's, with no time of grace."""
        sweep(self.office, self.stores, [self.scratch], grace_s=0)

    def tidy(self) -> int:
        """A run of retention that a person has begun, who has seen its plan; how many things it has removed."""
        plan = removing.announce(self.office, self.stores, unattended=False)
        with suppress(planning.PlanRefused):
            return removing.carry_out(self.office, self.stores, plan).removed
        return 0

    def power_returns(self) -> None:
        """All that ran is dead; each worker empties its scratch when it starts."""
        for run in self.runs.values():
            if run.state == "running":
                run.state = "crashed"
        self.empty_scratch()
        self.settle()

    def empty_scratch(self) -> None:
        for left in self.scratch.iterdir():
            shutil.rmtree(left)

    def work_off(self, rounds: int = 200) -> None:
        """Without further trouble, until nothing is pending or ``rounds`` are over; waits are slept through."""
        for _ in range(rounds):
            self.offer()
            live = [run for run in self.runs.values() if run.live]
            for run in live:
                while hand := self.begin(run):
                    self.deliver(hand)
            with reading(self.engine) as session:
                if not table.anything_pending(session):
                    self.settle()
                    return
            if not live:
                self.sleep()


def device(scratch: Path) -> DeviceSettings:
    """One thread, and nothing that depends on a clip's id: which stretches are audited does."""
    return DeviceSettings(scratch=scratch, threads=1, preprocess=PreprocessSettings(audit_share=0), retention=NOTHING)
