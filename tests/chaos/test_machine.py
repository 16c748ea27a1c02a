"""Any order of what may happen, found by hypothesis: a failing one is shrunk, printed and kept in ``.hypothesis``."""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dashcam.chaos.care import migrate, rescanned
from dashcam.chaos.clips import variant
from dashcam.chaos.interrupt import Killed, Watch
from dashcam.chaos.invariants import Ground, always, at_rest
from dashcam.chaos.trial import Undisturbed, recover
from dashcam.chaos.world import InHand, Run, World
from dashcam.database import writing
from dashcam.storage import layout
from dashcam.tasks.model import TaskType
from dashcam.tasks.table import MAX_BACKOFF
from dashcam.upkeep import backup, planning
from dashcam.upkeep.rebuild import rebuild
from dashcam.upkeep.restore import restore

MORE = os.environ.get("DASHCAM_CHAOS_EXAMPLES")
EXAMPLES = int(MORE or 4)


class Pipeline(RuleBasedStateMachine):
    """Clips, workers, a main server, two stores and a clock; and whoever comes too late or twice."""

    undisturbed: ClassVar[Undisturbed]
    url: ClassVar[str] = ""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dashcam-machine-"))
        self.world = World(self.folder, self.undisturbed.stages, self.url)
        self.ticking = self.world.clock.ticking()
        self.ticking.__enter__()
        self.hands: list[InHand] = []
        self.zombies: list[InHand] = []
        self.clips = 0
        self.protected: set[str] = set()
        self.backup: Path | None = None
        self.restored = False

    def ground(self) -> Ground:
        world = self.world
        return Ground(
            world.engine, world.roots, [world.scratch], world.names, self.undisturbed.metadata, world.markers,
            protected=self.protected, restored=self.restored,
        )  # fmt: skip

    def live(self) -> list[Run]:
        return [run for run in self.world.runs.values() if run.live]

    def there(self) -> bool:
        return all((root / next(iter(self.world.markers.values()))).exists() for root in self.world.roots.values())

    @precondition(lambda self: self.clips < 2 and self.there())
    @rule(scene=st.integers(0, 3))
    def clip_is_handed_in(self, scene: int) -> None:
        self.clips += 1
        clip = self.undisturbed.clips[scene]
        self.world.hand_in(self.world.put(clip.name, variant(clip, self.clips), f"trip-{self.clips}"))

    @rule()
    def dispatcher_offers(self) -> None:
        self.world.offer()

    @precondition(lambda self: self.live())
    @rule(which=st.integers(0, 9))
    def worker_works(self, which: int) -> None:
        live = self.live()
        if hand := self.world.begin(live[which % len(live)]):
            self.hands.append(hand)

    @precondition(lambda self: self.live())
    @rule(which=st.integers(0, 9), moment=st.integers(1, 60))
    def worker_dies(self, which: int, moment: int) -> None:
        def die(change: str, path: Path) -> None:
            raise Killed

        live = self.live()
        run = live[which % len(live)]
        try:
            if hand := self.world.begin(run, Watch(self.world.watched, moment, die)):
                self.hands.append(hand)
        except Killed:
            run.state = "crashed"

    @precondition(lambda self: self.hands)
    @rule(which=st.integers(0, 9))
    def worker_delivers(self, which: int) -> None:
        hand = self.hands.pop(which % len(self.hands))
        self.world.deliver(hand)
        self.zombies.append(hand)

    @precondition(lambda self: self.hands)
    @rule(which=st.integers(0, 9))
    def worker_is_taken_for_dead(self, which: int) -> None:
        hand = self.hands.pop(which % len(self.hands))
        hand.run.state = "crashed"
        self.zombies.append(hand)

    @precondition(lambda self: self.zombies)
    @rule(which=st.integers(0, 9), fails=st.booleans())
    def zombie_delivers(self, which: int, fails: bool) -> None:
        hand = self.zombies[which % len(self.zombies)]
        self.world.deliver(InHand(hand.run, hand.task, "It woke late.") if fails else hand)

    @precondition(lambda self: self.zombies)
    @rule(which=st.integers(0, 9))
    def zombie_works(self, which: int) -> None:
        self.world.attempt(self.zombies[which % len(self.zombies)].task)

    @rule(minutes=st.sampled_from([-60 * 24 * 400, -90, 6, 600, 60 * 24 * 400]))
    def clock_jumps(self, minutes: int) -> None:
        self.world.clock.now += timedelta(minutes=minutes)

    @rule()
    def server_restarts(self) -> None:
        self.world.restart_server()

    @rule()
    def power_goes_and_returns(self) -> None:
        self.hands.clear()
        self.world.restart_server()
        self.world.power_returns()

    @rule(store=st.sampled_from([layout.INDOOR, layout.SHED]))
    def store_goes_or_comes(self, store: str) -> None:
        root = self.world.roots[store]
        away = root.with_name(f"{root.name}.away")
        if away.exists():
            assert not [one for one in root.rglob("*") if one.is_file()], "written where nothing was mounted"
            shutil.rmtree(root)
            away.rename(root)
        else:
            root.rename(away)
            root.mkdir()

    @precondition(lambda self: self.world.names)
    @rule(which=st.integers(0, 9), stage=st.sampled_from(TaskType))
    def clip_is_done_again(self, which: int, stage: TaskType) -> None:
        self.world.do_again(sorted(self.world.names)[which % len(self.world.names)], stage)

    @rule(stage=st.sampled_from(TaskType))
    def newer_version_comes(self, stage: TaskType) -> None:
        self.world.upgrade(stage)

    @precondition(lambda self: self.world.names)
    @rule(which=st.integers(0, 9))
    def clip_is_protected(self, which: int) -> None:
        self.protected.add(video_id := sorted(self.world.names)[which % len(self.world.names)])
        with writing(self.world.engine) as session:
            planning.protect(session, video_id, "an accident", "the owner", self.world.clock.now)

    @precondition(lambda self: self.there())
    @rule(days=st.sampled_from([0, 100]))
    def retention_runs(self, days: int) -> None:
        self.world.clock.now += timedelta(days=days)
        self.world.tidy()

    @precondition(lambda self: self.there())
    @rule()
    def house_is_swept(self) -> None:
        self.world.sweep()

    @rule()
    def backup_is_taken(self) -> None:
        folder = self.folder / "backups"
        self.backup = folder / backup.take(self.world.engine, folder, keep=1).file
        self.saved = set(self.protected)

    @precondition(lambda self: self.backup is not None and self.there())
    @rule()
    def backup_is_restored(self) -> None:
        """The main server is stopped for it; workers go on, and come to a database that is older than they are."""
        assert self.backup is not None
        self.world.engine.dispose()
        restore(self.world.url, self.backup, self.backup.parent, migrate, lambda line: None, keep_old=False)
        self.restored = True
        self.world.restart_server()
        rebuild(self.world.engine, self.world.stores, self.world.site, add=True)
        rescanned(self.world)
        self.protected = set(self.saved)

    @invariant()
    def holds_always(self) -> None:
        if hasattr(self, "world"):
            assert [str(one) for one in always(self.ground())] == []

    @invariant()
    def nothing_that_is_free_waits_longer_than_it_may(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            late = {one: str(t) for one, t in self.world.waits().items() if t > self.world.clock.now + MAX_BACKOFF}
            assert not late, f"now is {self.world.clock.now}"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            for store, root in self.world.roots.items():
                if root.with_name(f"{root.name}.away").exists():
                    self.store_goes_or_comes(store)
            recover(self.world)
            assert [str(one) for one in at_rest(self.ground())] == []
        finally:
            self.ticking.__exit__(None, None, None)
            self.world.close()
            shutil.rmtree(self.folder)


def machine(undisturbed: Undisturbed, url: str = "") -> Any:
    return type("Pipeline", (Pipeline,), {"undisturbed": undisturbed, "url": url}).TestCase


@pytest.mark.timeout(900)
def test_whatever_happens_in_whatever_order(undisturbed: Undisturbed) -> None:
    """The same few each time; DASHCAM_CHAOS_EXAMPLES new ones."""
    case = machine(undisturbed)
    case.settings = settings(
        max_examples=EXAMPLES, derandomize=not MORE, stateful_step_count=25, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    case().runTest()
