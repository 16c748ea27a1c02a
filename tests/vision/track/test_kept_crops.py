"""A crop that is read again votes with the reads that stay, and the vote is told as sure as a clip's would be."""

from collections.abc import Sequence

import numpy as np

from dashcam.media.images import Image
from dashcam.records import Read, Sighting
from dashcam.vision.engines import PlateText
from dashcam.vision.read.voting import as_told, vote
from dashcam.vision.track.kept_crops import read_again
from dashcam.vision.track.pipeline import SHOWN_MARGIN, grown

TEXT = "AB12CDE"
SIZE = (1280, 720)
BOX = (100.0, 100.0, 180.0, 125.0)


class SaysTheSame:
    name = sha256 = "plate-reader"

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        return [PlateText(TEXT, 0.97, [{sign: 0.97} for sign in TEXT]) for _ in crops]


def test_with_a_picture_of_all_crops_among_its_reads_it_is_told_as_sure_as_in_the_clip() -> None:
    each = {"t_s": 1.0, "box": BOX, "text": TEXT, "confidence": 0.9, "legibility": 0.6}
    slots = [{sign: 0.9} for sign in TEXT]
    reads = [Read(pts=90_000 + at, slots=slots, looks=3 if at == 2 else 1, **each) for at in range(3)]
    told = as_told(vote(reads), reads)
    seen = Sighting(
        text=told.text, confidence=told.confidence, confirmed=False, first_s=1, last_s=1, best_s=1, best_pts=90_000,
        box=BOX, slots=told.probabilities, reads=reads, crop="plates/1_best_crop.jpg", frame="frames/1_best_frame.jpg",
    )  # fmt: skip
    x0, y0, x1, y1 = grown(BOX, SHOWN_MARGIN, *SIZE)
    shown = np.full((y1 - y0, x1 - x0, 3), 128, np.uint8)
    again = read_again(seen, shown, SIZE, SaysTheSame(), SaysTheSame())
    assert again != seen and again.confidence == as_told(vote(again.reads), again.reads).confidence
    assert again.confidence > vote(again.reads).confidence, "as the picture of all crops is worth"
