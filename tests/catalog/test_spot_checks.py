"""People are asked of sightings that nobody has chosen; their answers are words that last, and make a curve."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog import corrections, lessons, spot_checks
from dashcam.catalog.lessons import BANDS, band_of
from dashcam.catalog.merges import CannotSay
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.plate_words import SightingWord
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.catalog.looked import look, numbers, seen, table_of
from tests.catalog.rows import NOON, add_video

SITE = Site()
DAY = date(2026, 6, 29)
SURE = [0.3, 0.6, 0.75, 0.85, 0.92, 0.96, 0.995, 0.996, 0.997, 0.998]
FIRST = [seen(f"B{number}PRO", 1.0, 4.0, x=90.0 * number, confidence=sure) for number, sure in enumerate(SURE)]


@pytest.fixture
def looked(any_engine: Engine) -> Engine:
    with writing(any_engine) as session:
        look(session, add_video(session, 1), FIRST)
    return any_engine


def judge(engine: Engine, shown: str, said: spot_checks.ReadVerdict, truth: str = "", minutes: int = 0) -> str:
    with writing(engine) as session:
        (number,) = numbers(session, shown)
        at = NOON + timedelta(minutes=minutes)
        return spot_checks.judge(session, number, said, truth, "ana", at, SITE).word_id


def asked(engine: Engine, limit: int = 20) -> list[str]:
    with reading(engine) as session:
        return [one.read for one in spot_checks.to_judge(session, DAY, limit)]


def test_the_sample_goes_over_all_confidences_and_is_the_same_all_day(looked: Engine) -> None:
    sure = {f"B{number}PRO": confidence for number, confidence in enumerate(SURE)}
    first = asked(looked, len(BANDS))
    assert sorted(band_of(sure[read]) for read in first) == list(range(len(BANDS)))
    assert asked(looked) == asked(looked) and set(asked(looked)) == set(sure)


def test_what_was_judged_is_not_asked_again_also_when_the_clip_is_done_again(looked: Engine) -> None:
    judge(looked, "B1PRO", "right")
    judge(looked, "B2PRO", "wrong", "B2PR0")
    judge(looked, "B3PRO", "wrong")
    judge(looked, "B4PRO", "unclear")
    left = {f"B{number}PRO" for number in (0, 5, 6, 7, 8, 9)}
    assert set(asked(looked)) == left
    with writing(looked) as session:
        moved = [one.model_copy(update={"crop": f"plates/again-{one.text}_best_crop.jpg"}) for one in FIRST]
        look(session, session.get_one(Video, f"{1:016x}"), moved)
    assert set(asked(looked)) == left


def test_only_an_answer_with_a_text_changes_what_is_shown_and_undo_leaves_what_the_machine_said(looked: Engine) -> None:
    with reading(looked) as session:
        before = table_of(session)
    unclear, wrong = judge(looked, "B4PRO", "unclear"), judge(looked, "B3PRO", "wrong")
    with reading(looked) as session:
        assert table_of(session) == before
    right, corrected = judge(looked, "B0PRO", "right"), judge(looked, "B2PRO", "wrong", "b2 pr0")
    with reading(looked) as session:
        row = session.scalars(select(SightingRow).join(SightingRow.plate).where(Plate.text == "B0PRO")).one()
        assert row.confirmed and row.confidence == corrections.CERTAIN
        assert numbers(session, "B2PR0") and not numbers(session, "B2PRO")
        assert spot_checks.last_of(session, "ana") and spot_checks.last_of(session, "ben") is None
    with writing(looked) as session:
        assert corrections.take_back(session, [unclear, wrong, right, corrected], SITE) == 4
    with reading(looked) as session:
        assert table_of(session) == before and spot_checks.last_of(session, "ana") is None


def test_the_curve_says_how_often_reads_were_right_and_leaves_out_what_nobody_could_tell(looked: Engine) -> None:
    for number in (6, 7, 8):
        judge(looked, f"B{number}PRO", "right", minutes=number)
    judge(looked, "B9PRO", "unclear")
    judge(looked, "B3PRO", "wrong")
    judge(looked, "B2PRO", "wrong", "B2PR0")
    with reading(looked) as session:
        bands = {band.low: band for band in spot_checks.bands(session)}
        of_all = {band.low: (band.right, band.wrong) for band in lessons.bands(session)}
    top = bands[0.99]
    assert (top.right, top.wrong, top.unclear) == (3, 0, 1)
    assert top.said == pytest.approx(0.996) and top.rate == 1.0
    assert top.rate_low == pytest.approx(0.4385, abs=1e-3) and top.rate_high == pytest.approx(1.0)
    assert (bands[0.8].right, bands[0.8].wrong, bands[0.7].wrong) == (0, 1, 1)
    assert bands[0.0].rate is None and bands[0.0].said is None
    assert of_all[0.99] == (3, 0) and of_all[0.8] == (0, 1)


def test_corrections_of_ones_own_accord_are_no_spot_checks(looked: Engine) -> None:
    with writing(looked) as session:
        corrections.say(session, numbers(session, "B2PRO"), "B2PR0", "ana", NOON, SITE)
    with reading(looked) as session:
        assert not any(band.right + band.wrong for band in spot_checks.bands(session))


def test_the_truth_that_was_read_is_right_and_what_cannot_be_is_refused(looked: Engine) -> None:
    judge(looked, "B1PRO", "wrong", "b1pro")
    with reading(looked) as session:
        assert session.scalars(select(SightingWord.kind)).all() == ["right"]
    with writing(looked) as session, pytest.raises(CannotSay, match="no plate"):
        spot_checks.judge(session, numbers(session, "B2PRO")[0], "wrong", "§§", "ana", NOON, SITE)
    with writing(looked) as session, pytest.raises(CannotSay, match="no such sighting"):
        spot_checks.judge(session, 10**6, "right", "", "ana", NOON, SITE)


def test_the_export_has_the_answers_too(looked: Engine) -> None:
    judge(looked, "B3PRO", "wrong")
    with reading(looked) as session:
        head, row = "".join(lessons.corrections_csv(session)).splitlines()
    assert head.startswith("at,who,said,read") and ",ana,wrong,B3PRO," in row
