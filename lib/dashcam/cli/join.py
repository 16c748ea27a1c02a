"""``dashcam join`` and ``leave``: this machine becomes a device of a site."""

import os
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from dashcam import config
from dashcam.cli.init import SetUpDryRunOption, StoreOption, UnitsOption, UserOption, folder_of_settings, stores_of
from dashcam.cli.output import say
from dashcam.config import DeviceType


def register(app: typer.Typer) -> None:
    app.command()(join)
    app.command()(leave)


def join(
    url: Annotated[str, typer.Argument(help="The main server's address, as `dashcam init` prints it.")],
    code: Annotated[
        str | None,
        typer.Option(help="The one-time code; without one a device that has joined asks for the settings anew."),
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option(
            "--type", help=f"One of {', '.join(get_args(DeviceType))}; default: what the code or the hardware says."
        ),
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(metavar="FINGERPRINT", help="Who vouches for the main server, as it was printed with the code."),
    ] = None,
    store: StoreOption = None,
    state: Annotated[Path | None, typer.Option(help="Folder for scratch; default: /var/lib/dashcam-processor.")] = None,
    user: UserOption = None,
    services: UnitsOption = True,
    dry_run: SetUpDryRunOption = False,
) -> None:
    """Join a site as a device: the main server says what there is to know, nothing is typed twice. Safe to repeat."""
    from dashcam.site import join as joining
    from dashcam.site import machine
    from dashcam.site.steps import Steps

    if type_ is not None and type_ not in get_args(DeviceType):
        raise typer.BadParameter(f"{type_!r} is none of {', '.join(get_args(DeviceType))}", param_hint="--type")
    wanted = joining.Membership(
        folder=folder_of_settings(),
        state=(state or machine.STATE).absolute(),
        url=url.rstrip("/"),
        code=code,
        hostname=os.environ.get("DASHCAM_DEVICE") or machine.name(),
        device_type=cast(DeviceType | None, type_) or (machine.evident_type() if code else None),
        stores=stores_of(store),
        authority=authority,
    )
    steps = Steps(say, dry_run, user or (machine.SERVICE_USER if machine.is_root() else None))
    joining.join(wanted, steps, install_units=services)


def leave(dry_run: SetUpDryRunOption = False) -> None:
    """Leave the site: the device's token ends, its service goes; what it works on goes to others of its pool."""
    from dashcam.site.join import leave as leaving
    from dashcam.site.steps import Steps

    leaving(config.config_folder(), Steps(say, dry_run))
