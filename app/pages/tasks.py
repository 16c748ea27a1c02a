"""What is still to be done, what is stuck and why, and a way to try it again."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from app import addresses, lining, system, wording
from app.pages import parts
from app.pages.frame import ask, change, frame, keep_looking, now, zone
from app.pages.parts import link, tag
from app.pages.still import PRESSED, anew, still
from app.progress import Progress
from dashcam.catalog import work
from dashcam.tasks import table

PAGE = 50
VIEWS = {"pending": "To do", "stuck": "In trouble", "complete": "Done"}
COLUMNS = ("Video", "Stage", "Runs on", "Since", "Tries", "State", "")
TasksShown = tuple[list[work.TaskLine], dict[str, int], list[str]]
"""What is listed, how much there is of each view, and where there is no room."""


async def tasks(view: str = "pending", page: str = "1") -> None:
    chosen = view if view in VIEWS else "pending"
    number = max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1

    shown = await look(chosen, number)
    progress = system.current().progress.snapshot()
    with frame("Tasks", "/tasks"):
        with tag("div", "title-line"):
            parts.page_title("Tasks")
            prefect = system.current().site.server.prefect_url.removesuffix("/api")
            with tag("div"):
                link("/rereads", "button quiet", "Read again")
                link("/accuracy", "button quiet", "Accuracy")
                link(prefect, "button quiet", "Open Prefect", target="_blank", rel="noreferrer")
        with still() as listed:
            draw(chosen, number, shown, progress)

    async def look_again() -> None:
        nonlocal shown, progress
        found, at = await look(chosen, number), system.current().progress.snapshot()
        if (found, at) != (shown, progress):
            shown, progress = found, at
            with anew(listed):
                draw(chosen, number, shown, progress)

    async def pressed(event: GenericEventArguments) -> None:
        said, task_id = event.args.get("act"), event.args.get("of")
        line = next((one for one in shown[0] if str(one.task_id) == task_id), None)
        if said == "all":
            tasks = await asyncio.to_thread(lining.retry_failed)
            ui.notify(f"{wording.count(tasks, 'task')} tried again now.", type="info")
        elif line is not None:
            await (again(line) if said == "again" else move(line))

    listed.on("click", pressed, js_handler=PRESSED)
    keep_looking(2.0, look_again)


async def look(view: str, number: int) -> TasksShown:
    lines = await ask(lambda session: work.tasks(session, view, PAGE, (number - 1) * PAGE))
    here = system.current()
    return lines, await here.recent(work.task_counts), here.shortages.sentences()


def draw(view: str, number: int, found: TasksShown, progress: Mapping[int, Progress]) -> None:
    lines, counts, short = found
    for sentence in short:
        tag("p", "panel pad", sentence, role="status")
    with tag("nav", "tabs", aria_label="Which tasks"):
        for name, title in VIEWS.items():
            current = {"aria_current": "page"} if name == view else {}
            with link(f"/tasks?view={name}", "here" if current else "", **current):
                tag("span", text=title)
                tag("span", "num badge", f"{counts[name]:,}")
    if not lines:
        nothing(view)
        return
    if view == "stuck":
        retry_all_button(counts["stuck"])
    with tag("div", "panel scroll"), tag("table", "table"):
        with tag("thead"), tag("tr"):
            for column in COLUMNS:
                tag("th", text=column, scope="col") if column else tag("td")
        with tag("tbody"):
            for line in lines:
                task_row(line, progress.get(line.task_id), now())
    pages = -(-counts[view] // PAGE)
    if pages > 1:
        with tag("nav", "pager", aria_label="Newer and older"):
            if number > 1:
                link(f"/tasks?view={view}&page={number - 1}", "button", "Previous")
            tag("span", "muted num", f"Page {number:,} of {pages:,}")
            if number < pages:
                link(f"/tasks?view={view}&page={number + 1}", "button", "Next")


def nothing(view: str) -> None:
    if view == "stuck":
        parts.empty("task_alt", "Nothing is in trouble", "Tasks that failed or are held appear here, with the reason.")
    elif view == "complete":
        parts.empty("checklist", "Nothing is done yet", "Every finished step of every clip is listed here.")
    else:
        parts.empty("task_alt", "All done", "New clips become tasks by themselves.", "dashcam process FOLDER")


def task_row(line: work.TaskLine, running: Progress | None, at: datetime) -> None:
    with tag("tr", data_key=str(line.task_id)):
        with tag("td", "clip-cell"):
            link(addresses.video_url(line.video_id), "clip", line.video_name, title=line.video_name)
        tag("td", text=wording.stage_name(line.task_type))
        tag("td", "muted", running.device if running else line.device_type)
        when = line.completed_at or line.created_at
        tag("td", "muted num", wording.ago(when, at), title=wording.moment(when, zone()))
        tag("td", "num tries", f"{line.attempts}" + (f" ({line.failures} failed)" if line.failures else ""))
        with tag("td", "state-cell"):
            task_state(line, running, at)
        with tag("td", "action"):
            if line.state == "pending" and running is None:
                if line.hold or line.failures:
                    retry_button(line)
                if not line.hold:
                    first_button(line)


def task_state(line: work.TaskLine, running: Progress | None, at: datetime) -> None:
    if running:
        with tag("span", "standing running"):
            parts.progress_bar(running, f"{wording.stage_name(line.task_type)} of {line.video_name}")
            tag("span", "num", wording.how_far(running.fraction))
    elif line.state == "complete":
        parts.chip(
            wording.ENDED_BADLY.get(line.outcome or "", "Done"),
            "trouble" if line.outcome in wording.ENDED_BADLY else "ok",
        )
        if line.reason:
            tag("div", "small muted", line.reason)
    elif line.hold:
        parts.chip("Held", "trouble")
        tag("div", "small", line.hold)
    elif line.first:
        parts.chip("First in line", "ok", "vertical_align_top")
    else:
        waits = line.not_before is not None and line.not_before > at
        again = f"Again {wording.until(line.not_before, at)}" if line.not_before and waits else "Waiting"
        parts.chip(again, "trouble" if waits and line.failures else "")
    if line.last_error and line.state == "pending":
        with tag("details", "error small"):
            tag("summary", text=line.last_error.strip().splitlines()[-1][:160])
            tag("pre", text=line.last_error)


def retry_button(line: work.TaskLine) -> None:
    act_button(line, "again", "Try again", f"Try {wording.stage_name(line.task_type)} of {line.video_name} again")


def first_button(line: work.TaskLine) -> None:
    """Or the way back from it."""
    label, what = ("In turn", "Let {} wait its turn") if line.first else ("First in line", "Put {} first in line")
    act_button(line, "move", label, what.format(line.video_name), "quiet")


def act_button(line: work.TaskLine, act: str, label: str, spoken: str, classes: str = "") -> None:
    known = {"aria_label": spoken, "title": spoken, "data_act": act, "data_of": str(line.task_id)}
    tag("button", f"button small {classes}", label, type="button", **known)


def retry_all_button(stuck: int) -> None:
    with tag("p", "actions"):
        label = f"Try all {stuck:,} again" if stuck > 1 else "Try it again"
        tag("button", "button primary", label, type="button", data_act="all")


async def again(line: work.TaskLine) -> None:
    what = f"had a task tried again: {line.task_type} of {line.video_id}"
    released = await change(partial(table.release, task_id=line.task_id), what)
    system.current().shortages.try_again()
    system.current().wake(line.video_id)
    ui.notify("It is tried again now." if released else "This task is done already.", type="info")


async def move(line: work.TaskLine) -> None:
    """To the head of the line, or back from it."""
    tasks = await asyncio.to_thread(lining.clip_first, line.video_id, line.first)
    said = f"{line.video_name} waits its turn." if line.first else f"{line.video_name} goes first, to its end."
    ui.notify(said if tasks else f"{line.video_name} is through already.", type="info")
