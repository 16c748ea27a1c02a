"""What a person deletes is hidden for a day, in which it can be had back; then it is gone for good."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, select

from app.upkeep import Upkeep
from dashcam.catalog import apply, arrival, corrections, deletions, going, merges, notes, plate_facts
from dashcam.catalog.aside_rows import Going, SetAside
from dashcam.catalog.models import Leftover, Plate, Protection, SightingRow, Video
from dashcam.config import Site
from dashcam.database import Base, reading, writing
from dashcam.records import HeavyResult
from dashcam.storage import layout
from dashcam.tasks.model import InputRef
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import decisions, deleting, erasing, orphans, undoing
from dashcam.upkeep.deleting import NothingToDelete, Wanted
from dashcam.upkeep.rebuild import rebuild
from dashcam.upkeep.sweep import Folder
from tests.upkeep.lived import Lived, new_database
from tests.upkeep.made_site import MadeSite

KEPT_ASIDE = {"going", "set_aside"}
NUMBERS = {"task_id", "sighting_id", "plate_id", "change_id", "search_id"}


def now() -> datetime:
    return datetime.now(UTC)


def rows(engine: Engine) -> dict[str, list[str]]:
    """All that the catalogue says, without the numbers of rows."""
    plate_facts.catch_up(engine)
    found: dict[str, list[str]] = {}
    with reading(engine) as session:
        for name, table in Base.metadata.tables.items():
            if name in {"plate_suffix", "plate_near", "audit", *KEPT_ASIDE}:
                continue
            query = select(table)
            if name == "sighting":
                query = query.add_columns(Plate.text).join(Plate, Plate.plate_id == table.c.plate_id)
            told = [{key: value for key, value in row.items() if key not in NUMBERS}
                    for row in session.execute(query).mappings()]  # fmt: skip
            found[name] = sorted(str(row) for row in told)
    return found


def hide(lived: Lived, **wanted: Any) -> int:
    return undoing.hide(lived.engine, lived.settings, Wanted(**wanted), "ana", now()).going_id


def undo(lived: Lived, going_id: int) -> None:
    undoing.undo(lived.engine, lived.settings, going_id, now())


def see_to(lived: Lived, later: timedelta = timedelta(0)) -> int:
    return undoing.see_to(lived.engine, lived.settings, now() + later)


def others(lived: Lived, word: str) -> list[str]:
    """Tables in which there is that word, but for where it is set aside and what stages have said."""
    found = {one for one in lived.mentions(word) if one.startswith("table ")}
    return sorted(found - {"table going", "table set_aside", "table task"})


@pytest.mark.parametrize("wanted", [{"clips": [0]}, {"plate": "lt21 cgk"}, {"plate": "LT21CGK", "with_clips": True}])
def test_what_is_taken_back_is_as_it_was(lived: Lived, wanted: dict[str, Any]) -> None:
    if "clips" in wanted:
        wanted = {"clips": [lived.clips()[0]]}
    before, files = rows(lived.engine), lived.files()
    going_id = hide(lived, **wanted)
    assert rows(lived.engine) != before and "LT21CGK" not in lived.plates()
    assert see_to(lived, timedelta(hours=23)) == 0 and lived.files() == files, "nothing is gone within the day"
    undo(lived, going_id)
    assert rows(lived.engine) == before and lived.files() == files
    with reading(lived.engine) as session:
        assert session.scalars(select(SetAside)).all() == [] and undoing.listed(session) == []
    with pytest.raises(undoing.NotGoing, match="taken back already"):
        undo(lived, going_id)


def test_a_hidden_clip_is_in_no_table(lived: Lived) -> None:
    first, *rest = lived.clips()
    hide(lived, clips=[first])
    assert lived.clips() == rest and lived.plates() == {"DX01ZWH", "DX02ZWH", "LT22CGK", "LT23CGK"}
    assert [one for one in lived.mentions(first) if one.startswith("table ") and "aside" not in one] == ["table going"]


def test_a_hidden_plate_is_in_no_table_nor_is_what_was_said_of_it(lived: Lived) -> None:
    with writing(lived.engine) as session:
        merges.merge(session, "LT22CGK", "LT21CGK", "ana", now())
        notes.write(session, "LT21CGK", notes.Note(name="Bob", watched=True), "ana", now())
    before = rows(lived.engine)
    going_id = hide(lived, plate="LT21CGK")
    assert {"LT21CGK", "LT22CGK"} & lived.plates() == set()
    assert others(lived, "LT21CGK") == others(lived, "LT22CGK") == others(lived, "Bob") == []
    undo(lived, going_id)
    assert rows(lived.engine) == before


def test_after_a_day_it_is_as_if_it_had_been_deleted_at_once(lived: Lived) -> None:
    first, *rest = lived.clips()
    hide(lived, clips=[first])
    hide(lived, plate="LT22CGK")
    assert see_to(lived, timedelta(hours=25)) == 2 and see_to(lived, timedelta(hours=25)) == 0
    with lived.server() as server:
        erasing.carry_out(server, lived.stores)
    assert lived.clips() == rest and lived.plates() == {"DX01ZWH", "DX02ZWH", "LT23CGK"}
    assert set(lived.mentions(first)) == {"table deletion"} and lived.mentions("LT22CGK") == []
    assert len(deleting.read_list(lived.here.upkeep.folder)) == 2


def test_the_main_server_lets_go_what_is_due(lived: Lived) -> None:
    hide(lived, clips=[lived.clips()[0]])
    upkeep = Upkeep(lived.engine, lived.settings, lived.stores)
    upkeep.let_go()
    assert going_words(lived.engine) == 1
    with writing(lived.engine) as session:
        session.scalars(select(Going)).one().due = now()
    upkeep.let_go()
    with reading(lived.engine) as session:
        assert session.scalars(select(Going)).all() == [] and len(session.scalars(select(Leftover)).all()) == 1


def going_words(engine: Engine) -> int:
    with reading(engine) as session:
        return len(undoing.listed(session))


def test_reading_a_clip_again_does_not_show_a_plate_that_is_going(lived: Lived) -> None:
    first, *_ = lived.clips()
    before = lived.plates()
    going_id = hide(lived, plate="LT21CGK")
    with writing(lived.engine) as session:
        read_again(session, first, lived.settings)
    assert "LT21CGK" not in lived.plates() and len(lived.plates()) == len(before) - 1
    with writing(lived.engine) as session:  # a person's word has the clip's sightings put back
        corrections.settle(session, session.get_one(Video, first), lived.settings, put_back=True)
    assert "LT21CGK" not in lived.plates()
    undo(lived, going_id)
    assert lived.plates() == before


def test_what_comes_back_of_a_clip_that_was_read_anew_is_what_was_found_then(lived: Lived) -> None:
    first, *_ = lived.clips()
    going_id = hide(lived, plate="LT21CGK")
    with writing(lived.engine) as session:
        task = session.scalars(heavy_of(first)).one()
        moved = [one | {"crop": f"plates/anew-{one['text']}_best_crop.jpg"} for one in task.result["sightings"]]
        task.result = task.result | {"sightings": moved}
        read_again(session, first, lived.settings)
    undo(lived, going_id)
    with reading(lived.engine) as session:
        crops = session.scalars(select(SightingRow.crop).where(SightingRow.video_id == first)).all()
    assert sorted(crops) == sorted(one["crop"] for one in moved)


def heavy_of(video_id: str) -> Select[tuple[TaskRow]]:
    return select(TaskRow).where(TaskRow.video_id == video_id, TaskRow.task_type == "HEAVY_PROCESS_VIDEO")


def read_again(session: Any, video_id: str, site: Site) -> None:
    task = session.scalars(heavy_of(video_id)).one()
    task.completed_at = now()
    apply.apply_sightings(session, session.get_one(Video, video_id), HeavyResult.model_validate(task.result), site)


def test_one_sighting_goes_and_comes_back(lived: Lived) -> None:
    first, *_ = lived.clips()
    before = rows(lived.engine)
    with reading(lived.engine) as session:
        number = session.scalars(select(SightingRow.sighting_id).join(Plate).where(Plate.text == "LT21CGK")).one()
    word = undoing.hide_sightings(lived.engine, [number], "ana", now())
    assert "LT21CGK" not in lived.plates() and others(lived, "LT21CGK") == []
    with writing(lived.engine) as session:
        read_again(session, first, lived.settings)
    assert "LT21CGK" not in lived.plates()
    undo(lived, word.going_id)
    after = rows(lived.engine)
    assert [after[name] for name in ("sighting", "sighting_word")] == [
        before[name] for name in ("sighting", "sighting_word")
    ]


def test_several_sightings_go_and_come_back_in_one_line_and_none_where_one_is_not_there(lived: Lived) -> None:
    before = rows(lived.engine)
    with reading(lived.engine) as session:
        numbers = sorted(session.scalars(select(SightingRow.sighting_id)))[:3]
    with pytest.raises(NothingToDelete, match="no such sighting"):
        undoing.hide_sightings(lived.engine, [*numbers, 10**6], "ana", now())
    assert rows(lived.engine) == before
    word = undoing.hide_sightings(lived.engine, numbers, "ana", now())
    other = undoing.hide_sightings(lived.engine, more(lived, numbers)[:1], "ana", now())
    assert set(more(lived, [])).isdisjoint(numbers)
    assert listed(lived) == [word, other] and word.said == "3 sightings"
    undo(lived, word.going_id)
    assert listed(lived) == [other]
    undo(lived, other.going_id)
    after = rows(lived.engine)
    assert [after[name] for name in ("sighting", "sighting_word")] == [
        before[name] for name in ("sighting", "sighting_word")
    ]


def listed(lived: Lived) -> list[undoing.GoingLine]:
    with reading(lived.engine) as session:
        return undoing.listed(session)


def more(lived: Lived, numbers: list[int]) -> list[int]:
    with reading(lived.engine) as session:
        return sorted(set(session.scalars(select(SightingRow.sighting_id))) - {*numbers})


def test_several_sightings_go_for_good_at_once(lived: Lived) -> None:
    numbers = more(lived, [])[:3]
    word = undoing.hide_sightings(lived.engine, numbers, "ana", now())
    undoing.finish(lived.engine, lived.settings, word.going_id, now())
    assert not listed(lived) and set(more(lived, [])).isdisjoint(numbers)


def test_one_sighting_is_gone_after_a_day(lived: Lived) -> None:
    with reading(lived.engine) as session:
        number = session.scalars(select(SightingRow.sighting_id).join(Plate).where(Plate.text == "LT21CGK")).one()
    undoing.hide_sightings(lived.engine, [number], "ana", now())
    see_to(lived, timedelta(hours=25))
    with lived.server() as server:
        erasing.carry_out(server, lived.stores)
    assert lived.mentions("LT21CGK") == []
    with writing(lived.engine) as session:
        read_again(session, lived.clips()[0], lived.settings)
    assert "LT21CGK" not in lived.plates()


def test_cut_off_in_the_middle_it_is_ended_the_next_minute(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "CHUNK", 1)
    monkeypatch.setattr(undoing, "CHUNK", 1)
    before, clips = rows(lived.engine), lived.clips()

    def cut(*given: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as power, pytest.raises(KeyboardInterrupt):
        power.setattr(undoing, "keep_clips", cut)
        hide(lived, clips=clips[:2])
    assert lived.clips() == clips[1:]
    see_to(lived)
    assert lived.clips() == clips[2:], "the rest is hidden"
    with reading(lived.engine) as session:
        (word,) = undoing.listed(session)
    put_back = going.put_clips_back

    with monkeypatch.context() as power, pytest.raises(KeyboardInterrupt):
        steps = iter([put_back, cut])
        power.setattr(going, "put_clips_back", lambda *given: next(steps)(*given))
        undo(lived, word.going_id)
    assert len(lived.clips()) == 2
    see_to(lived)
    assert rows(lived.engine) == before, "the rest is back"


def test_a_clip_and_a_plate_in_it_come_back_in_any_order(lived: Lived) -> None:
    first, *_ = lived.clips()
    before = rows(lived.engine)
    for order in (1, -1):
        words = [hide(lived, plate="LT21CGK"), hide(lived, clips=[first])]
        for going_id in words[::order]:
            undo(lived, going_id)
            see_to(lived)
        assert rows(lived.engine) == before


def test_a_plate_that_is_gone_by_then_does_not_come_back_with_its_clip(lived: Lived) -> None:
    first, *_ = lived.clips()
    clip = hide(lived, clips=[first])
    lived.delete(plate="LT22CGK")
    with writing(lived.engine) as session:
        deletions.remember(session, "plate", [deletions.names_for(session, lived.settings).of("LT21CGK")], now())
    undo(lived, clip)
    assert first in lived.clips() and lived.plates() == {"DX00ZWH", "DX01ZWH", "DX02ZWH", "LT23CGK"}


def test_no_scan_takes_it_in_and_no_sweep_takes_its_folders(lived: Lived) -> None:
    first, *_ = lived.clips()
    hide(lived, clips=[first])
    with writing(lived.engine) as session:
        found = arrival.FoundFile(InputRef.of("indoor_nas:raw/again.MP4", "video"), video_id=first)
        (said,) = arrival.admit(session, [found])
        assert said.status == "deleted" and "may have it back" in (said.reason or "")
        assert session.scalars(select(Leftover)).all() == []
        folder = Folder(kind="heavy_output", video_id=first)
        (word,) = orphans.judge(session, [folder])
    assert not word.orphan and not word.unknown


def test_protected_clips_stay(lived: Lived) -> None:
    first, *_ = lived.clips()
    with writing(lived.engine) as session:
        session.add(Protection(video_id=first, reason="the crash", who="ana", at=now()))
    before = rows(lived.engine)
    for wanted in ({"clips": [first]}, {"plate": "LT21CGK"}):
        with pytest.raises(NothingToDelete):
            hide(lived, **wanted)
    assert rows(lived.engine) == before


def test_what_is_going_already_says_so(lived: Lived) -> None:
    first, *_ = lived.clips()
    for wanted in ({"plate": "LT22CGK"}, {"clips": [first]}):
        hide(lived, **wanted)
        with pytest.raises(NothingToDelete, match="deleted already"):
            hide(lived, **wanted)


def test_a_rebuild_shows_nothing_that_is_going_and_it_can_be_had_back(lived: Lived, tmp_path: Path) -> None:
    first, *rest = lived.clips()
    with writing(lived.engine) as session:
        notes.write(session, "LT22CGK", notes.Note(name="Bob"), "ana", now())
    plates = lived.plates()
    hide(lived, clips=[first])
    hide(lived, plate="LT22CGK")
    with reading(lived.engine) as session:
        decisions.write(lived.stores, decisions.all_of(session))
    anew = new_database(tmp_path / "anew.db")
    rebuild(anew, lived.stores, lived.settings)
    other = Lived(MadeSite(anew, lived.made.folder), lived.settings)
    assert other.clips() == rest and other.plates() == {"DX01ZWH", "DX02ZWH", "LT23CGK"}
    with reading(anew) as session:
        words = [one.going_id for one in undoing.listed(session)]
    for going_id in words:
        undo(other, going_id)
    assert other.clips() == lived_clips(first, rest) and other.plates() == plates
    with reading(anew) as session:
        assert notes.of(session, "LT22CGK").name == "Bob"
    anew.dispose()


def lived_clips(first: str, rest: list[str]) -> list[str]:
    return [first, *rest]


def test_a_restored_database_lets_nothing_go_that_was_taken_back(lived: Lived) -> None:
    first, *rest = lived.clips()
    hide(lived, clips=[first])  # as a backup has it, taken just then
    with writing(lived.engine) as session:
        word = session.scalars(select(Going)).one()
        word.at, word.due = now() - timedelta(days=9), now() - timedelta(days=8)
        told = decisions.all_of(session).model_copy(update={"going": []})  # it was taken back since
    decisions.write(lived.stores, told)
    undoing.another_day(lived.engine, now())
    assert see_to(lived, timedelta(hours=1)) == 0
    rebuild(lived.engine, lived.stores, lived.settings, add=True)
    assert lived.clips() == [first, *rest]


def test_a_rebuild_that_adds_leaves_out_what_is_set_aside(lived: Lived) -> None:
    first, *rest = lived.clips()
    hide(lived, clips=[first])
    with reading(lived.engine) as session:
        decisions.write(lived.stores, decisions.all_of(session))
    said = json.loads(lived.stores.path(layout.DECISIONS).read_text())
    assert [one["clips"] for one in said["going"]] == [[first]]
    assert rebuild(lived.engine, lived.stores, lived.settings, add=True).clips == 0
    assert lived.clips() == rest


def test_it_works_on_both_databases(any_engine: Engine, tmp_path: Path) -> None:
    from tests.catalog.car import Car
    from tests.upkeep import made_site

    site = MadeSite(any_engine, tmp_path / "made")
    car = Car()
    car.drive(made_site.NOON, 2)
    for number, facts in enumerate(car.clips[:2]):
        site.process(facts, number)
    kept = {"privacy": {"key_file": str(tmp_path / "key")}, "backup": {"folder": str(tmp_path)}}
    lived = Lived(site, Site.model_validate(kept))
    before, clips = rows(any_engine), lived.clips()
    for wanted in ({"clips": clips[:1]}, {"plate": "LT22CGK"}, {"plate": "LT21CGK", "with_clips": True}):
        going_id = hide(lived, **wanted)
        assert rows(any_engine) != before
        undo(lived, going_id)
        assert rows(any_engine) == before
    hide(lived, clips=clips[:1])
    hide(lived, plate="LT22CGK")
    assert see_to(lived, timedelta(hours=25)) == 2
    assert lived.plates() == {"DX01ZWH"} and lived.clips() == clips[1:]
