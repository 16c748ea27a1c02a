"""Damaged clips through the whole pipeline: each is processed or rejected in words, none crashes or takes too long.

    python -m tests.fuzz.clips 300 --seed 1 [--real FOLDER] [--json FILE]

Each clip has a process of its own, with a limit to its time and memory. One seed again: ``1 --seed N``.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from dashcam.sample import short_clips
from tests.fuzz.mutations import Mutant, Source, mutant, with_other_containers
from tests.fuzz.through import through

CPU_S, WALL_S = 60, 300
"""A whole clip of these takes some seconds of CPU; by the clock, one that hangs is looked at so often."""
REAL_BYTES = 5 << 20
SUFFIXES = {".mp4", ".ts", ".mov", ".avi"}


@dataclass(frozen=True)
class Outcome:
    """``kind``: processed, rejected, or what must not be: failed, crash, slow, wordless."""

    seed: int
    clip: str
    of: str
    kind: str
    words: str = ""
    cpu_s: float = 0.0

    @property
    def is_violation(self) -> bool:
        return self.kind not in ("processed", "rejected")


def sources(folder: Path, real: Path | None) -> list[Source]:
    """Drawn clips in each container, and the real ones below a folder as they are."""
    drawn = [Source(clip.name, clip.read_bytes()) for clip in short_clips(folder, 1, 2.0)]
    found = sorted(real.rglob("*")) if real else []
    clips = [path for path in found if path.suffix.lower() in SUFFIXES and 4096 < path.stat().st_size < REAL_BYTES]
    return [*with_other_containers(drawn), *(Source(path.name, path.read_bytes()) for path in clips)]


def outcome_of(one: Mutant, seed: int, folder: Path) -> Outcome:
    clip = folder / one.name
    clip.write_bytes(one.data)
    os.utime(clip, (0, 0))  # it does not grow any more
    mine, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=through, args=(clip, folder / "stores", CPU_S, theirs))
    process.start()
    theirs.close()
    told = ("slow", f"at a standstill for {WALL_S} s", float(CPU_S))
    if ends(process, mine):
        told = ("crash", "", 0.0)
        with suppress(EOFError):
            told = mine.recv()
    process.join(10)
    process.kill()
    process.join()
    if told[0] == "crash" and not told[1]:  # ended by the kernel
        by_limit = process.exitcode in (-24, -9)  # SIGXCPU, and the kernel's second word
        told = ("slow" if by_limit else "crash", f"ended by signal {-(process.exitcode or 0)}", float(CPU_S))
    shutil.rmtree(folder, ignore_errors=True)
    return Outcome(seed, one.name, one.of, *told)


def ends(process: BaseProcess, answer: Connection) -> bool:
    """Whether it does before it has stood still for `WALL_S`: on a busy machine it is slow, and hangs for nothing."""
    used = -1.0
    while not answer.poll(WALL_S):
        times = psutil.Process(process.pid).cpu_times()
        if times.user + times.system - used < 0.1:
            return False
        used = times.user + times.system
    return True


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.fuzz.through"])


def run(seeds: Sequence[int], real: Path | None) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory(prefix="clips-") as temporary:
        clips = sources(Path(temporary) / "whole", real)
        for seed in seeds:
            folder = Path(temporary) / str(seed)
            folder.mkdir()
            yield outcome_of(mutant(clips, seed), seed, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=int)
    parser.add_argument("--seed", type=int, help="of the first; default: the time")
    parser.add_argument("--real", type=Path, help="a folder with real clips, which are mutated too")
    parser.add_argument("--json", type=Path, help="every outcome goes here")
    arguments = parser.parse_args()
    first = int(time.time()) % 1_000_000 if arguments.seed is None else arguments.seed
    print(f"{arguments.clips} damaged clips from seed {first} on", flush=True)
    outcomes = []
    for outcome in run(range(first, first + arguments.clips), arguments.real):
        outcomes.append(outcome)
        print(f"{outcome.seed} {outcome.of}: {outcome.kind}, {outcome.cpu_s} s. {outcome.words}".strip(), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")
    print(dict(Counter(outcome.kind for outcome in outcomes)))
    print(f"slowest: {max((outcome.cpu_s for outcome in outcomes), default=0)} s of CPU")
    sys.exit(1 if any(outcome.is_violation for outcome in outcomes) else 0)


if __name__ == "__main__":
    main()
