"""What the web process is made of; one per process, set up by `app.main`."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from threading import Lock
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import addressees, named_broker
from app.access import callers
from app.access.entry import Access
from app.ahead import Ahead
from app.answers import Answers
from app.broker import Broker
from app.caretaker import Caretaker
from app.corrections import Corrections
from app.journal import Journal
from app.metrics import Metrics
from app.outages import DATABASE, Outages
from app.private_words import PrivateWord, Unreadable
from app.progress import ProgressBoard
from app.samples import SampleDrive
from app.shortages import Shortages
from app.upkeep import Upkeep
from dashcam.access.roles import Role
from dashcam.catalog import clocks, site_words
from dashcam.catalog.arrival import Settling
from dashcam.catalog.meanings import Meanings
from dashcam.config import Site
from dashcam.database import reading, writing
from dashcam.storage.roots import Stores
from dashcam.tasks.chain import POOLS

ZONE_KEPT_S = 30.0
RECENT = 600
T = TypeVar("T")


class Broadcast:
    """Tells everybody who waits at that moment, all of them on one event loop. Whoever tells may be on any thread."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.number = 0
        """How often it has been told: who was away sees by it that something was missed."""

    def next(self) -> asyncio.Event:
        """Set at the next change; taken before looking, so that none is missed between looking and waiting."""
        self._loop = asyncio.get_running_loop()
        return self._event

    def changed(self) -> None:
        self.number += 1
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, change: asyncio.Event, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(change.wait(), timeout_s)


@dataclass
class System:
    engine: Engine
    site: Site
    stores: Stores
    token: str
    progress: ProgressBoard = field(default_factory=ProgressBoard)
    journal: Journal = field(default_factory=Journal)
    settling: Settling = field(default_factory=Settling)
    changes: Broadcast = field(default_factory=Broadcast)
    """Of changes in the task table."""
    pauses: Broadcast = field(default_factory=Broadcast)
    """Of when a person has paused or resumed a device."""
    offers: dict[str, Broadcast] = field(default_factory=lambda: {pool: Broadcast() for pool in POOLS})
    """By pool: of runs that have just been created for it."""
    upkeep: Upkeep = field(init=False)
    shortages: Shortages = field(init=False)
    corrections: Corrections = field(init=False)
    metrics: Metrics = field(default_factory=Metrics)
    outages: Outages = field(default_factory=Outages)
    caretaker: Caretaker = field(init=False)
    sample: SampleDrive = field(init=False)
    broker: Broker = field(init=False)
    access: Access = field(init=False)
    meanings: Meanings = field(default_factory=Meanings)
    ahead: Ahead = field(init=False)
    answers: Answers = field(init=False)
    configured: Site = field(init=False)
    """As its files say; ``site`` is with what admins have said on the pages."""
    addressed: list[addressees.MessageAddress] = field(default_factory=list)
    """Whom messages go to besides, as admins have said."""
    broker_named: named_broker.NamedBroker | None = None
    """As an admin has said."""
    unheeded: list[str] = field(default_factory=list)
    """Why what they have said does not count."""
    settled: Broadcast = field(default_factory=Broadcast)
    """Of what admins say."""
    bundles: dict[str, int | None] = field(default_factory=dict)
    """Of each bundle of evidence that somebody waits for, or has waited for lately, by its ticket, how many percent are
    made."""
    one_bundle: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One is made at a time."""
    pictures: int = field(default_factory=time.time_ns)
    """Part of the address of what stands for a clip: a browser keeps no picture under it that is not to be shown."""
    _zone: tuple[float, tzinfo | None] = (-math.inf, None)
    _recent: dict[tuple[Callable[[Session], Any], Any], tuple[float, float, Any]] = field(default_factory=dict)
    _heeding: Lock = field(default_factory=Lock)
    """Or who has read before what another has said since would have the last word."""
    _counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.answers = Answers(self.engine)
        self.configured = self.site
        self.shortages = Shortages(self.engine)
        self.upkeep = Upkeep(self.engine, self.site, self.stores)
        self.corrections = Corrections(self.engine, self.site)
        self.caretaker = Caretaker(self)
        self.sample = SampleDrive(self.stores)
        self.broker = Broker(self)
        self.ahead = Ahead(self)
        self.access = Access(self.engine, self.site, self.token)

    async def ask(self, question: Callable[[Session], T]) -> T:
        """Run one reading transaction beside the event loop, which never waits for the database."""

        def answer() -> T:
            with reading(self.engine) as session:
                return question(session)

        return await asyncio.to_thread(answer)

    async def recent(self, question: Callable[[Session], T]) -> T:
        """The answer to what takes long to count, as it was a moment ago.

        It is asked anew when it is `RECENT` times as old as it took: a six-hundredth of one core, however many look.
        """
        async with self._counting:
            asked = question, callers.view()  # not everybody is shown the same
            at, cost_s, answer = self._recent.get(asked, (-math.inf, 0.0, None))
            if time.monotonic() - at > RECENT * cost_s:

                def answered(session: Session) -> tuple[T, float]:
                    began = time.thread_time()
                    return question(session), time.thread_time() - began

                answer, cost_s = await self.ask(answered)
                self._recent[asked] = time.monotonic(), cost_s, answer
        return answer

    def forget_recent(self) -> None:
        """Something is to be in no count and no picture any more, or in all of them again."""
        self._recent.clear()
        self.pictures += 1

    def forget_answers(self, question: Callable[[Session], Any]) -> None:
        """Whoever asks that next gets it as it is then."""
        self._recent = {asked: answer for asked, answer in self._recent.items() if asked[0] is not question}

    async def change(self, change: Callable[[Session], T]) -> T:
        """Run one write transaction beside the event loop; it may have to wait for another's.

        Raises `callers.NotAllowed` where whoever asks may only look.
        """
        callers.ensure(Role.MEMBER)

        def carry_out() -> T:
            with writing(self.engine) as session:
                return change(session)

        return await asyncio.to_thread(carry_out)

    def heed(self) -> None:
        """Go by what admins have said of the site; at the start, and whenever one has."""
        with self._heeding:
            with reading(self.engine) as session:
                site = site_words.heeded(session, self.configured)
            unheeded: list[str] = []
            self.addressed = self.word_of(addressees.WORD, unheeded) or []
            self.broker_named = self.word_of(named_broker.WORD, unheeded)
            self.unheeded = unheeded
            urls = [*site.notify.urls, *(one.url for one in self.addressed)]
            mqtt = site.mqtt if self.broker_named is None else self.broker_named.instead_of(site.mqtt)
            self.site = site.model_copy(update={"notify": site.notify.model_copy(update={"urls": urls}), "mqtt": mqtt})
        self.settled.changed()

    def word_of(self, word: PrivateWord[T], unheeded: list[str]) -> T | None:
        """What cannot be read is told, and everything else goes on."""
        try:
            return word.known(self.configured)
        except Unreadable as error:
            unheeded.append(str(error))
            return None

    def settle(self, say: Callable[[Session], T]) -> T:
        """Write down what an admin says of the site, and go by it. Not for the event loop."""
        with writing(self.engine) as session:
            answer = say(session)
        self.heed()
        return answer

    def wake(self, *video_ids: str) -> None:
        """Tell the dispatcher and whoever watches, from any thread, that the task table has changed, and for whom."""
        self.journal.note(video_ids)
        self.changes.changed()

    def zone(self) -> tzinfo | None:
        """Of the times that people see: the site's setting, else where its latest clips were taken, else None, which
        is this machine's own as `datetime.astimezone` means it."""
        if time.monotonic() - self._zone[0] > 2 * ZONE_KEPT_S:  # nobody keeps it
            self.look_at_zone()
        return self._zone[1]

    def look_at_zone(self) -> None:
        zone: tzinfo | None
        if name := self.site.server.time_zone:
            zone = ZoneInfo(name)
        else:
            with reading(self.engine) as session:
                zone = clocks.zone_lived_in(session)
        self._zone = time.monotonic(), zone

    async def keep_zone(self) -> None:
        """Until cancelled: look at it beside the event loop, so that no page has to."""
        while True:
            await asyncio.sleep(ZONE_KEPT_S)
            try:
                await asyncio.to_thread(self.look_at_zone)
                await self.ask(lambda session: session.execute(select(1)))  # a zone that is set asks nothing
                self.outages.note("database", None)
            except SQLAlchemyError:  # it is where it was; a page that says what is away needs it too
                self.outages.note("database", DATABASE)
                self._zone = time.monotonic(), self._zone[1]


def with_zone(moment: datetime) -> datetime:
    """A time in UTC; one without a zone is the local time that pages show."""
    try:
        local = moment if moment.tzinfo is not None else moment.replace(tzinfo=current().zone())
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise HTTPException(422, f"{moment.isoformat()} is not a time between the years 1 and 9999 in UTC.") from None


_system: System | None = None


def start(system: System) -> None:
    global _system
    _system = system


def current() -> System:
    if _system is None:
        raise RuntimeError("app.main has not started the system yet")
    return _system
