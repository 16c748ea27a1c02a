"""A piece of a page that stays as it is: plain HTML, which costs server and browser a twentieth of NiceGUI's elements.

What is built in it by `app.pages.parts` is text to NiceGUI. It answers to nobody by itself: who listens for what is
pressed listens at the piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from types import TracebackType
from typing import Any

from nicegui import context, ui

VOID = frozenset({"br", "col", "hr", "img", "input", "source", "wbr"})
PRESSED = """event => {
  const button = event.target.closest("[data-act]");
  if (button) emit({ act: button.dataset.act, of: button.dataset.of });
}"""
"""How a piece's clicks are to be handled, so that its handler gets what the pressed button is for."""


PAINTED: ContextVar[bool] = ContextVar("painted", default=False)
"""While a page's answer is made, which has the HTML of its pieces as it is: half of it would be told twice."""


class Piece(ui.html, component="piece.js"):
    """HTML of our own, in which whatever came in is text already.

    NiceGUI's own has the browser make it once more when it stands there already, painted by the server.
    """

    def __init__(self, content: str = "", kind: str = "div") -> None:
        super().__init__(content, sanitize=False, tag=kind)

    def _to_dict(self) -> dict[str, Any]:
        told = super()._to_dict()
        if PAINTED.get():
            told["props"] = {name: value for name, value in self.props.items() if name != "innerHTML"}
        return told


class StillTag:
    """As much of a NiceGUI element as a page needs to build with it."""

    __slots__ = ("attributes", "classes", "inside", "kind", "text")

    def __init__(self, kind: str, classes: str, text: str | None, attributes: dict[str, str | bool]) -> None:
        self.kind, self.classes, self.text, self.attributes = kind, classes, text, attributes
        self.inside: list[StillTag] = []
        OPEN.get()[-1].append(self)

    @property
    def props(self) -> dict[str, str | bool]:
        return self.attributes

    def __enter__(self) -> StillTag:
        OPEN.get().append(self.inside)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        OPEN.get().pop()

    def html(self) -> str:
        classes = " ".join(self.classes.split())
        begin = f'<{self.kind} class="{escape(classes)}"' if classes else f"<{self.kind}"
        if self.attributes:
            begin += written(self.attributes)
        if self.kind in VOID:
            return begin + ">"
        text = escape(self.text) if self.text else ""
        return f"{begin}>{text}{''.join([one.html() for one in self.inside])}</{self.kind}>"


class OwnHtml(StillTag):
    """HTML of a template of our own, in which what came in is text already."""

    __slots__ = ("content",)

    def __init__(self, content: str) -> None:
        self.content = content
        OPEN.get()[-1].append(self)

    def html(self) -> str:
        return self.content


OPEN: ContextVar[list[list[StillTag]]] = ContextVar("open_still_tags")


def written(attributes: dict[str, str | bool]) -> str:
    """Attributes as HTML has them: one that is there has no value, one that is False is not there."""
    there = [(name, value) for name, value in attributes.items() if value is not False]
    return "".join(f" {name}" if value is True else f' {name}="{escape(str(value))}"' for name, value in there)


def is_still() -> bool:
    return bool(OPEN.get(()))


@contextmanager
def still(kind: str = "div", classes: str = "still") -> Iterator[Piece]:
    """What `tag` makes within becomes the content of the element that is given."""
    element = Piece(kind=kind).classes(classes)
    with anew(element):
        yield element


@contextmanager
def anew(element: Piece) -> Iterator[None]:
    """The same in one that is there: what becomes the same again stays in the browser as somebody has it."""
    beside = context.slot.children
    already = len(beside)
    inside: list[StillTag] = []
    token = OPEN.set([inside])
    try:
        yield
    finally:
        OPEN.reset(token)
    if len(beside) != already:
        raise RuntimeError(f"{beside[already].tag} lives: it cannot be in a piece that stays as it is.")
    element.content = "".join([one.html() for one in inside])
