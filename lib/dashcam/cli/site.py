"""``dashcam worker``, ``setup``, ``server``, ``prefect`` and ``check``: the parts of a site of several machines."""

import contextlib
import os
import subprocess
import sys
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from dashcam import Explained, __version__, config
from dashcam.cli.output import out, say
from dashcam.tasks.chain import POOLS


def register(app: typer.Typer) -> None:
    for command in (worker, setup, server, prefect, check, version):
        app.command()(command)


def worker(
    pool: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(POOLS)}; default: the one of this device's type.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Flow runs at once here; default: the device's max_concurrent_tasks.")
    ] = None,
) -> None:
    """Work on this device until stopped; settings come from $DASHCAM_CONFIG."""
    if pool is not None and pool not in POOLS:
        raise typer.BadParameter(f"there is no pool {pool!r}; the pools are {', '.join(POOLS)}")
    device = config.load_device()
    run_module("flows.worker", pool or device.pool, "--limit", str(limit or device.max_concurrent_tasks))


def setup() -> None:
    """Make Prefect's work pools, blocks and deployments from the site's settings; safe to repeat."""
    run_module("flows.setup")


def server() -> None:
    """Run the main server's web process (API, WebUI, dispatcher) from the site's settings."""
    run_module("app.main")


def prefect(
    host: Annotated[str, typer.Option(help="The address at which it listens.")] = "127.0.0.1",
) -> None:
    """Run Prefect's server for the site, behind its login, at the port of server.prefect_url."""
    site, login = config.load_site(), config.prefect_login()
    if login is None:
        raise Explained(f"There is no login for Prefect in {config.config_folder()}: `dashcam init` makes one.")
    port = str(urlsplit(site.server.prefect_url).port or 4200)
    settings = config.server_settings(login, [f"http://127.0.0.1:{port}", f"http://localhost:{port}"])
    for name, value in ({"PREFECT_HOME": site.server.prefect_home} | settings).items():
        os.environ.setdefault(name, value)
    run_module("flows.prefect_server", "start", "--host", host, "--port", port)


def check() -> None:
    """Check the settings in $DASHCAM_CONFIG: one sentence per mistake."""
    mistakes = config.check(config.config_folder())
    for mistake in mistakes:
        say(mistake)
    if mistakes:
        raise typer.Exit(1)
    say("The settings are in order")


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
