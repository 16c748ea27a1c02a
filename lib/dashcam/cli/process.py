"""``dashcam process`` and ``up``: the embedded system, one run of it or until Ctrl-C."""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from dashcam import config
from dashcam.cli.output import DataOption, JsonOption, err, out, say, write_json
from dashcam.cli.reach import home_of

if TYPE_CHECKING:
    from dashcam.embedded.job import Job, Standing
    from dashcam.embedded.report import JobReport
    from dashcam.embedded.system import EmbeddedSystem


def register(app: typer.Typer) -> None:
    app.command()(process)
    app.command()(up)


def process(
    paths: Annotated[list[Path], typer.Argument(help="Clips, and folders to search for clips.", metavar="PATH...")],
    json_file: JsonOption = None,
    data: DataOption = None,
    keep_serving: Annotated[bool, typer.Option(help="Go on serving WebUI and Prefect until Ctrl-C.")] = False,
) -> None:
    """Process clips on this machine: start what is needed, follow the clips to the end, print the plates."""
    from dashcam.embedded.job import Job, find_clips
    from dashcam.embedded.report import JobReport
    from dashcam.embedded.system import embedded_system
    from dashcam.storage.roots import Stores

    began = time.monotonic()
    if json_file is not None:
        # a file that cannot be written is said now, not after hours
        write_json(json_file, JobReport(videos=[], wall_s=0))
    clips = find_clips(paths)
    with embedded_system(home_of(data), say) as system:
        system.start()
        job = Job(system.client(), clips)
        job.hand_in()
        if job.try_again():
            follow(job, system)
            system.wait_for_ending_runs()
        elif done := len(job.video_ids()):
            say(f"Nothing to do: all {done} clips are known and done")
        else:
            say("No clips found")
        stores = Stores(config.load_site(system.home.config).store_roots())
        report = JobReport(videos=job.reports(stores), wall_s=round(time.monotonic() - began, 2))
        if json_file is not None:
            write_json(json_file, report)
        print_report(report, system)
        if keep_serving:
            serve(system)
    raise typer.Exit(0 if report.all_processed else 1)


def up(data: DataOption = None) -> None:
    """Run the embedded system (WebUI, Prefect, the workers of all pools) until Ctrl-C."""
    from dashcam.embedded.system import embedded_system

    with embedded_system(home_of(data), say) as system:
        system.start()
        serve(system)


def follow(job: "Job", system: "EmbeddedSystem") -> None:
    """Progress bars, one per stage, until every clip is through or given up."""
    from dashcam.tasks.chain import STAGES
    from dashcam.tasks.model import TaskType

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    said = set[TaskType]()
    with Progress(*columns, console=err, transient=False) as bars:
        total = len(job.video_ids())
        rows = {task_type: bars.add_task(stage.flow.capitalize(), total=total) for task_type, stage in STAGES.items()}

        def tick(now: "Standing") -> None:
            for task_type, row in rows.items():
                running = [task for task in now.running if task.task_type is task_type]
                on = f" · {running[0].device}" if running else ""
                bars.update(
                    row, completed=now.done[task_type], description=f"{STAGES[task_type].flow.capitalize()}{on}"
                )
            for task_type in job.short.keys() - said:
                said.add(task_type)
                say(f"{STAGES[task_type].flow.capitalize()} waits. {job.short[task_type]}")
            system.look()

        job.follow(config.load_site(system.home.config).dispatch.max_failures, tick)


def print_report(report: "JobReport", system: "EmbeddedSystem") -> None:
    from dashcam.embedded.report import table_of

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


def serve(system: "EmbeddedSystem") -> None:
    """Until Ctrl-C or SIGTERM."""
    system.wait_for_all()
    out.print(f"WebUI    {system.app_url}", highlight=False)
    out.print(f"Prefect  {system.prefect_url}  (log in with {system.home.prefect_login})", highlight=False)
    say("Serving until Ctrl-C")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        say("Stopping")
