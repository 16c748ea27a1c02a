"""``dashcam backup``, ``restore``, ``rebuild``, ``migrate-db``, ``scrub``: the catalogue outlives its disk, archives
are read."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from dashcam import Explained, config
from dashcam.cli.output import DataOption, JsonOption, ServerDataOption, out, say, write_json
from dashcam.cli.reach import home_of, is_site, main_server, stores_of


def register(app: typer.Typer) -> None:
    for command in (backup, restore, rebuild, scrub):
        app.command()(command)
    app.command("migrate-db")(migrate_db)


def backup(json_file: JsonOption = None, data: ServerDataOption = None) -> None:
    """Copy the database while it is used; the copy is restored to a scratch place and looked at before it counts."""
    from dashcam.upkeep.asking import take_backup

    with main_server(data) as server:
        state = take_backup(server)
    if json_file is not None:
        write_json(json_file, state)
    if state["state"] != "done":
        raise Explained(state["reason"] or "The main server was started anew meanwhile: try again.")
    newest = state["backups"][0]
    out.print(
        f"{Path(state['folder']) / newest['file']}  {newest['bytes']:,} bytes, proven", highlight=False, soft_wrap=True
    )
    if state["reason"]:
        say(state["reason"])
        raise typer.Exit(1)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `dashcam backup` has written.")],
    no_keep: Annotated[bool, typer.Option("--no-keep", help="Remove the database from before in the end.")] = False,
    data: DataOption = None,
) -> None:
    """Put a backup in the database's place, while the main server is stopped. The old one stays beside it."""
    offline(data, "restore", str(file.absolute()), *(["--no-keep"] if no_keep else []))


def rebuild(
    add: Annotated[bool, typer.Option("--add", help="Add what a database that has videos lacks.")] = False,
    every_byte: Annotated[bool, typer.Option("--every-byte", help="Read and hash every file of each archive.")] = False,
    data: DataOption = None,
) -> None:
    """Make the catalogue anew from the archives, after the database was lost; the main server is stopped meanwhile."""
    options = {"--add": add, "--every-byte": every_byte}
    offline(data, "rebuild", *(option for option, wanted in options.items() if wanted))


def migrate_db(
    source: Annotated[
        str,
        typer.Argument(metavar="FROM", help="The URL of the database that is there, or the word site: the site's own."),
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="TO", help="The URL of an empty database, the word site, '-' to be asked for it."),
    ],
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing; only see whether every row is the same in both.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Copy the whole catalogue from SQLite to PostgreSQL, or back, and compare every row.

    The main server is stopped meanwhile. For a URL with a password say '-': then no command line shows it."""
    offline(data, "migrate-db", source, target, *(["--verify"] if verify else []))


def scrub(
    mb_per_s: Annotated[float, typer.Option(min=0.1, help="Read no faster than this.")] = 1000,
    hours: Annotated[float, typer.Option(min=0.01, help="Stop after so long; the next time goes on there.")] = 24,
    list_: Annotated[bool, typer.Option("--list", help="Only show what earlier ones have found.")] = False,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Read archives against their manifests, those first that were read longest ago; damaged ones are made anew."""
    from dashcam.upkeep import scrub as upkeep

    with main_server(data) as server:
        if not list_:
            done = upkeep.scrub(server, stores_of(data), mb_per_s=mb_per_s, hours=hours)
            out.print(f"Read {done.archives} archives, {done.bytes:,} bytes", highlight=False)
        found = server.call("GET", "/archives/damaged", params={"limit": 1000})
    if json_file is not None:
        write_json(json_file, found)
    for one in found:
        how = f"done again from {one['mended_by']} on" if one["mended_by"] else "nothing is left to mend it from"
        say(f"{one['name']}: {'; '.join(one['wrong'][:3])}; {how}")
    if found:
        raise typer.Exit(1)
    out.print("No archive is known to be damaged")


def offline(data: Path | None, *arguments: str) -> None:
    """In a process of the main server's own, which alone opens the database, and as the user whose services do."""
    from dashcam.site.machine import as_owner_of

    argv = [sys.executable, "-m", "app.offline", *arguments]
    if is_site(data):
        folder = config.config_folder().absolute()
        environment = os.environ | {"DASHCAM_CONFIG": str(folder)}
        ended = subprocess.run(argv, env=environment, check=False, **as_owner_of(folder))
        raise typer.Exit(ended.returncode)
    from dashcam.embedded.system import embedded_system

    with embedded_system(home_of(data), say) as system:
        if not system.owned:
            raise Explained(f"dashcam runs on {system.home.data}: stop it first (Ctrl-C where it runs).")
        ended = subprocess.run(argv, env=system.environment(), check=False)
    raise typer.Exit(ended.returncode)
