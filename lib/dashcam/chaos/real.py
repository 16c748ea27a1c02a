"""The real system under faults: a reference first, then seed after seed on one warm system."""

import contextlib
import math
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from dashcam import Explained, Say
from dashcam.chaos import ahead, disks, fragile
from dashcam.chaos.clips import base_clips, variant
from dashcam.chaos.driven import START_S, Driven
from dashcam.chaos.faults import DISKS, SIZES_MB, NotNow, Scene, hand_in
from dashcam.chaos.fragile import Fragile
from dashcam.chaos.invariants import Ground, at_rest, canonical
from dashcam.chaos.outages import STORES, every_fault
from dashcam.chaos.report import Injection, Report, Violation
from dashcam.chaos.wire import Wire
from dashcam.database import open_engine
from dashcam.storage import layout
from dashcam.vision.detect.onnx_detector import quickest_weights

RECOVERY_S = 180.0
"""Within so long of a fault's end everything has gone on by itself."""
END_S = 30.0
"""A fault that is begun so long before the end, and all work after it, ends about then."""
FAULTS_A_SEED = (6, 10)
CLIPS_A_FAULT = 2
REFERENCE = -1
VARIANTS_A_SEED = 1000


OF_STORES = tuple(f"{store}-" for store in STORES)


class NothingToDo(Explained):
    """No fault can be done here; the message says why."""


@dataclass
class Warm:
    """One running system, and every clip it was ever given."""

    driven: Driven
    base: Sequence[Path]
    reference: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Of each clip handed in, by its id: which one it is a variant of."""

    def hand_in(self, base: Sequence[Path], seed: int, number: int) -> dict[str, tuple[Path, bytes]]:
        """A variant of each of these clips; its file and content by its id."""
        folder = self.driven.stores[layout.INDOOR] / layout.RAW / str(seed) / str(number)
        folder.mkdir(parents=True)
        made = {}
        for clip in base:
            made[folder / clip.name] = variant(clip, (seed + 2) * VARIANTS_A_SEED + number)
        for path, content in made.items():
            path.write_bytes(content)
        ids = hand_in(self.driven, list(made))
        self.names |= {video_id: path.name for video_id, path in zip(ids, made, strict=True)}
        return dict(zip(ids, made.items(), strict=True))

    def unfinished(self) -> set[str]:
        with contextlib.suppress(OSError):
            return self.driven.unfinished(list(self.names))
        return set(self.names)

    def completed(self) -> int | None:
        with contextlib.suppress(OSError):
            return self.driven.completed()
        return None

    def breaches(self) -> list[tuple[str, str]]:
        engine = open_engine(f"sqlite:///{self.driven.data / 'dashcam.db'}")
        try:
            ground = Ground(engine, self.driven.stores, self.driven.scratches, self.names, self.reference)
            return [(one.invariant, one.sentence) for one in at_rest(ground)]
        finally:
            engine.dispose()

    def take_reference(self) -> None:
        engine = open_engine(f"sqlite:///{self.driven.data / 'dashcam.db'}")
        try:
            self.reference = canonical(engine, self.names, self.driven.stores)
        finally:
            engine.dispose()


def possible(wanted: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """The faults that can be done here, and why others cannot. Raises `NothingToDo`."""
    every = every_fault()
    names = [name for name in every if wanted is None or name in wanted]
    skipped: dict[str, str] = {}
    if why := disks.unavailable():
        skipped |= {f"disk-full-{name}": why for name in DISKS if f"disk-full-{name}" in names}
    if why := fragile.unavailable():
        skipped |= {name: why for name in names if name.startswith(OF_STORES)}
    if why := ahead.unavailable():
        skipped |= {name: why for name in names if name.startswith("clock-")}
    left = [name for name in names if name not in skipped]
    if not left:
        reasons = "; ".join(sorted(set(skipped.values()))) or f"known are {', '.join(every)}"
        raise NothingToDo(f"None of these faults can be done on the real system here: {reasons}.")
    return left, skipped


def run(
    folder: Path, seeds: Sequence[int], faults: Sequence[str] | None, say: Say, ends: float | None = None
) -> Generator[Report]:
    """Seed after seed in the empty ``folder``; nothing is begun after ``ends``, by the monotonic clock, which leaves a
    seed with fewer faults. Raises `NothingToDo`."""
    names, skipped = possible(faults)
    left, systems, reference = list(seeds), 0, dict[str, str]()
    base: list[Path] = []
    while left and soon(ends) > START_S / 4:
        base = base or base_clips(folder / "base")
        place = folder / f"system-{systems}"
        systems += 1
        clean = True
        try:
            with warm_system(place, base, reference, say, names, min(START_S, soon(ends))) as warm:
                reference = warm.reference
                while clean and left and soon(ends) > END_S:
                    one = run_seed(warm, left.pop(0), names, say, ends)
                    one.skipped = skipped
                    clean = not one.violations  # what is wrong in there would be found again after every other seed
                    yield one
        except (TimeoutError, NothingToDo) as late:
            if soon(ends) > 0:
                raise
            say(f"The time was over before the system was ready: {late}")
        if clean:
            shutil.rmtree(place, ignore_errors=True)


def soon(ends: float | None) -> float:
    """Seconds that are left."""
    return math.inf if ends is None else ends - time.monotonic()


@contextlib.contextmanager
def warm_system(
    folder: Path,
    base: Sequence[Path],
    reference: dict[str, str],
    say: Say,
    faults: Sequence[str] = (),
    patience_s: float = START_S,
) -> Iterator[Warm]:
    """Up, made so that these faults can be done, with the undisturbed run's metadata; of a failed run the logs stay in
    ``folder``."""
    folder.mkdir(parents=True)
    data, weights = folder / "data", folder / "weights" / "plate-detector.onnx"
    weights.parent.mkdir()
    shutil.copyfile(quickest_weights(), weights)
    driven: Driven | None = None
    small = not disks.unavailable()
    with contextlib.ExitStack() as held:
        wire = held.enter_context(Wire(lambda: port_of(driven)))
        driven = Driven(folder, wire, weights, say, own_clocks=any(name.startswith("clock-") for name in faults))
        if any(name.startswith(OF_STORES) for name in faults):
            driven.nas = {one: Fragile(folder / "disks" / one, driven.stores[one]) for one in STORES.values()}
        if small:
            held.enter_context(disks.mounted({DISKS[name](driven): size for name, size in SIZES_MB.items()}))
            held.callback(keep_what_tells, data, folder)
        for nas in driven.nas.values():
            held.enter_context(nas)
        held.callback(driven.end)
        driven.prepare()
        driven.up()
        driven.wait_until_up(patience_s)
        warm = Warm(driven, base, reference)
        warm.hand_in(base, REFERENCE, 0)
        if sentence := finished(warm, min(RECOVERY_S, patience_s)):
            raise NothingToDo(f"The undisturbed run did not end: {sentence}")
        if not reference:
            warm.take_reference()
        if found := warm.breaches():
            raise NothingToDo(f"The undisturbed run is not as it must be: {found[0][1]}")
        say("The undisturbed run is through")
        yield warm


def port_of(driven: Driven | None) -> int | None:
    ports = driven.ports if driven else None
    return ports.app if ports else None


def keep_what_tells(data: Path, folder: Path) -> None:
    """Out of the disks that are gone in a moment: logs and databases."""
    with contextlib.suppress(OSError):
        shutil.copytree(data / "logs", folder / "logs", dirs_exist_ok=True)
        for name in ("dashcam.db", "dashcam.db-wal", "prefect/prefect.db", "prefect/prefect.db-wal"):
            if (data / name).exists():
                shutil.copyfile(data / name, folder / Path(name).name)


def run_seed(warm: Warm, seed: int, names: Sequence[str], say: Say, ends: float | None = None) -> Report:
    random, began = Random(seed), time.monotonic()
    report = Report(seeds=[seed])
    faults, scene = every_fault(), Scene(warm.driven, random)
    given: dict[str, tuple[Path, bytes]] = {}

    def broken(invariant: str, sentence: str, fault: str = "") -> None:
        say(f"seed {seed}: VIOLATION {invariant}: {sentence}")
        report.violations.append(Violation(seed, invariant, sentence, fault))

    try:
        for number in range(random.randint(*FAULTS_A_SEED)):
            if soon(ends) < END_S:
                say(f"seed {seed}: the time is over after {number} faults")
                break
            given |= warm.hand_in(random.sample(warm.base, CLIPS_A_FAULT), seed, number)
            open_ones = warm.unfinished()
            scene.clips = dict(place for video_id, place in given.items() if video_id in open_ones)
            name = random.choice(names)
            scene.moment(4)
            at_s = time.monotonic() - began
            try:
                detail = faults[name](scene)
            except NotNow as nothing:
                say(f"seed {seed}: {name} is left out: {nothing}")
                continue
            wait = random.random() < 0.7  # else the next fault may meet a system that recovers
            recovered_s = recovery(warm, RECOVERY_S) if wait else None
            if wait and recovered_s is None and warm.unfinished():
                broken("recovery", f"Nothing went on for {RECOVERY_S:.0f} s after: {detail}.", name)
            say(f"seed {seed}: {name}: {detail}" + (f"; went on after {recovered_s:.1f} s" if recovered_s else ""))
            report.injections.append(Injection(seed, name, round(at_s, 1), detail, recovered_s))
    except TimeoutError as error:
        broken("recovery", f"{error}.")
    for trouble in [*scene.troubles, *warm.driven.fell]:
        broken("stays-up", f"{trouble}.")
    warm.driven.fell.clear()
    if sentence := finished(warm, RECOVERY_S):
        broken("recovery", sentence)
    for invariant, sentence in warm.breaches():
        broken(invariant, sentence)
    say(f"seed {seed}: {len(report.injections)} injections, {len(report.violations)} violations, "
        f"{time.monotonic() - began:.0f} s")  # fmt: skip
    return report


def recovery(warm: Warm, limit_s: float) -> float | None:
    """Seconds until another task is completed; None when none is left, or none was."""
    began, before = time.monotonic(), warm.completed()
    while time.monotonic() - began < limit_s:
        warm.driven.tend()
        now = warm.completed()
        if before is not None and now is not None and now > before:
            return round(time.monotonic() - began, 2)
        before = now if before is None else before
        if not warm.unfinished():
            return None
        time.sleep(0.1)
    return None


def finished(warm: Warm, limit_s: float) -> str:
    """Waits until every clip is through and every run has ended; what is not, after so long."""
    began, left, runs = time.monotonic(), warm.unfinished(), ["?"]
    while time.monotonic() - began < limit_s:
        warm.driven.tend()
        left = warm.unfinished()
        if not left:
            with contextlib.suppress(httpx.HTTPError, OSError):
                runs = warm.driven.runs_alive()
            if not runs:
                return ""
        time.sleep(0.2)
    if left:
        return f"{len(left)} clips were not through {limit_s:.0f} s after the last fault, {min(left)} for one."
    return f"After {limit_s:.0f} s Prefect still believed alive: {', '.join(runs)}."
