"""``dashcam user``: who may log in. Asks the main server, with the site's own token."""

import os
from typing import Annotated
from urllib.parse import quote

import typer

from dashcam.cli.output import ServerDataOption, group, out
from dashcam.cli.reach import main_server

app = group("Who may log in, and what they may: viewer, member or admin.")
PersonArgument = Annotated[str, typer.Argument(help="The name to log in with.")]


@app.command()
def add(
    name: PersonArgument,
    role: Annotated[str, typer.Option(help="viewer, member or admin.")] = "viewer",
    since: Annotated[str | None, typer.Option("--from", help="Sees only what was recorded from this date on.")] = None,
    data: ServerDataOption = None,
) -> None:
    """Let a person in."""
    new = {"name": name, "password": new_password(), "role": role, "from_date": since}
    with main_server(data) as server:
        known = server.call("POST", "/users", json=new)
    tell(f"{known['name']} may log in, as {known['role']}")


@app.command("list")
def list_people(data: ServerDataOption = None) -> None:
    """Who there is."""
    with main_server(data) as server:
        known = server.call("GET", "/users")
    for one in known:
        since = f", from {one['from_date'][:10]} on" if one["from_date"] else ""
        tell(f"{one['name']}: {one['role']}{since}{', may not log in' if one['disabled'] else ''}")
    if not known:
        tell("Nobody yet: dashcam user add NAME --role admin")


@app.command()
def password(name: PersonArgument, data: ServerDataOption = None) -> None:
    """Give a person a new password; whoever is logged in as them is out."""
    with main_server(data) as server:
        server.call("PATCH", f"/users/{quote(name, safe='')}", json={"password": new_password()})
    tell(f"{name} has a new password")


@app.command()
def disable(name: PersonArgument, data: ServerDataOption = None) -> None:
    """Keep a person out from now on."""
    with main_server(data) as server:
        server.call("PATCH", f"/users/{quote(name, safe='')}", json={"disabled": True})
    tell(f"{name} may not log in any more")


@app.command()
def enable(name: PersonArgument, data: ServerDataOption = None) -> None:
    """Let a person in again."""
    with main_server(data) as server:
        server.call("PATCH", f"/users/{quote(name, safe='')}", json={"disabled": False})
    tell(f"{name} may log in again")


def new_password() -> str:
    """Typed twice, or out of the environment: on the command line every user of the machine could read it."""
    given = os.environ.get("DASHCAM_NEW_PASSWORD")
    return given or str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def tell(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
