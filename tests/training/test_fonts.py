"""Typefaces: every face has all characters, and once more as plates print O, zero, Q and D."""

import numpy as np
import pytest

from training.reader import fonts
from training.reader.shapes import ALPHABET


def a_face() -> dict[str, np.ndarray]:
    return {sign: fonts._frame(30, 0, 0) for sign in ALPHABET}


@pytest.mark.parametrize("corner", [0.25, 0.5])
def test_on_a_plate_o_is_the_zero_and_neither_d_nor_q(corner: float) -> None:
    face = fonts.squared(a_face(), corner)
    assert np.array_equal(face["O"], face["0"])
    assert not any(np.array_equal(face["O"], face[sign]) for sign in "DQ")
    # D's left corners are full, O's are not; Q is O and a tail
    assert face["D"][0, 0] == 255 and face["O"][0, 0] == 0
    assert ((face["Q"] > 0) >= (face["O"] > 0)).all()
    assert set(face) == set(ALPHABET)
