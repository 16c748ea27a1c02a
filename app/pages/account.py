"""One's own: the password, where one is logged in, and tokens for programs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from nicegui import context, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments
from sqlalchemy.orm import Session

from app import system, wording
from app.access import callers
from app.access.callers import Caller
from app.access.entry import WrongPassword
from app.access.limits import TooMany
from app.pages import parts
from app.pages.admitting import ROLES, carry_out, proof_of
from app.pages.frame import ask, frame, may_open, now, zone
from app.pages.parts import AS_FORM, icon, link, tag
from dashcam.access import passwords, sessions, tokens, users
from dashcam.access.models import AccessToken, LoginSession
from dashcam.access.roles import Role, role_of

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
LENGTHS = {"30": "Ends in 30 days", "365": "Ends in a year", "": "Until it is revoked"}
LONGEST_NAME = 60


@dataclass(frozen=True)
class Own:
    browsers: Sequence[LoginSession]
    programs: Sequence[AccessToken]


async def account() -> None:
    caller = callers.current()
    person = caller if caller is not None and caller.via == "session" else None
    own = await ask(partial(look, person=person)) if person else None
    with frame("Your account", "/account", own=("people.css",)):
        with tag("div", "title-line"):
            title = person.who if person else "Your account"
            parts.page_title(title, ROLES[person.role.word] if person and person.role else "")
            with tag("div"):
                for page, name in (("/settings", "Settings"), ("/people", "People"), ("/audit", "Audit log")):
                    if may_open(page):
                        link(page, "button small quiet", name)
        if person is None or own is None:
            with tag("div", "note panel", role="status"):
                icon("lock_open")
                tag("p", text=system.current().access.standing())
            return
        if person.from_date:
            tag("p", "muted", f"You see what was recorded from {wording.day(person.from_date, zone())} on.")
        browsers(person, own.browsers)
        programs(person, own.programs)
        with parts.section("Password"), tag("div", "panel pad"):
            password_form(person)


def look(session: Session, person: Caller) -> Own:
    number = id_of(person)
    live = [one for one in tokens.known(session, account_id=number) if one.revoked_at is None]
    return Own(sessions.of(session, number, now()), live)


def id_of(person: Caller) -> int:
    if person.account_id is None:
        raise callers.NotAllowed("That is for a person who is logged in.")
    return person.account_id


def named(agent: str) -> str:
    """``Firefox on Linux``."""
    browser = next((name for sign, name in BROWSERS if sign in agent), "A browser")
    machine = next((f" on {name}" for sign, name in SYSTEMS if sign in agent), "")
    return browser + machine


def browsers(person: Caller, known: Sequence[LoginSession]) -> None:
    with parts.section("Where you are logged in"), tag("div", "panel"):
        for one in known:
            with tag("div", "row wraps"):
                tag("strong", text=named(one.agent), title=one.agent)
                if one.session_id == person.session_id:
                    parts.chip("This browser", "ok")
                seen = f"{one.address}, used {wording.ago(one.last_seen, now())}"
                tag("span", "muted small grow num", seen, title=wording.moment(one.last_seen, zone()))
                if one.session_id != person.session_id:
                    label = f"End the session of {named(one.agent)} at {one.address}"
                    button = tag("button", "button small", "End", type="button", aria_label=label, title=label)
                    button.on("click", partial(end, person, one.session_id))


async def end(person: Caller, session_id: int) -> None:
    change = partial(sessions.end, session_id=session_id, account_id=id_of(person))
    if await carry_out(change, "ended one of their own sessions", Role.VIEWER) is not None:
        ui.navigate.reload()


def programs(person: Caller, known: Sequence[AccessToken]) -> None:
    with parts.section("Tokens for programs"), tag("div", "panel"):
        for one in known:
            with tag("div", "row wraps"):
                tag("strong", text=one.name)
                parts.chip((one.role or "").capitalize())
                tag("span", "muted small grow num", token_facts(one))
                certain = f"Revoke {one.name} for good"
                parts.sure("Revoke", f"Revoke the token {one.name}", certain, partial(revoke, person, one))
        with tag("div", "pad") as place:
            tag(
                "p",
                "muted small",
                "A script sends it as the header Authorization: Bearer TOKEN. A new password ends it.",
            )
            token_form(person, place)


def token_facts(one: AccessToken) -> str:
    used = f"used {wording.ago(one.last_used, now())}" if one.last_used else "never used"
    ends = f", ends on {wording.day(one.expires_at, zone())}" if one.expires_at else ""
    return f"{used}{ends}"


def token_form(person: Caller, place: Element) -> None:
    mine = person.role or Role.VIEWER

    async def make(event: GenericEventArguments) -> None:
        name = " ".join(str(event.args.get("name") or "").split())[:LONGEST_NAME]
        if not name.isprintable() or not name:
            ui.notify("Give it a name, so that you know later what it is for.", type="warning")
            return
        role, days = str(event.args.get("role") or ""), str(event.args.get("days") or "")
        at = now()
        ends = at + timedelta(days=int(days)) if days in LENGTHS and days else None

        def change(session: Session) -> str:
            owner = users.get(session, id_of(person))
            wanted = role_of(role) if role in ROLES else Role.VIEWER
            return tokens.for_person(session, owner, name, wanted, at, ends)[0]

        secret = await carry_out(change, f"made a token for a program: {name}", Role.VIEWER)
        if secret is not None:
            place.clear()
            with place:
                shown_once(name, secret)

    with tag("form", "filters to-fill").on("submit", make, js_handler=AS_FORM):
        label = "What the token is for"
        tag(
            "input",
            "field grow",
            name="name",
            placeholder=label,
            aria_label=label,
            maxlength=str(LONGEST_NAME),
            required=True,
        )
        with tag("select", "field", name="role", aria_label="What the token may"):
            for word, text in ROLES.items():
                if role_of(word) <= mine:
                    tag("option", text=text, value=word)
        with tag("select", "field", name="days", aria_label="When the token ends"):
            for days, text in LENGTHS.items():
                tag("option", text=text, value=days)
        tag("button", "button", "Make a token", type="submit")


def shown_once(name: str, secret: str) -> None:
    with tag("div", "secret", role="status"):
        tag("p", text=f"The token for {name}. Copy it now: it is shown this once.")
        tag("code", text=secret)
        link("/account", "button small", "I have it")


async def revoke(person: Caller, one: AccessToken) -> None:
    change = partial(tokens.revoke, token_id=one.token_id, now=now(), account_id=id_of(person))
    if await carry_out(change, f"revoked their own token: {one.name}", Role.VIEWER) is not None:
        ui.navigate.reload()


def password_form(person: Caller) -> None:
    access = system.current().access
    request = context.client.request
    address = access.address(request) if request is not None else ""

    async def save(event: GenericEventArguments) -> None:
        now_used, new = str(event.args.get("current") or ""), str(event.args.get("password") or "")
        try:
            await asyncio.to_thread(access.proven, person.who, now_used, address)
        except WrongPassword:
            ui.notify("That is not your password of now.", type="warning")
            return
        except TooMany as many:
            ui.notify(str(many), type="warning")
            return
        proof = await proof_of(new, person.who)
        if proof is None:
            return
        at = now()

        def change(session: Session) -> object:
            return users.set_password(session, id_of(person), proof, at, person.session_id)

        if await carry_out(change, "changed their own password", Role.VIEWER):
            ui.navigate.reload()

    with tag("form", "filters to-fill").on("submit", save, js_handler=AS_FORM):
        for name, label, fills in (
            ("current", "Password of now", "current-password"),
            ("password", f"New one, {passwords.SHORTEST} characters or more", "new-password"),
        ):
            limits = {"maxlength": str(passwords.LONGEST), "autocomplete": fills, "placeholder": label}
            tag("input", "field grow", name=name, type="password", aria_label=label, required=True, **limits)
        tag("button", "button", "Change it", type="submit")
    tag("p", "muted small", "You stay logged in here; your other browsers and your tokens for programs end.")
