"""The reader is never trained on a plate it will be measured by."""

from pathlib import Path

from training.reader.photographs import ASKED_FOR, labelled


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
