"""Power cuts: stores, scratch and database lie on an ext4 image; a child process works there, is stopped at one moment,
and the image is copied as it is then. What was not flushed is not in the copy. It is mounted, and recovers.

Needs Linux, root, loop devices and ``mkfs.ext4``.
"""

# signals and mounts that Windows does not know; `dashcam chaos` refuses to run there
# mypy: disable-error-code="attr-defined"

import filecmp
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dashcam.chaos import disks
from dashcam.chaos.interrupt import Watch, watching
from dashcam.chaos.invariants import always, at_rest
from dashcam.chaos.report import Report
from dashcam.chaos.trial import Trial, hand_in, recover, undisturbed
from dashcam.chaos.world import World

SIZE_MB = 96
FAULT = "power-cut"
LONGEST_S = 120.0
COMMIT_S = (1, 5)
"""How often the file system writes its journal by itself."""


def impossible() -> str | None:
    """Why this machine can have no power cuts; None where it can."""
    if os.geteuid() != 0:
        return "power cuts need root, to mount an image"
    if shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists():
        return "power cuts need mkfs.ext4 and loop devices"
    return disks.unavailable() or None


def run(seed: int, workdir: Path, clips: int = 1) -> Report:
    """One power cut, and what came of it."""
    if why := impossible():
        return Report(seeds=[seed], skipped={FAULT: why})
    normal = undisturbed(workdir)
    folder = workdir / f"power-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    image, copy, place = folder / "image", folder / "copy", folder / "disk"
    dice = random.Random(seed)
    _format(image)
    place.mkdir()
    with _mounted(image, place, f"commit={dice.choice(COMMIT_S)}"):
        trial = Trial(seed, World(place, normal.stages), normal, dice, Report(seeds=[seed]))
        hand_in(trial, clips)
        trial.world.close()
        subprocess.run(["sync", "-f", place], check=True)
        child, when = _at_work(trial, place)
        try:
            detail = _stopped(child, when)
            _copy_still(image, copy)
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    with _mounted(copy, place):
        again = World(place, normal.stages, clock=trial.world.clock, names=trial.world.names)
        trial.world = again
        trial.injected(FAULT, detail)
        with again.clock.ticking():
            trial.note(always(trial.ground()), FAULT)
            recover(again)
            trial.note(at_rest(trial.ground()), FAULT)
        again.close()
    if not trial.report.violations:
        shutil.rmtree(folder)
    return trial.report


def _format(image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(SIZE_MB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)


@contextmanager
def _mounted(image: Path, place: Path, options: str = "") -> Iterator[None]:
    subprocess.run(["mount", "-o", ",".join(filter(None, ("loop", options))), image, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def _at_work(trial: Trial, place: Path) -> tuple[int, float]:
    """A child that works everything off, and stops itself at one file operation; or is to be stopped after so many
    seconds."""
    total = sum(trial.normal.operations.values()) * len(trial.world.names)
    by_operation = trial.dice.random() < 0.8
    at = trial.dice.randint(1, total) if by_operation else None
    after_s = 0.0 if by_operation else trial.dice.uniform(0.05, 2.0)
    # an engine of one thread has no threads that a fork would lose
    child = os.fork()
    if child:
        return child, after_s
    try:
        world = World(place, trial.normal.stages, names=trial.world.names)
        watch = Watch([place], at, lambda change, path: os.kill(os.getpid(), signal.SIGSTOP))
        with world.clock.ticking(), watching(watch):
            world.work_off()
    finally:
        os._exit(0)


def _stopped(child: int, after_s: float) -> str:
    """Until it has stopped itself, or is stopped; or is through."""
    if after_s:
        time.sleep(after_s)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGSTOP)
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        # its end is only looked at: it is waited for later
        seen = os.waitid(os.P_PID, child, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        if seen is not None:
            stopped = seen.si_code == os.CLD_STOPPED
            return (f"after {after_s:.2f} s" if after_s else "before a change of a file") if stopped else "at the end"
        time.sleep(0.005)
    raise TimeoutError(f"the child {child} has neither stopped nor ended in {LONGEST_S:g} s")


def _copy_still(image: Path, copy: Path) -> None:
    """As it was at one moment: what the kernel writes by itself while it is copied spoils the copy, then once more."""
    for _ in range(20):
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", image, copy], check=True)
        if filecmp.cmp(image, copy, shallow=False):
            return
    raise RuntimeError(f"{image} was written to all the time")
