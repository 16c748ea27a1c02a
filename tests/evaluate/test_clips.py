"""Whole clips with known plates: what is counted as found, right, late and misplaced."""

from datetime import UTC, timedelta
from pathlib import Path

import pytest

from dashcam.evaluate.clips import PlateScore, apart_m, evaluate_clips, judged, true_place
from dashcam.evaluate.layouts import Unusable
from dashcam.evaluate.measure import calibration_error, reliability
from dashcam.gps.track import Track
from dashcam.records import Fix, Read
from dashcam.sample import TrueClip, TruePlate, write_drive
from dashcam.sample.drive import START_LOCAL, PlateBox
from dashcam.vision.read.voting import Vote
from dashcam.vision.track.pipeline import Evidence
from dashcam.vision.track.sightings import MergedTrack

FIXES = [
    Fix(
        t_s=float(s),
        utc=START_LOCAL.replace(tzinfo=UTC) + timedelta(seconds=s),
        lat=52.0 + s * 1e-4,
        lon=4.0,
        speed_mps=11.1,
        heading_deg=0.0,
    )
    for s in range(5)
]
PLATE = TruePlate(
    text="AB12CDE", country="GB", first_s=1.0, last_s=2.0,
    boxes=[PlateBox(t_s=t, box=(100, 100, 200, 130)) for t in (1.0, 1.5, 2.0)],
)  # fmt: skip
CLIP = TrueClip(file="a.MP4", camera="front", start_utc=START_LOCAL, duration_s=5, plates=[PLATE], fixes=FIXES)


def seen(text: str, t_s: float, x: float, single: str = "") -> MergedTrack:
    def evidence(said: str, legibility: float) -> Evidence:
        box = (x, 100.0, x + 100, 130.0)
        slots = [{sign: 1.0} for sign in said]
        read = Read(pts=1, t_s=t_s, box=box, text=said, confidence=0.9, legibility=legibility, slots=slots)
        return Evidence(read, False, b"")

    best = evidence(text, 0.5)
    return MergedTrack(Vote(text, 0.9, []), True, t_s, t_s, best, (best, evidence(single or text, 0.9)))


def test_the_sighting_on_the_true_box_is_judged_and_no_other() -> None:
    found = judged(CLIP, PLATE, [seen("WRONG1", 1.5, 600), seen("AB12CDE", 1.5, 105, single="AB12CDF")], Track(FIXES))
    assert (found.voted, found.single, found.confirmed) == ("AB12CDE", "AB12CDF", True)
    assert found.time_error_s == 0 and found.place_error_m is not None and found.place_error_m < 1


def test_what_lies_elsewhere_or_at_another_time_is_not_found() -> None:
    assert judged(CLIP, PLATE, [seen("AB12CDE", 1.5, 600)], Track(FIXES)) == PlateScore("a.MP4", "AB12CDE")
    assert judged(CLIP, PLATE, [seen("AB12CDE", 4.0, 100)], Track(FIXES)) == PlateScore("a.MP4", "AB12CDE")


def test_a_read_outside_the_plates_time_counts_as_late() -> None:
    assert judged(CLIP, PLATE, [seen("AB12CDE", 2.2, 100)], Track(FIXES)).time_error_s == pytest.approx(0.2)


def test_true_places_lie_between_the_fixes_and_metres_are_metres() -> None:
    assert true_place(FIXES, 1.5) == pytest.approx((52.00015, 4.0))
    assert true_place(FIXES, 9.0) is None
    assert apart_m((52.0, 4.0), (52.0001, 4.0)) == pytest.approx(11.1, abs=0.1)
    assert apart_m((60.0, 4.0), (60.0, 4.001)) == pytest.approx(55.6, abs=0.3)


def test_a_drawn_clip_is_found_read_and_placed(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    truth = write_drive(drive, duration_s=4)
    clip = truth.clips[0]
    (drive / "truth.json").write_text(truth.model_copy(update={"clips": [clip]}).model_dump_json())
    report = evaluate_clips(drive)
    assert (report.clips, report.plates) == (1, len(clip.plates))
    assert report.found == report.exact_voted == 1 and report.wrong_confirmed == 0
    assert report.exact_voted >= report.exact_single
    assert report.time_error_s_max is not None and report.time_error_s_max <= 0.3
    assert report.place_error_m_max is not None and report.place_error_m_max < 3
    assert sum(band.reads for band in report.reliability) == len(clip.plates)
    assert all(band.exact == 1 and band.confidence > 0.5 for band in report.reliability)
    assert report.calibration_error is not None and report.calibration_error < 0.25


def test_the_table_says_how_many_of_the_plates_given_as_so_sure_are_right() -> None:
    bands = reliability([(0.92, True), (0.94, True), (0.93, False), (0.93, True), (0.2, False)])
    assert [(band.reads, band.exact) for band in bands] == [(1, 0.0), (4, 0.75)]
    assert calibration_error(bands) == pytest.approx((0.2 + 4 * 0.18) / 5)
    assert calibration_error([]) is None


def test_a_folder_without_a_truth_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="dashcam sample"):
        evaluate_clips(tmp_path)
