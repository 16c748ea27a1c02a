"""Which characters our readers take for each other: P(what stands on the plate | what was read).

What was measured once is the beginning; what the reads of this catalogue's own tracks say of each other, and what
people have corrected, is counted on top.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, SightingRow
from dashcam.records import CONFUSED

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OTHER = len(ALPHABET)
"""The code of a character that no plate reader knows."""
ANY = 0.005
"""Of any character in the place of any other: a plate that is dirty, or a person who remembers it wrongly."""
LOOK_ALIKE = 0.04
"""At least, of characters that look alike, however seldom one stood for the other in what was measured."""
WEIGHT = 200.0
"""What was measured counts for so many reads of a character; so many of our own outweigh it."""
NEWEST = 300
"""So many sightings are looked at for what our own reads confuse."""
SURE = 0.9

Counts = Mapping[tuple[str, str], float]
"""How often (what was read, what stood there)."""
Table = NDArray[np.float64]
"""37 x 37: P(column stood there | row was read); the last of both is `OTHER`."""

MEASURED = """
0 487 817 15 94 D4 33 22 42 62
1 716 718 014 97 35 55 65 24 84 T4 42 D2 W2
2 509 35
3 465 916 04 24 83 52 72 B2
4 442 64 13 53 93
5 543 620 916 S8 12
6 382 86 55 43 02 12
7 461 216 311 14 Z2
8 443 B13 98 67 02 42
9 496 86 34 23 53 12 42
A 395 B4 X3 J2
B 195 89 62 A2
C 162 05 D3 G3 E2
D 100 B2
E 127 B4
F 123 E3 R3
G 112 C2 S2
H 185 W5 B4 N2
I 80 13 K3 T3 82 X2
J 82 33 D2
K 103 R3 B2
L 170 C7 E5 I5 U5 44 13 A2
M 143 N12 H5 W4
N 103 A4 M3 R2 X2
O 46 D6 Q6 04 B2 C2 R2
P 108 R2
Q 29 D2
R 91 B4
S 89 94 D2
T 128 74 I3 Y3 12 D2 V2
U 88 
V 90 92 N2 U2 W2
W 97 M11 A4 N3 K2 V2 Y2
X 66 K2
Y 65 T2
Z 93 22
"""
"""Of each character how often it was read, and what stood there instead: the pipeline's own reader on 2,200 readings of
plates in six public sets, made 9 to 20 pixels high, those with more than two wrong characters left out."""


def code(character: str) -> int:
    place = ALPHABET.find(character) if character else OTHER
    return place if place >= 0 else OTHER


@cache
def measured() -> Table:
    """Of the reader as it is delivered."""
    return table(())


def table(counted: Iterable[Counts]) -> Table:
    """What was measured, with what was counted since."""
    found = np.zeros((OTHER + 1, OTHER + 1))
    for line in MEASURED.split("\n"):
        read, *rest = line.split() or [""]
        if not read:
            continue
        total = float(rest[0])
        for pair in rest[1:]:
            found[code(read), code(pair[0])] = float(pair[1:]) / total * WEIGHT
        found[code(read), code(read)] = WEIGHT - found[code(read)].sum()
    for counts in counted:
        for (read, stood), times in counts.items():
            if OTHER not in (code(read), code(stood)):
                found[code(read), code(stood)] += times
    shares: Table = np.maximum(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9), ANY)
    for group in CONFUSED:
        for read in group:
            for stood in group:
                shares[code(read), code(stood)] = max(shares[code(read), code(stood)], LOOK_ALIKE)
    return shares


def within_tracks(session: Session) -> Counter[tuple[str, str]]:
    """What single reads of the newest sure sightings said where the whole track agreed on another character."""
    newest = (
        select(Plate.text, SightingRow.reads)
        .join(Plate, Plate.plate_id == SightingRow.plate_id)
        .where(SightingRow.confirmed, SightingRow.seen_utc.is_not(None), SightingRow.confidence >= SURE)
        .order_by(SightingRow.seen_utc.desc())
        .limit(NEWEST)
    )
    found: Counter[tuple[str, str]] = Counter()
    for text, reads in session.execute(newest):
        found.update(of_track(text, reads))
    return found


def of_track(text: str, reads: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """(read, stood there) of each character of the reads that have as many as the plate."""
    for read in reads:
        said = str(read["text"])
        if len(said) == len(text) and sum(a != b for a, b in zip(said, text, strict=True)) <= 2:
            yield from zip(said, text, strict=True)
