"""What takes long after a click or an upgrade: it is carried out beside everything else, and outlives a restart."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from app import api, system
from app.corrections import Corrections
from app.main import dispatching
from app.system import System
from dashcam.catalog import clocks, deriving, lenses
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.database import reading
from dashcam.storage.roots import Stores
from tests.app.conftest import TOKEN
from tests.catalog.rows import NOON
from tests.catalog.test_long_changes import A_DAY, HOUR_S, add_clips, all_trips

HOUR = timedelta(seconds=HOUR_S)


@pytest.fixture
def engine(any_engine: Engine) -> Engine:
    add_clips(any_engine, 120, fixes=3)
    deriving.derive_everything(any_engine, Site().trips)
    return any_engine


def wait_for(what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def starts(engine: Engine) -> set[timedelta]:
    """How far each clip begins from where it was made to."""
    with reading(engine) as session:
        rows = session.execute(select(Video.video_id, Video.start_utc)).tuples().all()
    where = {video_id: NOON + timedelta(days=number // A_DAY, minutes=number % A_DAY)
             for video_id, _ in rows for number in [int(video_id, 16)]}  # fmt: skip
    return {start - where[video_id] for video_id, start in rows if start}


def test_a_lens_is_said_and_taken_back_and_is_carried_out_beside_everything_else(
    client: TestClient, here: System
) -> None:
    assert client.get("/cameras/lenses").json() == {}
    wide = {"horizontal_fov_deg": 127.5, "projection": "fisheye"}
    assert client.put("/cameras/lenses", json={"camera": "front", "lens": wide}).status_code == 202
    assert client.get("/cameras/lenses").json() == {"front": wide}

    def is_owed() -> bool:
        with reading(here.engine) as session:
            return bool(lenses.owed(session))

    wait_for(lambda: not is_owed())
    client.put("/cameras/lenses", json={"camera": "front", "lens": None})
    wait_for(lambda: not is_owed())
    assert client.get("/cameras/lenses").json() == {}
    for wrong in ({"camera": "interior", "lens": wide}, {"camera": "front", "lens": wide | {"horizontal_fov_deg": 3}}):
        assert client.put("/cameras/lenses", json=wrong).status_code == 422


def test_a_correction_answers_at_once_and_says_how_far_it_is(
    client: TestClient, here: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    in_steps = deriving.derive_in_steps
    monkeypatch.setattr(deriving, "derive_in_steps", lambda *what: may_go_on.wait(60) and in_steps(*what))
    answer = client.put("/cameras/clocks", json={"camera": "front", "ahead_s": HOUR_S})
    assert answer.status_code == 202

    def told() -> dict[str, Any]:
        (camera,) = client.get("/cameras/clocks").json()
        return dict(camera["correcting"])

    wait_for(lambda: told()["done"] == 120)
    assert told() == {"clips": 120, "done": 120, "changed": 120, "ended": False}
    may_go_on.set()
    wait_for(lambda: told()["ended"])
    assert starts(here.engine) == {-HOUR}


def test_a_correction_goes_on_after_a_restart(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "SHORT_S", 0.0)  # a clip at a time
    before, some, steps = all_trips(engine), threading.Event(), iter(range(1000))
    first, apply_some = Corrections(engine, Site()), clocks.apply_some

    def until_it_is_stopped(*what: Any) -> Any:
        if next(steps) == 5:
            some.set()
            assert first._stopped.wait(60)
        return apply_some(*what)

    monkeypatch.setattr(clocks, "apply_some", until_it_is_stopped)
    first.ask_for("front", HOUR_S)
    assert some.wait(60)
    first.stop()
    assert first.at["front"].done == 6 and not first.at["front"].ended
    assert starts(engine) == {-HOUR, timedelta()}, "cut short in the middle"
    monkeypatch.undo()
    again = Corrections(engine, Site())
    again.go_on()
    wait_for(lambda: "front" in again.at and again.at["front"].ended)
    assert starts(engine) == {-HOUR}
    assert all_trips(engine) == [(number, start - HOUR, end - HOUR, clips) for number, start, end, clips in before]
    with reading(engine) as session:
        assert clocks.owed(session) == []


def test_a_correction_that_is_corrected_meanwhile_ends_as_the_last_word_says(engine: Engine) -> None:
    corrections = Corrections(engine, Site())
    for ahead_s in (HOUR_S, 0.0, 2 * HOUR_S):
        corrections.ask_for("front", ahead_s)
    wait_for(lambda: corrections._thread is None)
    assert starts(engine) == {-2 * HOUR}
    with reading(engine) as session:
        assert clocks.owed(session) == []


def test_the_port_answers_before_an_upgrade_is_caught_up_with(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    answered, caught_up = threading.Event(), threading.Event()

    def catch_up(*what: Any) -> None:
        assert answered.wait(60), "it is waited for before anybody is answered"
        caught_up.set()

    monkeypatch.setattr(deriving, "catch_up", catch_up)
    system.start(System(engine, Site(), Stores({}), TOKEN))
    web = FastAPI(lifespan=dispatching)
    web.include_router(api.router)
    with TestClient(web) as client:
        assert client.get("/api/v1/health").status_code == 200
        assert not caught_up.is_set()
        answered.set()
        assert caught_up.wait(60)
