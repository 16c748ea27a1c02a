"""Times are shown at the hour that the driver lived, wherever the server's own clock is."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from app import system, wording
from dashcam.config import Site
from dashcam.database import writing
from dashcam.storage.roots import Stores
from tests.catalog.car import Car, arrive
from tests.catalog.rows import NOON

SUMMER, WINTER = datetime(2026, 6, 28, 12, 0, tzinfo=UTC), datetime(2026, 1, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine lives in the zone that the test names."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(engine: Engine, site: Site) -> tuple[str, str, str]:
    here = system.System(engine, site, Stores({}), "a token")
    system.start(here)
    zone = here.zone()
    assert system.with_zone(datetime(2026, 6, 28, 14)) == SUMMER, (
        "what is asked for in local time is meant the same way"
    )
    return wording.moment(SUMMER, zone), wording.moment(WINTER, zone), wording.zone_name(zone, WINTER)


def drive(engine: Engine, time_zone: str = "Europe/Amsterdam") -> None:
    car = Car()
    car.drive(NOON, 3)
    with writing(engine) as session:
        for facts in car.clips:
            arrive(session, facts.model_copy(update={"time_zone": time_zone}))


HOURS = ("28 Jun 2026, 14:00:00", "28 Jan 2026, 13:00:00")


@pytest.mark.parametrize("machine", ["UTC"], indirect=True)
def test_in_the_zone_of_the_settings(engine: Engine, machine: None) -> None:
    site = Site.model_validate({"server": {"time_zone": "Europe/Amsterdam"}})
    drive(engine, "America/New_York")
    assert shown(engine, site) == (*HOURS, "Europe/Amsterdam")


@pytest.mark.parametrize("machine", ["UTC"], indirect=True)
def test_else_where_the_latest_clips_were_taken(engine: Engine, machine: None) -> None:
    drive(engine)
    assert shown(engine, Site()) == (*HOURS, "Europe/Amsterdam")


@pytest.mark.parametrize("machine", ["Europe/Amsterdam"], indirect=True)
@pytest.mark.parametrize("told", [None, "Mars/Olympus_Mons", "../../etc/passwd"])
def test_else_in_this_machines_own(engine: Engine, machine: None, told: str | None) -> None:
    if told is not None:
        drive(engine, told)
    assert shown(engine, Site()) == (*HOURS, "CET, of this machine")
