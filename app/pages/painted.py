"""A page as HTML, to be seen before any script has come: NiceGUI sends it as data that its scripts build.

It is what they would build, element by element, so that Vue takes it over as it stands (`painted.js`): nothing is built
or laid out twice. What does nothing without scripts cannot be touched until then.
"""

import re
from collections.abc import Iterator
from html import escape

from fastapi import Request, Response
from nicegui import Client
from nicegui.element import Element

from app.pages.still import PAINTED, VOID, Piece

TOUCHED = frozenset({"button", "input", "select", "textarea"})
OPENING = re.compile(rf"<({'|'.join(TOUCHED)})(?=[\s>])")
FRAMES = {
    "q-layout": ("div", "q-layout q-layout--standard"),
    "q-page-container": ("div", "q-page-container"),
    "q-page": ("main", "q-page"),
}
"""What NiceGUI puts around each page, and the elements that Quasar makes of it."""
PLACE = re.compile(rb'<style>\s*#esm-fallback \{.*?<div id="app"[^>]*></div>', re.DOTALL)
"""NiceGUI's place of the page, and what it shows and hides until its scripts have come."""
NOTHING = "<!---->"
"""Vue's mark of a component that shows nothing, such as a timer."""


BUILD = Client.build_response


def paint_each_page() -> None:
    Client.build_response = build_response  # type: ignore[method-assign]


def build_response(self: Client, request: Request, status_code: int = 200) -> Response:
    """NiceGUI's answer with the page, as it is now, in the place that is left empty for it."""
    there = f'<div id="app">{painted(self.layout)}</div>'.encode()
    token = PAINTED.set(True)
    try:
        page = BUILD(self, request, status_code)
    finally:
        PAINTED.reset(token)
    place = PLACE.search(page.body)
    if place is None:
        raise RuntimeError("NiceGUI's template has no place for what is painted: PLACE is of another version.")
    page.body = b"".join((page.body[: place.start()], there, page.body[place.end() :]))
    page.headers["Content-Length"] = str(len(page.body))
    return page


def painted(element: Element) -> str:
    """The element and all that is in it."""
    return "".join(pieces(element))


def pieces(element: Element) -> Iterator[str]:
    if isinstance(element, Piece):
        kind = element.props["tag"]
        waiting = OPENING.sub(r"<\1 inert", element.content)
        yield f"<{kind}{attributes(element, [])}>{waiting}</{kind}>"
        return
    if element.component is not None:
        yield NOTHING
        return
    kind, classes = FRAMES.get(element.tag, (element.tag, ""))
    yield f"<{kind}{attributes(element, [] if classes else list(element.props), classes)}>"
    if kind in VOID:
        return
    if element.tag == "q-layout":  # what looks at the window's size and place
        yield NOTHING * 2
    yield escape(element._text or "")
    for child in element.default_slot.children:
        yield from pieces(child)
    yield f"</{kind}>"


def attributes(element: Element, names: list[str], more: str = "") -> str:
    classes = " ".join(filter(None, (more, *element.classes)))
    said: dict[str, object] = {"id": f"c{element.id}"}
    if classes:
        said["class"] = classes
    said |= {name.lstrip("^"): value for name in names if (value := element.props[name]) not in (False, None)}
    if element.tag in TOUCHED or (element._event_listeners and element.tag not in FRAMES):
        said["inert"] = True
    return "".join(f" {name}" if value is True else f' {name}="{escape(str(value))}"' for name, value in said.items())
