"""``dashcam backup``, ``restore`` and ``rebuild``: the catalogue outlives its disk."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from dashcam import Explained
from dashcam.cli.output import DataOption, JsonOption, ServerDataOption, out, say, write_json
from dashcam.cli.reach import home_of, is_site, main_server


def register(app: typer.Typer) -> None:
    for command in (backup, restore, rebuild):
        app.command()(command)


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


def offline(data: Path | None, *arguments: str) -> None:
    """In a process of the main server's own, which alone opens the database."""
    argv = [sys.executable, "-m", "app.offline", *arguments]
    if is_site(data):
        raise typer.Exit(subprocess.run(argv, check=False).returncode)
    from dashcam.embedded.system import embedded_system

    with embedded_system(home_of(data), say) as system:
        if not system.owned:
            raise Explained(f"dashcam runs on {system.home.data}: stop it first (Ctrl-C where it runs).")
        ended = subprocess.run(argv, env=system.environment(), check=False)
    raise typer.Exit(ended.returncode)
