"""``python -m benchmarks.both_cameras``: what it says of a read that front and rear camera both have it.

Each held-out crop is followed twice, as ``training.reader.votes`` makes its tracks, with harm of its own each time.
Prints how often pairs agree and are right, by what of them is confirmed, and whether a pair that agrees comes true as
often as the surer of the two, or as two witnesses who know nothing of each other.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashcam.evaluate.measure import calibration_error, reliability
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader
from dashcam.vision.read.voting import as_told, vote
from dashcam.vision.track.pipeline import Evidence
from dashcam.vision.track.sightings import is_confirmed
from training.reader.photographs import Photograph, labelled
from training.reader.votes import track


@dataclass(frozen=True)
class Look:
    text: str
    confidence: float
    confirmed: bool


@dataclass(frozen=True)
class Pair:
    """Looks at one plate, the confirmed one first."""

    one: Look
    other: Look
    truth: str

    @property
    def agrees(self) -> bool:
        return self.one.text == self.other.text

    @property
    def right(self) -> bool:
        return self.agrees and self.one.text == self.truth

    @property
    def kind(self) -> str:
        return " and ".join("confirmed" if look.confirmed else "unsure" for look in (self.one, self.other))


def look(photograph: Photograph, reader: FixedSlotReader, rng: np.random.Generator) -> Look | None:
    reads = track(photograph, reader, rng)
    if not reads:
        return None
    voted = vote(reads)
    evidence = [Evidence(read, cut=False, jpeg=b"") for read in reads]
    return Look(voted.text, as_told(voted, reads).confidence, is_confirmed(voted, evidence))


def pairs(photographs: Sequence[Photograph], times: int, seed: int) -> list[Pair]:
    reader, rng = FixedSlotReader(None, threads=2), np.random.default_rng(seed)
    found = []
    for photograph in (one for one in photographs for _ in range(times)):
        one, other = look(photograph, reader, rng), look(photograph, reader, rng)
        if one and other:
            first, second = sorted((one, other), key=lambda of: not of.confirmed)
            found.append(Pair(first, second, photograph.text))
    return found


def surer(pair: Pair) -> float:
    return max(pair.one.confidence, pair.other.confidence)


def witnesses(pair: Pair) -> float:
    right = pair.one.confidence * pair.other.confidence
    wrong = (1 - pair.one.confidence) * (1 - pair.other.confidence)
    return right / (right + wrong) if right + wrong else 0.0


def told(name: str, sure: Callable[[Pair], float], agreeing: Sequence[Pair]) -> None:
    bands = reliability([(sure(one), one.right) for one in agreeing])
    print(f"\n{name}: off by {100 * (calibration_error(bands) or 0):.1f} %\n")
    print("| from | pairs | mean | right |\n|---|---|---|---|")
    for band in bands:
        said, right = 100 * band.confidence, 100 * band.exact
        print(f"| {100 * band.from_confidence:.0f} % | {band.reads} | {said:.1f} % | {right:.1f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with plate-crops-us and the rest")
    parser.add_argument("--times", type=int, default=5, help="pairs of each plate")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    found = pairs([one for one in labelled(options.data) if one.held_out], options.times, options.seed)
    kinds = Counter((one.kind, one.agrees) for one in found)
    right = Counter(one.kind for one in found if one.right)
    print("| the two looks | read otherwise | agree | of these right |\n|---|---|---|---|")
    for kind in sorted({kind for kind, _ in kinds}):
        agree = kinds[kind, True]
        share = f"{right[kind]} ({100 * right[kind] / agree:.0f} %)" if agree else ""
        print(f"| {kind} | {kinds[kind, False]} | {agree} | {share} |")
    agreeing = [one for one in found if one.agrees]
    told("As sure as the surer look", surer, agreeing)
    told("As two witnesses", witnesses, agreeing)


if __name__ == "__main__":
    main()
