"""``dashcam delete``: a clip, a plate or some days are nowhere any more."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from dashcam import Explained
from dashcam.cli.output import JsonOption, ServerDataOption, group, out, say, write_json
from dashcam.cli.reach import main_server, stores_of
from dashcam.cli.retention import DryRunOption, size

SHOWN = 20
app = group("Delete for good: from the database, the archives and the stores. docs/privacy.md says what stays.")
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def clip(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="Ids of clips, or names of their files.")],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Delete clips, and all that was ever seen in them."""
    delete({"clips": videos}, dry_run, yes, json_file, data)


@app.command()
def plate(
    text: Annotated[str, typer.Argument(help="The plate; exactly this one.")],
    with_clips: Annotated[
        bool, typer.Option("--with-clips", help="Also every clip in which it was read: in the pictures it stays.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Delete every sighting of a plate, with its crops and frames."""
    delete({"plate": text, "with_clips": with_clips}, dry_run, yes, json_file, data)


@app.command()
def days(
    first: Annotated[str, typer.Argument(help="The first day, as 2026-06-22.")],
    last: Annotated[str, typer.Argument(help="The last one, which goes too.")],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Delete all clips that began on these days, by the site's clocks."""
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Explained(f"{first} to {last} are no days: write them as 2026-06-22.") from None
    if end <= begin:
        raise Explained(f"{last} is before {first}: nothing was deleted.")
    wanted = {"since": f"{begin.isoformat()}T00:00:00", "until": f"{end.isoformat()}T00:00:00"}
    delete(wanted, dry_run, yes, json_file, data)


def delete(wanted: dict[str, Any], dry_run: bool, yes: bool, json_file: Path | None, data: Path | None) -> None:
    from dashcam.upkeep import erasing

    with main_server(data) as server:
        told = server.call("POST", "/deletions/preview", json=wanted, timeout=600)
        show(told)
        if dry_run:
            if json_file is not None:
                write_json(json_file, told)
            return
        if not told["clips"] and not told["sightings"]:
            raise Explained("Nothing of it may go: nothing was deleted.")
        if not yes and not typer.confirm("Delete this for good?"):
            raise typer.Exit(1)
        done = server.call("POST", "/deletions", json=wanted, timeout=3600)
        out.print(f"Deleted {done['clips']} clips, {done['sightings']} sightings", highlight=False)
        erased = erasing.carry_out(server, stores_of(data))
        out.print(f"From the stores went {size(erased.bytes)}", highlight=False)
        if json_file is not None:
            write_json(json_file, done | {"bytes": erased.bytes, "still_there": erased.kept})
    for sentence in erased.kept:
        say(f"Still there, and tried again every five minutes: {sentence}")
    if done["backups"]:
        say(f"{len(done['backups'])} backups from before have it still; restored, they forget it at once:")
        for file in done["backups"]:
            say(f"  {file}")
    if erased.kept:
        raise typer.Exit(1)


def show(told: dict[str, Any]) -> None:
    """What would go, and what stays."""
    if told["clips"]:
        out.print(f"{told['clips']} clips, with all that was seen in them:", highlight=False)
        for place in told["places"][:SHOWN]:
            out.print(f"  {place}", highlight=False, markup=False, soft_wrap=True)
        if (more := len(told["places"]) - SHOWN) > 0:
            out.print(f"  and {more} more places (--json has them)", highlight=False)
    if told["sightings"]:
        out.print(f"{told['sightings']} sightings in {told['in_clips']} clips that stay", highlight=False)
        say("In the pictures of those clips the plate stays: --with-clips deletes them too.")
    for sentence in told["kept"]:
        say(f"Stays: {sentence}")
