"""Home zones as people draw them, and the places where one is suggested."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from dashcam.catalog import deriving, home_zones, routes
from dashcam.config.privacy import Zone
from dashcam.database import reading, writing
from dashcam.gps.plane import Plane, distance_m
from tests.catalog.car import SITE, Car, arrive
from tests.catalog.rows import NOON

HOME, WORK = (52.3702, 4.8952), (52.0907, 5.1214)
ZONE = Zone(lat=52.37021234567, lon=4.89521234567, radius_m=400)


def beside(place: tuple[float, float], east: float, north: float = 0.0) -> tuple[float, float]:
    return Plane(*place).to_degrees(east, north)


def test_what_is_drawn_is_known_to_the_last_digit_resized_and_rubbed_out(any_engine: Engine) -> None:
    other = Zone(lat=-33.9, lon=151.2, radius_m=50)
    with writing(any_engine) as session:
        home_zones.draw(session, ZONE)
        home_zones.draw(session, other)
        home_zones.draw(session, ZONE.model_copy(update={"radius_m": 900}))
    with reading(any_engine) as session:
        assert home_zones.drawn(session) == [other, ZONE.model_copy(update={"radius_m": 900})]
    with writing(any_engine) as session:
        assert home_zones.rub_out(session, ZONE.lat, ZONE.lon)
    with writing(any_engine) as session:
        assert not home_zones.rub_out(session, ZONE.lat, ZONE.lon)
        assert home_zones.drawn(session) == [other]


def test_home_is_where_most_trips_begin_and_end_wherever_in_the_street_one_parks() -> None:
    # parked along 160 m of a street, which the edges of cells cut wherever they like
    trips = [(beside(HOME, 20 * (day % 9)), WORK if day % 2 else beside(HOME, 0, 10)) for day in range(40)]
    trips += [((50.0, 4.0), (51.0, 3.0))] * 2
    home, work = home_zones.often(trips)
    assert distance_m(home[:2], beside(HOME, 60)) < 60 and home.trips == 40, "a trip that comes back counts once"
    assert distance_m(work[:2], WORK) < 1 and work.trips == 20


def test_no_more_places_than_are_asked_for_and_none_of_a_few_trips() -> None:
    each = [beside(HOME, 5_000 * number) for number in range(6)]
    trips = [(place, place) for number, place in enumerate(each) for _ in range(10 - number)]
    assert [one.trips for one in home_zones.often(trips)] == [10, 9, 8]
    assert home_zones.often([(HOME, WORK)] * 2) == [] and home_zones.often([]) == []


@pytest.mark.parametrize("lon", [180.0, -180.0])
def test_a_home_on_the_date_line(lon: float) -> None:
    trips = [(beside((-16.8, lon), 10 * (day % 5) - 20),) * 2 for day in range(10)]
    (home,) = home_zones.often(trips)
    assert distance_m(home[:2], (-16.8, 180.0)) < 1


def test_trips_end_where_their_lines_do_and_the_newest_are_looked_at(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_zones, "NEWEST", 1)
    for day in range(2):
        car = Car()
        car.drive(NOON + timedelta(days=day), 3)
        with writing(any_engine) as session:
            for facts in car.clips:
                arrive(session, facts)
    deriving.derive_everything(any_engine, SITE.trips)
    routes.draw(any_engine)
    with reading(any_engine) as session:
        ((start, end),) = home_zones.trip_ends(session)
    assert distance_m(start, end) > 500
