"""What changes when a clip is read again is kept beside what is read now, and a person's word is told apart."""

import pytest
from sqlalchemy import Engine, select

from dashcam.catalog import corrections, rereads
from dashcam.catalog.models import SightingRow, Video
from dashcam.catalog.reread_rows import ReadChange, Reread
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.records import Sighting
from tests.catalog.looked import look, numbers, seen
from tests.catalog.rows import NOON, add_task, add_video
from tests.catalog.test_corrections import BETTER, FIRST

SITE = Site()
CLIP = f"{1:016x}"


@pytest.fixture
def looked(any_engine: Engine) -> Engine:
    with writing(any_engine) as session:
        look(session, add_video(session, 1, frames_decoded=None), FIRST)
    return any_engine


def again(engine: Engine, found: list[Sighting]) -> list[tuple[str | None, str | None, str | None]]:
    """What differs in all, the newest last: before, now, and what a person has said."""
    with writing(engine) as session:
        look(session, session.get_one(Video, CLIP), found)
    with reading(engine) as session:
        lines = rereads.listed(session, 50)
        return [(line.was, line.now, line.said) for line in reversed(lines)]


def test_a_clip_that_is_read_for_the_first_time_changes_nothing(looked: Engine) -> None:
    with reading(looked) as session:
        assert rereads.counts(session) == rereads.RereadCounts(0, 0, 0, 0, 0)
        assert session.scalars(select(Reread)).all() == []


def test_what_is_read_otherwise_is_new_or_is_gone_is_told_with_its_picture_and_second(looked: Engine) -> None:
    fading = seen("OLD77", 6.0, 9.0, x=1200.0)
    again(looked, [*FIRST, fading])
    changed = again(looked, BETTER)
    assert sorted(changed[1:], key=str) == [
        ("B577PRO", "B577PR0", None), ("OLD77", None, None), ("UCRM469", "UCRM4G9", None), (None, "NEW1", None),
    ], "TAX1 was unsure, and as TAXI still is"  # fmt: skip
    with reading(looked) as session:
        assert rereads.counts(session) == rereads.RereadCounts(clips=2, waiting=0, differently=2, new=2, gone=1)
        lines = {line.was: line for line in rereads.listed(session, 4)}
    line = lines["UCRM469"]
    assert (line.video_id, line.best_s, line.crop) == (CLIP, BETTER[0].best_s, BETTER[0].crop)
    assert (line.was_confidence, line.now_confidence, line.kind) == (0.9, 0.7, "differently")
    assert (lines["OLD77"].crop, lines["OLD77"].kind, lines[None].kind) == (None, "gone", "new")


def test_reading_a_clip_again_that_says_the_same_says_only_that(looked: Engine) -> None:
    assert again(looked, FIRST) == []
    with reading(looked) as session:
        assert rereads.counts(session).clips == 1


def test_a_track_that_falls_into_two_is_no_other_plate(looked: Engine) -> None:
    halves = [seen("UCRM469", 1.0, 1.9), seen("UCRM469", 2.1, 3.0), *FIRST[1:]]
    assert again(looked, halves) == []
    assert again(looked, FIRST) == []


def test_what_a_person_has_said_stays_and_is_told_beside_what_the_machine_says(looked: Engine) -> None:
    with writing(looked) as session:
        corrections.say(session, numbers(session, "UCRM469"), "HUCFM469", "ana", NOON, SITE)
        corrections.say(session, numbers(session, "B577PRO"), None, "ana", NOON, SITE)
    changed = again(looked, BETTER)
    assert sorted(changed, key=str) == [("UCRM469", "UCRM4G9", "HUCFM469"), (None, "NEW1", None)]


def test_where_only_a_hash_was_kept_nobody_can_say_what_changed(looked: Engine) -> None:
    bare = FIRST[0].model_copy(update={"text": "#abcdefghijklmnop", "slots": []})
    again(looked, [bare, *FIRST[1:]])
    with writing(looked) as session:
        session.query(ReadChange).delete()
    assert ("#abcdefghijklmnop", "UCRM4G9", None) not in again(looked, BETTER)
    with reading(looked) as session:
        assert [line.now for line in rereads.listed(session, 9) if line.now == "UCRM4G9"] == []


def test_they_are_listed_page_by_page_and_a_clip_that_is_yet_to_be_read_again_is_counted(looked: Engine) -> None:
    again(looked, BETTER)
    again(looked, FIRST)
    with writing(looked) as session:
        add_task(session, session.get_one(Video, CLIP), revision=4)
        add_task(session, add_video(session, 2, frames_decoded=None))
    with reading(looked) as session:
        every = rereads.listed(session, 50)
        pages, after = [], None
        while page := rereads.listed(session, 2, after):
            pages += page
            after = page[-1].cursor
        assert pages == every and len(every) == 6
        assert rereads.counts(session).waiting == 1


def test_a_picture_is_of_what_is_shown_now_or_there_is_none(looked: Engine) -> None:
    again(looked, BETTER)
    with writing(looked) as session:
        corrections.say(session, numbers(session, "B577PR0"), None, "ana", NOON, SITE)
        shown = set(session.scalars(select(SightingRow.crop)))
        assert {line.crop for line in rereads.listed(session, 9)} - {None} <= shown
        assert next(line for line in rereads.listed(session, 9) if line.now == "B577PR0").crop is None
