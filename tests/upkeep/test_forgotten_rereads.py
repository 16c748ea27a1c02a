"""What clips were read as before goes with the plates: deleted ones are in no change, and of old ones none is kept."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from dashcam.catalog import deletions
from dashcam.catalog.models import Video
from dashcam.catalog.reread_rows import ReadChange, Reread
from dashcam.database import reading, writing
from tests.upkeep.lived import Lived
from tests.upkeep.test_hashing import hashed

LONG_AGO = datetime(2026, 6, 28, tzinfo=UTC)


def changed(lived: Lived, *changes: tuple[str | None, str | None, str | None, str], at: datetime = LONG_AGO) -> str:
    """In the first clip."""
    first, *_ = lived.clips()
    with writing(lived.engine) as session:
        session.add(Reread(video_id=first, at=at))
        for was, now, said, crop in changes:
            session.add(ReadChange(video_id=first, at=at, best_s=1.0, was=was, now=now, said=said, crop=crop))
    return first


def kept(lived: Lived) -> list[str | None]:
    with reading(lived.engine) as session:
        return list(session.scalars(select(ReadChange.now).order_by(ReadChange.change_id)))


def test_a_deleted_plate_is_in_no_change_whatever_it_was_read_as(lived: Lived) -> None:
    crop = "plates/LT21CGK_best_crop.jpg"
    changed(
        lived, ("lt21cgk".upper(), "A1", None, "a"), ("B1", "LT21CGK", None, "b"), ("C1", "C2", "LT21CGK", "c"),
        ("D1", "D2", None, crop), ("E1", "E2", None, "e"),
    )  # fmt: skip
    lived.delete(plate="lt21 cgk")
    assert kept(lived) == ["E2"]
    assert lived.mentions("LT21CGK") == []


def test_a_plate_that_was_seen_no_more_is_forgotten_too(lived: Lived) -> None:
    changed(lived, ("OLD7777", None, None, ""), ("E1", "E2", None, "e"))
    lived.delete(plate="OLD7777")
    assert kept(lived) == ["E2"]


def test_a_backup_from_before_the_deletion_brings_none_back_and_a_later_clip_has_its_own(lived: Lived) -> None:
    lived.delete(plate="LT21CGK")
    changed(lived, ("LT21CGK", "A1", None, "a"))
    changed(lived, ("LT21CGK", "A2", None, "a"), at=datetime.now(UTC) + timedelta(hours=1))
    with writing(lived.engine) as session:
        deletions.again(session, [], lived.settings, datetime.now(UTC))
    assert kept(lived) == ["A2"]


def test_a_clip_that_is_kept_for_good_keeps_them_and_a_deleted_clip_does_not(lived: Lived) -> None:
    first = changed(lived, ("LT21CGK", "A1", None, "a"))
    with lived.server() as server:
        server.call("POST", f"/videos/{first}/protect", json={"reason": "the crash"})
    lived.delete(plate="LT21CGK")
    hashed(lived)
    assert kept(lived) == ["A1"]
    with lived.server() as server:
        server.call("DELETE", f"/videos/{first}/protect")
    lived.delete(clips=[first])
    assert kept(lived) == []
    assert "table reread" not in lived.mentions(first)


def test_of_what_was_seen_long_ago_it_is_not_kept_what_it_was_read_as(lived: Lived) -> None:
    changed(lived, ("OLD7777", None, None, ""), ("E1", "LT21CGK", None, "e"))
    hashed(lived, "LT21CGK")
    assert kept(lived) == [] and lived.mentions("OLD7777") == []
    with reading(lived.engine) as session:
        assert session.scalars(select(Reread)).all(), "that it was read again says nothing of anybody"


def test_what_is_young_is_kept(lived: Lived) -> None:
    with writing(lived.engine) as session:
        for video in session.scalars(select(Video)):
            video.start_utc = datetime.now(UTC)
    changed(lived, ("E1", "E2", None, "e"))
    hashed(lived)
    assert kept(lived) == ["E2"]
