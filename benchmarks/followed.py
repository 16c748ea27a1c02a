"""``python -m benchmarks.followed``: months in a drawn town; who is said to follow, and how soon who does.

Everybody drives alike: at one speed, so that cars stay together until their ways part, which is the hardest for a
detector. Residents go to work at their hours, to a few shops and to random places; they park in the street; strangers
pass through; on holidays the same cars go the same way for days. Three cars do follow: for a fortnight on six trips of
ten, for two months on two of ten, and for a fortnight as far as the first 1,500 m.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

import migrations
from dashcam.catalog import followed
from dashcam.catalog.models import Plate, SightingRow, TripRow, Video
from dashcam.database import open_engine, reading, writing
from dashcam.gps.plane import Plane

Array = NDArray[np.float64]
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
PLANE = Plane(52.0, 4.36)
BLOCK_M, BLOCKS, MPS, STEP_S = 400.0, 20, 10.0, 10.0
RESIDENTS, STRANGERS, SHOPS, HOLIDAY = 4000, 4000, 6, 300
CLIP_S = 60.0
FOLLOWERS = {"F1": (30, 44, 0.6, np.inf), "F2": (30, 90, 0.2, np.inf), "F3": (30, 44, 0.6, 1500.0)}
"""From which day to which, on which share of the trips, how far."""


@dataclass
class DrawnDrive:
    """A way with the second at which it begins: corners and how far along each is."""

    who: str
    start_s: float
    corners: Array
    mps: float = MPS
    along: Array = field(init=False)

    def __post_init__(self) -> None:
        steps = np.hypot(*np.diff(self.corners, axis=0).T)
        self.along = np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def end_s(self) -> float:
        return self.start_s + float(self.along[-1]) / self.mps

    def at(self, seconds: Array) -> Array:
        """Nowhere before it begins and after it ends."""
        way = (seconds - self.start_s) * self.mps
        gone = (way < 0) | (way > self.along[-1])
        place = np.stack([np.interp(way, self.along, self.corners[:, axis]) for axis in (0, 1)], axis=1)
        place[gone] = np.nan
        return place


@dataclass
class DrawnTown:
    rng: np.random.Generator
    homes: Array
    works: Array
    shops: Array
    leaves_s: Array
    returns_s: Array

    def place(self, count: int) -> Array:
        """On a street, somewhere between two crossings."""
        places = self.rng.integers(0, BLOCKS + 1, (count, 2)) * BLOCK_M
        places[np.arange(count), self.rng.integers(0, 2, count)] += self.rng.uniform(0, BLOCK_M, count)
        return np.clip(places, 0, BLOCKS * BLOCK_M)

    def way(self, start: Array, end: Array) -> Array:
        """Along streets; mostly by the way that everybody takes from there to there, sometimes by another."""
        usual = int(start.sum() * 7 + end.sum() * 13) % 4
        kind = usual if self.rng.random() < 0.85 else int(self.rng.integers(4))
        a, b = np.round(start / BLOCK_M) * BLOCK_M, np.round(end / BLOCK_M) * BLOCK_M
        half = np.round((a + b) / 2 / BLOCK_M) * BLOCK_M
        between = {
            0: [[b[0], a[1]]],
            1: [[a[0], b[1]]],
            2: [[half[0], a[1]], [half[0], b[1]]],
            3: [[a[0], half[1]], [b[0], half[1]]],
        }[kind]
        return np.array([start, a, *between, b, end], dtype=float)


def town(rng: np.random.Generator) -> DrawnTown:
    found = DrawnTown(
        rng, *(np.empty((0, 2)),) * 3, rng.normal(8, 1, RESIDENTS) * 3600, rng.normal(17, 1, RESIDENTS) * 3600
    )
    found.homes, found.works, found.shops = (found.place(count) for count in (RESIDENTS, RESIDENTS, SHOPS))
    return found


def others(there: DrawnTown, day: int) -> list[DrawnDrive]:
    """Who else drives on that day."""
    rng, found = there.rng, []
    midnight = day * 86400.0
    for who in range(RESIDENTS):
        home, work = there.homes[who], there.works[who]
        if day % 7 < 5:
            for start, end, at in ((home, work, there.leaves_s[who]), (work, home, there.returns_s[who])):
                found.append(DrawnDrive(f"R{who}", midnight + at + rng.normal(0, 400), there.way(start, end)))
        if rng.random() < (0.35 if day % 7 < 5 else 0.9):
            shop = nearest(there.shops, home) if rng.random() < 0.6 else there.place(1)[0]
            at = midnight + rng.uniform(9, 20) * 3600 if day % 7 >= 5 else midnight + rng.uniform(18, 21) * 3600
            found.append(DrawnDrive(f"R{who}", at, there.way(home, shop)))
            found.append(DrawnDrive(f"R{who}", at + rng.uniform(1200, 7200), there.way(shop, home)))
    hours = rng.choice([8, 17, 13], STRANGERS, p=[0.3, 0.3, 0.4])
    for number, hour in enumerate(hours):
        start, end = there.place(2)
        found.append(DrawnDrive(f"S{day}X{number}", midnight + rng.normal(hour, 2.5) * 3600, there.way(start, end)))
    return found


def nearest(places: Array, one: Array) -> Array:
    return np.asarray(places[np.hypot(*(places - one).T).argmin()])


def mine(there: DrawnTown, day: int) -> list[DrawnDrive]:
    """The first resident is oneself, and drives more than others."""
    rng, home, work = there.rng, there.homes[0], there.works[0]
    plan: list[tuple[float, Array, Array]] = []

    def out(at: float, base: Array) -> None:
        kind = rng.random()
        to = there.shops[rng.integers(SHOPS)] if kind < 0.5 else there.place(1)[0]
        to = there.homes[1 + int(rng.zipf(1.6)) % 20] if 0.5 <= kind < 0.8 else to
        plan.extend([(at, base, to), (at + rng.uniform(2400, 7200), to, base)])

    if day % 7 < 5:
        plan += [(rng.normal(8, 0.15) * 3600, home, work), (rng.normal(17, 0.3) * 3600, work, home)]
        if rng.random() < 0.5:
            out(rng.normal(19.3, 0.5) * 3600, home)
    else:
        out(rng.normal(11, 0.7) * 3600, home)
        out(rng.normal(16.5, 0.7) * 3600, home)
    return [DrawnDrive("me", day * 86400.0 + at, there.way(a, b)) for at, a, b in sorted(plan, key=lambda one: one[0])]


def holiday(rng: np.random.Generator, day: int) -> list[tuple[DrawnDrive, list[DrawnDrive]]]:
    """Three legs of a motorway with rests between them, and those who set out when we did."""
    ways = [np.array([[20_000.0 + 150_000 * leg, 4_000], [170_000.0 + 150_000 * leg, 4_000]]) for leg in range(3)]
    at, legs = day * 86400.0 + 9 * 3600, []
    starts = at + rng.uniform(-1200, 1200, HOLIDAY)
    speeds = rng.choice([30.0, 29.5, 30.5, 31.5], HOLIDAY, p=[0.4, 0.2, 0.2, 0.2])
    for way in ways:
        me = DrawnDrive("me", at, way, 30.0)
        there = [DrawnDrive(f"H{day}X{who}", starts[who], way, speeds[who]) for who in range(HOLIDAY)]
        legs.append((me, there))
        at = me.end_s + rng.uniform(1500, 2700)
        rests = rng.choice([0.0, 900.0, 1500.0, 2100.0, 2700.0], HOLIDAY, p=[0.3, 0.2, 0.2, 0.2, 0.1])
        starts = np.array([one.end_s for one in there]) + rests
    return legs


def seen(
    rng: np.random.Generator, me: DrawnDrive, around: list[DrawnDrive]
) -> Iterator[tuple[str, float, float, bool]]:
    """Who, when, for how long, behind: at most once in each clip, as a track is."""
    seconds = np.arange(me.start_s, me.end_s, STEP_S)
    own = me.at(seconds)
    heading = np.gradient(own, axis=0) if len(own) > 1 else np.zeros_like(own)
    for other in around:
        if other.end_s < me.start_s or other.start_s > me.end_s:
            continue
        place = other.at(seconds)
        apart = np.hypot(*(place - own).T)
        near = np.flatnonzero(apart < 150)
        if not len(near):
            continue
        moved = np.gradient(place, axis=0) if len(place) > 1 else np.zeros_like(place)
        with_us = np.einsum("ij,ij->i", moved, heading) > 0
        clips: dict[int, list[int]] = {}
        for step in near:
            if (with_us[step] and apart[step] < 80) or (not with_us[step] and apart[step] < 110):
                clips.setdefault(int(seconds[step] // CLIP_S), []).append(int(step))
        for steps in clips.values():
            along = with_us[steps].sum() * STEP_S
            if rng.random() < (0.6 if along >= 20 else 0.4):
                step = int(rng.choice(steps))
                behind = float((place[step] - own[step]) @ heading[step]) < 0
                yield other.who, float(seconds[step]), 8.0 if along >= 20 else 1.5, behind


def parked(there: DrawnTown, me: DrawnDrive) -> Iterator[tuple[str, float, float, bool]]:
    """Residents at home by night and at weekends, else at work; in the shops' car parks those who live near."""
    day, hour = divmod(me.start_s / 3600, 24)
    at = there.works if day % 7 < 5 and 8.5 < hour < 17 else there.homes
    seconds = np.arange(me.start_s, me.end_s, STEP_S)
    for step, own in zip(seconds, me.at(seconds), strict=True):
        for who in np.flatnonzero(np.abs(at - own).max(axis=1) < MPS * STEP_S / 2):
            if who and there.rng.random() < 0.25:
                yield f"R{who}", float(step), 2.0, bool(there.rng.random() < 0.5)
    end = me.corners[-1]
    if np.hypot(*(there.shops - end).T).min() < 1:
        regulars = np.argsort(np.hypot(*(there.homes - end).T))[1:400]
        for who in there.rng.choice(regulars, 12, replace=False):
            yield f"R{who}", me.end_s - 1, 6.0, True


def follow(rng: np.random.Generator, me: DrawnDrive, day: int) -> Iterator[tuple[str, float, float, bool]]:
    for name, (first, last, share, far) in FOLLOWERS.items():
        if first <= day < last and rng.random() < share:
            end = min(me.end_s, me.start_s + far / me.mps)
            for clip in np.arange(me.start_s, end, CLIP_S):
                if rng.random() < 0.6:
                    yield name, float(min(clip + rng.uniform(5, CLIP_S), end)), 8.0, True


def live(session: Session, days: int, seed: int) -> None:
    """The catalogue as it would be after so many days."""
    rng = np.random.default_rng(seed)
    there = town(rng)
    plates: dict[str, int] = {}
    trip_id = 0
    for day in range(days):
        away = day % 90 in (60, 61, 74, 75)
        around = [] if away else others(there, day)
        legs = holiday(rng, day) if away else [(me, around) for me in mine(there, day)]
        for me, near in legs:
            trip_id += 1
            found = [*seen(rng, me, near), *([] if away else parked(there, me)), *follow(rng, me, day)]
            write(session, plates, trip_id, me, found)


def write(
    session: Session, plates: dict[str, int], trip_id: int, me: DrawnDrive, found: list[tuple[str, float, float, bool]]
) -> None:
    start, end = (MONDAY + timedelta(seconds=at) for at in (me.start_s, me.end_s))
    empty: dict[str, list[str]] = {"cameras": [], "leads": [], "stops": [], "events": []}
    trip = {"trip_id": trip_id, "start_utc": start, "end_utc": end, "clips": 2, "parked": 0}
    session.execute(insert(TripRow).values(**trip, **empty, distance_m=0, moving_s=0, max_mps=0))
    both = {True: f"{trip_id:08d}R", False: f"{trip_id:08d}F"}
    for behind, video_id in both.items():
        clip = {"video_id": video_id, "name": video_id, "source": "", "created_at": start, "start_utc": start}
        session.execute(insert(Video).values(**clip, trip_id=trip_id, camera="rear" if behind else "front"))
    new = sorted({who for who, *_ in found} - plates.keys())
    plates.update({who: len(plates) + number + 1 for number, who in enumerate(new)})
    if new:
        session.execute(insert(Plate), [{"plate_id": plates[who], "text": who, "times": 0} for who in new])
    rows = []
    for number, (who, at, long_s, behind) in enumerate(found):
        lat, lon = PLANE.to_degrees(*me.at(np.array([min(max(at, me.start_s), me.end_s - 0.01)]))[0])
        rows.append({"video_id": both[behind], "plate_id": plates[who], "confidence": 0.9, "confirmed": True,
                     "first_s": 0.0, "last_s": long_s, "best_s": 0.0, "best_pts": 0, "box": [], "slots": [],
                     "reads": [], "crop": str(number), "frame": "", "seen_utc": MONDAY + timedelta(seconds=at),
                     "lat": float(lat), "lon": float(lon)})  # fmt: skip
    if rows:
        session.execute(insert(SightingRow), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=8, help="so many of the highest scores")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'town.db'}")
        migrations.upgrade(engine)
        with writing(engine) as session:
            live(session, args.days, args.seed)
        with reading(engine) as session:
            report(session, args.days, args.show)


def report(session: Session, days: int, show: int) -> None:
    plates = session.execute(select(Plate.text, Plate.plate_id)).tuples().all()
    spent, found = [], {}
    for text, plate_id in plates:
        began = time.thread_time()
        found[text] = followed.met(session, plate_id, UTC)
        spent.append(time.thread_time() - began)
    false = [text for text, one in found.items() if one.level == "unusual" and text not in FOLLOWERS]
    print(f"{len(plates):,} plates, {days} days; false alarms {len(false)}: {len(false) * 365 / days:.1f} a year")
    print(f"CPU a plate: {max(spent) * 1000:.0f} ms at most, {np.quantile(spent, 0.99) * 1000:.0f} ms for 99 of 100")
    print(dict(Counter((one.level, one.manner) for one in found.values())))
    for text, one in sorted(found.items(), key=lambda pair: -pair[1].weight.score)[:show]:
        print(f"{text}: {one.weight.score:.1f} on {len(one.weight.along)} of {one.trips} trips, {one.level}")
    for name in FOLLOWERS:
        if name in found:
            print(f"{name}: {soon(session, dict(plates)[name])}")


def soon(session: Session, plate_id: int) -> str:
    """After which of the trips that it followed it was found."""
    query = (
        select(TripRow.trip_id, TripRow.end_utc)
        .join(Video, Video.trip_id == TripRow.trip_id)
        .join(SightingRow, SightingRow.video_id == Video.video_id)
        .where(SightingRow.plate_id == plate_id)
        .distinct()
        .order_by(TripRow.end_utc)
    )
    trips = session.execute(query).tuples().all()
    for number, (_, end) in enumerate(trips):
        if followed.met(session, plate_id, UTC, end).level == "unusual":
            return f"found on trip {number + 1} of those on which it was seen, {(end - trips[0][1]).days} days later"
    return f"not found in {len(trips)} trips"


if __name__ == "__main__":
    main()
