"""``dashcam chaos``: faults by seed, and whether everything held."""

import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashcam import Explained
from dashcam.cli.output import JsonOption, out, say, unwritable, write_json

if TYPE_CHECKING:
    from dashcam.chaos.report import Report

FAILING = "failing-seeds.txt"
MODES = {None: ("alone", "real"), True: ("real",), False: ("alone",)}


def register(app: typer.Typer) -> None:
    app.command()(chaos)


def chaos(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; each draws its faults and their moments.")] = 1,
    first_seed: Annotated[
        int | None, typer.Option(min=0, help="The first of them, the others follow; default: a new one.")
    ] = None,
    json_file: JsonOption = None,
    only_real: Annotated[
        bool | None,
        typer.Option("--real/--alone", help="Only the real system, or only without Prefect; default: both."),
    ] = None,
    faults: Annotated[
        str | None, typer.Option(help="Only these kinds of fault, with commas between.", metavar="NAMES")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Nothing is begun that would not end within so many minutes.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Beside this PostgreSQL database each seed without Prefect gets one.", metavar="URL"),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="New folder to work in, with the logs of what failed.", metavar="DIR")
    ] = None,
) -> None:
    """Do harm to the pipeline, by seed, and see that nothing is lost, doubled or left over."""
    if sys.platform == "win32":
        raise Explained("dashcam chaos needs Linux: its faults are signals, mounts and small disks.")
    from dashcam.chaos import alone, power, real
    from dashcam.chaos.outages import every_fault
    from dashcam.chaos.report import Report, table_of

    by_mode = {"alone": [*alone.FAULTS, power.FAULT], "real": list(every_fault())}
    chosen = chosen_of(by_mode, faults.split(",") if faults else None, MODES[only_real])
    first = secrets.randbelow(1_000_000) if first_seed is None else first_seed
    wanted = range(first, first + seeds)
    say(f"Seeds {first} to {first + seeds - 1}")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # mounts and processes do not stay
    report = Report()
    if json_file is not None:
        write_json(json_file, report.as_json())  # a file that cannot be written is said now
    ends = time.monotonic() + 60 * minutes if minutes else None
    with tempfile.TemporaryDirectory(prefix="dashcam-chaos-", ignore_cleanup_errors=True) as temporary:
        for number, (mode, names) in enumerate(chosen.items()):
            place = (keep or Path(temporary)) / mode
            place.mkdir(parents=True, exist_ok=True)
            run = real.run if mode == "real" else partial(alone_or_cut, database or "")
            now = time.monotonic()
            until = now + (ends - now) / (len(chosen) - number) if ends is not None else None
            with closing(run(place, wanted, names, say, until)) as by_seed:
                for one in by_seed:
                    report.add(one)
                    if json_file is not None:
                        write_json(json_file, report.as_json())
    finish(report, json_file)
    out.print(table_of(report))
    raise typer.Exit(1 if report.violations else 0)


def chosen_of(
    by_mode: Mapping[str, Sequence[str]], faults: Sequence[str] | None, modes: Sequence[str]
) -> dict[str, list[str]]:
    """The faults to do in each mode. Raises `Explained` for a name that none of these modes knows."""
    known = {fault for mode in modes for fault in by_mode[mode]}
    if strange := sorted(set(faults or ()) - known):
        raise Explained(f"No such fault: {', '.join(strange)}. Known are {', '.join(sorted(known))}.")
    chosen = {mode: [fault for fault in by_mode[mode] if faults is None or fault in faults] for mode in modes}
    return {mode: names for mode, names in chosen.items() if names}


def alone_or_cut(
    database: str,
    folder: Path,
    seeds: Sequence[int],
    faults: Sequence[str],
    say: Callable[[str], None],
    ends: float | None,
) -> "Generator[Report]":
    """In one process: for each seed some of the faults, and a power cut; none is begun that would end too late."""
    from dashcam.chaos import alone, power
    from dashcam.chaos.report import Report

    alone.undisturbed(folder)
    longest_s = 0.0
    in_process = [fault for fault in faults if fault != power.FAULT]
    for seed in seeds:
        at = time.monotonic()
        if ends is not None and at + longest_s > ends:
            return
        report = Report()
        if in_process:
            report.add(alone.run(seed, folder, in_process, server=database))
        if power.FAULT in faults:
            report.add(power.run(seed, folder))
        longest_s = max(longest_s, time.monotonic() - at)
        for one in report.violations:
            say(f"seed {seed}: VIOLATION {one.invariant}: {one.sentence}")
        say(f"seed {seed}: {len(report.injections)} injections, {len(report.violations)} violations")
        yield report


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
