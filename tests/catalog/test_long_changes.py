"""What touches thousands of clips does so in short write transactions, is finished when done again after it was cut
short, and changes what hangs on it and nothing else. Times are CPU seconds of the writing thread."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, func, insert, select, update

from dashcam.catalog import clocks, deriving
from dashcam.catalog.camera_rows import CameraClock
from dashcam.catalog.models import PositionRow, SightingRow, TripRow, Video
from dashcam.catalog.plates import plate_ids
from dashcam.config import Site
from dashcam.database import reading, writing
from tests.catalog.rows import NOON, seen

pytestmark = pytest.mark.alone

SITE = Site()
HOUR_S = 3600.0
A_DAY = 40
"""Clips of a minute, one drive."""


@contextmanager
def write_transactions(engine: Engine) -> Iterator[list[float]]:
    """CPU seconds between BEGIN and COMMIT of each write transaction."""
    began: dict[int, float] = {}
    lasted: list[float] = []

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("write"):
            began[id(connection)] = time.thread_time()

    def commit(connection: Connection) -> None:
        if (start := began.pop(id(connection), None)) is not None:
            lasted.append(time.thread_time() - start)

    event.listen(engine, "begin", begin)
    event.listen(engine, "commit", commit)
    gc.disable()  # one look through what all tests before have left costs as much as a transaction
    try:
        yield lasted
    finally:
        gc.enable()
        event.remove(engine, "begin", begin)
        event.remove(engine, "commit", commit)


def add_clips(
    engine: Engine, count: int, fixes: int, clock: str | None = "camera", sightings: int = 0, first: int = 0
) -> None:
    """Drives of ``A_DAY`` clips a day, as a version before trips left them where ``clock`` is None."""
    with writing(engine) as session:
        videos: list[dict[str, Any]] = []
        positions: list[dict[str, Any]] = []
        for number in range(first, first + count):
            start = NOON + timedelta(days=number // A_DAY, minutes=number % A_DAY)
            clip = f"{number:016x}"
            facts = {"name": clip, "sha256": clip, "size": 1, "camera": "front", "trip": "", "clock": "name"}
            facts |= {"start_utc": start.isoformat(), "duration_s": 60.0, "width": 1280, "height": 720, "fps": 30.0}
            facts |= {"codec": "h264", "frames": 1800, "clock_kind": "camera"}
            video = {"video_id": clip, "name": clip, "source": f"nas:{clip}", "created_at": start, "facts": facts}
            videos.append(video | {"start_utc": start, "duration_s": 60.0, "camera": "front", "clock": clock})
            for fix in range(fixes):
                at = start + timedelta(seconds=60 / fixes * fix)
                place = {"lat": 44.0 + number * 1e-3 + fix * 1e-4, "lon": 26.0, "speed_mps": 9.0, "heading_deg": 0.0}
                told = {"video_id": clip, "t_s": 60 / fixes * fix, "utc": at, "source": "novatek", "quality": "fix"}
                positions.append(told | place)
        session.execute(insert(Video), videos)
        session.execute(insert(PositionRow), positions)
        plates = plate_ids(session, [f"AB{number:02d}CDE" for number in range(sightings)])
        seconds = {text: 5.0 * (number + 1) for number, text in enumerate(plates)}
        clips = [Video(video_id=one["video_id"], start_utc=one["start_utc"]) for one in videos]
        if rows := [
            {"plate_id": plates[text]} | seen(clip, text, at) for clip in clips for text, at in seconds.items()
        ]:
            session.execute(insert(SightingRow), rows)


def all_trips(engine: Engine) -> list[tuple[Any, ...]]:
    with reading(engine) as session:
        columns = TripRow.trip_id, TripRow.start_utc, TripRow.end_utc, TripRow.clips
        return [tuple(row) for row in session.execute(select(*columns).order_by(TripRow.start_utc))]


def test_an_upgrade_is_caught_up_with_in_short_write_transactions(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[int] = []
    grouped = deriving.rules.trips
    monkeypatch.setattr(deriving.rules, "trips", lambda clips, *rest: met.append(len(clips)) or grouped(clips, *rest))
    add_clips(any_engine, 2400, fixes=3, clock=None)
    began = time.thread_time()
    with write_transactions(any_engine) as lasted:
        deriving.catch_up(any_engine, SITE.trips)
    whole = time.thread_time() - began
    assert (len(lasted), len(met)) == (2400 // deriving.CHUNK, 2400 // deriving.CHUNK)
    assert max(met) <= deriving.CHUNK + 3 * A_DAY, "clips in one transaction: its own, and a trip to each side"
    assert max(lasted) < 0.3 * whole, f"{max(lasted):.2f} of {whole:.2f} s"
    assert [clips for *_, clips in all_trips(any_engine)] == [A_DAY] * (2400 // A_DAY)
    with reading(any_engine) as session:
        assert session.scalar(select(func.count()).where(Video.clock.is_(None))) == 0
    with write_transactions(any_engine) as lasted:
        deriving.catch_up(any_engine, SITE.trips)
    assert lasted == []


def test_catching_up_goes_on_where_it_was_stopped(any_engine: Engine) -> None:
    add_clips(any_engine, 900, fixes=2, clock=None)
    turns = iter((True, True, False))
    deriving.catch_up(any_engine, SITE.trips, lambda: next(turns))
    with reading(any_engine) as session:
        assert session.scalar(select(func.count()).where(Video.clock.is_(None))) == 900 - 2 * deriving.CHUNK
    known = all_trips(any_engine)
    deriving.catch_up(any_engine, SITE.trips)
    assert len(all_trips(any_engine)) == 23
    assert all_trips(any_engine)[: len(known) - 1] == known[:-1], "what was done stays as it was"


def test_positions_that_came_while_a_summary_was_worked_out_are_not_overwritten(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_clips(any_engine, 3, fixes=2)
    worked_out = deriving.summary

    def meanwhile(session: Any, video: Any, settings: Any) -> dict[str, Any]:
        found = worked_out(session, video, settings)
        with writing(any_engine) as other:
            other.execute(update(Video).where(Video.video_id == video.video_id).values(drive={"newer": True}))
        return found

    monkeypatch.setattr(deriving, "summary", meanwhile)
    with pytest.raises(ValueError, match="newer"):  # the stand-in for a summary that another transaction wrote
        deriving.derive_everything(any_engine, SITE.trips)


def test_correcting_a_clock_moves_everything_in_short_write_transactions(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_clips(any_engine, 240, fixes=10, sightings=2)
    deriving.derive_everything(any_engine, SITE.trips)
    before = all_trips(any_engine)
    monkeypatch.setattr(clocks, "SHORT_S", 0.1)
    began = time.thread_time()
    with write_transactions(any_engine) as lasted:
        assert clocks.correct(any_engine, "front", HOUR_S, SITE) == 240
    whole = time.thread_time() - began
    assert max(lasted) < 0.4 * whole and len(lasted) > 6, f"{max(lasted):.2f} of {whole:.2f} s, {len(lasted)} of them"
    hour = timedelta(seconds=HOUR_S)
    assert all_trips(any_engine) == [(number, start - hour, end - hour, clips) for number, start, end, clips in before]
    with reading(any_engine) as session:
        for video in session.scalars(select(Video)):
            number = int(video.video_id, 16)
            assert video.start_utc == NOON - hour + timedelta(days=number // A_DAY, minutes=number % A_DAY)
            fixes = session.scalars(select(PositionRow).where(PositionRow.video_id == video.video_id))
            assert {fix.utc - timedelta(seconds=fix.t_s) for fix in fixes} == {video.start_utc}
            seen = session.scalars(select(SightingRow).where(SightingRow.video_id == video.video_id))
            assert {one.seen_utc - timedelta(seconds=one.best_s) for one in seen if one.seen_utc} == {video.start_utc}


def test_a_correction_that_was_cut_short_is_finished_by_doing_it_again(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_clips(any_engine, 60, fixes=2)
    deriving.derive_everything(any_engine, SITE.trips)
    before = all_trips(any_engine)
    with monkeypatch.context() as cut:
        cut.setattr(deriving, "derive_in_steps", lambda *given: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception, match="killed"):
            clocks.correct(any_engine, "front", HOUR_S, SITE)
    assert all_trips(any_engine) == before
    assert clocks.correct(any_engine, "front", HOUR_S, SITE) == 0
    assert [start for _, start, *_ in all_trips(any_engine)] == [start - timedelta(hours=1) for _, start, *_ in before]


def test_clips_that_move_by_years_leave_no_empty_trip_behind(any_engine: Engine) -> None:
    add_clips(any_engine, 5, fixes=2)
    deriving.derive_everything(any_engine, SITE.trips)
    clocks.correct(any_engine, "front", 4 * 366 * 86400.0, SITE)
    [(_, start, *_)] = all_trips(any_engine)
    assert start.year == NOON.year - 4
    clocks.correct(any_engine, "front", 0.0, SITE)
    assert [clips for *_, clips in all_trips(any_engine)] == [5]


def test_only_the_rows_of_moved_clips_are_written(any_engine: Engine) -> None:
    add_clips(any_engine, 80, fixes=4, sightings=1)
    deriving.derive_everything(any_engine, SITE.trips)
    with writing(any_engine) as session:
        session.execute(delete(CameraClock))
    written: list[int] = []

    def count(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("UPDATE position", "UPDATE sighting")):
            written.append(cursor.rowcount)

    event.listen(any_engine, "after_cursor_execute", count)
    clocks.correct(any_engine, "front", HOUR_S, SITE)
    assert sum(written) == 80 * 5
    written.clear()
    clocks.correct(any_engine, "front", HOUR_S, SITE)
    assert sum(written) == 0
