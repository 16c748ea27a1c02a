"""The ``dashcam`` command."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dashcam import __version__, config
from dashcam.cli import asking
from dashcam.cli.bench import app as bench_app
from dashcam.cli.devices import app as device_app
from dashcam.cli.evaluate import app as evaluate_app
from dashcam.cli.gps import gps
from dashcam.embedded.home import Home, HomeUnusable, default_data
from dashcam.embedded.job import Job, Standing, find_clips
from dashcam.embedded.report import Report, table_of
from dashcam.embedded.system import EmbeddedSystem, StartFailed, embedded_system
from dashcam.storage.roots import Stores
from dashcam.tasks.chain import POOLS, STAGES
from dashcam.tasks.client import ServerRefused

app = typer.Typer(
    help="Turns dashcam clips into a searchable record of plates.", no_args_is_help=True, add_completion=False
)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(bench_app, name="bench")
app.add_typer(device_app, name="device")
app.command()(gps)
out = Console()
err = Console(stderr=True)

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Data folder of the embedded system; default $DASHCAM_DATA, else the user's data folder."
    ),
]


def main() -> None:
    """Entry point: every expected trouble is one plain sentence and exit status 1."""
    signal.signal(signal.SIGTERM, interrupt)
    try:
        app()
    except (HomeUnusable, StartFailed, ServerRefused, config.ConfigError) as error:
        err.print(f"dashcam: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except httpx.HTTPError as error:
        err.print(f"dashcam: the main server does not answer ({error}).", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


def interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


@app.command()
def process(
    paths: Annotated[list[Path], typer.Argument(help="Clips, and folders to search for clips.", metavar="PATH...")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.")] = None,
    data: DataOption = None,
    keep_serving: Annotated[bool, typer.Option(help="Go on serving WebUI and Prefect until Ctrl-C.")] = False,
) -> None:
    """Process clips on this machine: start what is needed, follow the clips to the end, print the plates."""
    began = time.monotonic()
    if json_file is not None:
        write_json(json_file, Report(videos=[], wall_s=0))  # a file that cannot be written is said now, not after hours
    clips = find_clips(paths)
    with embedded_system(Home((data or default_data()).absolute()), say) as system:
        system.start_app()
        job = Job(system.client(), clips)
        job.hand_in()
        if job.pending():
            job.try_again()
            system.start_workers()
            follow(job, system)
        elif done := len(job.video_ids()):
            say(f"Nothing to do: all {done} clips are known and done")
        else:
            say("No clips found")
        report = Report(videos=job.reports(stores_of(system)), wall_s=round(time.monotonic() - began, 2))
        if json_file is not None:
            write_json(json_file, report)
        print_report(report, system)
        if keep_serving:
            system.start_workers()
            serve(system)
    raise typer.Exit(0 if report.all_processed else 1)


@app.command()
def up(data: DataOption = None) -> None:
    """Run the embedded system (WebUI, Prefect, one worker per pool) until Ctrl-C."""
    with embedded_system(Home((data or default_data()).absolute()), say) as system:
        system.start_app()
        system.start_workers()
        serve(system)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write the clips; made if it is not there.")],
    seed: Annotated[int, typer.Option(help="Another seed gives another drive.")] = 7,
) -> None:
    """Write a short made-up drive, Viofo-like, with known plates: truth.json says what is to be found."""
    from dashcam.sample import write_drive  # draws with numpy and OpenCV: half a second that other commands save

    if (folder / "truth.json").exists():
        say(f"The sample drive in {folder} is there already")
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=err) as bars:
        bar = bars.add_task("Drawing a sample drive", total=1.0)
        try:
            write_drive(folder, seed=seed, progress=lambda fraction: bars.update(bar, completed=fraction))
        except OSError as error:
            raise HomeUnusable(f"{folder} cannot be written ({error.strerror}): choose another folder.") from error


@app.command()
def worker(
    pool: Annotated[str, typer.Argument(help=f"One of {', '.join(POOLS)}.")],
    limit: Annotated[int, typer.Option(help="Flow runs at once on this device.")] = 1,
) -> None:
    """Work for one pool on this device until stopped; settings come from $DASHCAM_CONFIG."""
    if pool not in POOLS:
        raise typer.BadParameter(f"there is no pool {pool!r}; the pools are {', '.join(POOLS)}")
    run_module("flows.worker", pool, "--limit", str(limit))


@app.command()
def setup() -> None:
    """Make Prefect's work pools, blocks and deployments from the site's settings; safe to repeat."""
    run_module("flows.setup")


@app.command()
def server() -> None:
    """Run the main server's web process (API, WebUI, dispatcher) from the site's settings."""
    run_module("app.main")


@app.command()
def check() -> None:
    """Check the settings in $DASHCAM_CONFIG: one sentence per mistake."""
    mistakes = config.check(config.config_folder())
    for mistake in mistakes:
        err.print(mistake, markup=False, highlight=False)
    if mistakes:
        raise typer.Exit(1)
    say("The settings are in order")


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__, highlight=False)


def run_module(module: str, *arguments: str) -> None:
    site = config.load_site()
    os.environ.setdefault("PREFECT_API_URL", site.server.prefect_url)
    # Prefect's own 180 s is longer than the silence after which flows/stale.py takes a run for dead
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
    argv = [sys.executable, "-m", module, *arguments]
    if os.name == "posix":
        os.execv(argv[0], argv)  # signals reach it itself, with nobody between who would kill it for them
    sys.exit(subprocess.run(argv, check=False).returncode)


def say(message: str) -> None:
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def follow(job: Job, system: EmbeddedSystem) -> None:
    """Progress bars, one per stage, until every clip is through or given up."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=False) as bars:
        total = len(job.video_ids())
        rows = {task_type: bars.add_task(stage.flow.capitalize(), total=total) for task_type, stage in STAGES.items()}

        def tick(now: Standing) -> None:
            for task_type, row in rows.items():
                running = [task for task in now.running if task.task_type is task_type]
                on = f" · {running[0].device}" if running else ""
                bars.update(
                    row, completed=now.done[task_type], description=f"{STAGES[task_type].flow.capitalize()}{on}"
                )
            system.keep_alive()

        job.follow(config.load_site(system.home.config).dispatch.max_failures, tick)


def stores_of(system: EmbeddedSystem) -> Stores:
    return Stores(config.load_site(system.home.config).store_roots())


def write_json(file: Path, report: Report) -> None:
    try:
        file.write_text(report.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise HomeUnusable(
            f"The result cannot be written to {file} ({error.strerror}): choose another file."
        ) from error


def print_report(report: Report, system: EmbeddedSystem) -> None:
    if report.videos:
        out.print(table_of(report))
    for video in report.videos:
        if video.outcome != "processed" or video.reason:
            about = (
                f"{video.outcome}: {video.reason}"
                if video.outcome != "processed"
                else f"{Path(video.file).name}: {video.reason}"
            )
            out.print(about, style="yellow", markup=False, highlight=False, soft_wrap=True)
    say(f"{len(report.videos)} clips in {report.wall_s:.0f} s; data in {system.home.data}")


def print_addresses(system: EmbeddedSystem) -> None:
    out.print(f"WebUI    {system.app_url}", highlight=False)
    out.print(f"Prefect  {system.prefect_url}", highlight=False)


def serve(system: EmbeddedSystem) -> None:
    """Until Ctrl-C or SIGTERM."""
    print_addresses(system)
    say("Serving until Ctrl-C")
    never = threading.Event()
    try:
        while not never.wait(1.0):
            system.keep_alive()
    except KeyboardInterrupt:
        say("Stopping")


asking.register(app)
