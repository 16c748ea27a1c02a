"""``dashcam bench``: what things cost on this machine, each beside a baseline of its own."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table

from dashcam import config
from dashcam.cli.output import JsonOption, err, group, out, write_json

app = group("Measure what things cost, beside a baseline in the same run.")
RoundsOption = Annotated[int, typer.Option(min=1, help="How often each is measured; the quickest counts.")]
DatabaseOption = Annotated[
    str | None, typer.Option(help="An empty database to fill instead of one in SQLite.", metavar="URL")
]


@contextmanager
def measuring() -> Iterator[tuple[Path, Callable[[str], None]]]:
    """An empty folder for what is measured, and who says how far it is."""
    with tempfile.TemporaryDirectory(prefix="dashcam-bench-") as folder, err.status("") as status:
        yield Path(folder), status.update


def report(cost: BaseModel, table_of: Callable[..., Table], json_file: Path | None) -> None:
    if json_file is not None:
        write_json(json_file, cost)
    out.print(table_of(cost))


@app.command()
def catalog(
    sightings: Annotated[
        int, typer.Option(min=1000, help="Size of the made-up catalogue; five to a plate.")
    ] = 1_000_000,
    questions: Annotated[int, typer.Option(min=2, help="How often each kind of question is asked.")] = 100,
    json_file: JsonOption = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Empty folder for the databases, kept afterwards; 1.5 GB a million.", metavar="DIR"),
    ] = None,
) -> None:
    """Search and pages in a big made-up catalogue on SQLite, and in one of a tenth of the size."""
    from dashcam.bench.catalog import measure, table_of

    with measuring() as (folder, say):
        if keep is not None:
            keep.mkdir(parents=True)
        cost = measure(keep or folder, sightings, questions, say)
    report(cost, table_of, json_file)


@app.command()
def search(
    drawn: Annotated[int, typer.Option(min=20, help="Plates that are drawn small and read.")] = 800,
    plates: Annotated[int, typer.Option(min=100, help="Plates in the catalogue that is searched.")] = 5000,
    json_file: JsonOption = None,
) -> None:
    """How often a misread plate is found, beside edit distance and fixed pairs of look-alikes."""
    from dashcam.bench.search import measure, table_of

    with err.status("") as status:
        quality = measure(drawn, plates, progress=status.update)
    report(quality, table_of, json_file)


@app.command()
def backlog(
    pending: Annotated[int, typer.Option(min=200, help="Pending tasks, spread over the stages.")] = 250_000,
    json_file: JsonOption = None,
) -> None:
    """A round of dispatching and what is polled, with a backlog and with a hundredth of it."""
    from dashcam.bench.backlog import measure, table_of

    with measuring() as (folder, say):
        cost = measure(folder, pending, say)
    report(cost, table_of, json_file)


@app.command()
def correction(
    clips: Annotated[int, typer.Option(min=40, help="Clips of the camera whose clock is corrected.")] = 20_000,
    json_file: JsonOption = None,
) -> None:
    """Correcting a camera's clock over all its clips, and how long another writer waits meanwhile."""
    from dashcam.bench.correction import measure, table_of

    with measuring() as (folder, say):
        cost = measure(folder, clips, say)
    report(cost, table_of, json_file)


@app.command()
def heavy(
    clip: Annotated[Path, typer.Argument(help="A real clip, or one of 'dashcam sample'.", metavar="CLIP")],
    truth: Annotated[
        Path | None, typer.Option(help="A sample drive's truth.json; one beside the clip is found.", metavar="FILE")
    ] = None,
    naive: Annotated[bool, typer.Option(help="Also look at every frame, which takes long and is done once.")] = True,
    rounds: RoundsOption = 1,
    json_file: JsonOption = None,
) -> None:
    """The heavy stage on one clip, beside decoding alone and a pipeline that looks at every frame."""
    from dashcam.bench.heavy import measure, table_of

    with err.status("") as status:
        device = config.load_device()
        cost = measure(clip, device, truth=truth, naive=naive, rounds=rounds, progress=status.update)
    report(cost, table_of, json_file)


@app.command()
def preprocess(
    clip: Annotated[Path, typer.Argument(help="A real clip, ten seconds or longer.", metavar="CLIP")],
    rounds: RoundsOption = 1,
    json_file: JsonOption = None,
) -> None:
    """The cheap look at one clip's keyframes, beside decoding every frame of it."""
    from dashcam.bench.preprocess import measure, table_of

    with err.status("") as status:
        cost = measure(clip, config.load_device(), rounds, status.update)
    report(cost, table_of, json_file)


@app.command()
def start(
    clips: Annotated[Path, typer.Argument(help="Folder with two clips or more.", metavar="DIR")],
    idle: Annotated[float, typer.Option(min=0, help="Seconds over which the idle system is measured; 0: not.")] = 300,
    json_file: JsonOption = None,
) -> None:
    """The first minute and the idle night: one clip on a new and on a known data folder, and nothing to do."""
    from dashcam.bench.start import measure, table_of

    with measuring() as (folder, say):
        cost = measure(folder, clips, idle, say)
    report(cost, table_of, json_file)


@app.command()
def pipeline(
    clips: Annotated[Path, typer.Argument(help="Folder with clips.", metavar="DIR")],
    json_file: JsonOption = None,
) -> None:
    """What orchestration costs: clips through all stages in a system of its own, and without Prefect."""
    from dashcam.bench.pipeline import measure, table_of

    with measuring() as (folder, say):
        cost = measure(folder, clips, say)
    report(cost, table_of, json_file)


@app.command()
def arrival(
    files: Annotated[int, typer.Option(min=100, help="How many files are made.")] = 250_000,
    database: DatabaseOption = None,
    json_file: JsonOption = None,
) -> None:
    """Taking note of a folder's clips by the real application: all new, then all known; without hashing them."""
    from dashcam.bench.arrival import measure, table_of

    with measuring() as (folder, say):
        cost = measure(folder, files, database, say)
    report(cost, table_of, json_file)


@app.command()
def load(
    tasks: Annotated[int, typer.Option(min=10, help="Tasks, five to a clip.")] = 5000,
    devices: Annotated[int, typer.Option(min=1, help="Devices that complete them at once.")] = 20,
    browsers: Annotated[int, typer.Option(min=0, help="Dashboards that are open meanwhile.")] = 5,
    database: DatabaseOption = None,
    json_file: JsonOption = None,
) -> None:
    """Many devices complete tasks through the REST API at once, beside open pages; nothing may be there twice."""
    from dashcam.bench.load import measure, table_of

    with measuring() as (folder, say):
        cost = measure(folder, tasks, devices, browsers, database, say)
    report(cost, table_of, json_file)
