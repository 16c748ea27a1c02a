"""Whether a car follows: what speaks for it and what does not; and a stored scene of each kind of car that is met."""

import random
from dataclasses import dataclass
from datetime import UTC, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, update

from app import wording
from dashcam.catalog import encounters, followed, meanings, tonight
from dashcam.catalog.encounters import Along, Glimpse, Met, Others
from dashcam.catalog.meanings import Meanings, Weighing
from dashcam.catalog.models import Plate, SightingRow, TripRow, Video
from dashcam.database import reading, writing
from dashcam.gps.plane import Plane
from tests.catalog.rows import NOON

TOWN = Plane(52.0, 4.36)
STEP_M = 130.0


@dataclass(frozen=True)
class Even:
    """Half of the others leave within a kilometre, and none is met again."""

    def stayed(self, one: Along) -> Others:
        return Others(round(40 * 0.5 ** (one.way_m / 1000)), 40)

    def met_again(self, before: Along, now: Along) -> Others:
        return Others(0, 40)

    def trips_between(self, before: Along, now: Along) -> int:
        return now.trip_id - before.trip_id - 1


def glimpse(trip: int, minute: int, east: int, north: int) -> Glimpse:
    place = TOWN.to_degrees(east * STEP_M, north * STEP_M)
    return Glimpse(NOON + timedelta(hours=5 * trip, minutes=minute), place, trip)


SEEN = st.lists(
    st.builds(glimpse, st.integers(1, 9), st.integers(0, 40), st.integers(0, 30), st.integers(0, 30)), max_size=40
)


@given(SEEN, st.integers(0, 30), st.integers(0, 30), st.lists(st.integers(1, 12), min_size=2, max_size=6, unique=True))
def test_a_car_that_stands_there_again_never_speaks_for_following(
    seen: list[Glimpse], east: int, north: int, trips: list[int]
) -> None:
    stands = [glimpse(trip, 41, east, north) for trip in trips]
    fewer = encounters.met([*seen, *stands[:-1]], Even())
    assert encounters.met([*seen, *stands], Even()).weight.score <= fewer.weight.score + 1e-6


@given(st.integers(2, 8), st.integers(0, 2))
def test_the_same_way_again_counts_no_more(trips: int, shift: int) -> None:
    """Nor by the lane, or a street beside it."""
    seen = [glimpse(trip, minute, 3 * minute, shift * (trip % 2)) for trip in range(1, trips) for minute in range(9)]
    moved = [Glimpse(one.at, one.place and (one.place[0], one.place[1] + 6e-4 * one.trip_id), one.trip_id)
             for one in seen]  # fmt: skip
    assert [one.trip_id for one in encounters.met(moved, Even()).weight.along] in ([], [1])


@given(SEEN, st.randoms())
def test_the_order_in_which_sightings_come_says_nothing(seen: list[Glimpse], shuffle: random.Random) -> None:
    other = seen.copy()
    shuffle.shuffle(other)
    assert encounters.met(other, Even()) == encounters.met(seen, Even())


@given(SEEN, st.integers(-4000, 4000))
def test_the_same_on_other_days_is_the_same(seen: list[Glimpse], days: int) -> None:
    moved = [Glimpse(one.at + timedelta(days=days), one.place, one.trip_id) for one in seen]
    assert told(encounters.met(moved, Even())) == told(encounters.met(seen, Even()))


@dataclass(frozen=True)
class Alone(Even):
    """Of any other cars, as many as are looked at, none does the same; each question is counted."""

    asked: list[Along]

    def stayed(self, one: Along) -> Others:
        self.asked.append(one)
        return Others(0, encounters.MOST_OTHERS)

    def met_again(self, before: Along, now: Along) -> Others:
        return Others(0, encounters.MOST_OTHERS)


STRETCHES = st.lists(st.tuples(st.integers(1, 90), st.integers(1000, 9000)), max_size=9, unique_by=lambda one: one[0])


@given(STRETCHES, st.booleans())
@example([(1, 2000), (45, 2000), (90, 2000)], True)
def test_in_brief_a_car_is_as_unusual_as_when_all_is_weighed(found: list[tuple[int, int]], alone: bool) -> None:
    stretches = [Along(trip, NOON + timedelta(hours=trip), NOON, float(way)) for trip, way in sorted(found)]
    others = Alone([]) if alone else Even()
    whole = encounters.said([], encounters.weigh(stretches, others), False)
    runs = [encounters.weigh(run, others) for run in encounters.runs_that_may(stretches, others)]
    best = max(runs, key=lambda one: one.score, default=encounters.Weight())
    assert (encounters.said([], best, False).level == "unusual") == (whole.level == "unusual")
    assert whole.level != "unusual" or best == whole.weight


@given(SEEN)
def test_in_brief_the_same_is_said(seen: list[Glimpse]) -> None:
    whole, brief = encounters.met(seen, Even()), encounters.briefly(seen, Even())
    assert wording.met(brief) == wording.met(whole) and wording.met_briefly(brief) == wording.met_briefly(whole)


def test_in_brief_no_other_cars_are_looked_at_where_nothing_can_be_unusual() -> None:
    seldom = [glimpse(trip, minute, sign * minute, 40 + 5 * trip) for trip in (1, 80, 160) for sign in (1, -1)
              for minute in range(1, 20)]  # fmt: skip
    others = Alone([])
    assert encounters.briefly(seldom, others).level == "often" and not others.asked
    assert encounters.met(seldom, others).weight.score > 0 and others.asked


def test_however_unlikely_two_trips_are_not_three() -> None:
    far = [glimpse(trip, minute, sign * minute, 40 + 5 * trip) for trip in (1, 2) for sign in (trip * 2 - 3,)
           for minute in range(1, 40)]  # fmt: skip
    twice = encounters.met(far, Even())
    assert len(twice.weight.along) == 2
    assert twice.weight.score > encounters.LIMIT
    assert twice.level == "nothing"


def test_trips_without_it_make_up_for_those_with_it() -> None:
    stretches = [Along(trip, NOON, NOON, 3000.0) for trip in (1, 2, 150)]
    soon, late = encounters.weigh(stretches[:2], Even()), encounters.weigh(stretches, Even())
    assert late == soon


def told(one: Met) -> tuple[object, ...]:
    return one.level, one.manner, one.trips, one.days, one.places, one.weight.score


DAYS, MINUTES = range(1, 13), range(16)
ALONG = range(2, 16, 2)
Where = tuple[str, int, int, tuple[float, float]]
"""Plate, day, minute of that day's trip, metres east and north of home."""
BEACH = [f"BEACH{number:02d}" for number in range(20)]


def way(day: int, minute: int) -> tuple[float, float]:
    """Each day in another direction, 600 m a minute."""
    east, north = [(1, 0), (0, 1), (-1, 0), (0, -1), (0.7, 0.7), (-0.7, 0.7)][day % 6]
    return 600.0 * minute * east, 600.0 * minute * north


def scenes() -> list[Where]:
    """Twelve trips on twelve days, each on a way of its own among cars that come and go; and one car of each kind."""
    met = [(f"T{day}X{minute}X{number}", day, minute, way(day, minute))
           for day in DAYS for minute in MINUTES for number in range(5)]  # fmt: skip
    met += [("FOLLOW1", day, minute, way(day, minute)) for day in (4, 5, 6) for minute in ALONG]
    met += [("TWICE22", day, minute, way(day, minute)) for day in (1, 2) for minute in ALONG]
    met += [("COMMUTE", day, minute, way(1, minute)) for day in DAYS for minute in ALONG]
    met += [("NEXTDOR", day, 0, (5.0 * (day % 3), 0)) for day in DAYS]
    met += [("SHOPPER", day, 15, (3000.0 * (day % 2), 30.0 * day)) for day in DAYS]
    met += [(name, day, minute, way(day, minute)) for name in BEACH for day in (10, 11, 12) for minute in ALONG]
    return met + [("RARELY1", day, minute, way(day, minute)) for day in (1, 11) for minute in range(2, 5)]


def store(engine: Engine, met: list[Where]) -> dict[str, int]:
    with writing(engine) as session:
        rows = []
        known = {"cameras": [], "leads": [], "stops": [], "events": [], "parked": 0, "clips": len(MINUTES)}
        known |= {"distance_m": 0.0, "moving_s": 0.0, "max_mps": 0.0}
        for day in DAYS:
            start = NOON + timedelta(days=day)
            trip = {"trip_id": day, "start_utc": start, "end_utc": start + timedelta(minutes=16)}
            session.execute(insert(TripRow).values(**trip, **known))
            session.execute(insert(Video).values(video_id=f"{day:016x}", name="", source="", created_at=start,
                                                 start_utc=start, trip_id=day, camera="rear"))  # fmt: skip
        numbers = {text: number for number, text in enumerate(sorted({text for text, *_ in met}), 1)}
        session.execute(insert(Plate), [{"plate_id": number, "text": text} for text, number in numbers.items()])
        for text, day, minute, place in met:
            at = 60.0 * minute + numbers[text] % 20
            lat, lon = TOWN.to_degrees(*place)
            rows.append({"video_id": f"{day:016x}", "plate_id": numbers[text], "confidence": 0.9, "confirmed": True,
                         "first_s": at - 3, "last_s": at + 3, "best_s": at, "best_pts": 0,
                         "box": [0.0, 0, 8, 4], "slots": [], "reads": [], "crop": str(len(rows)), "frame": "",
                         "lat": lat, "lon": lon, "seen_utc": NOON + timedelta(days=day, seconds=at)})  # fmt: skip
        session.execute(insert(SightingRow), rows)
    return numbers


def test_of_each_kind_of_car_that_is_met_it_says_what_it_is(any_engine: Engine) -> None:
    numbers = store(any_engine, scenes())
    with reading(any_engine) as session:
        how = {text: followed.met(session, number, UTC) for text, number in numbers.items() if text[0] != "T"}
        twice = followed.met(session, numbers["TWICE22"], UTC)
        brief = {text: followed.briefly(session, numbers[text], UTC) for text in how}
    assert {text: wording.met(one) for text, one in how.items() if text not in BEACH} == {
        "FOLLOW1": "Behind you on 3 separate trips with different ways, on 3 days: over 10,000 times likelier of a car "
        "that follows than of the traffic there. Seen on 3 trips on 3 days at 3 places.",
        "COMMUTE": "Seen on 12 trips on 12 days at 1 place; where it had been met before, as cars of the same way are.",
        "NEXTDOR": "Seen on 12 trips on 12 days at 1 place; always where it stands, as a neighbour's car does.",
        "SHOPPER": "Seen on 12 trips on 12 days at 2 places; where it had been met before, as cars of the same way "
        "are.",
        "RARELY1": "Seen on 2 trips on 2 days at 2 places.",
    }
    assert {text for text, one in how.items() if one.level == "unusual"} == {"FOLLOW1"}
    assert all(how[text].level == "often" and how[text].manner == "around" for text in BEACH), "all stay together"
    assert (twice.level, len(twice.weight.along)) == ("nothing", 2)
    assert all(wording.met(one) == wording.met(how[text]) for text, one in brief.items())
    assert brief["FOLLOW1"] == how["FOLLOW1"]


def seen_again(
    engine: Engine, day: int, kept: Meanings, weigh_s: float = 1e-9, view: str = ""
) -> tuple[dict[str, Met | None], int]:
    """As Tonight shows the plates of a day that were seen before, and how many of them are not weighed yet."""
    begin = NOON + timedelta(days=day, hours=-1)
    with reading(engine) as session:
        look = Weighing(session, kept, UTC, weigh_s, view)
        (trip,) = tonight.news(session, 1, of_day=(begin, begin + timedelta(hours=2)), look=look)
    return {item.card.text: item.met for item in trip.items if item.kind == "again" and item.card}, len(look.left)


def test_tonight_says_how_plates_were_met_and_names_who_follows_first(any_engine: Engine) -> None:
    store(any_engine, scenes())
    how, unweighed = seen_again(any_engine, 6, Meanings(), 60.0)
    assert [(text, wording.met_briefly(one)) for text, one in how.items() if one] == [
        ("FOLLOW1", "Behind you on 3 separate trips, with different ways"),
        ("NEXTDOR", "12 trips, 12 days, 1 place; where it stands"),
        ("COMMUTE", "12 trips, 12 days, 1 place; where it was met before"),
        ("SHOPPER", "12 trips, 12 days, 2 places; where it was met before"),
    ]
    assert unweighed == 0


def test_a_look_weighs_a_few_plates_and_the_next_ones_the_rest_each_once_until_something_of_it_changes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = store(engine, scenes())
    weighed: list[int] = []
    clock = [0.0]
    kept = Meanings(lambda: clock[0])

    def counted(session: object, plate_id: int, *_: object) -> Met:
        weighed.append(plate_id)
        return encounters.met([], Even())

    monkeypatch.setattr(followed, "briefly", counted)
    left = [seen_again(engine, 6, kept)[1] for _ in range(6)]
    assert left == [3, 2, 1, 0, 0, 0] and len(set(weighed)) == len(weighed) == 4
    with writing(engine) as session:
        session.execute(update(Plate).where(Plate.plate_id == numbers["COMMUTE"]).values(times=99))
    assert seen_again(engine, 6, kept)[1] == 0 and weighed[4:] == [numbers["COMMUTE"]]
    assert seen_again(engine, 6, kept, view="another person")[1] == 3, "who may see less is told of nothing else"
    clock[0] = 2 * meanings.KEPT_S
    assert seen_again(engine, 6, kept)[1] == 0, "nobody has written since: it is as it was, and nothing weighs at night"
    with writing(engine) as session:
        session.execute(update(SightingRow).where(SightingRow.plate_id == numbers["TWICE22"]).values(frame="new"))
    assert seen_again(engine, 6, kept)[1] == 3, "other cars may have come in"
