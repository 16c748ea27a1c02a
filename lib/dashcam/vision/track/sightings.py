"""From tracklets to sightings: which belong to one plate, what it says, and whether that is confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush

from dashcam.records import Box, Read
from dashcam.vision.read.voting import Vote, as_told, distance, vote
from dashcam.vision.track.pipeline import Evidence, Tracklet

GAP_S = 6.0
"""A plate that shows again within this time is the same sighting."""
MAX_READS = 24
LENGTHS = range(4, 11)
"""Characters of a registration mark, of any country; shorter ones exist and stay unconfirmed."""
CONFIRMED_FROM = 0.7
"""What a confirmed plate's vote is at least: of 580 tracks of held-out crops 84 % of the right ones are confirmed so,
and 98 % of the confirmed are right (0.5: 84 and 98 %; 0.9: 75 and 99 %)."""
CONFIRMED_WORD_FROM = 0.9
NUMBER_LENGTHS = range(4, 8)
"""Digits of a plate that has no letters; of eight, one may be a date."""
KEPT_LENGTHS = range(3, 11)
MIN_CONFIDENCE = 0.1
"""Beyond these an unconfirmed reading is noise, not a plate somebody may want to look up."""
_Place = tuple[float, str, int]
"""Where a group stands among the others: by first appearance, then by text, then the one made first."""


@dataclass(frozen=True)
class MergedTrack:
    """One plate through one stretch of a clip. ``best`` is the read to show; ``evidence`` is in order of time."""

    vote: Vote
    confirmed: bool
    first_s: float
    last_s: float
    best: Evidence
    evidence: tuple[Evidence, ...]


@dataclass
class _Group:
    number: int
    """In the order in which groups were made."""
    tracklets: list[Tracklet]
    vote: Vote
    confirmed: bool

    @property
    def place(self) -> _Place:
        return self.first_s, self.vote.text, self.number

    @cached_property
    def first_s(self) -> float:
        return min(t.first_s for t in self.tracklets)

    @cached_property
    def last_s(self) -> float:
        return max(t.last_s for t in self.tracklets)

    @cached_property
    def agreeing(self) -> int:
        return sum(e.read.text == self.vote.text for t in self.tracklets for e in t.evidence)

    @cached_property
    def evidence(self) -> list[Evidence]:
        found = sorted((e for t in self.tracklets for e in t.evidence), key=lambda e: (e.read.pts, e.read.box))
        best = sorted(found, key=lambda e: (-e.read.legibility, e.read.pts))[:MAX_READS]
        return [e for e in found if e in best]


def sightings(tracklets: Sequence[Tracklet], gap_s: float = GAP_S) -> list[MergedTrack]:
    """The plates of a clip by first appearance; unconfirmed ones are kept unless they are noise."""
    merging = _Merging(gap_s)
    for tracklet in tracklets:
        if tracklet.evidence:
            merging.add([tracklet])
    return [_merged(group) for group in merging.merged() if group.confirmed or _worth_keeping(group.vote)]


def is_confirmed(result: Vote, evidence: Sequence[Evidence]) -> bool:
    """At least two whole reads that agree, or one that is very clear; plates only in length and in being whole.

    Letters alone are more often a sign on the street than a plate, digits alone a date or a telephone number: they take
    three very sure reads, or, where they are a `_number_plate`, two.
    """
    agreeing = [e.read for e in evidence if e.read.text == result.text and not e.cut]
    if len(result.text) not in LENGTHS or not agreeing:
        return False
    if result.text.isalpha() or result.text.isdigit():
        sure = sum(r.confidence >= 0.9 and r.legibility >= 0.4 for r in agreeing)
        word = len(result.text) <= 8 and sure >= 3 and result.confidence >= CONFIRMED_WORD_FROM
        return word or (sure >= 2 and result.confidence >= CONFIRMED_FROM and _number_plate(agreeing))
    if len({r.pts for r in agreeing if r.legibility >= 0.15}) >= 2:
        return result.confidence >= CONFIRMED_FROM
    return any(r.confidence >= 0.95 and r.legibility >= 0.5 for r in agreeing) and result.confidence >= CONFIRMED_FROM


def _number_plate(agreeing: Sequence[Read]) -> bool:
    """Whether reads of digits alone are of a thing that is followed as a plate is: in three frames, and moving.

    A date or time that the camera writes stands where it is; telephone numbers are longer. Of 664 photographs that were
    moved like a street gone by, nothing but plates is confirmed so (`benchmarks/digits.py`).
    """
    boxes = [r.box for r in agreeing]
    moved = max(max(side) - min(side) for side in zip(*boxes, strict=True))
    return (
        agreeing[0].text.isdigit()
        and len(agreeing[0].text) in NUMBER_LENGTHS
        and len({r.pts for r in agreeing}) >= 3
        and moved > 0.5 * max(y1 - y0 for _, y0, _, y1 in boxes)
    )


def _worth_keeping(result: Vote) -> bool:
    return len(result.text) in KEPT_LENGTHS and result.confidence >= MIN_CONFIDENCE


class _Merging:
    """Groups of tracklets, and the pairs of them that may be one plate.

    A pair is compared once, when the later of the two is made: to compare all of them anew after each merge takes
    minutes where a street is full of plates.
    """

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._made = 0
        self._groups: dict[_Place, _Group] = {}
        self._pairs: list[tuple[float, float, _Place, _Place]] = []
        """A heap, the two that are most surely one plate first; those of groups that are gone stay in it."""

    def add(self, tracklets: list[Tracklet]) -> None:
        group = _group(self._made, tracklets)
        self._made += 1
        for other in self._groups.values():
            gap = max(group.first_s, other.first_s) - min(group.last_s, other.last_s)
            if gap <= self._gap_s:
                left, right = sorted((group, other), key=lambda g: g.place)
                if (apart := _apart(left, right)) is not None:
                    heappush(self._pairs, (apart, gap, left.place, right.place))
        self._groups[group.place] = group

    def merged(self) -> list[_Group]:
        """What is left when no two are one plate, by first appearance."""
        while self._pairs:
            _, _, left, right = heappop(self._pairs)
            if left in self._groups and right in self._groups:
                self.add(self._groups.pop(left).tracklets + self._groups.pop(right).tracklets)
        return [self._groups[place] for place in sorted(self._groups)]


def _group(number: int, tracklets: list[Tracklet]) -> _Group:
    group = _Group(number, tracklets, Vote("", 0.0, []), False)
    group.vote = vote([e.read for e in group.evidence])
    group.confirmed = is_confirmed(group.vote, group.evidence)
    return group


def _apart(a: _Group, b: _Group) -> float | None:
    """How different two readings are, in characters; None when they are not the same plate."""
    if a.vote.text == b.vote.text:
        return 0.0
    if _elsewhere_at_once(a, b):
        return None
    short, long = sorted((a, b), key=lambda g: (len(g.vote.text), g.vote.text))
    if _is_fragment(short, long):
        return 1.0
    apart = distance(a.vote.probabilities, b.vote.probabilities)
    limit = 0.8 if a.agreeing >= 2 and b.agreeing >= 2 else 1.3
    return apart if apart <= min(limit, 0.25 * len(long.vote.text)) else None


def _is_fragment(short: _Group, long: _Group) -> bool:
    """Whether one reading is a piece, cut off by the frame or by something in front, of a longer and better one."""
    return 3 <= len(short.vote.text) < len(long.vote.text) and short.vote.text in long.vote.text and long.confirmed


def _elsewhere_at_once(a: _Group, b: _Group) -> bool:
    """Two boxes apart in one frame are two plates (or one plate and a sign), however similar they read."""
    there = {t_s: box for tracklet in a.tracklets for t_s, box in tracklet.seen}
    return any(t_s in there and not _overlap(there[t_s], box) for tracklet in b.tracklets for t_s, box in tracklet.seen)


def _overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def _merged(group: _Group) -> MergedTrack:
    evidence = group.evidence
    agreeing = [e for e in evidence if e.read.text == group.vote.text] or evidence
    best = max(agreeing, key=lambda e: (e.read.legibility, e.read.confidence, -e.read.pts))
    told = as_told(group.vote, [e.read for e in evidence])
    return MergedTrack(told, group.confirmed, group.first_s, group.last_s, best, tuple(evidence))
