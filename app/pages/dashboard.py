"""The first page: what there is, what came in last, what is being worked on."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nicegui import ui
from nicegui.element import Element
from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.pages import devices, parts
from app.pages.frame import NAME, ask, frame, now, zone
from app.pages.parts import link, tag
from app.progress import Progress
from dashcam.catalog import devices as device_table
from dashcam.catalog import search, work
from dashcam.catalog import videos as video_table
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.totals import Totals
from dashcam.catalog.totals import totals as catalogue_totals
from dashcam.catalog.videos import VideoCard
from dashcam.upkeep import checks

PLATES, VIDEOS = 10, 8
SHARE = 0.01
"""Of one core, that a part of an open page may take to be drawn."""


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
    seen = [card for card in search.plates(session, limit=2 * PLATES) if not card.last.guessed]
    return seen[:PLATES], video_table.latest(session, VIDEOS)


def going_on(session: Session) -> tuple[list[work.TaskLine], list[device_table.DeviceLine]]:
    running = work.tasks_by_id(session, system.current().progress.snapshot())
    return running, device_table.lines(session, now())


async def look() -> tuple[Catalogue, GoingOn]:
    here = system.current()
    catalogue = Catalogue(await here.recent(catalogue_totals), *await here.recent(latest))
    told = [await asyncio.to_thread(here.upkeep.trouble, now()), await here.recent(checks.summary)]
    told += here.shortages.sentences()
    troubles = [sentence for sentence in told if sentence]
    return catalogue, GoingOn(await here.recent(work.backlog), *await ask(going_on), troubles)


class PagePart:
    """A part of the page that is drawn anew when what it shows has changed: a card more costs a millisecond of CPU, so
    it keeps to its `SHARE` of one core, and shows the newest a little later."""

    def __init__(self, place: Element, draw: Callable[[Any], None]) -> None:
        self.place, self.draw = place, draw
        self.shown: Any = None
        self.rests_until = -math.inf

    def show(self, what: Any) -> None:
        if what == self.shown or time.monotonic() < self.rests_until:
            return
        began = time.thread_time()
        self.place.clear()
        with self.place:
            self.draw(what)
        if self.shown is not None:  # who opens the page sees the first change at once
            self.rests_until = time.monotonic() + (time.thread_time() - began) / SHARE
        self.shown = what


async def dashboard() -> None:
    """Looked at every two seconds; what takes long to count, find or draw is not done anew each time."""
    known, at_work = await look()
    with frame(NAME, "/"):
        tag("h1", "spoken", "Dashboard")
        head = PagePart(tag("div"), counts)
        with tag("div", "columns"):
            main, side = PagePart(tag("div", "wide"), came_in_last), PagePart(tag("div", "narrow"), draw_work)

    def show() -> None:
        head.show(known.totals)
        main.show((known.totals.videos > 0, known.plates, at_work_now(known.videos, at_work.running)))
        side.show((at_work, system.current().progress.snapshot()))

    async def look_again() -> None:
        nonlocal known, at_work
        known, at_work = await look()
        show()

    show()
    ui.timer(2.0, look_again)


def at_work_now(videos: list[VideoCard], running: list[work.TaskLine]) -> list[VideoCard]:
    """The cards, which may be some seconds old, with what a device is at this moment: as the panel beside them says."""
    by_clip = {task.video_id: task for task in running if task.state == "pending"}
    return [replace(card, task=by_clip.get(card.video_id, card.task)) for card in videos]


def came_in_last(known: tuple[bool, list[PlateCard], list[VideoCard]]) -> None:
    any_videos, plates, videos = known
    if not any_videos:
        what = "Give the folder with your dashcam's clips to this command; the plates in them appear here."
        parts.empty("video_library", "No clips yet", what, "dashcam process FOLDER")
        return
    recent_plates(plates)
    recent_videos(videos)


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
            parts.video_card(card, zone(), now(), progress, dated=True)


def draw_work(known: tuple[GoingOn, Mapping[int, Progress]]) -> None:
    at, progress = known
    if at.troubles:
        with parts.section("To see to", None), tag("div", "panel"):
            for sentence in at.troubles:
                tag("p", "small pad", sentence)
    with parts.section("Work", ("Tasks", "/tasks")), tag("div", "panel"):
        for stage in at.backlog:
            stage_row(stage, [task for task in at.running if task.task_type == stage.task_type], progress)
    with parts.section("Devices", ("Details", "/devices")), tag("div", "panel"):
        for device in at.devices:
            with tag("div", "row"):
                devices.dot(device, now())
                tag("span", "grow", device.hostname)
                tag("span", "muted small", devices.seen(device, now()))
        if not at.devices:
            tag("p", "muted small pad", "No device has reported yet. `dashcam up` starts all of them on this machine.")


def stage_row(stage: work.StageBacklog, running: list[work.TaskLine], progress: Mapping[int, Progress]) -> None:
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
                tag("span", "num", wording.how_far(at.fraction))
