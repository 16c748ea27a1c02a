"""Devices and a person's wish to have one for a while."""

from datetime import timedelta

from sqlalchemy import Engine

from dashcam.catalog import devices
from dashcam.database import reading, writing
from tests.catalog.rows import NOON

HOUR = timedelta(hours=1)


def test_a_pause_outlives_heartbeats_and_ends_by_itself(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        assert not devices.pause(session, "gpu-pc"), "nobody has heard of it"
        devices.beat(session, "gpu-pc", "rtx_4090", {}, None, NOON)
        assert devices.pause(session, "gpu-pc", NOON + HOUR)
    with writing(any_engine) as session:
        devices.beat(session, "gpu-pc", "rtx_4090", {"pool": "gpu"}, "paused", NOON + HOUR / 2)
    with reading(any_engine) as session:
        assert devices.pause_of(session, "gpu-pc", NOON + HOUR / 2) == (True, NOON + HOUR)
        assert devices.pause_of(session, "gpu-pc", NOON + HOUR) == (False, None)
        assert devices.pause_of(session, "unknown", NOON) == (False, None)


def test_devices_at_rest_are_those_paused_and_those_that_say_so(any_engine: Engine) -> None:
    with writing(any_engine) as session:
        for name, drained in (("works", None), ("by-rule", "it works at 22:00-07:00"), ("by-person", None)):
            devices.beat(session, name, "rtx_4090", {}, drained, NOON)
        devices.pause(session, "by-person")
        assert devices.names_drained(session, NOON) == {"by-rule", "by-person"}
        devices.resume(session, "by-person")
        devices.beat(session, "by-rule", "rtx_4090", {}, None, NOON)
        assert devices.names_drained(session, NOON) == set()
