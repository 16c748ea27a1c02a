"""The first page: what there is, what came in last, what is being worked on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from nicegui import ui
from nicegui.element import Element
from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.pages import devices, parts
from app.pages.frame import NAME, ask, frame, now, zone
from app.pages.parts import link, tag
from dashcam.catalog import devices as device_table
from dashcam.catalog import search, work
from dashcam.catalog import videos as video_table
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.totals import Totals
from dashcam.catalog.totals import totals as catalogue_totals
from dashcam.catalog.videos import VideoCard, VideoFilter
from dashcam.upkeep import checks

PLATES, VIDEOS = 10, 8


@dataclass(frozen=True)
class Catalogue:
    totals: Totals
    plates: list[PlateCard]
    videos: list[VideoCard]


@dataclass(frozen=True)
class GoingOn:
    backlog: list[work.StageBacklog]
    running: list[work.TaskLine]
    devices: list[device_table.DeviceLine]
    troubles: list[str]
    """What a person should see to."""


def latest(session: Session) -> tuple[list[PlateCard], list[VideoCard]]:
    processed = video_table.videos(session, VideoFilter(outcome="processed"), limit=VIDEOS)
    videos = processed or video_table.videos(session, limit=VIDEOS)
    return search.plates(session, limit=PLATES), videos


def going_on(session: Session) -> tuple[list[work.TaskLine], list[device_table.DeviceLine]]:
    running = work.tasks_by_id(session, system.current().progress.snapshot())
    return running, device_table.lines(session, now())


async def look() -> tuple[Catalogue, GoingOn]:
    here = system.current()
    catalogue = Catalogue(await here.recent(catalogue_totals), *await here.recent(latest))
    told = [await asyncio.to_thread(here.upkeep.trouble, now()), await here.recent(checks.summary)]
    troubles = [sentence for sentence in told if sentence]
    return catalogue, GoingOn(await here.recent(work.backlog), *await ask(going_on), troubles)


async def dashboard() -> None:
    """Looked at every two seconds; what takes long to count or find is not asked anew each time."""
    known, at_work = await look()
    with frame(NAME, "/"):
        head = tag("div")
        with tag("div", "columns"):
            main, side = tag("div", "wide"), tag("div", "narrow")
    redraw(head, lambda: counts(known.totals))
    redraw(main, lambda: came_in_last(known))
    redraw(side, lambda: draw_work(at_work))

    async def look_again() -> None:
        nonlocal known, at_work
        catalogue_before, work_before = known, at_work
        known, at_work = await look()
        if at_work != work_before or at_work.running:
            redraw(side, lambda: draw_work(at_work))
        if known != catalogue_before:
            redraw(head, lambda: counts(known.totals))
            redraw(main, lambda: came_in_last(known))

    ui.timer(2.0, look_again)


def redraw(place: Element, draw: Callable[[], None]) -> None:
    place.clear()
    with place:
        draw()


def came_in_last(known: Catalogue) -> None:
    if not known.totals.videos:
        what = "Give the folder with your dashcam's clips to this command; the plates in them appear here."
        parts.empty("video_library", "No clips yet", what, "dashcam process FOLDER")
        return
    recent_plates(known.plates)
    recent_videos(known.videos)


def counts(totals: Totals) -> None:
    with tag("div", "counts"):
        for value, noun, target in (
            (f"{totals.videos:,}", "videos", "/videos"),
            (wording.footage(totals.footage_s), "of footage", "/videos"),
            (f"{totals.plates:,}", "plates", "/plates"),
            (f"{totals.sightings:,}", "sightings", "/plates"),
        ):
            with link(target, "count"):
                tag("strong", "num", value)
                tag("span", "muted", noun)


def recent_plates(plates: list[PlateCard]) -> None:
    with parts.section("Seen last", ("All plates", "/plates") if plates else None):
        if plates:
            with tag("div", "grid plates"):
                for card in plates:
                    parts.plate_card(card, zone(), now())
        else:
            parts.empty("pin", "No plates yet", "They appear here as soon as a clip has been looked through.")


def recent_videos(videos: list[VideoCard]) -> None:
    progress = system.current().progress.snapshot()
    with parts.section("Latest videos", ("All videos", "/videos")), tag("div", "grid videos"):
        for card in videos:
            parts.video_card(card, zone(), now(), progress)


def draw_work(at: GoingOn) -> None:
    if at.troubles:
        with parts.section("To see to", None), tag("div", "panel"):
            for sentence in at.troubles:
                tag("p", "small pad", sentence)
    with parts.section("Work", ("Tasks", "/tasks")), tag("div", "panel"):
        for stage in at.backlog:
            stage_row(stage, [task for task in at.running if task.task_type == stage.task_type])
    with parts.section("Devices", ("Details", "/devices")), tag("div", "panel"):
        for device in at.devices:
            with tag("div", "row"):
                devices.dot(device, now())
                tag("span", "grow", device.hostname)
                tag("span", "muted small", devices.seen(device, now()))
        if not at.devices:
            tag("p", "muted small pad", "No device has reported yet. `dashcam up` starts all of them on this machine.")


def stage_row(stage: work.StageBacklog, running: list[work.TaskLine]) -> None:
    progress = system.current().progress.snapshot()
    with tag("div", "row"):
        tag("span", "grow", wording.stage_name(stage.task_type))
        if stage.held:
            parts.chip(f"{stage.held:,} held", "trouble")
        waiting = wording.count(stage.pending, "clip") if stage.pending else "nothing waits"
        amount = f"{waiting} · {wording.footage(stage.footage_s)}" if stage.footage_s else waiting
        tag("span", "num small" + ("" if stage.pending else " muted"), amount)
    for task in running:
        if at := progress.get(task.task_id):
            with tag("div", "row inner small"):
                link(addresses.video_url(task.video_id), "grow clip", task.video_name)
                parts.progress_bar(at, f"{task.video_name} on {at.device}")
                tag("span", "num", wording.percent(at.fraction))
