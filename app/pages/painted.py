"""A page's content as HTML, to be seen before any script has come: NiceGUI sends it as data that its scripts build.

`app.js` takes it away when the page itself is there. What does nothing without scripts cannot be touched until then.
"""

import re
from collections.abc import Iterator
from html import escape

from nicegui import ui
from nicegui.element import Element

from app.pages.still import VOID

HOLLOW = frozenset({"audio", "canvas", "iframe", "video"})
"""They would be loaded twice: an empty box stands for them."""
TOUCHED = frozenset({"button", "input", "select", "summary", "textarea"})
OPENING = re.compile(rf"<({'|'.join(TOUCHED)})(?=[\s>])")


def painted(element: Element) -> str:
    """The element and all that is in it."""
    return "".join(pieces(element))


def pieces(element: Element) -> Iterator[str]:
    if isinstance(element, ui.html):
        kind = element.props["tag"]
        classes = f' class="{escape(" ".join(element.classes))}"' if element.classes else ""
        waiting = OPENING.sub(r"<\1 inert", element.content)
        yield f"<{kind}{classes}>{waiting}</{kind}>"
        return
    if element.component is not None:  # of NiceGUI's own, such as a timer
        return
    kind = "div" if element.tag in HOLLOW or "-" in element.tag else element.tag
    names = [name for name in element.props if name[0] != ":" and (kind == element.tag or name == "style")]
    yield f"<{kind}{attributes(element, names)}>"
    if kind in VOID:
        return
    yield escape(element._text or "")
    for child in element.default_slot.children:
        yield from pieces(child)
    yield f"</{kind}>"


def attributes(element: Element, names: list[str]) -> str:
    said: dict[str, object] = {"class": " ".join(element.classes)} if element.classes else {}
    said |= {name: value for name in names if (value := element.props[name]) not in (False, None)}
    if element.tag in TOUCHED or element._event_listeners:
        said["inert"] = True
    return "".join(f" {name}" if value is True else f' {name}="{escape(str(value))}"' for name, value in said.items())
