"""What the pages show is complete, in order, and costs the same few queries however much there is."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event, select, text, update
from sqlalchemy.orm import Session

from dashcam.catalog import devices, export, search, work
from dashcam.catalog import plates as plate_table
from dashcam.catalog import sightings as sighting_table
from dashcam.catalog import videos as video_table
from dashcam.catalog.devices import Pause
from dashcam.catalog.models import DeviceRow, SightingRow, Video
from dashcam.catalog.paging import Cursor
from dashcam.catalog.plate_filter import PlateFilter
from dashcam.catalog.totals import Totals
from dashcam.catalog.totals import totals as catalogue_totals
from dashcam.catalog.videos import VideoFilter
from dashcam.database import reading, writing
from dashcam.tasks.model import TaskType
from tests.catalog.rows import NOON, add_route, add_sighting, add_task, add_video

T = TypeVar("T")


def queries(engine: Engine, question: Callable[[Session], object]) -> int:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with reading(engine) as session:
            question(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def pages(first: Callable[[Cursor | None], list[T]], cursor: Callable[[T], Cursor | None]) -> list[T]:
    shown: list[T] = []
    after = None
    while page := first(after):
        shown += page
        after = cursor(page[-1])
    return shown


def test_the_latest_videos_are_no_fewer_when_one_has_come_through(engine: Engine) -> None:
    def latest(limit: int) -> list[int]:
        with reading(engine) as session:
            return [int(card.video_id, 16) for card in video_table.latest(session, limit)]

    with writing(engine) as session:
        for number in range(1, 6):
            add_video(session, number, NOON + timedelta(minutes=number), outcome=None)
    assert latest(4) == [5, 4, 3, 2]
    with writing(engine) as session:
        session.get_one(Video, f"{1:016x}").outcome = "processed"
    assert latest(4) == [5, 4, 3, 1] and latest(8) == [5, 4, 3, 2, 1]
    with writing(engine) as session:
        for number in range(2, 5):
            session.get_one(Video, f"{number:016x}").outcome = "processed"
    assert latest(4) == [4, 3, 2, 1] and latest(5) == [5, 4, 3, 2, 1]


def test_videos_are_newest_first_and_a_clip_not_looked_at_yet_stands_where_it_was_found(engine: Engine) -> None:
    with writing(engine) as session:
        add_video(session, 1, NOON)
        add_video(session, 2, NOON + timedelta(hours=2))
        add_video(session, 3, None, created_at=NOON + timedelta(hours=1))
    with reading(engine) as session:
        assert [int(card.video_id, 16) for card in video_table.videos(session)] == [2, 3, 1]


def test_paging_through_videos_shows_each_once_even_when_many_start_at_the_same_second(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(23):
            add_video(session, number, NOON + timedelta(minutes=number // 5))
    with reading(engine) as session:
        shown = pages(lambda after: video_table.videos(session, after=after, limit=4), lambda card: card.cursor)
    ids = [int(card.video_id, 16) for card in shown]
    assert sorted(ids) == list(range(23))
    assert [card.when for card in shown] == sorted((card.when for card in shown), reverse=True)


def test_videos_are_filtered_by_name_camera_and_outcome(engine: Engine) -> None:
    with writing(engine) as session:
        add_video(session, 1, name="100%_sure.MP4")
        add_video(session, 2, name="other.MP4", camera="rear")
        add_video(session, 3, name="broken.MP4", outcome="rejected", reason="The file is empty.")
        add_video(session, 4, None, name="new.MP4")
    with reading(engine) as session:

        def names(**wanted: str) -> set[str]:
            return {card.name for card in video_table.videos(session, VideoFilter(**wanted))}

        assert names(text="0%_S") == {"100%_sure.MP4"}
        assert names(text="%") == {"100%_sure.MP4"}, "a per cent sign is a character, not a wildcard"
        assert names(camera="rear") == {"other.MP4"}
        assert names(outcome="rejected") == {"broken.MP4"}
        assert names(outcome="pending") == {"new.MP4"}
        assert video_table.cameras(session) == ["front", "rear"]


def test_a_video_counts_its_sure_plates_and_says_what_it_waits_for(engine: Engine) -> None:
    with writing(engine) as session:
        video = add_video(session, 1, outcome=None)
        add_sighting(session, video, "AB12CDE", 2.0)
        add_sighting(session, video, "AB12CDE", 6.0)
        add_sighting(session, video, "XX", 7.0, confirmed=False)
        add_task(session, video, "INGEST_VIDEO", state="complete")
        add_task(session, video, "ARCHIVE_VIDEO", device_type="nas")
    with reading(engine) as session:
        [card] = video_table.videos(session)
    assert card.plates == 1
    assert card.task is not None and card.task.task_type is TaskType.ARCHIVE_VIDEO


def test_a_page_of_videos_costs_the_same_number_of_queries_whatever_its_length(engine: Engine) -> None:
    with writing(engine) as session:
        add_sighting(session, add_video(session, 0), "AB12CDE")
    one = queries(engine, video_table.videos), queries(engine, search.plates)
    with writing(engine) as session:
        for number in range(1, 40):
            video = add_video(session, number)
            add_task(session, video)
            add_sighting(session, video, f"AB{number}CDE")
    assert (queries(engine, video_table.videos), queries(engine, search.plates)) == one
    assert max(one) <= 4


@pytest.mark.parametrize("fragment", ["lt23cgk", "LT-23", " t2 3c ", "CGK"])
def test_a_plate_is_found_by_any_part_of_it(engine: Engine, fragment: str) -> None:
    with writing(engine) as session:
        video = add_video(session, 1)
        add_sighting(session, video, "LT23CGK", 1.0)
        add_sighting(session, video, "DX17ZWH", 2.0)
    with reading(engine) as session:
        assert [card.text for card in search.plates(session, PlateFilter(fragment))] == ["LT23CGK"]


@pytest.mark.parametrize("few", [0, 4000])
def test_plates_come_last_seen_first_each_once_with_its_newest_sighting(
    engine: Engine, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of its two ways the search takes."""
    monkeypatch.setattr(search, "FEW_PLATES", few)
    with writing(engine) as session:
        for number in range(12):
            video = add_video(session, number, NOON + timedelta(hours=number))
            add_sighting(session, video, f"A{number % 4}", 2.0, number=1)
            add_sighting(session, video, f"A{number % 3}X", 2.0, number=2)
            add_sighting(session, video, f"AU{number}", 3.0, confirmed=False)
            # newer, but unsure: it does not hide the sure one
            add_sighting(session, video, f"A{number % 4}", 9.0, number=4, confirmed=False)
    with reading(engine) as session:
        shown = pages(lambda after: search.plates(session, PlateFilter("a"), after, 3), lambda card: card.cursor)
        everything = search.plates(session, PlateFilter("a", confirmed_only=False))
    assert sorted(card.text for card in shown) == ["A0", "A0X", "A1", "A1X", "A2", "A2X", "A3"]
    assert [card.last.seen_utc for card in shown] == sorted((card.last.seen_utc for card in shown), reverse=True)
    assert {card.text: card.sightings for card in shown}["A3"] == 3
    assert {card.text: card.last.seen_utc for card in shown}["A3"] == NOON + timedelta(hours=11, seconds=2)
    assert len(everything) == 7 + 12


def test_one_plate_is_found_as_a_person_types_it_and_lists_every_sighting(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(3):
            video = add_video(session, number, NOON + timedelta(days=number))
            add_sighting(session, video, "LT23CGK", 1.0, **({} if number else {"lat": 44.0, "lon": -3.0}))
            add_sighting(session, video, "LT23CGK", 5.0, confirmed=number > 0)
    with reading(engine) as session:
        found = plate_table.plate(session, "lt23 cgk")
        assert found is not None
        assert (found.text, found.sightings, found.confirmed, found.videos) == ("LT23CGK", 6, 5, 3)
        assert found.placed == 1
        assert (found.first_seen, found.last_seen) == (
            NOON + timedelta(seconds=1),
            NOON + timedelta(days=2, seconds=5),
        )
        seen = pages(
            lambda after: list(sighting_table.of_plate(session, found.plate_id, after, 4)), lambda one: one.cursor
        )
        assert len({one.sighting_id for one in seen}) == 6
        assert plate_table.plate(session, "ZZ") is None


def test_one_video_carries_its_plates_with_the_boxes_of_every_read(engine: Engine) -> None:
    with writing(engine) as session:
        video = add_video(session, 1)
        add_route(session, video)
        add_sighting(session, video, "LT23CGK", 4.0, box=[1.0, 2.0, 3.0, 4.0])
    with reading(engine) as session:
        found = video_table.video(session, video.video_id)
        assert video_table.video(session, "f" * 16) is None
    assert found is not None and found.facts is not None
    assert (found.positions, found.facts.width) == (10, 1280)
    assert found.sightings[0].followed() == [(t, 1.0, 2.0, 3.0, 4.0) for t in (3.5, 4.0, 4.5)]


def test_backlog_names_every_stage_and_counts_clips_footage_and_what_is_held(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(3):
            add_task(session, add_video(session, number, outcome=None), hold="cancelled" if number == 0 else None)
        add_task(session, add_video(session, 9), state="complete")
    with reading(engine) as session:
        lines = {line.task_type: line for line in work.backlog(session)}
    assert list(lines) == list(TaskType)
    heavy = lines[TaskType.HEAVY_PROCESS_VIDEO]
    assert (heavy.pending, heavy.held, heavy.footage_s) == (3, 1, 30.0)
    assert lines[TaskType.ARCHIVE_VIDEO].pending == 0


def test_tasks_in_trouble_are_those_that_failed_or_are_held(engine: Engine) -> None:
    with writing(engine) as session:
        quiet, failed, held, done = (add_video(session, number) for number in range(4))
        add_task(session, quiet)
        add_task(session, failed, failures=2, last_error="No such file.")
        add_task(session, held, hold="run cancelled in Prefect")
        add_task(session, done, state="complete", failures=1, completed_at=NOON)
    with reading(engine) as session:
        assert [line.video_id for line in work.tasks(session, "stuck")] == [failed.video_id, held.video_id]
        assert [line.video_id for line in work.tasks(session, "complete")] == [done.video_id]
        assert work.task_counts(session) == {"pending": 3, "stuck": 2, "complete": 1}


def test_totals_and_devices(engine: Engine) -> None:
    with writing(engine) as session:
        video = add_video(session, 1)
        add_sighting(session, video, "LT23CGK")
        add_sighting(session, video, "DIVERTED", best_s=5.0, confirmed=False)
        session.add(DeviceRow(hostname="gpu-pc", device_type="gpu", last_seen=NOON, info={"cores": 8}))
    with reading(engine) as session:
        assert catalogue_totals(session) == Totals(videos=1, footage_s=10.0, plates=1, sightings=1)
        free = Pause(paused=False)
        expected = devices.DeviceLine("gpu-pc", "gpu", NOON, {"cores": 8}, free, None)
        assert devices.lines(session, NOON) == [expected]


def test_a_days_videos_are_those_from_midnight_to_midnight(engine: Engine) -> None:
    midnight = NOON.replace(hour=0)
    with writing(engine) as session:
        for number, hours in enumerate((-1, 0, 23, 24)):
            add_video(session, number, midnight + timedelta(hours=hours))
        add_video(session, 9, None, created_at=NOON)
    with reading(engine) as session:
        day = VideoFilter(since=midnight, until=midnight + timedelta(days=1))
        assert [int(card.video_id, 16) for card in video_table.videos(session, day)] == [2, 9, 1]


def test_what_has_no_time_stands_in_the_same_place_in_both_databases(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        dated = [add_video(session, number, start=NOON + timedelta(hours=number), trip_id=None) for number in (1, 2)]
        new = add_video(session, 3, start=None, created_at=NOON + timedelta(minutes=90))
        for video in (*dated, new):
            add_sighting(session, video, "LT23CGK")
        plate_id = session.scalars(select(SightingRow.plate_id)).first()
        session.execute(update(SightingRow).where(SightingRow.video_id == new.video_id).values(seen_utc=None))
    with reading(any_engine) as session:
        assert [int(one.video_id, 16) for one in video_table.numbered(session)[0]] == [2, 3, 1]
        assert [int(card.video_id, 16) for card in video_table.videos(session)] == [2, 3, 1]
        assert [int(one.video_id, 16) for one in sighting_table.of_plate(session, plate_id or 0)] == [2, 1, 3]
        [card] = search.plates(session)
        assert (card.sightings, int(card.last.video_id, 16)) == (3, 2)
        lines = list(export.sightings_csv(session, export.ExportScope()))
        assert [line.rstrip()[-1] for line in lines[1:]] == ["1", "2", "3"]


def test_a_page_by_number_says_how_many_there_are_in_all(engine: Engine) -> None:
    with writing(engine) as session:
        for number in range(1, 6):
            add_video(session, number, start=NOON + timedelta(hours=number))
    with reading(engine) as session:
        page, total = video_table.numbered(session, VideoFilter(since=NOON + timedelta(hours=2)), limit=2, offset=1)
        assert ([int(one.video_id, 16) for one in page], total) == ([4, 3], 4)


def test_totals_read_indices_only(sqlite_engine: Engine) -> None:
    asked: list[str] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda _c, _cursor, statement, *_rest: asked.append(statement))
    with reading(sqlite_engine) as session:
        catalogue_totals(session)
        counts = [one for one in asked if "count" in one]
        for statement in counts:
            for *_, step in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")):
                assert step.startswith(("SCAN plate", "SCALAR", "CORRELATED")) or "COVERING INDEX" in step, step
    assert len(counts) == 3
