"""Who may log in, and what each may see and do: an admin's page."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments
from sqlalchemy.orm import Session

from app import reviewing, system, wording
from app.pages import parts
from app.pages.admitting import ROLES, carry_out, proof_of
from app.pages.frame import ask, frame, midnight, now, zone
from app.pages.parts import AS_FORM, link, tag
from dashcam.access import passwords, sessions, users
from dashcam.access.models import Account
from dashcam.access.roles import role_of

Presence = dict[int, tuple[int, datetime]]


async def people() -> None:
    def question(session: Session) -> tuple[list[Account], Presence]:
        return users.all_of_them(session), sessions.presence(session, now())

    known, there = await ask(question)
    with frame("People", "/account", own=("people.css",)):
        with tag("div", "title-line"):
            parts.page_title("People", wording.people(len(known)))
            with tag("div"):
                link("/audit", "button small quiet", "Audit log")
                link("/account", "button small quiet", "Your account")
        tag("p", "muted", system.current().access.standing())
        if not known:
            parts.empty(
                "group", "Nobody can log in yet", "Let the first person in below: an admin, who lets others in."
            )
        with tag("div", "grid people"):
            for person in known:
                person_card(person, there.get(person.account_id))
        with parts.section("Let another person in"), tag("div", "panel pad"):
            new_person_form("viewer" if known else "admin")


def person_card(person: Account, there: tuple[int, datetime] | None) -> None:
    with tag("section", "card person"), tag("div", "card-body"):
        with tag("div", "line"):
            tag("h2", "grow name", person.name)
            parts.chip(
                "Kept out" if person.disabled else person.role.capitalize(), "trouble" if person.disabled else ""
            )
        tag("p", "muted small", " ".join([sees(person), seen(there)]))
        rights_form(person)
        with tag("details", "small"):
            tag("summary", text="New password")
            password_form(person)
        with tag("div", "actions"):
            if there:
                button("End sessions", f"Log {person.name} out everywhere", partial(end_sessions, person))
            if person.disabled:
                button("Let in again", f"Let {person.name} log in again", partial(set_disabled, person, False))
            else:
                button("Keep out", f"Let {person.name} log in no more", partial(set_disabled, person, True))
            parts.sure("Remove", f"Remove {person.name}", f"Remove {person.name} for good", partial(remove, person))


def sees(person: Account) -> str:
    return f"Sees what was recorded from {wording.day(person.from_date, zone())} on." if person.from_date else ""


def seen(there: tuple[int, datetime] | None) -> str:
    if there is None:
        return "Not logged in."
    browsers, last = there
    return f"Logged in with {wording.count(browsers, 'browser')}, last seen {wording.ago(last, now())}."


def button(label: str, spoken: str, do: partial) -> None:
    tag("button", "button small", label, type="button", aria_label=spoken, title=spoken).on("click", do)


def role_field(chosen: str, label: str) -> None:
    with tag("select", "field", name="role", aria_label=label):
        for word, text in ROLES.items():
            tag("option", text=text, value=word, selected=word == chosen)


def since_field(since: datetime | None, label: str) -> None:
    with tag("label", "dated muted small"):
        tag("span", text="Sees from")
        day = since.astimezone(zone()).date().isoformat() if since else ""
        tag("input", "field", name="since", type="date", value=day, aria_label=label)


def password_field(label: str) -> None:
    limits = {"minlength": str(passwords.SHORTEST), "maxlength": str(passwords.LONGEST)}
    tag(
        "input",
        "field grow",
        name="password",
        type="password",
        autocomplete="new-password",
        placeholder=f"Password, {passwords.SHORTEST} characters or more",
        aria_label=label,
        required=True,
        **limits,
    )


def rights_form(person: Account) -> None:
    async def save(event: GenericEventArguments) -> None:
        role, since = rights_of(event.args)

        def change(session: Session) -> Account:
            users.set_from_date(session, person.account_id, since)
            return users.set_role(session, person.account_id, role_of(role))

        from_then = f", from {wording.day(since, zone())} on" if since else ""
        if await carry_out(change, f"{person.name} is {role}{from_then} now"):
            ui.navigate.reload()

    with tag("form", "filters").on("submit", save, js_handler=AS_FORM):
        role_field(person.role, f"Role of {person.name}")
        since_field(person.from_date, f"{person.name} sees from this date on")
        tag("button", "button small", "Save", type="submit", aria_label=f"Save what {person.name} may")


def rights_of(form: Mapping[str, str]) -> tuple[str, datetime | None]:
    """Role and date of a form; what is none of ours is the least."""
    role = str(form.get("role") or "")
    return role if role in ROLES else "viewer", midnight(str(form.get("since") or ""))


def password_form(person: Account) -> None:
    async def save(event: GenericEventArguments) -> None:
        proof = await proof_of(str(event.args.get("password") or ""), person.name)
        if proof is None:
            return
        change = partial(users.set_password, account_id=person.account_id, password_hash=proof, now=now())
        if await carry_out(change, f"gave {person.name} a new password"):
            ui.navigate.reload()

    with tag("form", "filters").on("submit", save, js_handler=AS_FORM):
        password_field(f"New password of {person.name}")
        tag("button", "button small", "Set", type="submit", aria_label=f"Set the password of {person.name}")


def new_person_form(role: str) -> None:
    async def save(event: GenericEventArguments) -> None:
        name = str(event.args.get("name") or "")
        proof = await proof_of(str(event.args.get("password") or ""), name)
        if proof is None:
            return
        chosen, since = rights_of(event.args)
        at = now()
        known = users.normalised(name)[: users.LONGEST_NAME]
        if await carry_out(
            lambda session: users.add(session, name, proof, role_of(chosen), at, since), f"let {known} in as {chosen}"
        ):
            ui.navigate.reload()

    with tag("form", "filters to-fill").on("submit", save, js_handler=AS_FORM):
        tag(
            "input",
            "field",
            name="name",
            placeholder="Name",
            aria_label="Name of the new person",
            maxlength=str(users.LONGEST_NAME),
            autocapitalize="none",
            autocomplete="off",
            required=True,
        )
        password_field("Password of the new person")
        role_field(role, "Role of the new person")
        since_field(None, "The new person sees from this date on")
        tag("button", "button primary", "Let in", type="submit")


async def end_sessions(person: Account) -> None:
    at = now()
    did = f"logged {person.name} out everywhere"
    if await carry_out(lambda session: [users.end_sessions(session, users.get(session, person.account_id), at)], did):
        ui.navigate.reload()


async def set_disabled(person: Account, disabled: bool) -> None:
    at = now()
    did = f"{person.name} may not log in any more" if disabled else f"{person.name} may log in again"
    if await carry_out(lambda session: users.set_disabled(session, person.account_id, disabled, at), did):
        ui.navigate.reload()


async def remove(person: Account) -> None:
    if await carry_out(partial(reviewing.remove_person, account_id=person.account_id), f"removed {person.name}"):
        ui.navigate.reload()
