"""A place is named by the nearest town, all over the world, from a table of our own."""

import time

import pytest

from dashcam.gps import towns


@pytest.mark.parametrize(
    ("lat", "lon", "name"),
    [
        (52.0116, 4.3571, "Delft"),
        (44.9371, 26.0129, "Ploieşti"),
        (-33.4489, -70.6693, "Santiago"),
        (-17.8, 179.999, None),
        (0.0, -30.0, None),
        (90.0, 180.0, None),
        (-90.0, -180.0, None),
    ],
)
def test_the_nearest_town_names_a_place_and_the_sea_has_no_name(lat: float, lon: float, name: str | None) -> None:
    assert towns.near(lat, lon) == name


def test_a_page_of_sightings_is_named_in_a_few_milliseconds() -> None:
    towns.near(51.5, -0.1)
    began = time.process_time()
    for step in range(60):
        towns.near(51.5 + step / 200, -0.1)
    assert time.process_time() - began < 0.5
