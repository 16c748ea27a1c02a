"""``dashcam gps``: the positions of one clip, as JSON and GPX."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashcam import Explained
from dashcam.cli.output import JsonOption, out, write_json

if TYPE_CHECKING:
    from dashcam.gps.clock import Clock
    from dashcam.gps.sources import Found


def register(app: typer.Typer) -> None:
    app.command()(gps)


def gps(
    file: Annotated[Path, typer.Argument(help="A clip, whole or damaged.", metavar="FILE")],
    json_file: JsonOption = None,
    gpx_file: Annotated[Path | None, typer.Option("--gpx", help="Write the track to this file.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Of the camera's clock, e.g. Europe/Amsterdam; default: this computer's.")
    ] = None,
) -> None:
    """Read a clip's positions: Novatek (Viofo), GoPro, CAMM, a file beside it, anything else through ExifTool."""
    from zoneinfo import ZoneInfoNotFoundError

    from dashcam.gps.export import Leg, gpx

    if file.exists() and not file.is_file():
        raise Explained(f"{file.name} is no file: name a clip.")
    try:
        found, began = locate(file, time_zone)
    except ZoneInfoNotFoundError as error:
        raise Explained(f"there is no time zone {time_zone!r}: write it like Europe/Amsterdam.") from error
    fixes = [fix.model_copy(update={"utc": fix.utc - began.gps_ahead}) for fix in found.fixes]
    if json_file is not None:
        write_json(json_file, answer(found, began))
    if gpx_file is not None:
        with gpx_file.open("w", encoding="utf-8") as track:
            track.writelines(gpx([Leg(file.name, file.name, "", fixes)]))
    if not fixes:
        raise Explained(f"{file.name} has no positions. {found.hint}".strip())
    clock = f"the camera's local time, {began.gps_ahead} ahead" if began.gps_ahead else "UTC"
    summary = f"{len(fixes)} positions ({found.source}, clock {clock}) from {fixes[0].utc} to {fixes[-1].utc}"
    out.print(summary, markup=False, highlight=False, soft_wrap=True)


def locate(file: Path, time_zone: str | None) -> "tuple[Found, Clock]":
    """The fixes on their own clock, and when the clip began. ``OSError``, ``ZoneInfoNotFoundError``."""
    from dashcam.gps import clock, sources
    from dashcam.media import names
    from dashcam.media.coding import NoDecoder
    from dashcam.media.probe import UnreadableClip, probe

    modified = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    clock.local(modified, time_zone)  # a zone that is none is said before the file is read
    named = names.parse(file).start_local

    def span() -> sources.Recorded:
        try:
            found = probe(file)
        except (UnreadableClip, NoDecoder):
            return sources.Recorded(clock.decide([], named, time_zone, None, modified).start_utc)
        return sources.Recorded(clock.decide([], named, time_zone, found.created, modified).start_utc, found.duration_s)

    found = sources.read(file, span)
    return found, clock.decide(found.fixes if found.has_clock else [], named, time_zone, None, modified)


def answer(found: "Found", began: "Clock") -> dict[str, Any]:
    """The ``--json`` document; its keys are stable, scripts depend on them. ``utc`` is corrected by ``offset_s``."""
    fixes = [
        {
            "t_s": round(fix.t_s, 3),
            "utc": (fix.utc - began.gps_ahead).isoformat().replace("+00:00", "Z"),
            "lat": round(fix.lat, 7),
            "lon": round(fix.lon, 7),
            "speed_mps": None if fix.speed_mps is None else round(fix.speed_mps, 3),
            "heading_deg": None if fix.heading_deg is None else round(fix.heading_deg, 2),
            "quality": fix.quality,
        }
        for fix in found.fixes
    ]
    clock = "local" if began.gps_ahead else "utc"
    return {"source": found.source, "clock": clock, "offset_s": began.gps_ahead.total_seconds(), "fixes": fixes}
