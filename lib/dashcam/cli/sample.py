"""``dashcam sample``: a drive whose plates are known."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dashcam.cli.output import err, say


def register(app: typer.Typer) -> None:
    app.command()(sample)


def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write the clips; made if it is not there.")],
    seed: Annotated[int, typer.Option(help="Another seed gives another drive.")] = 7,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="So long each clip is.")] = 10,
) -> None:
    """Write a short made-up drive, Viofo-like, with known plates: truth.json says what is to be found."""
    from dashcam import Explained
    from dashcam.sample import write_drive

    if (folder / "truth.json").exists():
        say(f"The sample drive in {folder} is there already")
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=err) as bars:
        bar = bars.add_task("Drawing a sample drive", total=1.0)

        def told(fraction: float) -> None:
            bars.update(bar, completed=fraction)

        try:
            write_drive(folder, seed=seed, duration_s=seconds, progress=told)
        except OSError as error:
            raise Explained(f"{folder} cannot be written ({error.strerror}): choose another folder.") from error
