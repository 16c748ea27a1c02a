"""``dashcam again``: clips that are through are done once more from one of their stages on."""

from typing import Annotated, Literal

import typer

from dashcam.cli.output import ServerDataOption, say
from dashcam.cli.reach import main_server

Flow = Literal["ingest", "preprocess", "heavy", "archive", "finalize"]


def register(app: typer.Typer) -> None:
    app.command()(again)


def again(
    videos: Annotated[list[str], typer.Argument(help="Clips, by their ids.", metavar="VIDEO...")],
    first: Annotated[Flow, typer.Option("--from", help="The first stage that is done again.")] = "heavy",
    data: ServerDataOption = None,
) -> None:
    """Do clips again from a stage on: after a new release, or when a bundle was spoiled before it was archived."""
    from dashcam.tasks.chain import STAGES

    (stage,) = (task_type for task_type, one in STAGES.items() if one.flow == first)
    with main_server(data) as server:
        for video_id in videos:
            server.again(video_id, stage)
            say(f"{video_id} is done again from {first} on")
