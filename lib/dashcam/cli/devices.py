"""``dashcam device``: which machines work, and giving one back to its owner for a while."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dashcam import Explained, config
from dashcam.cli.output import JsonOption, ServerDataOption, group, out, write_json
from dashcam.cli.reach import main_server
from dashcam.tasks.chain import POOLS

if TYPE_CHECKING:
    from dashcam.tasks.client import MainServerClient

app = group("The machines that do the work; pause one to have it for yourself.")

SILENT = timedelta(seconds=90)
"""A device says that it is there every 20 s; one not heard of for so long is gone."""
CONFIRM_S = 8.0
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

DeviceArgument = Annotated[
    str | None, typer.Argument(help="Its name, as `dashcam device list` shows it; default: this machine.")
]


@app.command("list")
def list_devices(json_file: JsonOption = None, data: ServerDataOption = None) -> None:
    """Show the devices: whether they are there, and whether they take work."""
    with main_server(data) as server:
        known = server.devices()
    if json_file is not None:
        write_json(json_file, known)
    table = Table(title="Devices", title_justify="left", header_style="bold")
    for heading in ("Device", "Type", "State"):
        table.add_column(heading)
    for one in known:
        table.add_row(Text(one["hostname"]), Text(one["device_type"]), Text(state(one)))
    out.print(table if known else "No device has reported yet")


@app.command()
def pause(
    device: DeviceArgument = None,
    for_: Annotated[
        str | None, typer.Option("--for", help="So long, e.g. 45m, 2h, 1d; default: until `dashcam device resume`.")
    ] = None,
    data: ServerDataOption = None,
) -> None:
    """Give a machine back to its owner within seconds. Clips under way stay pending; other devices may take them."""
    for_s = None if for_ is None else seconds(for_)
    with main_server(data) as server:
        names = chosen(server, device)
        for name in names:
            server.pause(name, for_s)
        for name in names:
            tell(settled(server, name, paused=True))


@app.command()
def resume(device: DeviceArgument = None, data: ServerDataOption = None) -> None:
    """Let a paused machine work again."""
    with main_server(data) as server:
        names = chosen(server, device)
        for name in names:
            server.resume(name)
        for name in names:
            tell(settled(server, name, paused=False))


@app.command()
def invite(
    type_: Annotated[str | None, typer.Option("--type", help="Only for a device of this type.")] = None,
    name: Annotated[str | None, typer.Option(help="Only for the device of this name.")] = None,
    qr: Annotated[
        bool | None, typer.Option("--qr/--no-qr", help="Show the line as a QR code too; default: on a terminal.")
    ] = None,
    data: ServerDataOption = None,
) -> None:
    """Make a code with which one device may join the site: good once, and for an hour.

    The QR code holds the whole line, for whoever types on the device by a phone.
    """
    from dashcam.site.answer import join_line

    with main_server(data) as server:
        made = server.invite(name, type_)
    line = join_line(made["url"], made["code"], made.get("authority"))
    tell(line)
    if out.is_terminal if qr is None else qr:
        out.print(as_qr(line), highlight=False)


@app.command()
def revoke(
    device: Annotated[str, typer.Argument(help="Its name, as `dashcam device list` shows it.")],
    data: ServerDataOption = None,
) -> None:
    """Let a device in no more, from its next call on; what it works on goes to others of its pool."""
    with main_server(data) as server:
        server.revoke(device)
    tell(f"{device} is let in no more. It may join again with a new code: dashcam device invite")


def as_qr(line: str) -> Text:
    """Two rows of the code in one line of text, dark on light whatever the terminal's own colours are."""
    import segno

    code = segno.make_qr(line, error="m")
    rows = [list(row) for row in code.matrix_iter(border=4)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ["".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]
    return Text("\n".join(lines), style="black on white", no_wrap=True, overflow="ignore")


def tell(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def seconds(text: str) -> float:
    """``1h30m`` in seconds; `typer.BadParameter` for anything else."""
    if not re.fullmatch(r"(\d{1,6}[smhd])+", text):
        raise typer.BadParameter(f"{text!r} is no length of time such as 45m, 2h or 1d", param_hint="--for")
    total = sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))
    if not 0 < total <= 366 * UNITS["d"]:
        raise typer.BadParameter(f"{text!r} must be more than nothing and at most a year", param_hint="--for")
    return total


def chosen(server: "MainServerClient", name: str | None) -> list[str]:
    """The device of that name, or every worker of this machine (the embedded system has one per pool)."""
    known = [one["hostname"] for one in server.devices()]
    mine = {name} if name else roles_of(config.load_device().hostname)
    if not (found := [one for one in known if one in mine]):
        there = f"Known are {', '.join(known)}." if known else "None has reported yet."
        raise Explained(f"There is no device {name or 'of this machine'}. {there}")
    return found


def roles_of(hostname: str) -> set[str]:
    """The names under which a machine's workers report."""
    short = hostname.partition(".")[0]
    return {hostname, short, *(f"{short}-{pool}" for pool in POOLS)}


def settled(server: "MainServerClient", name: str, paused: bool) -> str:
    """One line once the device has done what it was told, or after a few seconds without it."""
    began = time.monotonic()
    while True:
        (one,) = (one for one in server.devices() if one["hostname"] == name)
        drained = one["drained"] or ""
        done = bool(drained) if paused else not drained.startswith("paused")
        if done or not heard_of(one) or time.monotonic() - began > CONFIRM_S:
            return f"{name}: {state(one)}"
        time.sleep(0.2)


def heard_of(device: dict[str, Any]) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(device["last_seen"]) < SILENT


def state(device: dict[str, Any]) -> str:
    """What a device does, in a few words."""
    until = device["paused_until"] and datetime.fromisoformat(device["paused_until"]).astimezone()
    paused = "" if not device["paused"] else f"paused until {until:%Y-%m-%d %H:%M}" if until else "paused"
    if not heard_of(device):
        return f"not there{', ' if paused else ''}{paused}"
    if paused and device["drained"] is None:
        return f"{paused}, but has not stopped yet"
    return paused or (f"resting: {device['drained']}" if device["drained"] else "works")
