"""How often a search finds a plate that was misread: ours, edit distance, and fixed pairs of look-alikes.

Plates are drawn small and soft, each read several times by the pipeline's own reader and voted on, as a track is. Who
searches knows what stood on the car; the catalogue has what was voted, among plates of a made-up town. Half of the
drawn plates tell which characters were confused, and from that the town's own plates are misread once more
(``generated``); what ours goes by was measured on other pictures.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

import cv2
import numpy as np
from pydantic import BaseModel
from rich.table import Table

from dashcam.bench import town
from dashcam.catalog import confusions, likeness
from dashcam.catalog.plate_text import misread_cost
from dashcam.evaluate.measure import edits
from dashcam.media.images import Image
from dashcam.records import CharacterProbabilities
from dashcam.sample.plates import STYLES, draw_plate, plain
from dashcam.vision.read.fixed_slot_reader import FixedSlotReader
from dashcam.vision.read.voting import vote
from dashcam.vision.track.pipeline import as_read

LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
READS = 3
PART = 5
AT = (1, 5, 20)
Costs = Callable[[str], Sequence[float]]
"""For a search the cost of each plate of the catalogue, the nearest least."""


class Recall(BaseModel):
    """Shares of the searches whose plate is among the first so many, and the mean of 1 / its place."""

    at_1: float
    at_5: float
    at_20: float
    reciprocal_rank: float


class SearchQuality(BaseModel):
    plates: int
    """In the catalogue that is searched."""
    misread: int
    """Drawn plates that were voted wrong, one or two characters."""
    generated: int
    kinds: dict[str, dict[str, Recall]]
    """By where the misreads come from, then by what ranks."""


@dataclass(frozen=True)
class Misread:
    truth: str
    text: str
    slots: CharacterProbabilities


def measure(
    drawn: int, plates: int, seed: int = 1, progress: Callable[[str], None] = lambda what: None
) -> SearchQuality:
    rng = random.Random(seed)
    progress(f"Reading {drawn} drawn plates")
    read = [one for one in (read_once(rng) for _ in range(drawn)) if one is not None]
    learn, held_out = read[::2], read[1::2]
    others = town.make_plates(np.random.default_rng(seed), plates)
    real = [one for one in held_out if 0 < edits(one.truth, one.text) <= 2]
    made = generated(rng, others[: min(len(others), 400)], learn)
    kinds = {}
    for name, misread in (("drawn", real), ("generated", made)):
        progress(f"Searching for {len(misread)} misread plates: {name}")
        if misread:
            kinds[f"{name}, whole"] = recalls(misread, [one.truth for one in misread], others)
            kinds[f"{name}, {PART} characters"] = recalls(misread, [part(rng, one) for one in misread], others)
    return SearchQuality(plates=plates, misread=len(real), generated=len(made), kinds=kinds)


def read_once(rng: random.Random) -> Misread | None:
    """A plate as a track of reads; None where nothing was read."""
    style = rng.choice(list(STYLES.values()))
    pools = {"L": LETTERS, "9": DIGITS}
    text = "".join(rng.choice(pools[sign]) if sign in pools else sign for sign in style.pattern)
    sharp = draw_plate(text, style, 300)
    crops = [worse(rng, sharp, height) for height in [rng.uniform(8, 13)] * READS]
    found = [(one, crop) for one, crop in zip(reader().read(crops), crops, strict=True) if one.text]
    if not found:
        return None
    box = (0.0, 0.0, float(sharp.shape[1]), float(sharp.shape[0]))
    voted = vote([as_read(one, box, 0.5, False) for one, _ in found])
    return Misread(plain(text), voted.text, voted.probabilities)


_reader: list[FixedSlotReader] = []


def reader() -> FixedSlotReader:
    if not _reader:
        _reader.append(FixedSlotReader())
    return _reader[0]


def worse(rng: random.Random, sharp: Image, height: float) -> Image:
    """The plate as so many pixels of it, with noise and blur, at the size it is read at."""
    share = height * rng.uniform(0.9, 1.1) / sharp.shape[0]
    small = cv2.resize(sharp, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 9, small.shape)
    noisy = np.clip(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.9)) + noise, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(noisy, (sharp.shape[1], sharp.shape[0]), interpolation=cv2.INTER_LINEAR))


def generated(rng: random.Random, plates: Sequence[str], learn: Sequence[Misread]) -> list[Misread]:
    """Plates with one or two characters misread as often as the drawn ones were; their reads doubt nothing."""
    pairs = Counter(
        (stood, read)
        for one in learn
        if len(one.truth) == len(one.text) and edits(one.truth, one.text) <= 2
        for stood, read in zip(one.truth, one.text, strict=True)
        if stood != read
    )
    found = []
    for plate in plates:
        letters = list(plate)
        places = [(at, pair) for at, stood in enumerate(plate) for pair in pairs if pair[0] == stood]
        for at, pair in (
            rng.choices(places, [pairs[pair] for _, pair in places], k=rng.choice((1, 1, 2))) if places else ()
        ):
            letters[at] = pair[1]
        if (text := "".join(letters)) != plate:
            found.append(Misread(plate, text, []))
    return found


def part(rng: random.Random, one: Misread) -> str:
    """What somebody may remember of the plate, with something that was misread in it where that can be told."""
    starts = range(max(1, len(one.truth) - PART + 1))
    parts = [one.truth[start : start + PART] for start in starts]
    return rng.choice([text for text in parts if text not in one.text] or parts)


def recalls(misread: Sequence[Misread], queries: Sequence[str], others: Sequence[str]) -> dict[str, Recall]:
    """The catalogue is what was read of the misread ones, and the others but for those that stand in it so."""
    truths = {one.truth for one in misread}
    texts = [one.text for one in misread] + [text for text in others if text not in truths]
    told = [likeness.packed(one.text, [one.slots]) if one.slots else None for one in misread]
    plates = likeness.Plates(texts, [*told, *[None] * (len(texts) - len(told))], confusions.measured())
    bare = likeness.Plates(texts, [None] * len(texts), confusions.measured())
    orders: dict[str, Costs] = {
        "ours": lambda query: (-plates.likelihoods(query)).tolist(),
        "ours without the reads": lambda query: (-bare.likelihoods(query)).tolist(),
        "edit distance": lambda query: fewest_edits(plates, query, whole=query in truths),
        "fixed pairs": lambda query: [9.0 if (cost := misread_cost(query, text)) is None else cost for text in texts],
    }
    return {
        name: recall([place(order(query), at) for at, query in enumerate(queries)]) for name, order in orders.items()
    }


def fewest_edits(plates: likeness.Plates, query: str, whole: bool) -> list[float]:
    """Levenshtein's distance of each plate, or of that part of it which is nearest."""
    count, width = plates.characters.shape
    best = np.repeat(np.arange(width + 1.0)[:, None] if whole else np.zeros((width + 1, 1)), count, axis=1)
    for sign in query:
        now = best + 1
        now[1:] = np.minimum(now[1:], best[:-1] + (plates.characters != sign).T)
        for at in range(width):
            now[at + 1] = np.minimum(now[at + 1], now[at] + 1)
        best = now
    inside = np.arange(width + 1)[:, None] <= plates.lengths
    ends = best[plates.lengths, np.arange(count)] if whole else np.where(inside, best, np.inf).min(axis=0)
    return [float(one) for one in ends]


def place(costs: Sequence[float], at: int) -> float:
    """Of the wanted one among all; those that cost the same share their places."""
    cost = costs[at]
    return 1 + sum(other < cost for other in costs) + (sum(other == cost for other in costs) - 1) / 2


def recall(places: Sequence[float]) -> Recall:
    shares = [round(mean(one <= most for one in places), 4) for most in AT]
    return Recall(
        at_1=shares[0],
        at_5=shares[1],
        at_20=shares[2],
        reciprocal_rank=round(mean(1 / one for one in places), 4),
    )


def table_of(quality: SearchQuality) -> Table:
    title = f"{quality.misread} drawn and {quality.generated} generated misreads among {quality.plates:,} plates"
    table = Table(title=title, title_justify="left")
    for heading in ("misreads", "ranked by", *(f"recall at {most}" for most in AT), "mean 1 / place"):
        table.add_column(heading, justify="left" if heading in ("misreads", "ranked by") else "right")
    for kind, rows in quality.kinds.items():
        for name, one in rows.items():
            shares = (one.at_1, one.at_5, one.at_20, one.reciprocal_rank)
            table.add_row(kind, name, *(f"{share:.3f}" for share in shares))
    return table
