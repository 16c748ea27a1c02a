"""The reader is never trained on a plate it will be measured by."""

from pathlib import Path

import numpy as np

from training.reader.photographs import AROUND, ASKED_FOR, Photograph, labelled


def test_no_measured_plate_is_trained_on_and_a_part_is_held_out(shared: Path) -> None:
    photographs = labelled(shared / "data")
    files = (shared / "data" / "openalpr-endtoend").rglob("*.txt")
    measured = {file.read_text().split("\t")[5].strip() for file in files} | set(ASKED_FOR)
    assert len(measured) > 200 and not measured & {p.text for p in photographs}
    assert not any("vn_cz_hr" in p.source or "endtoend" in p.source for p in photographs)
    twoline = [p.held_out for p in photographs if p.source.endswith("eu_twoline")]
    assert 0.35 < sum(twoline) / len(twoline) < 0.65
    assert all(any(p.held_out for p in photographs if p.source == s) for s in {p.source for p in photographs})
    assert all(2 <= len(p.text) <= 10 and p.text.isascii() for p in photographs)


def test_what_is_around_a_plate_is_shown_more_or_less_and_the_plate_whole() -> None:
    image = np.full((112, 280), 255, np.uint8)
    image[16:96, 40:240] = 0
    photograph = Photograph("taught/somewhere", image, "AB123C", False, None, AROUND)
    assert photograph.plate.shape == (80, 200) and not photograph.plate.any()
    rng = np.random.default_rng(5)
    shares = [float((photograph.worse(rng, 0, near=1) < 128).mean()) for _ in range(200)]
    assert min(shares) < 0.8 and max(shares) > 0.95
