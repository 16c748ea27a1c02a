"""``dashcam doctor``: what is wrong with this machine and with the main server, and what to do about it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashcam import config
from dashcam.cli.output import JsonOption, ServerDataOption, out, say, write_json
from dashcam.cli.reach import home_of

if TYPE_CHECKING:
    from dashcam.doctor.finding import Finding
    from dashcam.doctor.host import Host

SIGNS = {
    "ok": ("ok     ", "green"),
    "skipped": ("-      ", "dim"),
    "warning": ("warning", "yellow"),
    "fault": ("FAULT  ", "red"),
}


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command("support-bundle")(support_bundle)


def doctor(json_file: JsonOption = None, data: ServerDataOption = None) -> None:
    """Look at everything that may be wrong here and on the main server, and say what to do; 1 where something is."""
    from dashcam.doctor.examine import examine
    from dashcam.doctor.finding import worst

    host = this_host(data)
    found: list[Finding] = []
    for finding in examine(host):
        found.append(finding)
        tell(finding)
    if json_file is not None:
        write_json(json_file, {"findings": [one.model_dump() for one in found], "worst": worst(found)})
    faults = sum(one.state == "fault" for one in found)
    warnings = sum(one.state == "warning" for one in found)
    if faults or warnings:
        say(f"{faults} faults, {warnings} warnings")
    if faults:
        raise typer.Exit(1)


def this_host(data: Path | None) -> "Host":
    """The site of ``$DASHCAM_CONFIG`` where there is one and no data folder was named, else the embedded system."""
    from dashcam.doctor.host import Host
    from dashcam.embedded.home import device_name

    if data is None and (config.config_folder() / "config.json").exists():
        return Host(config.config_folder())
    home = home_of(data)
    if data is None and not home.config.is_dir():
        return Host(config.config_folder())
    return Host(home.config, device_name("server"), data=home.data)


def tell(finding: "Finding") -> None:
    sign, colour = SIGNS[finding.state]
    out.print(f"[{colour}]{sign}[/] ", end="", highlight=False)
    out.print(f"{finding.check}: {finding.said}", markup=False, highlight=False, soft_wrap=True)
    if finding.remedy:
        out.print(f"        {finding.remedy}", markup=False, highlight=False, soft_wrap=True)


def support_bundle(
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; default: dashcam-support-<time>.zip here.")
    ] = None,
    data: ServerDataOption = None,
) -> None:
    """Gather versions, settings, the doctor's findings and the last log lines in a file for whoever helps you.

    Secrets, plates, places and names of clips are taken out.
    """
    from dashcam.doctor.support import write

    file = file or Path(f"dashcam-support-{datetime.now():%Y%m%d-%H%M%S}.zip")
    names = write(file, this_host(data))
    out.print(f"{file}: {', '.join(names)}", markup=False, highlight=False, soft_wrap=True)
    say("Look through it before you give it away.")
