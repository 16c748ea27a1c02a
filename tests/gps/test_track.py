"""Where the car was between its fixes, how sure that is, and where nobody knows."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.gps.clock import decide
from dashcam.gps.plane import Plane, distance_m
from dashcam.gps.track import MAX_GAP_S, MAX_OUTSIDE_S, Track
from dashcam.records import Fix
from dashcam.sample.route import Route

START = datetime(2026, 6, 28, 11, 34, 16, tzinfo=UTC)
FPS = 30


def fix(
    t_s: float, lat: float = 52.0, lon: float = 4.0, speed: float | None = 10.0, heading: float | None = 0.0
) -> Fix:
    return Fix(t_s=t_s, utc=START + timedelta(seconds=t_s), lat=lat, lon=lon, speed_mps=speed, heading_deg=heading)


def straight(seconds: int, speed: float = 10.0, **other: float | None) -> list[Fix]:
    """A drive north at constant speed."""
    north = 1 / Plane(52, 4).metres_north
    return [fix(float(t), lat=52 + t * speed * north, speed=speed, **other) for t in range(seconds)]


def noisy(route: Route, seconds: int, seed: int) -> list[Fix]:
    """What a receiver makes of the drive: 1.2 m per axis, 0.1 m/s of Doppler noise, blocks up to a frame late."""
    rng, fixes = np.random.default_rng(seed), []
    for second in range(seconds):
        true = route.at(second)
        lat, lon = Plane(true.lat, true.lon).to_degrees(*rng.normal(0, 1.2, 2))
        heading = math.radians(true.heading_deg)
        east, north = np.array([math.sin(heading), math.cos(heading)]) * true.speed_mps + rng.normal(0, 0.1, 2)
        course = math.degrees(math.atan2(east, north)) % 360
        seen = fix(float(second), lat, lon, float(np.hypot(east, north)), course)
        fixes.append(seen.model_copy(update={"t_s": second + float(rng.uniform(0, 1 / FPS))}))
    return fixes


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_frame_of_a_noisy_drive_has_its_place_heading_and_time(seed: int) -> None:
    """Within 1.5 m rms, 5 degrees above 3 m/s and 40 ms; a straight line from fix to fix is the baseline."""
    route, seconds = Route(120), 120
    fixes = noisy(route, seconds, seed)
    frames = np.arange(0, seconds - 1, 1 / FPS)
    places = Track(fixes).along(frames)
    assert all(place is not None for place in places)
    truth = [route.at(t_s) for t_s in frames]
    smooth = [distance_m((p.lat, p.lon), (true.lat, true.lon)) for p, true in zip(places, truth, strict=True) if p]
    times = [one.t_s for one in fixes]
    lats, lons = (np.interp(frames, times, [getattr(one, axis) for one in fixes]) for axis in ("lat", "lon"))
    linear = [distance_m(at, (true.lat, true.lon)) for *at, true in zip(lats, lons, truth, strict=True)]  # type: ignore[arg-type]
    assert rms(smooth) < 1.5
    assert rms(smooth) < 0.6 * rms(linear)
    assert 0.5 * rms(smooth) < rms([p.accuracy_m for p in places if p]) < 4 * rms(smooth), "the accuracy says so itself"
    off = [
        abs((place.heading_deg - true.heading_deg + 180) % 360 - 180)
        for place, true in zip(places, truth, strict=True)
        if place and place.heading_deg is not None and true.speed_mps > 3
    ]
    assert len(off) > len(frames) / 2
    assert max(off) < 5
    began = decide(fixes, None, "Europe/Amsterdam", None, START).start_utc
    assert abs((began - START).total_seconds()) < 0.04


def rms(values: list[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))


def test_halfway_is_halfway() -> None:
    fixes = straight(11)
    here = Track(fixes).at(4.5)
    assert here is not None
    assert here.lat == pytest.approx((fixes[4].lat + fixes[5].lat) / 2, abs=1e-7)
    assert here.lon == pytest.approx(4.0, abs=1e-7)
    assert here.speed_mps == pytest.approx(10, abs=0.01)
    assert min(here.heading_deg or 0, 360 - (here.heading_deg or 0)) < 0.1


def test_between_350_and_10_degrees_lies_north() -> None:
    here = Track([fix(0, heading=350), fix(1, lat=52.00009, heading=10)]).at(0.5)
    assert here is not None
    assert here.heading_deg is not None
    assert min(here.heading_deg, 360 - here.heading_deg) < 2


def test_across_the_date_line_is_a_short_way() -> None:
    step = 10 / Plane(52, 180).metres_east
    fixes = [fix(float(t), lon=(179.9999 + t * step + 180) % 360 - 180, heading=90) for t in range(6)]
    assert fixes[0].lon > 0 > fixes[-1].lon
    here = Track(fixes).at(2.5)
    assert here is not None
    assert distance_m((here.lat, here.lon), (52.0, 179.9999 + 2.5 * step)) < 1


@pytest.mark.parametrize(
    ("t_s", "quality"),
    [(0.0, "fix"), (3.04, "fix"), (3.5, "interpolated"), (-1.9, "extrapolated"), (11.9, "extrapolated")],
)
def test_each_place_says_where_it_comes_from(t_s: float, quality: str) -> None:
    here = Track(straight(11)).at(t_s)
    assert here is not None
    assert here.quality == quality


@pytest.mark.parametrize(("t_s", "known"), [(-2.0, True), (-2.1, False), (12.0, True), (12.1, False)])
def test_outside_the_track_the_car_is_followed_for_two_seconds(t_s: float, known: bool) -> None:
    assert (Track(straight(11)).at(t_s) is not None) is known


def test_the_further_from_a_fix_the_less_accurate() -> None:
    track = Track(straight(11))
    inside, after_one, after_two = (track.at(t_s) for t_s in (5.5, 11.0, 12.0))
    assert inside and after_one and after_two
    assert inside.accuracy_m < after_one.accuracy_m < after_two.accuracy_m


@pytest.mark.parametrize(("gap", "known"), [(5.0, True), (5.1, False)])
def test_long_gaps_are_unknown(gap: float, known: bool) -> None:
    there = straight(2, speed=10.0 * gap)[1].model_copy(update={"speed_mps": 10.0})
    later = there.model_copy(update={"t_s": gap, "utc": START + timedelta(seconds=gap)})
    assert (Track([fix(0), later]).at(gap / 2) is not None) is known


def test_a_fix_at_the_other_end_of_town_is_not_believed() -> None:
    fixes = straight(20)
    wild = fixes[10].model_copy(update={"lat": 52.03})
    here = Track([*fixes[:10], wild, *fixes[11:]]).at(10.0)
    assert here is not None
    assert distance_m((here.lat, here.lon), (fixes[10].lat, fixes[10].lon)) < 2


def test_a_car_that_is_really_elsewhere_is_followed_there() -> None:
    """A cold receiver's first fixes may be far off; what comes after them counts."""
    wrong = [one.model_copy(update={"lat": one.lat + 0.05}) for one in straight(3)]
    fixes = [*wrong, *straight(20)[3:]]
    here = Track(fixes).at(12.0)
    assert here is not None
    assert distance_m((here.lat, here.lon), (fixes[12].lat, fixes[12].lon)) < 2


def test_standing_the_heading_stays_what_it_was() -> None:
    course = [90.0] * 10 + [13.0, 217.0, 340.0, 55.0, 160.0]
    speed = [10.0] * 8 + [6.0, 3.0] + [0.0] * 5
    east, fixes = 0.0, []
    for t, (heading, mps) in enumerate(zip(course, speed, strict=True)):
        fixes.append(fix(float(t), 52.0, 4.0 + east / Plane(52, 4).metres_east, mps, heading))
        east += mps
    headings = [here.heading_deg for here in Track(fixes).along([11.0, 12.5, 14.0]) if here]
    assert headings == [pytest.approx(90, abs=3)] * 3


def test_a_late_block_and_one_written_twice_are_put_where_their_clock_says() -> None:
    """At 5 s the camera wrote the fix of 4 s again."""
    fixes = straight(10)
    twice = fixes[4].model_copy(update={"t_s": 5.0})
    here = Track([*fixes[:5], twice, *fixes[6:]]).at(5.0)
    assert here is not None
    assert distance_m((here.lat, here.lon), (fixes[5].lat, fixes[5].lon)) < 1


def test_places_alone_give_speed_and_heading() -> None:
    here = Track([one.model_copy(update={"speed_mps": None, "heading_deg": None}) for one in straight(11)]).at(5.0)
    assert here is not None
    assert here.speed_mps == pytest.approx(10, abs=0.3)
    assert here.heading_deg is not None
    assert min(here.heading_deg, 360 - here.heading_deg) < 2


def test_no_fixes_no_position() -> None:
    assert Track([]).at(0.0) is None


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=8),
    st.floats(-5, 65),
)
def test_whatever_the_fixes_say_a_place_is_on_earth_and_near_one_of_them_in_time(
    points: list[tuple[float, float, float]], t_s: float
) -> None:
    here = Track([fix(*point) for point in points]).at(t_s)
    if here is not None:
        assert -90 <= here.lat <= 90
        assert -180 <= here.lon <= 180
        assert math.isfinite(here.accuracy_m)
        # a clock of the fixes' own may move them by up to a second and a half
        assert min(abs(point[0] - t_s) for point in points) <= max(MAX_OUTSIDE_S, MAX_GAP_S / 2) + 1.5
