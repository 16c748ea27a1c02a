"""What is away is said over every page, and no longer than it is away."""

import asyncio
import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from app import system
from app.dispatcher import Dispatcher
from dashcam.access.roles import Role
from tests.app.access.conftest import Home

ARCHIVE = "The archive (shed_nas) is away: pictures return when it is back."


def test_a_store_that_is_away_is_named_on_every_page_until_it_is_back(home: Home, tmp_path: Path) -> None:
    home.add("vic", Role.VIEWER)
    browser = home.logged_in("vic")
    (tmp_path / "shed_nas").rename(tmp_path / "switched-off")
    home.here.caretaker.look()
    (since,) = {one.since for one in home.here.outages.all()}
    home.here.caretaker.look()
    assert {one.since for one in home.here.outages.all()} == {since}, "since it was first met"
    for path in ("/", "/videos", "/account"):
        assert ARCHIVE in browser.get(path).text, path
    (tmp_path / "switched-off").rename(tmp_path / "shed_nas")
    home.here.caretaker.look()
    assert ARCHIVE not in browser.get("/").text


def test_prefects_silence_is_said_until_a_round_is_through(home: Home) -> None:
    dispatcher = Dispatcher(home.here)
    dispatcher.complain(httpx.ConnectError("refused"))
    dispatcher.complain(ValueError("not Prefect's"))
    assert [one.said.split(":")[0] for one in home.here.outages.all()] == ["Prefect does not answer"]

    async def one_round() -> None:
        rounds = asyncio.create_task(dispatcher.rounds(None))  # type: ignore[arg-type]
        while home.here.outages.all():
            await asyncio.sleep(0.01)
        rounds.cancel()

    asyncio.run(asyncio.wait_for(one_round(), 60))


def test_a_database_that_does_not_answer_is_said_until_it_does(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    async def until(away: bool) -> None:
        keeping = asyncio.create_task(home.here.keep_zone())
        while bool(home.here.outages.all()) is not away:
            await asyncio.sleep(0.01)
        keeping.cancel()

    monkeypatch.setattr(system, "ZONE_KEPT_S", 0.01)
    with monkeypatch.context() as broken:
        broken.setattr(system.System, "look_at_zone", silent)
        home.here._zone = -math.inf, None
        asyncio.run(asyncio.wait_for(until(True), 60))
        broken.setattr(system, "ZONE_KEPT_S", 30.0)
        home.here.zone()  # which every page asks for, is still there
    asyncio.run(asyncio.wait_for(until(False), 60))
