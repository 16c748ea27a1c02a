"""The ``dashcam`` command: one file a command group.

What a command needs beyond the standard library, Typer and the settings is imported when it runs: `--help` is quick,
and no command asks for what only another one needs (the embedded system does not run on Windows, a worker does).
"""

import signal

from dashcam.cli import (
    again,
    bench,
    chaos,
    delete,
    devices,
    doctor,
    evaluate,
    evidence,
    gps,
    init,
    join,
    map,
    people,
    process,
    retention,
    sample,
    site,
    trips,
    unit,
    upkeep,
)
from dashcam.cli.output import group

app = group("Turns dashcam clips into a searchable record of plates.")
for room in (process, sample, init, join, site, doctor, gps, trips, again, retention, evidence, upkeep, chaos):
    room.register(app)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(bench.app, name="bench")
app.add_typer(devices.app, name="device")
app.add_typer(delete.app, name="delete")
app.add_typer(map.app, name="map")
app.add_typer(unit.app, name="unit")
app.add_typer(people.app, name="user")


def main() -> None:
    """Entry point. SIGTERM ends a command as Ctrl-C does: what it started is ended too."""
    signal.signal(signal.SIGTERM, interrupt)
    app()


def interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt
