"""``dashcam init``: this machine becomes the main server of a site."""

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.prompt import Prompt

from dashcam import Explained, config
from dashcam.cli.output import err, out, say

StoreOption = Annotated[
    list[str] | None,
    typer.Option("--store", metavar="NAME=FOLDER", help="Where a store is mounted on this machine; for each one."),
]
SetUpDryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
UserOption = Annotated[
    str | None,
    typer.Option(help="The user whose services run here; default: dashcam, which root makes, else yourself."),
]
UnitsOption = Annotated[bool, typer.Option(help="Install and start the services of systemd.")]


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    address: Annotated[
        str | None, typer.Option(help="Name or number under which the other machines find this one.")
    ] = None,
    store: StoreOption = None,
    mark: Annotated[
        list[str] | None,
        typer.Option(metavar="STORE", help="This store is mounted here now, though its folder is empty; for each one."),
    ] = None,
    site: Annotated[Path | None, typer.Option(help="A config.json of yours to begin with.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder for database, Prefect and scratch; default: /var/lib/dashcam-processor."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of WebUI and REST.")] = 8000,
    prefect_port: Annotated[int, typer.Option(min=1, max=65535, help="Of Prefect, on this machine alone.")] = 4200,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Of a PostgreSQL database, '-' to be asked for it (it has a password); default: an SQLite file in "
            "the data folder.",
        ),
    ] = None,
    cover: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POOL=POOL",
            help="The site has no device for the first (jetson, gpu, nas): those of the second do its work; for each.",
        ),
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="Serve HTTPS by Caddy, with an authority of the site's own.")
    ] = False,
    admin: Annotated[str | None, typer.Option(metavar="NAME", help="The first person who may log in.")] = None,
    admin_password: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file with the admin's password, '-' for standard input; else it asks."),
    ] = None,
    user: UserOption = None,
    services: UnitsOption = True,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    dry_run: SetUpDryRunOption = False,
) -> None:
    """Make this machine the main server: settings, secrets, database, Prefect, services. Safe to repeat.

    The folder with the settings is $DASHCAM_CONFIG, else /etc/dashcam-processor. At the end it says what to type on
    the other machines.
    """
    from dashcam.site import init as setting_up
    from dashcam.site import machine
    from dashcam.site.steps import Steps
    from dashcam.site.typed import url_of

    folder = folder_of_settings()
    known = setting_up.read(folder / config.SITE_FILE)
    asks = not yes and sys.stdin.isatty()
    address = address or urlsplit(known.get("server", {}).get("url", "")).hostname
    if address is None and asks:
        address = ask("Name or number of this machine for the others", machine.name())
    stores = stores_of(store) if store or not asks else asked_stores(known)
    owner = user or (machine.SERVICE_USER if machine.is_root() else None)
    if admin is None and asks and not dry_run and not setting_up.is_anybody_in(folder, owner):
        admin = ask("Name of the first person who may log in", "admin")
    wishes = setting_up.Wishes(
        folder=folder,
        data=(state or machine.STATE).absolute(),
        address=address or machine.name(),
        port=port,
        prefect_port=prefect_port,
        stores=stores,
        database_url=url_of(database) if database else None,
        site=setting_up.read(site) if site else {},
        marked=frozenset(mark or ()),
        covered_by=dict(pair("--cover", one, "POOL=POOL, such as jetson=server") for one in cover or ()),
        https=https,
        admin=setting_up.Admin(admin, "" if dry_run else password_of(admin, admin_password)) if admin else None,
    )
    steps = Steps(say, dry_run, owner)
    setting_up.init(wishes, steps, install_units=services)
    if not dry_run:
        out.print(setting_up.farewell(wishes, steps), markup=False, highlight=False, soft_wrap=True)


def password_of(name: str, file: Path | None) -> str:
    """Never from the command line, where every user of the machine could read it."""
    if file is None:
        return str(typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True, err=True))
    try:
        return (sys.stdin.read() if file == Path("-") else file.read_text(encoding="utf-8")).strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Explained(f"{file}, with the password of {name}, cannot be read ({error}).") from None


def folder_of_settings() -> Path:
    """Which need not be there yet."""
    return Path(os.environ.get("DASHCAM_CONFIG") or config.DEFAULT_FOLDER).absolute()


def ask(question: str, default: str | None = None) -> str:
    answer = Prompt.ask(question, console=err, default=default)
    return (answer or "").strip()


def asked_stores(known: dict[str, dict[str, dict[str, str]]]) -> dict[str, Path]:
    from dashcam.site.init import STORE_KEYS

    written = known.get("storage_paths", {})
    missing = [name for name, key in STORE_KEYS.items() if not written.get(name, {}).get(key)]
    return {name: Path(ask(f"Folder on which the store {name} is mounted here", f"/mnt/{name}")) for name in missing}


def stores_of(options: list[str] | None) -> dict[str, Path]:
    """``NAME=FOLDER`` each. `Explained` for what is not, or is no store of a site."""
    from dashcam.site.init import STORE_KEYS

    stores = {}
    for option in options or ():
        form = f"NAME=FOLDER with one of {', '.join(STORE_KEYS)} and a whole path"
        name, folder = pair("--store", option, form)
        if name not in STORE_KEYS or not Path(folder).is_absolute():
            raise Explained(f"--store {option} is not {form}.")
        stores[name] = Path(folder)
    return stores


def pair(option: str, said: str, form: str) -> tuple[str, str]:
    """Both sides of ``NAME=VALUE``. Raises `Explained`."""
    name, equals, value = said.partition("=")
    if not (name and equals and value):
        raise Explained(f"{option} {said} is not {form}.")
    return name, value
