"""``dashcam unit``: the services of this machine, as systemd (on Windows the task scheduler) is told of them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dashcam import config
from dashcam.cli.init import SetUpDryRunOption, UserOption, folder_of_settings
from dashcam.cli.output import group, out, say

app = group("The services of this machine: prefect, server, https and worker.")

NameArgument = Annotated[str, typer.Argument(help="prefect, server, https or worker.")]


@app.command()
def show(name: NameArgument, user: UserOption = None) -> None:
    """Print the unit file (on Windows the task) that `dashcam unit install` would write."""
    from dashcam.site import machine, units

    wanted = units.service(name)
    if os.name == "nt":
        out.print(
            units.windows_task(wanted, machine.STATE / "logs"), markup=False, highlight=False, soft_wrap=True, end=""
        )
        return
    its_user = user or (machine.SERVICE_USER if machine.is_root() else machine.me() or "root")
    text = units.systemd_unit(wanted, its_user, folder_of_settings(), folders())
    out.print(text, markup=False, highlight=False, soft_wrap=True, end="")


@app.command()
def install(name: NameArgument, user: UserOption = None, dry_run: SetUpDryRunOption = False) -> None:
    """Write it, have it started now and whenever this machine starts. Safe to repeat."""
    from dashcam.site import machine, units
    from dashcam.site.steps import Steps

    its_user = user or (machine.SERVICE_USER if machine.is_root() else machine.me() or "root")
    units.install(Steps(say, dry_run), [units.service(name)], its_user, folder_of_settings(), folders())


@app.command()
def remove(name: NameArgument, dry_run: SetUpDryRunOption = False) -> None:
    """Stop it, and have it started no more."""
    from dashcam.site import units
    from dashcam.site.steps import Steps

    units.remove(Steps(say, dry_run), [units.service(name)])


def folders() -> list[Path]:
    """The stores, as this machine has them mounted."""
    return [*config.load_site().store_roots(config.load_device()).values()]
