"""The fixed-slot reader says what its slots say, how sure it is of the whole, and what is wrong with its weights."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashcam.vision.detect.onnx_detector import default_weights as detector_weights
from dashcam.vision.engines import MissingWeights
from dashcam.vision.read import fixed_slot_reader
from dashcam.vision.read.decoding import ALPHABET
from dashcam.vision.read.fixed_slot_reader import BLANK, FixedSlotReader, augmented, text_of


def slots(text: str, sure: float = 0.9) -> np.ndarray:
    """Ten slots that say ``text``, then blanks; ``_`` is a blank in between."""
    given = np.full((10, 37), (1 - sure) / 36)
    for row, sign in zip(given, text.ljust(10, "_"), strict=True):
        row[BLANK if sign == "_" else ALPHABET.index(sign)] = sure
    return given


@given(st.text(ALPHABET, min_size=1, max_size=10), st.floats(0.2, 1))
@settings(deadline=None)
def test_the_text_is_each_slots_likeliest_character(text: str, sure: float) -> None:
    found = text_of(slots(text, sure))
    assert found.text == text
    assert [max(slot, key=lambda sign: slot[sign]) for slot in found.probabilities] == list(text)
    assert all(sum(slot.values()) <= 1.001 for slot in found.probabilities)


def test_a_blank_slot_is_no_character_and_nothing_but_blanks_is_no_text() -> None:
    assert text_of(slots("AB_12")).text == "AB12"
    assert text_of(slots("")).text == "" and text_of(slots("")).confidence == 0


def test_confidence_is_in_the_whole_text_its_length_included() -> None:
    assert text_of(slots("AB12", 0.9)).confidence == pytest.approx(0.9**10, abs=1e-4)
    doubtful = slots("AB12", 1.0)
    doubtful[4] = 0
    doubtful[4, BLANK], doubtful[4, ALPHABET.index("3")] = 0.6, 0.4
    assert text_of(doubtful).confidence == pytest.approx(0.6)
    assert text_of(slots("AB12", 0.9), 1, 2).confidence > text_of(slots("AB12", 0.9)).confidence


@given(st.integers(4, 90), st.integers(4, 200))
@settings(deadline=None)
def test_the_three_looks_are_the_crop_a_little_less_and_a_little_more(height: int, width: int) -> None:
    crop = np.random.default_rng(height).integers(0, 255, (height, width, 3), dtype=np.uint8)
    same, less, more = augmented(crop)
    assert same is crop
    assert min(less.shape[:2]) >= 1
    dy, dx = (crop.shape[0] - less.shape[0]) // 2, (crop.shape[1] - less.shape[1]) // 2
    assert np.array_equal(more[dy : dy + height, dx : dx + width], crop)
    assert np.array_equal(crop[dy : height - dy, dx : width - dx], less)


def test_missing_and_foreign_weights_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingWeights, match="not those of a fixed-slot reader"):
        FixedSlotReader(detector_weights())
    monkeypatch.setattr(fixed_slot_reader, "SCALE_KEY", "another key")
    with pytest.raises(MissingWeights, match="not calibrated"):
        FixedSlotReader()
    monkeypatch.setattr(fixed_slot_reader, "WEIGHTS", "other.onnx")
    with pytest.raises(MissingWeights, match="make train-reader"):
        FixedSlotReader()
