"""``dashcam evaluate``: how good it is, on your own labelled pictures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

app = typer.Typer(help="Measure how well plates are found and read.", no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure how well plates are found and read."""


@app.command()
def plates(
    data: Annotated[
        Path, typer.Option(help="OpenALPR's benchmark layout, a YOLO folder, or crops with labels.csv.", metavar="DIR")
    ],
    engine: Annotated[str, typer.Option(help="auto, baseline, own or peer (the reference pair).")] = "auto",
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many pictures.")] = None,
) -> None:
    """Find and read the plates of labelled pictures, and print how many are right."""
    from dashcam.evaluate.layouts import Unusable
    from dashcam.evaluate.measure import evaluate_plates  # the engines: half a second that other commands save
    from dashcam.evaluate.report import table_of
    from dashcam.vision.engines import MissingWeights

    err = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with Progress(*columns, console=err, transient=True) as bars:
            bar = bars.add_task("Looking at pictures")
            report = evaluate_plates(
                data, engine, limit, lambda done, total: bars.update(bar, completed=done, total=total)
            )
        if json_file is not None:
            json_file.write_text(report.model_dump_json(indent=2) + "\n")
    except (Unusable, MissingWeights) as error:
        err.print(f"dashcam: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    except OSError as error:
        err.print(
            f"dashcam: {error.filename} cannot be used ({error.strerror}): choose another.", style="red", markup=False
        )
        raise typer.Exit(1) from error
    Console().print(table_of(report))
