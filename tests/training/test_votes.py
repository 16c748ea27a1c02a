"""How sure the reader and the vote are is how often they are right, on plates that nobody trained on."""

from pathlib import Path

import numpy as np
import pytest

from dashcam.vision.read.fixed_slot_reader import FixedSlotReader
from dashcam.vision.read.voting import vote
from training.reader.photographs import labelled
from training.reader.votes import track


def test_of_the_plates_given_as_so_sure_so_many_are_right(shared: Path) -> None:
    unseen = [p for p in labelled(shared / "data") if p.held_out]
    reader, rng = FixedSlotReader(threads=1), np.random.default_rng(5)
    tracks = [(p.text, reads) for p in unseen if (reads := track(p, reader, rng))]
    single = [(read.confidence, read.text == text) for text, reads in tracks for read in reads]
    voted = [(result.confidence, result.text == text) for text, reads in tracks if (result := vote(reads))]
    for said in (single, voted):
        sure, right = np.array(said, float).T
        assert sure.mean() == pytest.approx(right.mean(), abs=0.04)
        for low, high in ((0, 0.6), (0.6, 0.9), (0.9, 1)):
            band = (sure >= low) & (sure <= high)
            assert band.sum() >= 15 and sure[band].mean() == pytest.approx(right[band].mean(), abs=0.12)
        assert right[sure >= 0.9].mean() >= 0.95
