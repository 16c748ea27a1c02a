"""Where another car may have been: against the drawn street, where the truth is known, and by plain geometry."""

import math

import numpy as np
import pytest

from dashcam.config.model import Lens, PlaceSettings
from dashcam.gps.place import SIGMAS_95, Estimate, estimate, roughly_m
from dashcam.gps.plane import Plane, distance_m
from dashcam.gps.track import TrackPoint
from dashcam.records import Box, RegionKind
from dashcam.sample.scene import Camera
from dashcam.sample.street import View
from dashcam.sample.traffic import Traffic

SIZE = (1280, 720)
SAMPLE_FOV = 2 * math.degrees(math.atan(0.5 / 0.98))
SETTINGS = PlaceSettings(
    lenses={"front": Lens(horizontal_fov_deg=SAMPLE_FOV), "rear": Lens(horizontal_fov_deg=SAMPLE_FOV)}
)


def own(heading: float | None, accuracy_m: float = 1.0) -> TrackPoint:
    return TrackPoint(52.37, 4.9, 10.0, heading, "fix", accuracy_m)


def plate(x: float, width: float = 104.0, height: float = 22.0) -> Box:
    return (x - width / 2, 340.0, x + width / 2, 340.0 + height)


def holds(found: Estimate, lat: float, lon: float) -> bool:
    """Whether a place lies in the ellipse."""
    east, north = Plane(found.lat, found.lon).to_metres(lat, lon)
    turn = math.radians(found.angle_deg)
    along = east * math.sin(turn) + north * math.cos(turn)
    across = east * math.cos(turn) - north * math.sin(turn)
    return math.hypot(along / found.major_m, across / found.minor_m) <= 1


@pytest.mark.parametrize(
    ("kind", "box", "away"),
    [
        ("plate", plate(640), 6.3),
        ("plate", (100.0, 0.0, 100.0, 9.0), None),
        ("plate", plate(640, 4, 1), None),
        ("car", (0.0, 100.0, 300.0, 289.0), 10.0),
        ("car", (0.0, 100.0, 600.0, 289.0), 10.0),
        ("bus", (0.0, 100.0, 300.0, 489.0), 10.0),
    ],
)
def test_how_far_away_a_thing_is_goes_by_how_large_such_things_are(kind: RegionKind, box: Box, away: float) -> None:
    """A vehicle by its height, for it is as high from the side."""
    told = roughly_m(kind, box, SIZE[0], "front", SETTINGS)
    assert told == (None if away is None else pytest.approx(away, rel=0.02))
    assert roughly_m(kind, box, SIZE[0], "interior", SETTINGS) is None


@pytest.mark.parametrize("rear", [False, True])
@pytest.mark.parametrize("heading", [0.0, 130.0])
def test_the_cars_of_the_drawn_street_are_in_their_ellipses(rear: bool, heading: float) -> None:
    camera, view = Camera(SIZE, rear, 7), View(0.0, 0.0, heading, 0.0)
    found = 0
    for t_s in range(20):
        for placed in Traffic(20, 7).at(float(t_s)):
            away = camera.distance_m(placed)
            if not 4 < away < 40 or not camera.holds(box := camera.plate_box(placed, view)):
                continue
            guess = estimate(own(heading), box, SIZE, "rear" if rear else "front", SETTINGS)
            assert guess is not None
            right, ahead = placed.x_m, -away if rear else away
            turn = math.radians(heading)
            east = right * math.cos(turn) + ahead * math.sin(turn)
            north = -right * math.sin(turn) + ahead * math.cos(turn)
            assert holds(guess, *Plane(52.37, 4.9).to_degrees(east, north))
            assert guess.distance_m == pytest.approx(math.hypot(right, away), rel=0.3)
            found += 1
    assert found >= 3


@pytest.mark.parametrize(
    ("camera", "x", "bearing"),
    [("front", 640, 90), ("front", 1279, 90 + SAMPLE_FOV / 2), ("rear", 640, 270), ("front", 1, 90 - SAMPLE_FOV / 2)],
)
def test_the_bearing_follows_camera_heading_and_place_in_the_picture(camera: str, x: float, bearing: float) -> None:
    found = estimate(own(90.0), plate(x), SIZE, camera, SETTINGS)
    assert found is not None
    assert found.bearing_deg == pytest.approx(bearing, abs=0.2)
    assert distance_m((52.37, 4.9), (found.lat, found.lon)) == pytest.approx(found.distance_m, rel=0.01)


def test_a_plate_half_as_large_is_twice_as_far_and_less_certain() -> None:
    near, far = (estimate(own(0.0), plate(640, 104 / n, 22 / n), SIZE, "front", SETTINGS) for n in (1, 2))
    assert near and far
    assert far.distance_m == pytest.approx(2 * near.distance_m, rel=0.02)
    assert far.major_m > near.major_m
    assert far.kind == "estimate"


def test_a_plate_seen_from_the_side_is_measured_by_its_height() -> None:
    facing, aside = (estimate(own(0.0), plate(640, width, 22), SIZE, "front", SETTINGS) for width in (104, 60))
    assert facing and aside
    assert aside.distance_m == pytest.approx(facing.distance_m, rel=0.05)


def test_what_we_do_not_know_of_ourselves_widens_the_ellipse() -> None:
    sure, unsure = (estimate(own(0.0, accuracy), plate(640), SIZE, "front", SETTINGS) for accuracy in (1.0, 20.0))
    assert sure and unsure
    assert unsure.minor_m > sure.minor_m
    assert unsure.minor_m >= 20 / math.sqrt(2) * SIGMAS_95 * 0.99


@pytest.mark.parametrize(
    ("heading", "box", "camera"),
    [
        (None, plate(640), "front"),
        (0.0, plate(640), "interior"),
        (0.0, (5, 5, 5, 9), "front"),
        (0.0, plate(640, 5, 1), "front"),
    ],
)
def test_without_heading_view_or_size_there_is_no_estimate(heading: float | None, box: Box, camera: str) -> None:
    assert estimate(own(heading), box, SIZE, camera, SETTINGS) is None


def test_a_lens_that_nobody_named_widens_the_ellipse() -> None:
    lens = Lens()
    named, guessed = (
        estimate(own(0.0), plate(640, 20, 4.5), SIZE, "front", settings)
        for settings in (PlaceSettings(lenses={"front": lens}), PlaceSettings())
    )
    assert named and guessed
    assert guessed.distance_m == named.distance_m
    assert guessed.major_m > 1.5 * named.major_m


def test_the_ring_is_closed_and_lies_on_the_ellipse() -> None:
    found = estimate(own(30.0), plate(700), SIZE, "front", SETTINGS)
    assert found is not None
    ring = found.ring()
    assert ring[0] == ring[-1]
    away = [distance_m((found.lat, found.lon), place) for place in ring]
    assert max(away) == pytest.approx(found.major_m, rel=0.02)
    assert min(away) == pytest.approx(found.minor_m, rel=0.02)


@pytest.mark.parametrize("at", [(52.4, 4.9), (-89.9999, 12.0), (89.9999, -3.0), (-17.0, 179.9999), (-17.0, -179.9999)])
def test_many_places_lie_where_each_of_them_does(at: tuple[float, float]) -> None:
    plane, metres = Plane(*at), [(120.0, -35.0), (-120.0, 35.0), (0.0, 0.0)]
    found = plane.all_to_degrees(np.array(metres).T)
    assert found.T.tolist() == [pytest.approx(plane.to_degrees(*one), abs=1e-9) for one in metres]


def test_a_fisheye_gives_equal_angles_equal_widths() -> None:
    wide = PlaceSettings(lenses={"front": Lens(horizontal_fov_deg=120, projection="fisheye")})
    found = estimate(own(0.0), plate(960), SIZE, "front", wide)
    assert found is not None
    assert found.bearing_deg == pytest.approx(30, abs=0.1)
