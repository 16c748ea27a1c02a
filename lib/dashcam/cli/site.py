"""``dashcam worker``, ``setup``, ``server``, ``prefect``, ``https``, ``check``: parts of a site of several machines."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from dashcam import Explained, __version__, config
from dashcam.cli.output import DataOption, out, say
from dashcam.cli.reach import home_of, is_site, stores_of
from dashcam.tasks.chain import POOLS

ITS_OWN = ("token", "scratch", "coral", "gpu", "stores")
"""What of a machine the settings must fit, as `dashcam.doctor.examine` names it."""


def register(app: typer.Typer) -> None:
    for command in (worker, setup, server, prefect, https, check, version):
        app.command()(command)


def worker(
    pool: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(POOLS)}; default: that of its type, and those left to it (covered_by)."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Flow runs at once here; default: the device's max_concurrent_tasks.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Write what it says to this file, which stays small; default: print it.")
    ] = None,
) -> None:
    """Work on this device until stopped; settings come from $DASHCAM_CONFIG."""
    if pool is not None and pool not in POOLS:
        raise typer.BadParameter(f"there is no pool {pool!r}; the pools are {', '.join(POOLS)}")
    if wrong := misfits(config.config_folder(), ("scratch", "coral", "gpu")):
        raise config.ConfigError(wrong)
    device = config.load_device()
    site = config.load_site()
    pools, prefect_home = [pool] if pool else site.pools_of(device.device_type), Path(site.server.prefect_home)
    here = "server" in pools and prefect_home.is_dir()  # beside Prefect's own server: what it must know is made here
    set_up = ("--set-up", str(prefect_home / "deployed")) if here else ()
    to_file = ("--log", str(log.absolute())) if log else ()
    run_module("flows.worker", *pools, "--limit", str(limit or device.max_concurrent_tasks), *set_up, *to_file)


def setup(
    marked: Annotated[
        list[str] | None,
        typer.Option("--mark", metavar="STORE", help="Only say that this store is mounted here now; for each one."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Make Prefect's work pools, blocks and deployments from the site's settings, and mark its stores; safe to repeat.

    A store's marker is a file in it: a mount point without it counts as not mounted. Where setup cannot be sure that a
    folder is the store's it asks you to say so with --mark.
    """
    if marked:
        mark_stores(marked, data)
        return
    mark_what_is_seen()
    run_module("flows.setup")


def mark_stores(wanted: list[str], data: Path | None) -> None:
    """Because a person says so."""
    from dashcam.storage.markers import mark

    site = config.load_site() if is_site(data) else config.load_site(home_of(data).config)
    roots, markers = stores_of(data).roots, site.store_markers()
    for store in wanted:
        if store not in roots:
            raise Explained(f"{store!r} is not a store of this site; its stores are: {', '.join(sorted(roots))}.")
        new = mark(store, roots[store], markers.get(store, config.MARKER), sure=True)
        say(f"{store}: {roots[store]} {'is marked now' if new else 'has its marker'}")


def mark_what_is_seen() -> None:
    """Each store that may be missing, where it is seen; what is not is said, where the site asks for markers."""
    from dashcam.storage.markers import mark

    site = config.load_site()
    roots, markers = site.store_roots(config.load_device()), site.store_markers()
    for store in site.mounts:
        try:
            if mark(store, roots[store], markers.get(store, config.MARKER)):
                say(f"{store}: {roots[store]} is marked now")
        except (Explained, OSError) as error:
            if store in markers:
                say(str(error))


def server() -> None:
    """Run the main server's web process (API, WebUI, dispatcher) from the site's settings."""
    run_module("app.main")


def prefect(
    host: Annotated[str, typer.Option(help="The address at which it listens.")] = "127.0.0.1",
) -> None:
    """Run Prefect's server for the site, behind its login, at the port of server.prefect_url."""
    from dashcam.site import https as ours

    site, login = config.load_site(), config.prefect_login()
    if login is None:
        raise Explained(f"There is no login for Prefect in {config.config_folder()}: `dashcam init` makes one.")
    port = str(urlsplit(site.server.prefect_url).port or 4200)
    settings = config.server_settings(login, [f"http://127.0.0.1:{port}", f"http://localhost:{port}"])
    if ours.is_ours(site, config.config_folder()):
        settings |= {"PREFECT_UI_API_URL": f"https://{urlsplit(site.server.url).hostname}:{ours.PREFECT_PORT}/api"}
    # its pages are written out as it starts, and no service writes into the folder of the programs
    places = {"PREFECT_HOME": site.server.prefect_home, "PREFECT_UI_STATIC_DIRECTORY": f"{site.server.prefect_home}/ui"}
    for name, value in (places | settings).items():
        os.environ.setdefault(name, value)
    run_module("flows.prefect_server", "start", "--host", host, "--port", port)


def https() -> None:
    """Serve the main server over HTTPS with Caddy, by the site's own authority, at the name in server.url."""
    from dashcam.site.https import prepared

    argv, environment = prepared(config.load_site(), config.config_folder())
    os.environ.update(environment)
    become(argv)


def check(
    settings_only: Annotated[
        bool, typer.Option("--settings-only", help="Leave out whether they fit this machine.")
    ] = False,
) -> None:
    """Check the settings in $DASHCAM_CONFIG, and whether they fit this machine: one sentence per mistake."""
    mistakes = config.check(config.config_folder())
    if not mistakes and not settings_only:
        mistakes = misfits(config.config_folder())
    for mistake in mistakes:
        say(mistake)
    if mistakes:
        raise typer.Exit(1)
    say("The settings are in order")


def misfits(folder: Path, checks: Sequence[str] = ITS_OWN) -> list[str]:
    """What of the settings this machine cannot do, and what to do about it; a sentence or two each."""
    from dashcam.doctor.examine import examine
    from dashcam.doctor.host import Host

    return [f"{one.said} {one.remedy}" for one in examine(Host(folder), checks) if one.state == "fault"]


def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


def run_module(module: str, *arguments: str) -> NoReturn:
    config.tell_prefect(config.load_site())
    become([sys.executable, "-m", module, *arguments])


def become(argv: list[str]) -> NoReturn:
    """Go on as that program; where the system cannot, wait for it and end as it does."""
    if os.name == "posix":
        os.execv(argv[0], argv)  # signals reach it itself, with nobody between who would kill it for them
    sys.exit(wait_for(subprocess.Popen(argv)))


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """Ctrl-C reaches the child too: it takes the time that it needs to give back what it works on."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return child.wait()
