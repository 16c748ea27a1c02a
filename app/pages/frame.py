"""The frame around every page: name, navigation, search, light or dark."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import TypeVar

from nicegui import app, ui
from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.access import callers
from app.access.rules import rule_of
from app.found import TEMPLATES
from app.outages import Outage
from app.pages.parts import icon, tag
from app.pages.trimmed import fonts_ahead
from app.parameters import cursor_of as cursor_of
from app.parameters import cursor_text as cursor_text
from app.parameters import day_of as day_of
from app.parameters import midnight as midnight
from app.parameters import moment_of as moment_of
from app.private_words import Unreadable
from dashcam.access import audit
from dashcam.access.roles import Role
from dashcam.gps.clock import known_zone

NAVIGATION = (
    ("Tonight", "/", "bedtime"),
    ("Videos", "/videos", "video_library"),
    ("Trips", "/trips", "route"),
    ("Map", "/map", "map"),
    ("Plates", "/plates", "pin"),
    ("Tasks", "/tasks", "checklist"),
    ("Devices", "/devices", "memory"),
)
NAME = "Dashcam Processor"
OUTAGES_S = 10.0
AWAY_S = 60.0
"""So long a page waits for its browser, which is out of reach of the network, or asleep: what is typed, open and played
on it stays. Later it is loaded anew."""
CONTENT = "content"
"""The id of what stands within the frame."""
T = TypeVar("T")


def serve_static() -> None:
    """Serve our own styles and scripts, and name them on every page; a changed file has a new address."""
    app.add_static_files("/static", addresses.STATIC)
    # after NiceGUI's own scripts, before they build anything
    ui.add_body_html(head_line("painted.js"), shared=True)
    # before anything is painted
    first = "".join(f'<script src="{addresses.static_url(name)}"></script>' for name in ("theme.js", "pictures.js"))
    # no bar over the page while a script asks for something: nobody has clicked anything
    app.config.quasar_config["loadingBar"]["skipHijack"] = True
    # the page has its language and colours already: said once more, everything on it would be styled anew
    app.config.quasar_config |= {"lang": {"noHtmlAttrs": True}, "brand": {}}
    ui.add_head_html(fonts_ahead() + first + head_line("app.css") + head_line("app.js"), shared=True)


def head_line(name: str) -> str:
    address = addresses.static_url(name)
    if name.endswith(".css"):
        return f'<link rel="stylesheet" href="{address}">'
    return f'<script defer src="{address}"></script>'


@contextmanager
def frame(title: str, here: str, query: str = "", own: tuple[str, ...] = ()) -> Iterator[None]:
    """The page's title and frame; what is built inside is its content. ``here`` is the navigation entry it is under,
    ``own`` the styles and scripts in ``static`` that no other page needs."""
    for name in own:
        ui.add_head_html(head_line(name))
    ui.page_title(f"{title} · {NAME}" if title != NAME else NAME)
    ui.add_body_html(above(here, query))
    with tag("div", "content", id=CONTENT):
        outage_banner()
        yield
        tag("p", "zone muted small", f"Times: {wording.zone_name(zone(), now())}")


def above(here: str, query: str) -> str:
    """The bar over every page: NiceGUI builds a page inside of a `main`, and what is no content stands before it."""
    caller = callers.current()
    return TEMPLATES.get_template("frame.html").render(
        product=NAME,
        sign=addresses.static_url("favicon.svg"),
        content=CONTENT,
        entries=[entry for entry in NAVIGATION if may_open(entry[1])],
        here=here,
        searches=may_open("/plates"),
        query=query,
        logged_in=caller.who if caller is not None and caller.via == "session" else "",
    )


def keep_looking(every_s: float, look_again: Callable[[], Awaitable[None]]) -> ui.timer:
    """While somebody has the page open; not while their browser is away, for which `AWAY_S` is waited."""
    client = ui.context.client

    async def look() -> None:
        if client.has_socket_connection:
            await look_again()

    return ui.timer(every_s, look)


def outage_banner() -> None:
    """What is away, on a page that is open too, until it is back: asks nothing but what the server remembers."""
    outages = system.current().outages
    shown = outages.all()
    with tag("div", role="status") as place:
        draw_outages(shown)

    async def look_again() -> None:
        nonlocal shown
        if (away := outages.all()) != shown:
            shown = away
            place.clear()
            with place:
                draw_outages(shown)

    keep_looking(OUTAGES_S, look_again)


def draw_outages(away: list[Outage]) -> None:
    if away:
        with tag("div", "panel note trouble outage"):
            icon("cloud_off")
            with tag("div"):
                for one in away:
                    tag("p", text=f"{one.said} Since {wording.short_moment(one.since, zone(), now())}.")


async def ask(question: Callable[[Session], T]) -> T:
    """Run one reading transaction beside the event loop."""
    return await system.current().ask(question)


async def change(
    what: Callable[[Session], T], did: str = "", least: Role = Role.MEMBER, kind: audit.Kind = "correction"
) -> T:
    """Run one write transaction beside the event loop, for a person who may (`callers.NotAllowed`).

    With ``did`` the audit log has who did what.
    """
    callers.ensure(least)
    here = system.current()
    answer = await here.change(what)
    if did:
        await asyncio.to_thread(here.access.note, callers.name(), kind, did)
    return answer


async def settle(say: Callable[[Session], object], did: str, kind: audit.Kind = "settings") -> None:
    """What an admin says of the site: written down, with who did what, and gone by from now on."""
    callers.ensure(Role.ADMIN)
    here = system.current()
    await asyncio.to_thread(here.settle, say)
    await asyncio.to_thread(here.access.note, callers.name(), kind, did)


async def settle_in_private(say: Callable[[], object], did: str) -> bool:
    """The same of what may hold a password (`app.private_words`); False where a sentence has said why it is not so."""
    callers.ensure(Role.ADMIN)
    here = system.current()
    try:
        await asyncio.to_thread(say)
    except (ValueError, OSError, Unreadable) as error:
        ui.notify(str(error), type="warning")
        return False
    await asyncio.to_thread(here.heed)
    await asyncio.to_thread(here.access.note, callers.name(), "settings", did)
    return True


def person() -> str:
    """Who looks at the page, as others are told."""
    caller = callers.current()
    return caller.who if caller is not None and caller.via == "session" else "the owner"


def may_open(page: str) -> bool:
    """Whether who looks is let in there."""
    least = rule_of(page, "GET")[0].least
    return least is None or callers.may(least)


def zone() -> tzinfo | None:
    """Of the times on every page; None is this machine's own."""
    return system.current().zone()


def local_there(name: str, when: datetime) -> list[tuple[str, str]]:
    """The local time of a place as a line of facts, where its clocks are not those that the pages go by."""
    own = known_zone(name)
    if own is None or when.astimezone(own).utcoffset() == when.astimezone(zone()).utcoffset():
        return []
    return [("Local time", f"{wording.moment(when, own)} ({name})")]


def now() -> datetime:
    return datetime.now(UTC)
