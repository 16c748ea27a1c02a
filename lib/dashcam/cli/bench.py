"""``dashcam bench``: what things cost on this machine, each beside a baseline of its own."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from dashcam.bench.catalog import CatalogCost
    from dashcam.bench.pipeline import PipelineCost

app = typer.Typer(help="Measure what things cost, beside a baseline in the same run.", no_args_is_help=True)

JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")]


@app.callback()
def bench() -> None:
    """Measure what things cost, beside a baseline in the same run."""


@contextmanager
def sentences(*expected: type[Exception]) -> Iterator[Callable[[str], None]]:
    """Gives what shows progress; one of these errors, or a file that cannot be written, ends the command with a
    sentence."""
    err = Console(stderr=True)
    with err.status("") as status:
        try:
            yield status.update
            return
        except expected as error:
            sentence, cause = str(error), error
        except OSError as error:
            sentence, cause = f"{error.filename} cannot be written ({error.strerror}): choose another.", error
    err.print(f"dashcam: {sentence}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1) from cause


def write(cost: BaseModel, json_file: Path | None) -> None:
    if json_file is not None:
        json_file.write_text(cost.model_dump_json(indent=2) + "\n")


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
    from dashcam.bench.catalog import measure  # the database layer: a second that other commands save

    with tempfile.TemporaryDirectory(prefix="dashcam-bench-") as temporary, sentences() as progress:
        if keep is not None:
            keep.mkdir(parents=True)
        cost = measure(keep or Path(temporary), sightings, questions, progress)
        write(cost, json_file)
    Console().print(table_of(cost))


@app.command()
def heavy(
    clip: Annotated[Path, typer.Argument(help="A real clip, or one of 'dashcam sample'.", metavar="CLIP")],
    truth: Annotated[
        Path | None, typer.Option(help="A sample drive's truth.json; one beside the clip is found.", metavar="FILE")
    ] = None,
    naive: Annotated[bool, typer.Option(help="Also look at every frame, which takes long.")] = True,
    rounds: Annotated[int, typer.Option(min=1, help="How often all but that is measured; the quickest counts.")] = 1,
    json_file: JsonOption = None,
) -> None:
    """The heavy stage on one clip, beside decoding alone and a pipeline that looks at every frame."""
    from dashcam import config
    from dashcam.bench.alone import PassKilled
    from dashcam.bench.heavy import measure, table_of
    from dashcam.evaluate.layouts import Unusable
    from dashcam.media.decode import ClipUnreadable, DecodeError
    from dashcam.stages.common import Rejected, StageError
    from dashcam.vision.engines import MissingWeights

    expected = (DecodeError, ClipUnreadable, Unusable, PassKilled, Rejected, StageError, MissingWeights)
    with sentences(*expected, config.ConfigError) as progress:
        cost = measure(clip, config.load_device(), truth=truth, naive=naive, rounds=rounds, progress=progress)
        write(cost, json_file)
    Console().print(table_of(cost))


@app.command()
def preprocess(
    clip: Annotated[Path, typer.Argument(help="A real clip, ten seconds or longer.", metavar="CLIP")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured; the quickest counts.")] = 1,
    json_file: JsonOption = None,
) -> None:
    """The cheap look at one clip's keyframes, beside decoding every frame of it."""
    from dashcam import config
    from dashcam.bench.alone import PassKilled
    from dashcam.bench.preprocess import measure, table_of
    from dashcam.media.decode import ClipUnreadable, DecodeError
    from dashcam.stages.common import Rejected, StageError
    from dashcam.vision.engines import MissingWeights

    expected = (DecodeError, ClipUnreadable, PassKilled, Rejected, StageError, MissingWeights, config.ConfigError)
    with sentences(*expected) as progress:
        cost = measure(clip, config.load_device(), rounds, progress)
        write(cost, json_file)
    Console().print(table_of(cost))


def table_of(cost: "CatalogCost") -> Table:
    title = f"{cost.sightings:,} sightings, {cost.plates:,} plates, {cost.videos:,} videos, {cost.database_mb:,.0f} MB"
    table = Table(title=title, title_justify="left")
    headings = ("p50 ms", "p95 ms", "by the clock", "all rows ms", "ratio", "tenth: p50", "p95", "growth")
    table.add_column("question")
    for heading in headings:
        table.add_column(heading, justify="right")
    for kind, one in cost.kinds.items():
        linear = (f"{one.linear_ms:,.0f}", f"{one.linear_over_p95:,.0f}x") if one.linear_ms else ("", "")
        tenth = (f"{one.tenth_p50_ms:.1f}", f"{one.tenth_p95_ms:.1f}", f"{one.growth:.1f}x")
        table.add_row(kind, f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}", f"{one.wall_p95_ms:.1f}", *linear, *tenth)
    return table


@app.command()
def pipeline(
    clips: Annotated[Path, typer.Argument(help="Folder with clips.", metavar="DIR")],
    json_file: JsonOption = None,
) -> None:
    """What orchestration costs: clips through all stages in a system of its own, and without Prefect."""
    from dashcam.bench.pipeline import NothingMeasured, measure

    with tempfile.TemporaryDirectory(prefix="dashcam-bench-") as temporary, sentences(NothingMeasured) as progress:
        cost = measure(Path(temporary), clips, progress)
        write(cost, json_file)
    Console().print(pipeline_table(cost))


def pipeline_table(cost: "PipelineCost") -> Table:
    title = (
        f"{cost.clips} clips, {cost.footage_s:,.0f} s of footage: {cost.overhead_s_per_clip_stage:.3f} s of overhead "
        f"per clip and stage, {cost.overhead_cpu_s_per_clip_stage:.3f} s of CPU; {cost.wall_s:,.0f} s in all "
        f"({cost.cpu_s:,.0f} of CPU), {cost.direct_s:,.0f} s ({cost.direct_cpu_s:,.0f}) without Prefect"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("stage")
    headings = ("runs", "wall s", "work s", "waiting", "starting", "models", "direct s", "overhead a clip", "of CPU")
    for heading in headings:
        table.add_column(heading, justify="right")
    for flow, one in cost.stages.items():
        seconds = (one.wall_s, one.work_s, one.waiting_s, one.starting_s, one.loading_s, one.direct_s)
        overhead = (one.overhead_s_per_clip, one.overhead_cpu_s_per_clip)
        figures = (*(f"{value:.1f}" for value in seconds), *(f"{value:.3f}" for value in overhead))
        table.add_row(flow, str(one.runs), *figures)
    return table
