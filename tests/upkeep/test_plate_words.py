"""What becomes of people's words about plates: deleted ones are nowhere, hashed ones have no name, and a catalogue that
is made anew from the archives has them all."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.upkeep import Upkeep
from dashcam.catalog import apply, corrections, merges, notes
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.catalog.notes import Note
from dashcam.catalog.plate_words import PlateMerge, PlateNote, SightingWord
from dashcam.catalog.pseudonyms import of_site
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.records import HeavyResult
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import erasing
from dashcam.upkeep.rebuild import rebuild
from tests.catalog.looked import numbers
from tests.catalog.rows import NOON
from tests.upkeep.lived import Lived, new_database


def said(lived: Lived) -> dict[str, Any]:
    """Three plates are one car, one of them by a word about its sighting; one is no plate. Gives what the heavy stage
    had told of each clip."""
    with writing(lived.engine) as session:
        corrections.say(session, numbers(session, "LT21CGK"), "MINE99", "ana", NOON, lived.settings)
        merges.merge(session, "LT22CGK", "MINE99", "ana", NOON)
        corrections.say(session, numbers(session, "DX01ZWH"), None, "ana", NOON, lived.settings)
        notes.write(session, "MINE99", Note(name="Anas car", note="red", ignored=True), "ana", NOON)
        merges.apart(session, "MINE99", "LT23CGK", "ana", NOON)
        return {
            row.video_id: row.result for row in session.scalars(select(TaskRow)) if "sightings" in (row.result or {})
        }


def hashed(lived: Lived, *watched: str) -> Site:
    kept = lived.settings.model_dump(by_alias=True)
    site = Site.model_validate(kept | {"privacy": {"hash_plates_after_days": 1, "watched_plates": list(watched)}})
    Upkeep(lived.engine, site, lived.stores).hash_plates()
    with lived.server() as server:
        erasing.carry_out(server, lived.stores)
    return site


def look_again(session: Session, told: dict[str, Any], site: Site) -> None:
    for video_id, result in told.items():
        apply.apply_sightings(session, session.get_one(Video, video_id), HeavyResult.model_validate(result), site)


def test_a_deleted_plate_is_in_no_word_and_its_misreads_do_not_come_back(lived: Lived) -> None:
    told = said(lived)
    done = lived.delete(plate="MINE99")
    assert done["sightings"] == 2
    for text in ("MINE99", "LT21CGK", "LT22CGK", "Anas car"):
        assert lived.mentions(text) == [], text
    with writing(lived.engine) as session:
        look_again(session, told, lived.settings)
        assert {"MINE99", "LT21CGK", "LT22CGK"} & set(session.scalars(select(Plate.text))) == set()


def test_a_plate_that_was_corrected_to_another_leaves_that_alone_when_it_is_deleted(lived: Lived) -> None:
    told = said(lived)
    with writing(lived.engine) as session:
        corrections.say(session, numbers(session, "DX00ZWH"), "LT23CGK", "ana", NOON, lived.settings)
    with writing(lived.engine) as session:
        look_again(session, told, lived.settings)
    before = lived.plates()
    assert "DX00ZWH" not in before
    lived.delete(plate="DX02ZWH")
    assert lived.plates() == before - {"DX02ZWH"}


def test_of_a_hashed_plate_no_word_has_the_text_and_its_merges_hold(lived: Lived) -> None:
    said(lived)
    site = hashed(lived)
    for text in ("MINE99", "LT21CGK", "LT22CGK", "DX01ZWH", "Anas car", "red"):
        assert lived.mentions(text) == [], text
    of = of_site(site).of
    with reading(lived.engine) as session:
        assert len(numbers(session, of("MINE99"))) == 2
        assert [(one.text, one.into) for one in session.scalars(select(PlateMerge))] == [(of("LT22CGK"), of("MINE99"))]
        (kept,) = session.scalars(select(PlateNote))
        assert (kept.text, kept.name, kept.ignored) == (of("MINE99"), "", True)
        assert of("DX01ZWH") not in set(session.scalars(select(Plate.text))), "no plate is still none"
    Upkeep(lived.engine, site, lived.stores).write_decisions()
    anew = new_database(lived.made.folder / "new.db")
    assert rebuild(anew, lived.stores, site).left_out == []
    with reading(anew) as session:
        assert set(session.scalars(select(Plate.text))) == lived.plates()
        assert len(numbers(session, of("MINE99"))) == 2
    anew.dispose()


def test_a_watched_plate_and_ones_own_keep_their_names_though_they_were_read_as_others(lived: Lived) -> None:
    said(lived)
    with writing(lived.engine) as session:
        notes.write(session, "LT23CGK", Note(own=True), "ana", NOON)
    site = hashed(lived, "mine 99")
    assert {one for one in lived.plates() if not one.startswith("#")} == {"MINE99", "LT23CGK"}
    with reading(lived.engine) as session:
        crops = session.scalars(select(SightingRow.crop).where(SightingRow.sighting_id.in_(numbers(session, "MINE99"))))
        files = lived.files()
        assert all(any(name.endswith(crop) for name in files) for crop in crops), "and their pictures"
        words = [one for one in session.scalars(select(SightingWord)) if one.text]
        assert [(one.read, one.text) for one in words] == [("LT21CGK", "MINE99")]
    assert of_site(site).of("MINE99") not in lived.plates()


def test_a_catalogue_made_anew_from_the_archives_says_what_people_said(lived: Lived) -> None:
    said(lived)
    Upkeep(lived.engine, lived.settings, lived.stores).write_decisions()
    anew = new_database(lived.made.folder / "new.db")
    assert rebuild(anew, lived.stores, lived.settings).left_out == []
    with reading(anew) as session:
        assert set(session.scalars(select(Plate.text))) == lived.plates()
        assert notes.of(session, "MINE99").name == "Anas car"
        words = session.scalars(select(SightingWord.word_id).where(SightingWord.text == "MINE99")).all()
    with writing(anew) as session:
        corrections.take_back(session, words, lived.settings)
        assert numbers(session, "LT21CGK"), "and it can be taken back"
    anew.dispose()
