"""What NiceGUI makes of our pages: how long each may take, and what each of its elements costs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from nicegui import Client, helpers, ui

from app import pages
from app.pages.frame import keep_looking
from app.pages.parts import icon, tag
from app.pages.still import still


class Handlers:
    def without(self, *others: Any, named: str = "") -> None: ...

    def with_one(self, event: Any) -> None: ...


def test_each_page_may_take_longer_than_a_busy_machine_does(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[str, float] = {}

    def page(path: str, *, response_timeout: float = 3.0, **_: Any) -> Callable[[Any], Any]:
        limits[path] = response_timeout
        return lambda build: build

    monkeypatch.setattr(pages.ui, "page", page)
    monkeypatch.setattr(pages, "app", FastAPI())
    monkeypatch.setattr(pages, "serve_static", lambda: None)
    monkeypatch.setattr(helpers, "expects_arguments", helpers.expects_arguments)
    pages.register()
    assert limits == dict.fromkeys(pages.PAGES, pages.PATIENCE_S)
    assert pages.PATIENCE_S >= 30


def test_what_nicegui_asks_of_each_method_it_learns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[..., Any]] = []
    look = helpers.functions.expects_arguments

    def counted(func: Callable[..., Any]) -> bool:
        asked.append(func)
        return look(func)

    monkeypatch.setattr(helpers, "expects_arguments", counted)
    pages.look_at_each_method_once()
    for _ in range(3):
        one = Handlers()
        assert not helpers.expects_arguments(one.without)
        assert helpers.expects_arguments(one.with_one)
        assert helpers.expects_arguments(lambda event: None), "a function may be another each time"
        assert not helpers.expects_arguments(lambda: None)
    assert len(asked) == 2 + 2 * 3


def test_a_piece_that_stays_as_it_is_is_one_element_however_much_is_in_it() -> None:
    with Client(ui.page("/")) as client:
        before = len(client.elements)
        with still("ol", "cards") as piece:
            for number in range(100):
                with tag("li", f"card  n{number}", title='"&', hidden=False, inert=True):
                    icon("place")
                    tag("img", src="/a?b&c")
        assert len(client.elements) == before + 1
    first = piece.content.partition("</li>")[0]
    assert first == (
        '<li class="card n0" title="&quot;&amp;" inert><i class="q-icon notranslate material-icons" '
        'aria-hidden="true">place</i><img src="/a?b&amp;c">'
    )


def test_nothing_that_lives_gets_lost_in_a_piece_that_stays_as_it_is() -> None:
    with Client(ui.page("/")), pytest.raises(RuntimeError, match="lives"), still(), tag("div"):
        ui.timer(1.0, print)
    with Client(ui.page("/")), pytest.raises(AttributeError), still():
        tag("button", text="Do it").on("click", print)


def test_a_page_whose_browser_is_away_looks_at_nothing_until_it_is_back() -> None:
    looked: list[str] = []

    async def look() -> None:
        looked.append("once")

    with Client(ui.page("/")) as client:
        timer = keep_looking(1.0, look)
    assert timer.callback is not None
    asyncio.run(timer.callback())
    assert looked == [], "nobody has it open"
    client.tab_id = "a browser's"
    asyncio.run(timer.callback())
    assert looked == ["once"]
