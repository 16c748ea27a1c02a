"""What a person has looked at: marks of their own, by clip and time, which outlast processing and can be taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from dashcam.catalog import merges, notes, reviews, tonight, watching
from dashcam.catalog.deletions import delete_clips
from dashcam.catalog.models import Plate, SightingRow, TripRow, Video
from dashcam.catalog.notes import Note
from dashcam.catalog.review_rows import Review
from dashcam.catalog.reviews import Mark
from dashcam.config import Site
from dashcam.config.privacy import PrivacySettings
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, add_sighting, add_video

ANA, BEN = 1, 2


def add_trip(session: Session, number: int, days: int = 0, clips: int = 2) -> TripRow:
    """Of two clips, ten seconds each, and one plate of its own in the first; in both of them there is LT23CGK."""
    start = NOON + timedelta(days=days)
    trip = TripRow(trip_id=number, start_utc=start, end_utc=start + timedelta(seconds=10 * clips), clips=clips)
    trip.parked, trip.cameras, trip.distance_m, trip.moving_s, trip.max_mps = 0, ["front"], 100.0, 20.0, 9.0
    trip.leads, trip.stops, trip.events = [], [], []
    session.add(trip)
    session.flush()
    for clip in range(clips):
        at = start + timedelta(seconds=10 * clip)
        video = add_video(session, 100 * number + clip, at, trip_id=number)
        add_sighting(session, video, "LT23CGK", 2.0)
        if not clip:
            add_sighting(session, video, f"B{number:03}PRO", 5.0)
            add_sighting(session, video, f"UNSURE{number}", 8.0, confirmed=False, confidence=0.4)
    session.flush()
    return trip


@pytest.fixture
def drives(any_engine: Engine) -> Engine:
    with writing(any_engine) as session:
        add_trip(session, 1)
        trip = add_trip(session, 2, days=1)
        event = {"kind": "braking", "utc": trip.start_utc.isoformat(), "value": 5.0, "lat": 1.0, "lon": 1.0}
        trip.events = [event | {"video_id": f"{200:016x}", "t_s": 3.0}]
    return any_engine


def seen(engine: Engine, account_id: int, **asked: object) -> dict[int, list[tuple[str, bool]]]:
    """Of each trip what there is to look at and whether that is reviewed."""
    with reading(engine) as session:
        found = tonight.news(session, account_id, **asked)  # type: ignore[arg-type]
        return {trip.trip_id: [(item.card.text if item.card else item.kind, item.reviewed) for item in trip.items]
                for trip in found}  # fmt: skip


def test_a_trip_tells_what_is_new_what_was_seen_before_what_is_watched_and_what_is_in_doubt(drives: Engine) -> None:
    site = Site(privacy=PrivacySettings(watched_plates=["b-002 pro"]))
    with reading(drives) as session:
        newest, oldest = tonight.news(session, ANA, watched=watching.numbers(session, site))
    kinds = [(item.kind, item.card.text if item.card else "", item.times) for item in newest.items]
    assert kinds == [("watched", "B002PRO", 1), ("again", "LT23CGK", 2), ("moment", "", 1), ("doubt", "UNSURE2", 1)]
    assert [item.kind for item in oldest.items] == ["doubt", "first", "first"]
    assert (newest.plates, newest.reviewed, newest.is_new) == (2, False, False)


def test_what_a_person_marks_is_watched_or_heard_of_no_more(drives: Engine) -> None:
    with writing(drives) as session:
        notes.write(session, "B002PRO", Note(watched=True), "ana", NOON)
        notes.write(session, "LT23CGK", Note(ignored=True), "ana", NOON)
    with reading(drives) as session:
        newest, _ = tonight.news(session, ANA, watched=watching.numbers(session, Site()))
    assert [(item.kind, item.card.text) for item in newest.items if item.card] == [
        ("watched", "B002PRO"),
        ("doubt", "UNSURE2"),
    ]


def test_a_misread_of_a_watched_plate_is_watched_too_unless_a_person_says_otherwise(drives: Engine) -> None:
    def watched() -> dict[str, str]:
        with reading(drives) as session:
            texts = dict(session.execute(select(Plate.plate_id, Plate.text)).tuples().all())
            return {texts[number]: plate for number, plate in watching.numbers(session, Site()).items()}

    with writing(drives) as session:
        notes.write(session, "B0O2PRO", Note(watched=True), "ana", NOON)
    assert watched() == {"B002PRO": "B0O2PRO"}
    with writing(drives) as session:
        merges.apart(session, "B002PRO", "B0O2PRO", "ana", NOON)
    assert watched() == {}
    with writing(drives) as session:
        merges.ask_again(session, "B002PRO", "B0O2PRO")
        notes.write(session, "B002PRO", Note(ignored=True), "ana", NOON)
    assert watched() == {}


def test_a_trip_that_is_reviewed_is_gone_for_that_person_alone_and_comes_back_when_it_is_taken_back(
    drives: Engine,
) -> None:
    with writing(drives) as session:
        reviews.mark_trip(session, ANA, 2, NOON)
    assert list(seen(drives, ANA)) == [1]
    assert list(seen(drives, BEN)) == list(seen(drives, reviews.OWNER)) == [2, 1]
    with writing(drives) as session:
        reviews.mark_trip(session, ANA, 1, NOON + timedelta(minutes=1))
    assert seen(drives, ANA) == {}
    for left in ([1], [2, 1]):
        with writing(drives) as session:
            assert reviews.undo(session, ANA) == 2
        assert list(seen(drives, ANA)) == left
    with writing(drives) as session:
        assert reviews.undo(session, ANA) == 0


def test_with_the_last_thing_of_a_trip_the_trip_is_reviewed_and_one_undo_takes_both_back(drives: Engine) -> None:
    marks = [Mark(f"{200:016x}", "plate", 2.0), Mark(f"{200:016x}", "plate", 5.0), Mark(f"{200:016x}", "moment", 3.0)]
    for number, mark in enumerate([*marks, Mark(f"{200:016x}", "plate", 8.0)]):
        assert 2 in seen(drives, ANA)
        with writing(drives) as session:
            tonight.mark_one(session, ANA, 2, mark, NOON + timedelta(seconds=number))
    assert 2 not in seen(drives, ANA)
    with writing(drives) as session:
        reviews.undo(session, ANA)
    assert seen(drives, ANA)[2] == [("LT23CGK", True), ("moment", True), ("UNSURE2", False), ("B002PRO", True)]


def test_a_mark_is_found_again_when_the_clip_is_processed_again_and_the_plate_stands_a_little_later(
    drives: Engine,
) -> None:
    with writing(drives) as session:
        reviews.mark(session, ANA, [Mark(f"{100:016x}", "plate", 5.0)], NOON)
    with writing(drives) as session:
        old = session.scalars(select(SightingRow).where(SightingRow.video_id == f"{100:016x}")).all()
        for row in old:
            session.delete(row)
        session.flush()
        video = session.get_one(Video, f"{100:016x}")
        add_sighting(session, video, "B001PR0", 6.2)
        add_sighting(session, video, "OTHER1", 9.5)
    assert dict(seen(drives, ANA)[1]) | {"LT23CGK": None} == {"B001PR0": True, "OTHER1": False, "LT23CGK": None}


def test_what_comes_into_a_reviewed_trip_later_is_not_reviewed(drives: Engine) -> None:
    with writing(drives) as session:
        reviews.mark_trip(session, ANA, 2, NOON)
        late = add_video(session, 250, NOON + timedelta(days=1, seconds=5), trip_id=2, outcome=None, media=None)
    assert 2 not in seen(drives, ANA), "nobody can look at what is not through"
    with writing(drives) as session:
        session.get_one(Video, late.video_id).outcome = "processed"
    assert 2 in seen(drives, ANA)


def test_what_is_being_read_again_is_still_there_to_be_looked_at(drives: Engine) -> None:
    with writing(drives) as session:
        for video in session.scalars(select(Video).where(Video.trip_id == 2)):
            video.outcome = None
        begins = [NOON.replace(hour=0) + timedelta(days=number) for number in range(3)]
        assert tonight.unreviewed_days(session, ANA, begins) == [True, True]
    assert list(seen(drives, ANA)) == [2, 1]
    with writing(drives) as session:
        reviews.mark_trip(session, ANA, 2, NOON)
    assert list(seen(drives, ANA)) == [1]


def test_a_day_has_a_dot_as_long_as_one_of_its_clips_is_not_reviewed(drives: Engine) -> None:
    begins = [NOON.replace(hour=0) + timedelta(days=number) for number in range(-1, 4)]
    with writing(drives) as session:
        assert tonight.unreviewed_days(session, ANA, begins) == [False, True, True, False]
        reviews.mark_trip(session, ANA, 2, NOON)
        assert tonight.unreviewed_days(session, ANA, begins) == [False, True, False, False]
        assert tonight.unreviewed_days(session, BEN, begins) == [False, True, True, False]
    day = begins[2], begins[3]
    assert seen(drives, ANA, of_day=day) == {
        2: [("LT23CGK", True), ("moment", True), ("UNSURE2", True), ("B002PRO", True)]
    }


def test_a_visit_ends_after_half_an_hour_and_the_next_one_knows_when(any_engine: Engine) -> None:
    minutes = (0, 10, 45, 50, 200)
    with writing(any_engine) as session:
        since = [reviews.visit(session, ANA, NOON + timedelta(minutes=number)) for number in minutes]
        other = reviews.visit(session, BEN, NOON + timedelta(minutes=300))
    at = [one and (one - NOON).total_seconds() / 60 for one in since]
    assert at == [None, None, 10, 10, 50] and other is None


def test_a_deleted_clip_takes_its_marks_along_and_a_removed_person_theirs(drives: Engine) -> None:
    with writing(drives) as session:
        for account in (ANA, BEN):
            reviews.mark_trip(session, account, 2, NOON)
            reviews.mark_trip(session, account, 1, NOON)
            reviews.visit(session, account, NOON)
        delete_clips(session, [f"{200:016x}"], Site(), NOON)
        assert session.scalars(select(Review).where(Review.video_id == f"{200:016x}")).all() == []
        reviews.forget_person(session, ANA)
        assert {row.account_id for row in session.scalars(select(Review))} == {BEN}
        assert reviews.visit(session, ANA, NOON) is None
