"""What the map of everything asks: each sighting in one cluster, bounded however many there are; routes as driven."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine, func, select

from dashcam.catalog import overview, routes
from dashcam.catalog.deriving import derive_around
from dashcam.catalog.models import RouteRow, SightingRow, TripRow, Video
from dashcam.catalog.plate_filter import Area, PlateFilter
from dashcam.config.privacy import Zone
from dashcam.database import reading, writing
from dashcam.gps.home import crosses
from dashcam.gps.plane import Plane, distance_m
from dashcam.gps.simplify import distances, metres, simplified
from tests.catalog.car import SITE, Car, arrive
from tests.catalog.rows import NOON, add_sighting, add_video

WORLD = Area(-90, -180, 90, 180)
TOWN = Area(51.9, 4.3, 52.1, 4.5)


@pytest.fixture
def seen(any_engine: Engine) -> Engine:
    """Forty sightings in a town, a minute apart from south to north, and one on the other side of the earth."""
    with writing(any_engine) as session:
        for number in range(40):
            video = add_video(session, number, NOON + timedelta(minutes=number))
            place = {"lat": 51.95 + number / 500, "lon": 4.36 + number / 1000}
            add_sighting(session, video, f"AB{number:02d}CD", confirmed=number % 4 != 0, **place)
        add_sighting(session, add_video(session, 99, NOON - timedelta(days=9)), "FARAWAY", lat=-33.9, lon=-151.2)
        add_sighting(session, add_video(session, 100), "NOWHERE")
    return any_engine


def shown(engine: Engine, wanted: PlateFilter, zoom: int) -> overview.Clusters:
    with reading(engine) as session:
        return overview.clusters(session, wanted, zoom)


@pytest.mark.parametrize("zoom", [0, 5, 9, 13, 16, 19])
def test_each_sighting_of_the_window_is_in_one_cluster(seen: Engine, zoom: int) -> None:
    found = shown(seen, PlateFilter(confirmed_only=False, region=TOWN), zoom).clusters
    assert sum(one.count for one in found) == 40
    assert len(found) <= overview.MOST_ACROSS**2
    with reading(seen) as session:
        for one in found:
            inside = (  # as the page asks for what is in a circle
                SightingRow.lat.between(one.box.south - 2e-6, one.box.north + 2e-6),
                SightingRow.lon.between(one.box.west - 2e-6, one.box.east + 2e-6),
            )
            assert session.scalar(select(func.count()).select_from(SightingRow).where(*inside)) >= one.count


def test_no_two_circles_lie_over_each_other_though_a_cells_edge_runs_between(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for number, east in enumerate((-1e-5, 1e-5, 0.02)):
            video = add_video(session, number, NOON + timedelta(minutes=number))
            add_sighting(session, video, f"EDGE{number}", lat=52.0, lon=360 * 64 / 256 / 2**13 * 17112 - 180 + east)
    near = Area(51.9, 7.9, 52.1, 8.1)
    found = shown(any_engine, PlateFilter(region=near), 13).clusters
    assert sorted(one.count for one in found) == [1, 2]
    pair = next(one for one in found if one.count == 2)
    assert pair.box.east - pair.box.west == pytest.approx(2e-5, abs=1e-9)


def test_closer_they_come_apart(seen: Engine) -> None:
    counts = [len(shown(seen, PlateFilter(confirmed_only=False, region=TOWN), zoom).clusters) for zoom in range(20)]
    assert counts[0] == 1 and counts[5] < counts[12] < counts[19] and counts[19] > 20


def test_the_filters_narrow_the_map_as_they_narrow_the_search(seen: Engine) -> None:
    for wanted, expected in (
        (PlateFilter(region=TOWN), 30),
        (PlateFilter(region=WORLD), 31),
        (PlateFilter(), 31),
        (PlateFilter("B1", region=TOWN), 8),
        (PlateFilter("AB1?CD", confirmed_only=False), 10),
        (PlateFilter("%"), 0),
        (PlateFilter(region=WORLD, since=NOON), 30),
        (PlateFilter(region=WORLD, until=NOON), 1),
        (PlateFilter(region=Area(10, 10, 20, 20)), 0),
    ):
        assert sum(one.count for one in shown(seen, wanted, 8).clusters) == expected, wanted


def test_of_too_many_the_newest_are_shown_and_it_is_said_since_when(
    seen: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_SEEN", 10)
    found = shown(seen, PlateFilter(confirmed_only=False, region=WORLD), 3)
    assert found.since is not None and sum(one.count for one in found.clusters) == 11
    close = shown(seen, PlateFilter(confirmed_only=False, region=Area(-34, -152, -33, -151)), 10)
    assert close.since is None and close.clusters[0].count == 1, "where few were seen, those from long ago too"


def test_the_list_beside_the_map_goes_on_where_its_page_ended(seen: Engine) -> None:
    for text in ("", "AB"):
        wanted, texts = PlateFilter(text, region=TOWN), []
        with reading(seen) as session:
            page = overview.sightings(session, wanted, None, 12)
            while page:
                texts += [one.text for one in page]
                page = overview.sightings(session, wanted, page[-1].cursor, 12)
        assert texts == [f"AB{number:02d}CD" for number in range(39, -1, -1) if number % 4]


@pytest.fixture
def driven(any_engine: Engine) -> Engine:
    car = Car()
    for day in range(3):
        car.drive(NOON + timedelta(days=day), 6, stand_s=150)
    with writing(any_engine) as session:
        for facts in car.clips:
            arrive(session, facts)
    assert routes.draw(any_engine) == 3
    return any_engine


def test_each_trip_is_drawn_once_and_anew_when_it_goes_another_way(driven: Engine) -> None:
    assert routes.draw(driven) == 0
    with reading(driven) as session:
        before = session.scalars(select(TripRow).order_by(TripRow.start_utc)).all()
        assert routes.to_draw(session) == 0
        assert session.scalar(select(func.count()).select_from(RouteRow)) == 3 * len(routes.LEVELS)
    late = Car(counter=900)
    late.drive(NOON + timedelta(minutes=7), 3)
    with writing(driven) as session:
        for facts in late.clips:
            arrive(session, facts)
    with reading(driven) as session:
        assert routes.to_draw(session) == 1
        drawn = set(session.scalars(select(RouteRow.trip_id).distinct()))
        assert drawn == {before[1].trip_id, before[2].trip_id}, "a way that is none any more is not shown"
    assert routes.draw(driven) == 1


def test_a_trip_whose_clips_are_gone_leaves_no_route(driven: Engine) -> None:
    with writing(driven) as session:
        first = session.scalars(select(TripRow).order_by(TripRow.start_utc)).first()
        assert first is not None
        gone = session.scalars(select(Video).where(Video.trip_id == first.trip_id)).all()
        for video in gone:
            video.outcome, video.drive = "rejected", None
        derive_around(session, gone, SITE.trips)
    with reading(driven) as session:
        assert session.scalar(select(func.count()).select_from(RouteRow).where(RouteRow.trip_id == first.trip_id)) == 0


def test_the_routes_of_a_window_are_the_newest_and_the_rest_is_counted(
    driven: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_ROUTES", (2, 2, 2))
    with reading(driven) as session:
        found = overview.lines(session, PlateFilter(region=Area(52, 4, 53, 5)), 10)
        assert found.total == 3
        days = [session.get_one(TripRow, trip_id).start_utc.day for trip_id in found.shown]
        assert days == [30, 29] and all(map(routes.places_of, found.shown.values()))
        assert overview.lines(session, PlateFilter(region=Area(50, 4, 51, 5)), 10).total == 0
        day = PlateFilter(since=NOON + timedelta(hours=3), until=NOON + timedelta(days=1, hours=3))
        assert overview.lines(session, day, 10).total == 1


def test_the_map_opens_where_the_newest_trips_went(driven: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(driven) as session:
        boxes = [one.box for one in overview.routes(session, PlateFilter(), 0, 9).shown]
        south, west = min(one.south for one in boxes), min(one.west for one in boxes)
        north, east = max(one.north for one in boxes), max(one.east for one in boxes)
        assert overview.reach(session, PlateFilter()) == Area(south, west, north, east)
        assert overview.reach(session, PlateFilter(until=NOON - timedelta(days=900))) is None
        monkeypatch.setattr(overview, "MOST_ROUTES", (1, 1, 1))
        assert overview.reach(session, PlateFilter()) == boxes[0]


def test_a_line_is_read_back_as_it_was_written(driven: Engine) -> None:
    with reading(driven) as session:
        for row in session.scalars(select(RouteRow)):
            for piece in routes.places_of(row.line):
                assert len(piece) >= 2
                for lat, lon in piece:
                    assert row.south - 1e-5 <= lat <= row.north + 1e-5 and row.west - 1e-5 <= lon <= row.east + 1e-5


def test_a_stay_counts_for_a_minute_and_every_zoom_knows_the_same_time(driven: Engine) -> None:
    with reading(driven) as session:
        told = [overview.heat(session, PlateFilter(), zoom) for zoom in (5, 11, 15)]
    seconds = [sum(cell[2] for cell in heat.cells) for heat in told]
    assert seconds[0] == pytest.approx(seconds[2], abs=60) and seconds[1] == pytest.approx(seconds[2], abs=30)
    assert seconds[2] < 3 * (6 * 60 - 80), "of 150 seconds at a light, a minute"
    assert all(heat.trips == heat.total == 3 for heat in told)


def test_the_heat_of_a_window_is_bounded(driven: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(driven) as session:
        whole = overview.heat(session, PlateFilter(), 15)
        monkeypatch.setattr(overview, "MOST_CELLS", 5)
        few = overview.heat(session, PlateFilter(), 15)
        assert len(few.cells) <= 5 < len(whole.cells) and few.per_degree < whole.per_degree
        assert sum(cell[2] for cell in few.cells) == sum(cell[2] for cell in whole.cells)
        assert overview.heat(session, PlateFilter(region=Area(0, 0, 1, 1)), 15).cells == []


def test_a_simplified_line_stays_within_its_tolerance() -> None:
    places = [(52 + n / 1000, 4 + (n % 7) ** 2 / 3000) for n in range(200)]
    for tolerance_m in (5.0, 100.0, 2000.0):
        kept = simplified(places, tolerance_m)
        flat = metres(places)
        assert kept[0] == 0 and kept[-1] == len(places) - 1
        for first, last in pairwise(kept):
            assert distances(flat[first : last + 1], flat[first], flat[last]).max() <= tolerance_m
    assert len(simplified(places, 2000.0)) < len(simplified(places, 5.0))


def test_a_way_crosses_a_zone_where_it_comes_near_enough() -> None:
    zone, plane = Zone(lat=52.0, lon=4.4, radius_m=300), Plane(52.0, 4.4)
    assert crosses([zone], plane.to_degrees(-1000, 200), plane.to_degrees(1000, 200))
    assert not crosses([zone], plane.to_degrees(-1000, 320), plane.to_degrees(1000, 320))
    assert not crosses([zone], plane.to_degrees(400, 0), plane.to_degrees(1000, 0))
    assert distance_m(plane.to_degrees(0, 200), (52.0, 4.4)) == pytest.approx(200, rel=0.01)


@pytest.mark.parametrize(
    ("area", "total"),
    [
        (Area(52.45, 4.45, 52.55, 4.55), 1),
        (Area(52.8, 4.1, 52.9, 4.2), 0),
        (Area(51, 3, 54, 6), 1),
    ],
    ids=["it leads through", "it leads past", "it lies inside"],
)
def test_a_trip_is_listed_where_its_way_leads_through_not_where_it_leads_past(
    any_engine: Engine, area: Area, total: int
) -> None:
    """From corner to corner of a degree."""
    with writing(any_engine) as session:
        session.add(TripRow(trip_id=1, start_utc=NOON, end_utc=NOON, clips=1, parked=0, cameras=[], distance_m=9.0,
                            moving_s=9.0, max_mps=9.0, leads=[], stops=[], events=[]))  # fmt: skip
        session.flush()
        sides = {"south": 52.0, "west": 4.0, "north": 53.0, "east": 5.0}
        line = routes.line_of([[(52.0, 4.0), (53.0, 5.0)]])
        session.add(RouteRow(trip_id=1, level=len(routes.LEVELS) - 1, line=line, heat="", **sides))
    with reading(any_engine) as session:
        found = overview.passing(session, PlateFilter(region=area), 20)
        assert (len(found.shown), found.total) == (total, total)
