"""Python's collector is let at what pages leave when nobody waits for another, and at rest there is nothing to do."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app import system, tidying
from app.main import dispatching
from app.system import System
from dashcam.config import Site
from dashcam.storage.roots import Stores

PATIENCE_S = 20.0


class Element:
    """Of a page: it names its parent, which names it."""

    def __init__(self) -> None:
        self.parent = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def left_behind() -> weakref.ref[Element]:
    """A page that was closed, after it had been there for long."""
    element = Element()
    gc.collect()
    gc.set_threshold(10, 1, 1_000_000)
    while not tidying.something_came():
        _ = [Element() for _ in range(100)]
    gc.set_threshold(*tidying.SELDOM)
    return weakref.ref(element)


async def gone(element: weakref.ref[Element], within_s: float, look_s: float, rest_s: float) -> bool:
    """Where the loop has something to do but for so long at a time."""
    tidying_up = asyncio.create_task(tidying.go_on(look_s))
    try:
        return await goes(element, within_s, rest_s)
    finally:
        tidying_up.cancel()


async def goes(element: weakref.ref[Element], within_s: float, rest_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while element() is not None and time.monotonic() < deadline:
        await asyncio.sleep(rest_s)
    return element() is None


def test_what_a_page_has_left_is_gone_once_nobody_waits() -> None:
    element = left_behind()
    assert element() is not None, "the collector has not been there by itself"
    assert asyncio.run(gone(element, PATIENCE_S, look_s=0.1, rest_s=0.05))


def test_at_rest_there_is_nothing_to_look_for() -> None:
    gc.collect()
    before = gc.get_stats()[2]["collections"]
    stays = Element()
    assert not asyncio.run(gone(weakref.ref(stays), 0.5, look_s=0.02, rest_s=0.1))
    assert gc.get_stats()[2]["collections"] == before


def test_who_waits_for_a_page_does_not_wait_for_that() -> None:
    assert not asyncio.run(gone(left_behind(), 2.0, look_s=0.5, rest_s=0.0))


@pytest.mark.parametrize("apart_s", [0.0, 600.0])
def test_it_is_looked_for_once_in_a_while(apart_s: float) -> None:
    async def second_is_gone() -> bool:
        tidying_up = asyncio.create_task(tidying.go_on(0.02, apart_s))
        try:
            assert await goes(left_behind(), PATIENCE_S, 0.05)
            return await goes(left_behind(), 1.0 if apart_s else PATIENCE_S, 0.05)
        finally:
            tidying_up.cancel()

    assert asyncio.run(second_is_gone()) == (apart_s == 0.0)


def test_what_is_imported_is_left_out_and_however_busy_it_is_all_is_looked_at_in_the_end() -> None:
    frozen = gc.get_freeze_count()
    try:
        tidying.begin()
        assert gc.get_freeze_count() > frozen + 1000
        new, young, old = gc.get_threshold()
        assert 70_000 < new * young * old <= 1_000_000
    finally:
        gc.unfreeze()


def test_the_main_server_does_it_by_itself(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    async def go_on() -> None:
        begun.set()

    monkeypatch.setattr(tidying, "go_on", go_on)
    system.start(System(engine, Site(), Stores({}), "token"))
    with TestClient(FastAPI(lifespan=dispatching)):
        assert begun.wait(60)
