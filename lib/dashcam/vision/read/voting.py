"""One text from many reads: the text under which all the reads, as distributions over characters, are most likely.

Every read votes with ``weight * log P(read | text)``, where reading and text are aligned character by character
(Needleman and Wunsch 1970, on probabilities as in ROVER, Fiscus 1997). A read gives no text more than its own, so an
agreeing read never moves its text down. Sums are exact (``fsum``): the order of the reads does not matter.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, log, prod

from dashcam.records import CharacterProbabilities, Read
from dashcam.vision.read.quality import calibrated

FLOOR = 0.01
"""Probability of any character that a slot does not name."""
SKIP = log(0.005)
"""A slot that the text has no character for, or a character inside the text that the read has no slot for."""
UNSEEN = log(0.08)
"""A character beyond the ends of what was read: fragments are common, so it costs less."""
WHOLE = 1.0
"""What a read adds to exactly its own text: errors come together, so two equal reads say more than their characters."""
SCALE, SHIFT = 1.309, 1.005
"""From the product of the fused characters' probabilities to the share of votes that come true, fitted by
``training.reader.votes`` on 1,160 tracks of held-out crops. How many reads there are tells nothing beyond it."""
FUSED_SCALE, FUSED_SHIFT = 0.939, 1.279
"""From the confidence of a vote in which a picture of several crops takes part to the share of such votes that come
true, fitted on 583 tracks of 12 to 24 pixels' height: single looks that such a picture overrules cost it too much."""


@dataclass(frozen=True)
class Vote:
    """``confidence`` is P(whole text right), 0 to 1: the product over characters of their fused probability,
    calibrated. ``probabilities`` are the fused distributions, one per character."""

    text: str
    confidence: float
    probabilities: CharacterProbabilities


def vote(reads: Sequence[Read]) -> Vote:
    """The most likely text of reads of one plate, weighed by legibility. ``ValueError`` without any read."""
    if not reads:
        raise ValueError("a vote needs at least one read")
    scores = {text: support(text, reads) for text in candidates(reads)}
    text = min(scores, key=lambda candidate: (-scores[candidate], candidate))
    probabilities, product = fuse(text, reads)
    return Vote(text, round(calibrated(product, SCALE, SHIFT), 4), probabilities)


def as_told(result: Vote, reads: Sequence[Read]) -> Vote:
    """The vote of these reads as sure as such votes come true. What is confirmed, doubted or kept goes by the vote
    itself: by this one twice as many small plates would be confirmed wrongly for a fifteenth more rightly."""
    if all(read.looks == 1 for read in reads):
        return result
    return replace(result, confidence=round(calibrated(result.confidence, FUSED_SCALE, FUSED_SHIFT), 4))


def support(text: str, reads: Sequence[Read]) -> float:
    """How likely the reads are when the plate says ``text``: a weighted sum of logarithms, comparable between texts."""
    return fsum(weight(r) * (align(text, r.slots)[0] + WHOLE * (r.text == text)) for r in reads)


def candidates(reads: Sequence[Read]) -> set[str]:
    """Every text that was read, and for every length the slot-wise best of the reads that have it."""
    by_length: dict[int, list[Read]] = defaultdict(list)
    for read in reads:
        by_length[len(read.slots)].append(read)
    texts = {read.text for read in reads}
    for length, group in by_length.items():
        texts.add("".join(_best_character(group, slot) for slot in range(length)))
    return {text for text in texts if text}


def weight(read: Read) -> float:
    """What a read counts; of a fused picture as often as it has looks."""
    return max(read.legibility, 0.001) * read.looks


def align(text: str, probabilities: CharacterProbabilities) -> tuple[float, list[int | None]]:
    """``log P(read | text)`` of the best alignment, and for each character of ``text`` the read's one that shows it."""
    rows, columns = len(text) + 1, len(probabilities) + 1
    score = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            if i or j:
                score[i][j] = max(value for value, _, _ in _moves(score, text, probabilities, i, j))
    shown: list[int | None] = [None] * len(text)
    i, j = len(text), len(probabilities)
    while i or j:
        _, di, dj = max(_moves(score, text, probabilities, i, j), key=lambda move: move[0])
        if di and dj:
            shown[i - 1] = j - 1
        i, j = i - di, j - dj
    return score[-1][-1], shown


def fuse(text: str, reads: Sequence[Read]) -> tuple[CharacterProbabilities, float]:
    """Per character of ``text`` the weighted mean of the aligned probabilities, and the product of its own characters'
    means, less where reads have more characters."""
    aligned = [(weight(read), align(text, read.slots)[1], read.slots) for read in reads]
    probabilities: CharacterProbabilities = []
    sureness: list[float] = []
    for position, character in enumerate(text):
        shares: dict[str, list[float]] = defaultdict(list)
        total = [w for w, shown, _ in aligned if _speaks_of(shown, position)]
        for w, shown, given in aligned:
            index = shown[position]
            if index is not None:
                for sign, probability in given[index].items():
                    shares[sign].append(w * probability)
        sums = {sign: fsum(parts) for sign, parts in shares.items()}
        ranked = sorted(sums, key=lambda sign: (-sums[sign], sign))[:5]
        mass = fsum(total) or 1.0
        probabilities.append({sign: round(sums[sign] / mass, 4) for sign in ranked if sums[sign] / mass >= 0.001})
        sureness.append(sums.get(character, 0.0) / mass)
    longer = fsum(w for w, shown, given in aligned if len(given) > sum(s is not None for s in shown))
    everything = fsum(w for w, _, _ in aligned)
    return probabilities, prod(sureness) * (1 - 0.5 * longer / everything)


def distance(a: CharacterProbabilities, b: CharacterProbabilities) -> float:
    """Edit distance between two fused readings; a substitution costs what the two distributions do not share,
    nothing when both favour the same character."""
    previous = [float(j) for j in range(len(b) + 1)]
    for i, left in enumerate(a, 1):
        current = [float(i)]
        for j, right in enumerate(b, 1):
            apart = _apart(left, right)
            current.append(min(previous[j - 1] + apart, previous[j] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def _moves(
    score: list[list[float]], text: str, probabilities: CharacterProbabilities, i: int, j: int
) -> list[tuple[float, int, int]]:
    moves = []
    if i and j:
        moves.append((score[i - 1][j - 1] + log(max(probabilities[j - 1].get(text[i - 1], 0.0), FLOOR)), 1, 1))
    if i:
        moves.append((score[i - 1][j] + (UNSEEN if j in (0, len(probabilities)) else SKIP), 1, 0))
    if j:
        moves.append((score[i][j - 1] + SKIP, 0, 1))
    return moves


def _apart(left: dict[str, float], right: dict[str, float]) -> float:
    if left and right and max(left, key=left.__getitem__) == max(right, key=right.__getitem__):
        return 0.0
    return 1 - min(1.0, sum(min(p, right.get(sign, 0.0)) for sign, p in left.items()))


def _speaks_of(shown: list[int | None], position: int) -> bool:
    """A read is silent about what lies beyond its ends, and speaks against a character it skips inside."""
    return any(s is not None for s in shown[: position + 1]) and any(s is not None for s in shown[position:])


def _best_character(group: list[Read], slot: int) -> str:
    signs = sorted({sign for read in group for sign in read.slots[slot]})
    if not signs:
        return ""
    scores = {s: fsum(weight(r) * log(max(r.slots[slot].get(s, 0.0), FLOOR)) for r in group) for s in signs}
    return min(signs, key=lambda sign: (-scores[sign], sign))
