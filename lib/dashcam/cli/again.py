"""``dashcam again``: clips that are through are done once more from one of their stages on."""

from typing import Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from dashcam.cli.output import JsonOption, ServerDataOption, out, say, write_json
from dashcam.cli.reach import main_server

Flow = Literal["ingest", "preprocess", "heavy", "archive", "finalize"]


def register(app: typer.Typer) -> None:
    app.command()(again)


def again(
    videos: Annotated[list[str] | None, typer.Argument(help="Clips, by their ids.", metavar="VIDEO...")] = None,
    first: Annotated[Flow, typer.Option("--from", help="The first stage that is done again.")] = "heavy",
    changed: Annotated[bool, typer.Option("--changed", help="List what is read differently, newest first.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Read all again that an older reader has read, when nothing else waits.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of those at most so many.")] = 100,
    json_file: JsonOption = None,
    data: ServerDataOption = None,
) -> None:
    """Do clips again from a stage on: after a new release, or when a bundle was spoiled before it was archived."""
    from dashcam.tasks.chain import STAGES

    if not (videos or changed or everything):
        raise typer.BadParameter("name the clips to do again, --all, or --changed to see what is read differently")
    (stage,) = (task_type for task_type, one in STAGES.items() if one.flow == first)
    with main_server(data) as server:
        for video_id in videos or ():
            by_crops = server.again(video_id, stage)
            how = ", by the crops in its archive: its file is gone" if by_crops else ""
            say(f"{video_id} is done again from {first} on{how}")
        if everything:
            say(told_of_all(server.call("POST", "/rereads", timeout=600)))
        found = server.call("GET", "/rereads", params={"limit": limit}) if changed else None
    if found is None:
        return
    if json_file is not None:
        write_json(json_file, found)
    say(f"{found['differently']:,} plates are read differently, {found['new'] + found['gone']:,} are new or gone")
    if found["changes"]:
        out.print(differences(found["changes"]))


def told_of_all(begun: dict[str, int]) -> str:
    if not begun["clips"]:
        return "Everything was read by the reader of today"
    how = f", {begun['by_crops']:,} of them by the crops in their archives" if begun["by_crops"] else ""
    return f"{begun['clips']:,} clips are read again when nothing else waits{how}: --changed lists what differs"


def differences(changes: list[dict[str, Any]]) -> Table:
    table = Table(title="Read differently", title_justify="left", header_style="bold")
    for heading in ("Clip", "Second", "Before", "Now", "A person says"):
        table.add_column(heading, justify="right" if heading == "Second" else "left")
    for one in changes:
        texts = (Text(one[name] or "") for name in ("was", "now", "said"))
        table.add_row(one["video_id"], f"{one['best_s']:.1f}", *texts)
    return table
