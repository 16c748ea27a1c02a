"""``dashcam evaluate``: how good it is, on your own labelled pictures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dashcam.cli.output import JsonOption, err, group, out, write_json

EngineOption = Annotated[
    str, typer.Option(help="auto, own (the same without a second reader), ppocr or peer (the reference pair).")
]

app = group("Measure how well plates are found and read.")


@app.command()
def plates(
    data: Annotated[
        Path, typer.Option(help="OpenALPR's benchmark layout, a YOLO folder, or crops with labels.csv.", metavar="DIR")
    ],
    engine: EngineOption = "auto",
    json_file: JsonOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many pictures.")] = None,
) -> None:
    """Find and read the plates of labelled pictures, and print how many are right."""
    from dashcam.evaluate.measure import evaluate_plates  # the engines: half a second that other commands save
    from dashcam.evaluate.report import table_of

    with measuring("Looking at pictures") as progress:
        report = evaluate_plates(data, engine, limit, progress)
        if json_file is not None:
            write_json(json_file, report)
    out.print(table_of(report))


@app.command()
def clips(
    data: Annotated[Path, typer.Option(help="A folder that 'dashcam sample' wrote.", metavar="DIR")],
    engine: EngineOption = "auto",
    json_file: JsonOption = None,
) -> None:
    """Watch drives whose plates are known: single best frame against vote, and how far off in time and place."""
    from dashcam.evaluate.clips import evaluate_clips
    from dashcam.evaluate.report import clips_table

    with measuring("Watching clips") as progress:
        report = evaluate_clips(data, engine, progress)
        if json_file is not None:
            write_json(json_file, report)
    out.print(clips_table(report))


@contextmanager
def measuring(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, to be told (done, total)."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as bars:
        bar = bars.add_task(what)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
