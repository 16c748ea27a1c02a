"""Quasar's styles and fonts without those of components that no page of ours has; and no script that purifies HTML.

A browser reads them anew for each page, and NiceGUI's script looks through all of their rules: whole, they are a fifth
of what an empty page costs it.
"""

import re
from functools import cache
from pathlib import Path

import nicegui
from nicegui import app
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

WHOLE = Path(nicegui.__file__).parent / "static"
STYLES = ("quasar.unimportant.prod.css", "quasar.important.prod.css")
FONTS = "fonts.css"
OURS = re.compile(r"q-(notifications?|loading-bar|layout|page|page-container|icon|spinner|avatar|badge)((--|__).*)?")
"""Quasar's classes that our pages have: NiceGUI's frame, messages and what is in them, icons, the bar of a load."""
CLASS = re.compile(r"\.(q-[\w-]+)")
RULE = re.compile(r"([^{}]+)\{((?:[^{}]|\{[^{}]*\})*)\}")
"""Of a style sheet, and within one of its media."""
FACE = re.compile(r"@font-face \{[^}]*\}")
USED = re.compile(r'"Material Icons";|"Roboto";[^}]*font-weight: [4-7]00')
FIRST = re.compile(r'"Material Icons";|U\+0000-00FF')
"""Of the fonts those that each page has signs of: a style sheet in a style sheet names them when the page stands."""
FILE = re.compile(r"fonts/[\w.]+")
PURIFIER = "dompurify.mjs"
AS_TEXT = """export default {
  sanitize(html) {
    const box = document.createElement("p");
    box.textContent = html;
    return box.innerHTML;
  },
};
"""
"""No page of ours has HTML of others: if one had, it would be text."""
MAX_AGE_S = 3600
"""As NiceGUI says of its own: its version is in their address, ours is not."""


def serve_trimmed() -> None:
    """In front of NiceGUI's own."""
    for name in (*STYLES, FONTS, PURIFIER):
        app.router.routes.insert(0, Route(f"/_nicegui/{nicegui.__version__}/static/{name}", answer))


def fonts_ahead() -> str:
    """For a page's head: the fonts are there before anything is laid out, which would be laid out once more by them."""
    first = {FILE.findall(face)[0] for face in FACE.findall(trimmed(FONTS)) if FIRST.search(face)}
    address = f"/_nicegui/{nicegui.__version__}/static"
    return "".join(
        f'<link rel="preload" href="{address}/{file}" as="font" type="font/woff2" crossorigin>'
        for file in sorted(first)
    )


async def answer(request: Request) -> Response:
    name = request.url.path.rsplit("/", 1)[-1]
    content, kind = (AS_TEXT, "text/javascript") if name == PURIFIER else (trimmed(name), "text/css")
    return Response(content, media_type=kind, headers={"Cache-Control": f"public, max-age={MAX_AGE_S}"})


@cache
def trimmed(name: str) -> str:
    whole = (WHOLE / name).read_text(encoding="utf-8")
    if name == FONTS:
        return FACE.sub(lambda face: face[0] if USED.search(face[0]) else "", whole)
    return "".join(rules(whole))


def rules(css: str) -> list[str]:
    kept = []
    for head, body in RULE.findall(css):
        if head.startswith("@media"):
            body = "".join(rules(body))
        elif not head.startswith("@"):
            head = ",".join(one for one in head.split(",") if all(OURS.fullmatch(name) for name in CLASS.findall(one)))
        if head and body:
            kept.append(f"{head}{{{body}}}")
    return kept
