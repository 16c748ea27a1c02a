"""The first page, Tonight: what is new and not looked at yet, what is being worked on, what needs attention."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments
from sqlalchemy.orm import Session

from app import addresses, reviewing, saying, system, wording
from app.access import callers
from app.answers import of_the_catalogue
from app.pages import devices, first_run, parts, review
from app.pages.frame import ask, frame, keep_looking, midnight, now, zone
from app.pages.parts import link, tag
from app.pages.plate_acts import act
from app.pages.still import Piece, anew
from app.progress import Progress
from dashcam.access.roles import Role
from dashcam.catalog import devices as device_table
from dashcam.catalog import pace, reviews, routes, suggestions, tonight, watching, work
from dashcam.catalog import videos as video_table
from dashcam.catalog.meanings import Weighing
from dashcam.catalog.pace import Outlook
from dashcam.catalog.videos import VideoCard
from dashcam.tasks.row import TaskRow
from dashcam.upkeep import checks

VIDEOS = 8
WEIGHED_S = 0.01
"""Of CPU, how plates were met: for who waits for the page, and each time that the open page looks again."""
SHARE = 0.01
"""Of one core, that a part of an open page may take to be drawn."""


@dataclass(frozen=True)
class GoingOn:
    videos: list[VideoCard]
    backlog: list[work.StageBacklog]
    pace: Outlook
    running: list[work.TaskLine]
    devices: list[device_table.DeviceLine]
    troubles: list[str]
    """What a person should see to."""


def latest(session: Session) -> list[VideoCard]:
    return video_table.latest(session, VIDEOS)


def going_on(session: Session) -> tuple[list[work.TaskLine], list[device_table.DeviceLine]]:
    running = work.tasks_by_id(session, system.current().progress.snapshot())
    return running, device_table.lines(session, now())


def backlog(session: Session) -> tuple[list[work.StageBacklog], Outlook]:
    waiting = work.backlog(session)
    return waiting, pace.pace(session, now(), waiting)


async def look() -> GoingOn:
    here = system.current()
    told = [await asyncio.to_thread(here.upkeep.trouble, now()), await here.recent(checks.summary), *here.unheeded]
    told += here.shortages.sentences()
    troubles = [sentence for sentence in told if sentence]
    return GoingOn(await here.recent(latest), *await here.recent(backlog), *await ask(going_on), troubles)


def day_of(wanted: review.Shown) -> tuple[datetime, datetime] | None:
    """From when to when the day goes that is asked for."""
    if wanted.day is None:
        return None
    begin, end = midnight(wanted.day), midnight(wanted.day, days=1)
    return (begin, end) if begin and end else None


def weighing(session: Session) -> Weighing:
    return Weighing(session, system.current().meanings, zone(), WEIGHED_S, callers.view())


def what_is_new(session: Session, wanted: review.Shown, known: Sequence[suggestions.Suggestion]) -> review.Tonight:
    """``known`` are pairs of plates that were found a moment ago; those are shown that are still to be asked about."""
    here = system.current()
    found = here.answers.of(
        ("tonight", wanted, callers.view(), zone(), *here.site.privacy.watched_plates),
        (*of_the_catalogue(), TaskRow.__tablename__),
        partial(looked_up, session, wanted),
        partial(is_weighed_as_far, session),
    )
    return replace(found, pairs=suggestions.unanswered(session, known))


def is_weighed_as_far(session: Session, found: review.Tonight) -> bool:
    """Until it is known of half of the plates left how they were met, it is shown of none of them."""
    look = Weighing(session, system.current().meanings, zone(), 0.0, callers.view())
    look.at(found.unweighed)
    return not found.unweighed or 2 * len(look.left) > len(found.unweighed)


def looked_up(session: Session, wanted: review.Shown) -> review.Tonight:
    following = (wanted.month + timedelta(days=32)).replace(day=1)
    days = [wanted.month + timedelta(days=number) for number in range((following - wanted.month).days)]
    begins = [at for one in [*days, following] if (at := midnight(one)) is not None]
    site = system.current().site
    watched, meanings = watching.numbers(session, site), weighing(session)
    trips = tonight.news(session, wanted.account_id, wanted.since, watched, day_of(wanted), meanings, site.place)
    dots = tonight.unreviewed_days(session, wanted.account_id, begins)
    clips = tonight.any_clips(session)
    ends = routes.ends(session, [trip.trip_id for trip in trips])
    days_told = list(zip(days, dots, strict=False))
    return review.Tonight(trips, days_told, clips, ends=ends, unweighed=meanings.left)


async def one_car(wanted: review.Shown) -> list[suggestions.Suggestion]:
    """What was found a moment ago, for a person whom it may be asked."""
    asks = wanted.day is None and callers.may(Role.MEMBER) and callers.view()[1] is None
    return await system.current().recent(suggestions.suggestions) if asks else []


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
        with self.anew():
            self.draw(what)
        if self.shown is not None:  # who opens the page sees the first change at once
            self.rests_until = time.monotonic() + (time.thread_time() - began) / SHARE
        self.shown = what

    def anew(self) -> AbstractContextManager[object]:
        self.place.clear()
        return self.place


class StillPart(PagePart):
    """In which what becomes the same again stays as somebody has it."""

    def __init__(self, place: Piece, draw: Callable[[Any], None]) -> None:
        super().__init__(place, draw)
        self.piece = place

    def anew(self) -> AbstractContextManager[object]:
        return anew(self.piece)


class Inbox:
    """What is not reviewed: asked for anew when the person acts, and within its `SHARE` of a core when tasks change or
    it is not known of each plate yet how it was met."""

    def __init__(self, wanted: review.Shown) -> None:
        self.wanted = wanted
        self.found = review.Tonight([], [], True)
        self.unweighed: list[int] = []
        """Plates of which it is not known by now how they were met."""
        self.number = -1
        self.answers: list[tuple[bool, str, str]] = []
        """What the person has said of two plates since their last mark, for them to take back."""
        self.turn = asyncio.Lock()
        """Who is quick takes back what they have just said, not what they said before."""
        self.rests_until = -math.inf

    async def look(self, at_once: bool = False) -> None:
        changes = system.current().changes
        meanings = system.current().meanings
        if self.unweighed and not at_once and time.monotonic() >= meanings.rests_until:
            self.unweighed, cost_s = await ask(self.weigh)
            meanings.rests_until = time.monotonic() + cost_s / SHARE
        as_it_was = changes.number == self.number and len(self.unweighed) == len(self.found.unweighed)
        if not at_once and (as_it_was or time.monotonic() < self.rests_until):
            return
        self.number = changes.number

        pairs = await one_car(self.wanted)

        def asked(session: Session) -> tuple[review.Tonight, float]:
            began = time.thread_time()
            return what_is_new(session, self.wanted, pairs), time.thread_time() - began

        self.found, cost_s = await ask(asked)
        self.unweighed = self.found.unweighed
        self.rests_until = time.monotonic() + cost_s / SHARE

    def weigh(self, session: Session) -> tuple[list[int], float]:
        """A few more plates: those that are left, and what it cost."""
        began, look = time.thread_time(), weighing(session)
        look.at(self.unweighed)
        return look.left, time.thread_time() - began

    async def act(self, event: GenericEventArguments) -> None:
        """What a key or a button asks for: a mark of one thing, of a trip, or the last one taken back."""
        if (pair := review.pair_of(event.args)) is not None:
            await self.answer(*pair)
            return
        asked = review.asked_for(event.args)
        if asked is None:
            return
        if asked[0] == "undo" and self.answers:
            await self.take_back(*self.answers.pop())
            return
        self.answers.clear()
        account_id, at = self.wanted.account_id, now()
        what, trip_id, mark = asked
        if what == "undo":
            await reviewing.write(partial(reviews.undo, account_id=account_id))
        elif what == "day" and (of_day := day_of(self.wanted)):
            await reviewing.write(partial(tonight.mark_day, account_id=account_id, of_day=of_day, now=at))
        elif what == "trip":
            await reviewing.write(partial(reviews.mark_trip, account_id=account_id, trip_id=trip_id, now=at))
        elif mark is not None:
            one = partial(tonight.mark_one, account_id=account_id, trip_id=trip_id, mark=mark, now=at)
            await reviewing.write(one)
        await self.look(at_once=True)

    async def answer(self, yes: bool, one: str, into: str) -> None:
        say = saying.merge if yes else saying.apart
        if await act(lambda session: (say(session, one, into),)) is not None:
            self.answers.append((yes, one, into))
        await self.look_for_pairs()

    async def take_back(self, yes: bool, one: str, into: str) -> None:
        if yes:
            await act(lambda session: saying.split(session, one))
        else:
            await act(lambda session: saying.ask_again(session, one, into))
        await self.look_for_pairs()

    async def look_for_pairs(self) -> None:
        system.current().forget_answers(suggestions.suggestions)
        await self.look(at_once=True)


async def dashboard(day: str = "", month: str = "") -> None:
    """Looked at every two seconds; what takes long to find or draw is not done anew each time."""
    account_id = reviewing.account()
    since = await reviewing.write(partial(reviews.visit, account_id=account_id, now=now()))
    chosen = review.date_of(day)
    newest = await ask(tonight.newest_day)
    at = chosen or review.date_of(f"{month}-01") or (newest or now()).astimezone(zone()).date()
    inbox = Inbox(review.Shown(account_id, at.replace(day=1), chosen, since))
    await inbox.look(at_once=True)
    at_work = await look()
    with frame("Tonight", "/", own=("tonight.css", "tonight.js")):
        with tag("div", "title-line"):
            parts.page_title("Tonight")
            review.keys_button()
        with tag("div", "columns"):
            with tag("div", "wide"):
                first = PagePart(tag("div"), first_run.draw)
                with tag("div", id="tonight"):
                    main = StillPart(Piece(), partial(review.draw, inbox.wanted))
                recent = StillPart(Piece().classes("still"), recent_videos)
            side = StillPart(Piece().classes("narrow"), going_on_now)
        review.keys_sheet()
        acts = tag("div", "hidden", id="acts")

        def show() -> None:
            first.show(inbox.found.any_clips)
            main.show(inbox.found)
            recent.show(at_work_now(at_work.videos, at_work.running))
            side.show((at_work, system.current().progress.snapshot()))

        show()

    async def carry_out(event: GenericEventArguments) -> None:
        async with inbox.turn:
            await inbox.act(event)
        main.rests_until = -math.inf  # whoever acts sees at once what became of it
        show()

    async def look_again() -> None:
        nonlocal at_work
        at_work = await look()
        await inbox.look()
        show()

    acts.on("act", carry_out, js_handler="event => emit(event.detail)")
    keep_looking(2.0, look_again)


def at_work_now(videos: list[VideoCard], running: list[work.TaskLine]) -> list[VideoCard]:
    """The cards, which may be some seconds old, with what a device is at this moment: as the panel beside them says."""
    by_clip = {task.video_id: task for task in running if task.state == "pending"}
    return [replace(card, task=by_clip.get(card.video_id, card.task)) for card in videos]


def recent_videos(videos: list[VideoCard]) -> None:
    if not videos:
        return
    progress = system.current().progress.snapshot()
    with parts.section("Latest videos", ("All videos", "/videos")), tag("div", "grid videos"):
        for card in videos:
            parts.video_card(card, zone(), now(), progress, dated=True)


def going_on_now(known: tuple[GoingOn, Mapping[int, Progress]]) -> None:
    at, progress = known
    if at.troubles:
        with parts.section("To see to", None), tag("div", "panel"):
            for sentence in at.troubles:
                tag("p", "small pad", sentence)
    with parts.section("Work", ("Tasks", "/tasks")), tag("div", "panel"):
        tag("p", "pad", when_done(at.pace, sum(stage.held for stage in at.backlog)))
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


def when_done(at: Outlook, held: int) -> str:
    """One sentence about the backlog."""
    if not at.waiting_s and held:
        return f"{wording.count(held, 'task')} held until somebody says to try again; nothing else waits."
    if not at.waiting_s:
        return "Nothing waits: every clip is through."
    waiting = f"{wording.footage(at.waiting_s)} of footage is not through yet"
    if at.left_s is None:
        return f"{waiting}. How long that takes is not known yet."
    done = now() + timedelta(seconds=at.left_s)
    return f"{waiting}: done about {wording.short_moment(done, zone(), now())}, at the speed of the last hour."


def stage_row(stage: work.StageBacklog, running: Sequence[work.TaskLine], progress: Mapping[int, Progress]) -> None:
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
