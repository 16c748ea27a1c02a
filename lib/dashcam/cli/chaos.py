"""``dashcam chaos``: faults by seed, and whether everything held."""

import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashcam import Explained
from dashcam.cli.output import JsonOption, out, say, unwritable, write_json

if TYPE_CHECKING:
    from dashcam.chaos.report import Report

FAILING = "failing-seeds.txt"


def register(app: typer.Typer) -> None:
    app.command()(chaos)


def chaos(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; each draws its faults and their moments.")] = 1,
    first_seed: Annotated[
        int | None, typer.Option(min=0, help="The first of them, the others follow; default: a new one.")
    ] = None,
    json_file: JsonOption = None,
    real: Annotated[
        bool | None,
        typer.Option("--real/--alone", help="Only the real system, or only without Prefect; default: both."),
    ] = None,
    faults: Annotated[
        str | None, typer.Option(help="Only these kinds of fault, with commas between.", metavar="NAMES")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="No seed is begun that would not end within so many minutes.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="New folder to work in, with the logs of what failed.", metavar="DIR")
    ] = None,
) -> None:
    """Do harm to the pipeline, by seed, and see that nothing is lost, doubled or left over."""
    from dashcam.chaos.report import Report, table_of

    first = secrets.randbelow(1_000_000) if first_seed is None else first_seed
    wanted = range(first, first + seeds)
    say(f"Seeds {first} to {first + seeds - 1}")
    only = faults.split(",") if faults else None
    report = Report()
    if json_file is not None:
        write_json(json_file, report.as_json())  # a file that cannot be written is said now
    with tempfile.TemporaryDirectory(prefix="dashcam-chaos-", ignore_cleanup_errors=True) as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if real is not True:
            report.add(alone(folder / "alone", wanted, only, minutes))
        if real is not False:
            from dashcam.chaos.real import run

            report.add(run(folder / "real", wanted, only, say, minutes))
    finish(report, json_file)
    out.print(table_of(report))
    raise typer.Exit(1 if report.violations else 0)


def alone(folder: Path, seeds: Sequence[int], faults: Sequence[str] | None, minutes: float | None) -> "Report":
    """Each seed by itself, in one process."""
    raise Explained("Chaos in one process is not there yet: use --real.")


def finish(report: "Report", json_file: Path | None) -> None:
    for fault, why in report.skipped.items():
        say(f"SKIPPED: {fault}: {why}")
    for mode, seed in report.failing():
        say(f"FAILED: dashcam chaos --{mode} --first-seed {seed}")
    if json_file is None:
        return
    write_json(json_file, report.as_json())
    if failing := report.failing():
        file = json_file.with_name(FAILING)
        try:
            with file.open("a", encoding="utf-8") as kept:
                kept.writelines(f"dashcam chaos --{mode} --first-seed {seed}\n" for mode, seed in failing)
        except OSError as error:
            raise unwritable(file, error) from error
