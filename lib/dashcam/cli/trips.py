"""``dashcam trips``, ``clock`` and ``export``: asked of the main server."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from dashcam.cli.output import JsonOption, ServerDataOption, err, out, say, unwritable, write_json
from dashcam.cli.reach import main_server
from dashcam.tasks.client import MainServerClient

SINCE = typer.Option("--since", help="Date or time, local where no zone is given: 2026-06-28, 2026-06-28T13:00.")
UNTIL = typer.Option("--until", help="Up to this date or time, itself not included.")
LOOK_S = 0.5
KINDS = {"utc": "UTC of the satellites", "gps_local": "local time in the GPS records", "camera": "the camera's clock"}


def register(app: typer.Typer) -> None:
    for command in (trips, clock, export):
        app.command()(command)


def trips(
    since: Annotated[datetime | None, SINCE] = None,
    until: Annotated[datetime | None, UNTIL] = None,
    derive: Annotated[bool, typer.Option(help="First derive all trips anew, after a setting has changed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest.")] = 100,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """List the trips, newest first: when, how far, how long, what happened."""
    from dashcam.gps.clock import known_zone

    with main_server(data) as server:
        if derive:
            server.call("POST", "/trips/derive", timeout=3600)
        asked = {"since": since and since.isoformat(), "until": until and until.isoformat(), "limit": limit}
        page = server.call("GET", "/trips", params={key: value for key, value in asked.items() if value is not None})
    if json_file is not None:
        write_json(json_file, page)
    times = f" (times: {page['time_zone']})" if page["time_zone"] else ""
    table = Table(title=f"Trips{times}", title_justify="left", header_style="bold")
    for heading in ("Trip", "Start", "Length", "Distance", "Moving", "Clips", "Events"):
        table.add_column(heading, justify="left" if heading == "Start" else "right")
    zone = known_zone(page["time_zone"])
    for trip in page["trips"]:
        start, end = (datetime.fromisoformat(trip[key]) for key in ("start_utc", "end_utc"))
        table.add_row(
            str(trip["trip_id"]),
            f"{start.astimezone(zone):%Y-%m-%d %H:%M}",
            minutes((end - start).total_seconds()),
            f"{trip['distance_m'] / 1000:.1f} km",
            minutes(trip["moving_s"]),
            str(trip["clips"]),
            str(len(trip["events"])),
        )
    out.print(table if page["trips"] else "No trips yet")


def minutes(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def clock(
    camera: Annotated[str | None, typer.Argument(help="front, rear, ... or '' for clips that do not say.")] = None,
    ahead: Annotated[
        float | None, typer.Option(help="Seconds that its clock is ahead of the right local time; 0 takes it back.")
    ] = None,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Show how far the cameras' clocks are off; with --ahead correct one, and the times of its clips."""
    if (camera is None) != (ahead is None):
        raise typer.BadParameter("to correct a clock name the camera and --ahead; to see them all name neither")
    with main_server(data) as server:
        if camera is not None:
            server.call("PUT", "/cameras/clocks", json={"camera": camera, "ahead_s": ahead})
            say(f"{followed(server, camera)} clips have a new time")
        known = server.call("GET", "/cameras/clocks")
    if json_file is not None:
        write_json(json_file, known)
    table = Table(title="Clocks of the cameras", title_justify="left", header_style="bold")
    for heading in ("Camera", "Clips timed by", "Ahead of UTC", "Zone", "Wrong by", "Correction"):
        table.add_column(heading)
    for one in known:
        table.add_row(
            Text(one["camera"] or "(not said)"),
            "\n".join(f"{count} {KINDS[kind]}" for kind, count in one["clips"].items()),
            signed(one["ahead_of_utc_s"]),
            Text(one["time_zone"]),
            signed(one["ahead_s"]),
            signed(one["correction_s"] or None),
        )
    out.print(table if known else "No clips yet")


def followed(server: MainServerClient, camera: str) -> int:
    """How many clips a correction has changed, when it is carried out."""
    with err.status("") as status:
        while True:
            known = server.call("GET", "/cameras/clocks")
            at = next((one["correcting"] for one in known if one["camera"] == camera), None)
            if at is None or at["ended"]:
                return at["changed"] if at else 0
            status.update(f"{at['done']:,} of {at['clips']:,} clips")
            time.sleep(LOOK_S)


def signed(seconds: float | None) -> str:
    """``+2:00:03``; empty when not known."""
    if seconds is None:
        return ""
    whole, rest = divmod(round(abs(seconds)), 60)
    return f"{'-' if seconds < 0 else '+'}{whole // 60}:{whole % 60:02d}:{rest:02d}"


def export(
    form: Annotated[Literal["gpx", "geojson", "kml", "csv"], typer.Argument(help="csv is of sightings alone.")],
    sightings: Annotated[bool, typer.Option("--sightings", help="The sightings as pins, not the track.")] = False,
    plate: Annotated[str | None, typer.Option(help="The sightings of one plate.")] = None,
    clip: Annotated[str | None, typer.Option(help="One clip, by its id.")] = None,
    trip: Annotated[int | None, typer.Option(help="One trip, by its number.")] = None,
    since: Annotated[datetime | None, SINCE] = None,
    until: Annotated[datetime | None, UNTIL] = None,
    unsure: Annotated[bool, typer.Option("--unsure", help="Unsure sightings too.")] = False,
    home: Annotated[bool, typer.Option("--home", help="Places in the home zones too.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file; default: print.")] = None,
    data: ServerDataOption = None,
) -> None:
    """Take out the track of a clip, a trip or a stretch of time, or its sightings."""
    of_sightings = sightings or form == "csv" or plate is not None
    asked = {
        "video": clip,
        "trip": trip,
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "plate": plate,
        "unsure": True if unsure and of_sightings else None,
        "home": True if home else None,
    }
    params = {key: value for key, value in asked.items() if value is not None}
    with main_server(data) as server:
        pieces = server.download(f"/export/{'sightings' if of_sightings else 'track'}.{form}", params)
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.flush()
            return
        first = next(pieces, b"")  # what the server refuses leaves no file behind
        try:
            with output.open("wb") as file:
                file.write(first)
                file.writelines(pieces)
        except OSError as error:
            raise unwritable(output, error) from error
