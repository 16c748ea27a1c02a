"""How the plates of the newest trips were met is known before anybody opens Tonight; an idle night costs nothing."""

import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, update

from app import ahead, system
from app.ahead import LOOK_S, Ahead
from app.main import dispatching
from app.system import System
from dashcam.catalog import meanings
from dashcam.catalog.models import SightingRow
from dashcam.config import Site
from dashcam.database import writing
from dashcam.storage.roots import Stores
from tests.catalog.test_followed import scenes, seen_again, store


def test_how_plates_were_met_is_weighed_before_anybody_asks_and_at_rest_the_database_is_left_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "WEIGHED_S", 1e-9)  # one plate at each look
    store(engine, scenes())
    here = System(engine, Site.model_validate({"server": {"time_zone": "UTC"}}), Stores({}), "token")
    here.look_at_zone()
    rests = list(iter(here.ahead.look, LOOK_S))
    assert rests and min(rests) > 0, "it keeps to its share of a core"
    view = (True, None)
    met, left = seen_again(engine, 11, here.meanings, 0.0, view)
    assert met and all(met.values()) and left == 0, "who opens the page weighs nothing"
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, said, *_rest: asked.append(said))
    here.ahead.look()
    assert asked == []
    with writing(engine) as session:
        session.execute(update(SightingRow).where(SightingRow.sighting_id == 1).values(crop="new"))
    asked.clear()
    here.ahead.look()
    assert asked, "something was written"
    asked.clear()
    here.ahead.looked -= meanings.KEPT_S + 1
    here.ahead.look()
    assert asked, "what was weighed before a change runs out within an hour of it"


def test_the_main_server_looks_ahead_by_itself(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()

    def look(_: Ahead) -> float:
        looked.set()
        return LOOK_S

    monkeypatch.setattr(Ahead, "look", look)
    system.start(System(engine, Site(), Stores({}), "token"))
    with TestClient(FastAPI(lifespan=dispatching)):
        assert looked.wait(60)
