"""Drawn plates: what they say is what is on them, where they say it is, and the same seed draws the same."""

from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.reader.degrade import degraded, fitted
from training.reader.plates import FAMILIES, FREE, Printer, expiry, filled, photographed, stickers
from training.reader.shapes import ALPHABET, HEIGHT, SLOTS, WIDTH

seeds = st.integers(0, 2**32 - 1)


def character(sign: str) -> np.ndarray:
    page = np.zeros((120, 90), np.uint8)
    cv2.putText(page, sign, (5, 100), cv2.FONT_HERSHEY_SIMPLEX, 3.2, 255, 9)
    rows, columns = np.nonzero(page)
    return page[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


PRINTER = Printer([{sign: character(sign) for sign in ALPHABET}], [character("W")])


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_every_plate_fits_the_slots_and_tells_where_its_characters_are(seed: int) -> None:
    drawn = PRINTER.draw(np.random.default_rng(seed))
    assert 2 <= len(drawn.text) <= SLOTS and set(drawn.text) <= set(ALPHABET)
    assert len(drawn.places) == len(drawn.text)
    rows, columns = drawn.plate.shape
    assert all(0 <= x < columns and 0 <= y < rows for x, y in drawn.places)


@given(seeds, st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_the_same_seed_gives_the_same_picture_of_the_networks_size(seed: int, harm: float) -> None:
    first, second = (PRINTER.draw(rng).seen(rng, harm) for rng in (np.random.default_rng(seed) for _ in range(2)))
    assert first.image.shape == (HEIGHT, WIDTH) and first.image.dtype == np.uint8
    assert np.array_equal(first.image, second.image) and first.text == second.text


def test_characters_are_where_the_plate_says_after_it_was_photographed() -> None:
    plate = np.full((96, 300), 255, np.uint8)
    cv2.circle(plate, (60, 48), 6, 0, -1)
    for seed in range(20):
        crop, ((x, y),) = photographed(plate, [(60, 48)], np.random.default_rng(seed))
        at = round(y * crop.shape[0]), round(x * crop.shape[1])
        near = crop[max(0, at[0] - 2) : at[0] + 3, max(0, at[1] - 2) : at[1] + 3]
        assert near.min() < 60


def test_every_format_can_be_read_in_ten_slots() -> None:
    rng = np.random.default_rng(1)
    for name, (_, family) in FAMILIES.items():
        for form in family.formats:
            signs = [sign for sign in filled(form, rng) if sign not in "-/"]
            assert 2 <= len(signs) <= SLOTS, (name, form)
    assert sum(share for share, _ in FAMILIES.values()) == pytest.approx(1)


def test_every_length_is_as_often_where_no_country_says_which() -> None:
    lengths = Counter(sum(sign not in "-/" for sign in form) for form in FREE)
    assert set(lengths) == set(range(2, SLOTS + 1))
    assert max(lengths.values()) < 1.5 * min(lengths.values())
    assert any("/" in form for form in FREE) and all(form.count("/") <= 1 for form in FREE)


def test_tabs_beside_the_line_leave_it_room_and_a_month_and_year_stand_under_it() -> None:
    face = {sign: character(sign) for sign in ALPHABET}
    for seed in range(30):
        rng, plate = np.random.default_rng(seed), np.full((96, 300), 255, np.float32)
        left, right = stickers(plate, rng, face, (10, 290))
        assert plate.min() < 250
        assert 10 <= left < left + 100 < right <= 290
        assert left == 10 or plate[:, : int(left)].min() < 250
        plate[:] = 255
        expiry(plate, rng, face, 60, 0)
        assert plate[58:].min() < 100 and plate[:58].min() == 255


def test_a_studio_picture_keeps_its_strokes_and_a_bad_night_loses_them() -> None:
    plate = np.full((64, 200), 255, np.uint8)
    plate[:, ::20] = plate[:, 1::20] = plate[:, 2::20] = 0

    def contrast(harm: float, height: float) -> float:
        pictures = [fitted(degraded(plate, np.random.default_rng(s), height, harm)) for s in range(30)]
        return float(np.mean([np.abs(np.diff(p.astype(float), axis=1)).mean() for p in pictures]))

    assert contrast(0, 64) > 2 * contrast(1, 14)
