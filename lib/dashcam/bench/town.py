"""Five made-up years of one car's drives, as rows of the catalogue: as many sightings as wanted.

Plates follow real formats, with the towns near home more often. A fifth of all sightings are sixty neighbours' cars,
most other plates are met once or twice. On weekdays the car commutes, at weekends it is about the town, four weeks a
year it is far away. Fixes are as many as wanted; they lie on the way that was driven, the sightings beside it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from dashcam.catalog.plate_text import near_keys, suffixes
from dashcam.storage import layout

YEARS = 5
FIRST_DAY = datetime(2021, 1, 1, tzinfo=UTC)
SIGHTINGS_PER_PLATE = 5
SIGHTINGS_PER_VIDEO = 10
CLIP_S = 60.0
NEIGHBOURS = 60
HOME, WORK = np.array([51.46, -0.12]), np.array([51.53, 0.09])
BATCH = 20_000
LETTERS = np.array(list("ABCDEFGHJKLMNOPRSTUVWXYZ"))
SLOTS = json.dumps([{letter: 0.9, "0": 0.05} for letter in "LT23CGK"])
READS = json.dumps(
    [
        {"pts": 90_000 + at, "t_s": 2.5, "box": [812.0, 601.5, 934.0, 640.25], "text": "LT23CGK", "confidence": 0.93}
        | {"legibility": 0.8, "slots": [{letter: 0.93} for letter in "LT23CGK"]}
        for at in range(4)
    ]
)

Columns = NDArray[Any]


def fill(
    engine: Engine,
    sightings: int,
    seed: int = 1,
    *,
    per_video: int = SIGHTINGS_PER_VIDEO,
    fixes_per_video: int = 0,
    first_day: datetime = FIRST_DAY,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Write the catalogue into a new SQLite database that has its tables."""
    rng = np.random.default_rng(seed)
    texts = make_plates(rng, max(1, sightings // SIGHTINGS_PER_PLATE))
    with engine.execution_options(write=True).begin() as connection:
        connection.exec_driver_sql("PRAGMA cache_size = -400000")
        insert(connection, "plate (plate_id, text)", enumerate(texts, 1))
        ends = ((end, number, text) for number, text in enumerate(texts, 1) for end in suffixes(text))
        insert(connection, "plate_suffix (suffix, plate_id, text)", ends)
        keys = ((key, number) for number, text in enumerate(texts, 1) for key in near_keys(text))
        insert(connection, "plate_near (key, plate_id)", keys)
        progress(0.2)
        times = make_times(rng, sightings)
        places = make_places(rng, times)
        insert(connection, f"video ({VIDEO})", video_rows(times[::per_video], first_day))
        insert(connection, f"position ({POSITION})", position_rows(times[::per_video], fixes_per_video, first_day))
        rows = sighting_rows(rng, times, places, len(texts), per_video, first_day)
        for done in range(0, sightings, BATCH):
            insert(connection, f"sighting ({SIGHTING})", islice(rows, BATCH))
            progress(0.2 + 0.8 * done / sightings)
    with closing(engine.raw_connection()) as raw:  # as a database that has rested: nothing left in the write-ahead log
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def insert(connection: Connection, table: str, rows: Iterator[tuple[Any, ...]] | Any) -> None:
    marks = ", ".join("?" * (table.count(",") + 1))
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", batch)


def make_plates(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct plates: British mostly, some German and Romanian."""
    found: dict[str, None] = {}
    while len(found) < count:
        size = count - len(found) + 100
        letters = LETTERS[rng.integers(0, len(LETTERS), (size, 5))]
        near = rng.random(size) < 0.4
        numbers = rng.integers(0, 10_000, size)
        country = rng.random(size)
        for row, at_home, number, share in zip(letters, near, numbers, country, strict=True):
            a, b, c, d, e = row
            if share < 0.7:
                year = (number % 23) + (51 if number & 64 else 2)
                found[f"{'L' if at_home else a}{b}{year:02d}{c}{d}{e}"] = None
            elif share < 0.85:
                found[f"{'B' if at_home else a}{b}{c}{number + 1}"[:8]] = None
            else:
                found[f"B{number % 900 + 100}{c}{d}{e}" if at_home else f"{a}{b}{number % 90 + 10}{c}{d}{e}"] = None
    return list(found)[:count]


def make_times(rng: np.random.Generator, count: int) -> Columns:
    """Seconds after the first day, ascending: two drives a day, an hour each."""
    days = rng.integers(0, YEARS * 365, count)
    starts = np.where(rng.random(count) < 0.5, 7.5, 17.0) * 3600
    return np.asarray(np.sort(days * 86_400.0 + starts + rng.integers(0, 3600, count)))


def make_places(rng: np.random.Generator, times: Columns) -> Columns:
    """(latitude, longitude) of each sighting."""
    days = (times // 86_400).astype(int)
    along = (times % 86_400 % 3600 / 3600)[:, None]
    commute = HOME + (WORK - HOME) * along + rng.normal(0, 0.002, (len(times), 2))
    town = HOME + rng.normal(0, 0.04, (len(times), 2))
    resorts = HOME + rng.uniform(-3, 3, (4 * YEARS, 2))
    weeks = days // 7
    week_off = (weeks % 13) == 6
    away = resorts[(weeks // 13) % len(resorts)] + rng.normal(0, 0.05, (len(times), 2))
    places = np.where((days % 7 >= 5)[:, None], town, commute)
    return np.where(week_off[:, None], away, places)


def make_way(times: Columns) -> Columns:
    """(latitude, longitude) of the car: to work and back by the straight road, else three rounds a drive."""
    days, along = (times // 86_400).astype(int), times % 86_400 % 3600 / 3600
    turn = 6 * np.pi * along
    rounds = HOME + 0.04 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    return np.where((days % 7 >= 5)[:, None], rounds, HOME + (WORK - HOME) * along[:, None])


def position_rows(starts: Columns, count: int, first_day: datetime) -> Iterator[tuple[Any, ...]]:
    for number, start in enumerate(starts):
        after = np.arange(count) * CLIP_S / max(1, count)
        for t_s, (lat, lon) in zip(after, make_way(start + after), strict=True):
            at = moment(start - 1 + t_s, first_day)
            yield f"{number:016x}", float(t_s), at, float(lat), float(lon), 12.0, 90.0, "novatek", "fix"


def video_rows(starts: Columns, first_day: datetime) -> Iterator[tuple[Any, ...]]:
    for number, start in enumerate(starts):
        began = moment(start - 1, first_day)
        name = f"clip_{number:07d}F.MP4"
        facts = {"name": name, "camera": "front", "kind": "normal", "trip": began[:10], "sha256": "0" * 64}
        yield (
            f"{number:016x}", name, f"indoor_nas:raw/{name}", began, json.dumps(facts), began, CLIP_S, began[:10],
            "front", 1800, 300, "{}", layout.archive(f"{number:016x}"), layout.POSTER, "processed",
        )  # fmt: skip


def sighting_rows(
    rng: np.random.Generator, times: Columns, places: Columns, plates: int, per_video: int, first_day: datetime
) -> Iterator[tuple[Any, ...]]:
    owners = make_owners(rng, len(times), plates)
    sure = rng.random(len(times)) < 0.9
    for number, (at, place, owner, confirmed) in enumerate(zip(times, places, owners, sure, strict=True)):
        yield (
            f"{number // per_video:016x}", int(owner), 0.93, bool(confirmed), 1.0, 4.0, 2.5, 90_000,
            "[812.0, 601.5, 934.0, 640.25]", SLOTS, READS, layout.crop(str(number)),
            layout.frame(str(number)), moment(at, first_day), float(place[0]), float(place[1]), 12.0, 90.0,
        )  # fmt: skip


def make_owners(rng: np.random.Generator, count: int, plates: int) -> Columns:
    """Whose car each sighting is: every plate once, sixty neighbours often, the rest with a long tail."""
    owners = 1 + (plates * rng.random(count) ** 2).astype(int)
    neighbours = rng.random(count) < 0.2
    owners[neighbours] = 1 + rng.integers(0, min(NEIGHBOURS, plates), int(neighbours.sum()))
    once = rng.choice(count, plates, replace=False)
    owners[once] = 1 + np.arange(plates)
    return owners


def moment(seconds: float, first_day: datetime) -> str:
    """As SQLAlchemy writes a time into SQLite."""
    return (first_day + timedelta(seconds=float(seconds))).strftime("%Y-%m-%d %H:%M:%S.000000")


VIDEO = (
    "video_id, name, source, created_at, facts, start_utc, duration_s, trip, camera, "
    "frames_decoded, frames_looked_at, models, media, poster, outcome"
)
SIGHTING = (
    "video_id, plate_id, confidence, confirmed, first_s, last_s, best_s, best_pts, "
    "box, slots, reads, crop, frame, seen_utc, lat, lon, speed_mps, heading_deg"
)
POSITION = "video_id, t_s, utc, lat, lon, speed_mps, heading_deg, source, quality"
