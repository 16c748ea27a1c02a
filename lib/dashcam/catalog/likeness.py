"""How likely a search is what stood on a plate: P(query | what its reads said of each character).

A query is aligned with the plate's text. Where they agree nothing is taken off; where a character differs it counts
what the plate's own reads gave the one that is asked for, beside what our readers confuse in general; a character
missing or added costs little at an end, where plates are cut off, and much inside. So the exact text is certain, and
more probability for what is asked never ranks lower.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashcam.catalog.confusions import ALPHABET, ANY, Table, code
from dashcam.catalog.plate_text import normalised
from dashcam.records import CharacterProbabilities

OWN = 0.8
"""How much a plate's own reads count, where they have said something."""
LEAST = 0.02
"""Alternatives below that are not kept."""
MOST = 4
"""Of one character so many are."""
AT_END, INSIDE = 0.03, 0.004
"""A character that was not read, or one too many: counted on the readings that `confusions.MEASURED` is from."""
SWAPPED = 0.01
"""Two neighbours the other way round: people remember so, readers do not."""
TRIPLE = np.dtype([("at", "u1"), ("code", "u1"), ("share", "u1")])

ANY_ONE, ANY_MANY = "?", "*"


@dataclass(frozen=True)
class Difference:
    """Between what was read and what is asked, at the plate's character ``at``; ``read`` or ``asked`` is empty where a
    character is missing."""

    at: int
    read: str
    asked: str


@dataclass(frozen=True)
class Match:
    likelihood: float
    """1 where nothing differs."""
    differences: tuple[Difference, ...] = ()


def tokens(query: str) -> list[str]:
    """Characters, `ANY_ONE` and `ANY_MANY`. Without either of those it is a part of a plate, else all of it."""
    found: list[str] = []
    for one in query:
        if one == ANY_ONE or (one == ANY_MANY and found[-1:] != [ANY_MANY]):
            found.append(one)
        elif one != ANY_MANY:
            found += normalised(one)
    is_pattern = ANY_ONE in found or ANY_MANY in found
    return found if is_pattern else [ANY_MANY, *found, ANY_MANY]


def packed(text: str, told: Sequence[CharacterProbabilities]) -> bytes:
    """What else may stand on the plate by its sightings' slots, their mean, three bytes each: for `Likelihoods`."""
    fitting = [slots for slots in told if len(slots) == len(text)]
    found = []
    for at, read in enumerate(text[:256]):
        shares: dict[str, float] = {}
        for slots in fitting:
            for sign, share in slots[at].items():
                shares[sign] = shares.get(sign, 0.0) + share / len(fitting)
        others = sorted((-share, sign) for sign, share in shares.items() if sign != read and sign in ALPHABET)
        found += [(at, code(sign), round(-share * 255)) for share, sign in others[:MOST] if -share >= LEAST]
    return np.array(found, TRIPLE).tobytes()


def unpacked(alternatives: bytes | None) -> list[tuple[int, str, float]]:
    """(which character, what it may be, how likely)."""
    told = np.frombuffer(alternatives or b"", TRIPLE)
    return [(int(at), ALPHABET[number], share / 255) for at, number, share in told.tolist()]


class Plates:
    """The texts of some plates, each with its `packed` alternatives or None, ready to be compared with queries."""

    def __init__(self, texts: Sequence[str], alternatives: Sequence[bytes | None], table: Table) -> None:
        self.texts, self.table = texts, table
        self.lengths = np.array([len(text) for text in texts], np.intp)
        width = max(1, int(self.lengths.max(initial=0)))
        self.characters = np.array(texts, f"U{width}").reshape(-1, 1).view("U1").reshape(len(texts), width)
        self.codes = np.searchsorted(np.array(list(ALPHABET)), self.characters)
        known = np.array(list(ALPHABET))[np.minimum(self.codes, len(ALPHABET) - 1)] == self.characters
        self.codes = np.where(known, self.codes, len(ALPHABET))
        self.told = np.array([one is not None for one in alternatives], bool)
        blobs = [one or b"" for one in alternatives]
        self.triples = np.frombuffer(b"".join(blobs), TRIPLE)
        sizes = np.array([len(one) // TRIPLE.itemsize for one in blobs], np.intp)
        self.owners = np.repeat(np.arange(len(texts)), sizes)

    def shares(self, character: str) -> NDArray[np.float64]:
        """P(this character stood there), of each plate's each character; 1 where it was read."""
        given = self.table[self.codes, code(character)]
        given = np.where(self.told[:, None], (1 - OWN) * given, given)
        mine = self.triples["code"] == code(character)
        inside = mine & (self.triples["at"] < self.characters.shape[1])
        given[self.owners[inside], self.triples["at"][inside]] += OWN * self.triples["share"][inside] / 255
        return np.where(self.characters == character, 1.0, np.clip(given, ANY, 1.0))

    def likelihoods(self, query: str) -> NDArray[np.float64]:
        """Of each plate, by the best alignment (dynamic programming, all plates at once)."""
        count, width = self.characters.shape
        best = np.full((width + 1, count), 0.0)
        best[0] = 1.0
        self._skip(best)
        last, before = "", best
        for token in tokens(query):
            if token == ANY_MANY:
                now = np.maximum.accumulate(best, axis=0)
            else:
                now = best * self._unread()
                hit = np.ones((count, width)) if token == ANY_ONE else self.shares(token)
                now[1:] = np.maximum(now[1:], best[:-1] * hit.T)
                if last not in ("", ANY_ONE, ANY_MANY) and token != ANY_ONE and width > 1:
                    turned = (self.characters[:, 1:] == last) & (self.characters[:, :-1] == token)
                    now[2:] = np.maximum(now[2:], before[:-2] * turned.T * SWAPPED)
                self._skip(now)
            before, best, last = best, now, token
        return np.asarray(best[self.lengths, np.arange(count)])

    def _skip(self, best: NDArray[np.float64]) -> None:
        """A character of the plate that is not asked for."""
        for at in range(len(best) - 1):
            cost = np.where((at == 0) | (at == self.lengths - 1), AT_END, INSIDE)
            best[at + 1] = np.maximum(best[at + 1], best[at] * cost)

    def _unread(self) -> NDArray[np.float64]:
        """What a character costs that is asked for and was not read, after so many of the plate's."""
        places = np.arange(self.characters.shape[1] + 1)[:, None]
        return np.where((places == 0) | (places == self.lengths[None, :]), AT_END, INSIDE)


Cell = tuple[float, tuple[Difference, ...]]


def explained(query: str, text: str, alternatives: bytes | None, table: Table) -> Match:
    """One plate's likelihood, with what differs in the alignment that has it."""
    own = {(at, sign): share for at, sign, share in unpacked(alternatives)}

    def share(at: int, asked: str) -> float:
        general = float(table[code(text[at]), code(asked)])
        if alternatives is not None:
            general = (1 - OWN) * general + OWN * own.get((at, asked), 0.0)
        return min(1.0, max(ANY, general))

    def skipped(row: list[Cell]) -> list[Cell]:
        for at, read in enumerate(text):
            cost = AT_END if at in (0, len(text) - 1) else INSIDE
            row[at + 1] = _better(row[at + 1], row[at], cost, Difference(at, read, ""))
        return row

    nothing: Cell = (0.0, ())
    row = skipped([(1.0, ()), *[nothing] * len(text)])
    last, before = "", row
    for token in tokens(query):
        now = list(row)
        if token == ANY_MANY:
            for at in range(len(text)):
                now[at + 1] = max(now[at + 1], now[at], key=lambda cell: cell[0])
        else:
            for at in range(len(text) + 1):
                cost = AT_END if at in (0, len(text)) else INSIDE
                now[at] = _better(nothing, row[at], cost, Difference(at, "", token))
                if at and token in (ANY_ONE, text[at - 1]):
                    now[at] = max(now[at], row[at - 1], key=lambda cell: cell[0])
                elif at:
                    differs = Difference(at - 1, text[at - 1], token)
                    now[at] = _better(now[at], row[at - 1], share(at - 1, token), differs)
                if at > 1 and last and last not in (ANY_ONE, ANY_MANY) and text[at - 2 : at] == token + last:
                    turned = Difference(at - 2, text[at - 2 : at], last + token)
                    now[at] = _better(now[at], before[at - 2], SWAPPED, turned)
            now = skipped(now)
        before, row, last = row, now, token
    return Match(*row[-1])


def _better(there: Cell, start: Cell, cost: float, differs: Difference) -> Cell:
    return (start[0] * cost, (*start[1], differs)) if start[0] * cost > there[0] else there
