"""The rules of retention: why something is kept, until when, and what one run may remove. No file, no database.

Everything that is ever removed was announced in a `Plan`; `judge` gives the one answer that page, plan and run go by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dashcam.config import Site
from dashcam.records import Held, HoldingKind, Record
from dashcam.storage import layout
from dashcam.storage.room import reserve

KINDS: tuple[HoldingKind, ...] = ("raw", "preproc", "heavy_output", "lowres")
STORE_OF: dict[HoldingKind, str] = {
    "raw": layout.INDOOR,
    "preproc": layout.INDOOR,
    "heavy_output": layout.INDOOR,
    "lowres": layout.SHED,
}
LOSING: tuple[HoldingKind, ...] = ("raw", "lowres")
"""What cannot be made again once it is gone."""
MONTH = timedelta(days=365.25 / 12)
UNCOUNTED = 1_000_000
"""Bytes that are reckoned for what was never counted, which is small."""
MOST_ITEMS = 20_000
"""In one plan."""
ANNOUNCED = (timedelta(days=30), timedelta(hours=20))
"""So long ago an earlier plan was made: then the database is no new one, and the clock has not jumped since."""
CLOCKS_APART = timedelta(minutes=10)
A_DAY = timedelta(days=1)


class Rules(Record):
    """How long each kind is kept after its archive was verified; None is for ever."""

    raw_videos: int | None
    preproc_data: int
    heavy_output: int
    lowres_months: int | None

    @classmethod
    def of(cls, site: Site) -> "Rules":
        days, retention = site.global_.storage_retention_days, site.retention
        return cls(
            raw_videos=days.raw_videos,
            preproc_data=days.preproc_data,
            heavy_output=days.heavy_output,
            lowres_months=retention.lowres_months,
        )

    def keeps(self, kind: HoldingKind) -> timedelta | None:
        match kind:
            case "raw":
                return None if self.raw_videos is None else self.raw_videos * A_DAY
            case "preproc":
                return self.preproc_data * A_DAY
            case "heavy_output":
                return self.heavy_output * A_DAY
        return None if self.lowres_months is None else self.lowres_months * MONTH

    def name(self, kind: HoldingKind) -> str:
        """As it is written in the settings: ``storage_retention_days.raw_videos = 90``."""
        match kind:
            case "raw":
                return f"storage_retention_days.raw_videos = {_said(self.raw_videos)}"
            case "preproc":
                return f"storage_retention_days.preproc_data = {self.preproc_data}"
            case "heavy_output":
                return f"storage_retention_days.heavy_output = {self.heavy_output}"
        return f"retention.lowres_months = {_said(self.lowres_months)}"


def _said(value: int | None) -> str:
    return "null" if value is None else str(value)


class Verdict(Record):
    """What a rule says of one thing that is held."""

    rule: str
    goes_at: datetime | None
    """When it may go; None is never, or not before something else has happened."""
    why: str
    """Why it is kept, or why it goes, in one sentence."""

    def is_due(self, now: datetime) -> bool:
        return self.goes_at is not None and self.goes_at <= now


def judge(held: Held, rules: Rules) -> Verdict:
    """The first rule that applies wins; those that keep come before those that let go."""
    if held.protected is not None:
        return Verdict(rule="protected", goes_at=None, why=held.protected)
    if held.locked:
        return Verdict(rule="locked in the camera", goes_at=None, why="The driver locked this clip in the camera.")
    if held.pending is not None:
        return Verdict(rule="in work", goes_at=None, why=f"{held.pending} of its clip is still to be done.")
    if not held.uris:
        why = f"It lies outside {layout.INDOOR}:{layout.RAW}/, in a folder that is not this system's."
        return Verdict(rule="not ours", goes_at=None, why=why)
    keeps, name = rules.keeps(held.kind), rules.name(held.kind)
    if keeps is None:
        return Verdict(rule=name, goes_at=None, why="It is kept for ever.")
    goes_at = held.since + keeps
    return Verdict(rule=name, goes_at=goes_at, why=f"Its archive is verified since {held.since:%Y-%m-%d}.")


class StoreState(Record):
    """A store as the machine that does the work sees it."""

    store: str
    trouble: str | None = None
    """Why it cannot be used, in one sentence; nothing else is known then."""
    total: int = 0
    free: int = 0
    folders: int | None = None
    """Of the archive: how many clips have one there."""


class Survey(Record):
    at: datetime
    """By the clock of that machine."""
    stores: list[StoreState]


class PlanItem(Record):
    kind: HoldingKind
    video_id: str
    name: str
    uris: list[str]
    bytes: int | None
    rule: str
    goes_at: datetime


class Plan(Record):
    """What is to go in one run, announced before anything does."""

    plan_id: int = 0
    made_at: datetime
    unattended: bool
    """Nobody looks at it before it is carried out."""
    report_only: bool
    cold_store: str | None = None
    """Where the record of a clip is copied before its small copy goes."""
    refused: list[str]
    """Why nothing of it may go, a sentence each; with any of them nothing does."""
    rules: Rules
    items: list[PlanItem]
    later: int
    """How many more are due, which would be too much for one run."""
    later_bytes: int
    stores: list[StoreState]

    @property
    def bytes(self) -> int:
        return sum(item.bytes or 0 for item in self.items)

    @property
    def nearly_full(self) -> list[str]:
        """A sentence for each store in which there is no room; for the reader alone: no rule goes by it."""
        return [
            f"Store {one.store} has no more than its reserve free; nothing goes sooner for it, taking in stops first."
            for one in self.stores
            if one.total and one.free < reserve(one.total)
        ]


def due(held: Iterable[Held], rules: Rules, now: datetime) -> list[PlanItem]:
    """All that may go now, what was due first before the rest."""
    found = []
    for one in held:
        verdict = judge(one, rules)
        if verdict.is_due(now) and verdict.goes_at is not None:
            known = one.model_dump(include={"kind", "video_id", "name", "uris", "bytes"})
            found.append(PlanItem(**known, rule=verdict.rule, goes_at=verdict.goes_at))
    return sorted(found, key=lambda item: (item.goes_at, item.kind, item.video_id))


def within(
    items: Sequence[PlanItem], stores: Iterable[StoreState], share: float
) -> tuple[list[PlanItem], list[PlanItem]]:
    """Those that one run may take, at most ``share`` of each store's size, and those that have to wait."""
    left = {one.store: share * one.total for one in stores}
    now: list[PlanItem] = []
    later: list[PlanItem] = []
    for item in items:
        store, size = STORE_OF[item.kind], item.bytes if item.bytes is not None else UNCOUNTED
        if len(now) < MOST_ITEMS and size <= left.get(store, 0):
            left[store] -= size
            now.append(item)
        else:
            later.append(item)
    return now, later


@dataclass(frozen=True)
class Circumstances:
    """By which it is seen whether clock, database and stores can be trusted."""

    now: datetime
    unattended: bool
    videos: int
    losing: int
    """Videos that would lose their clip or their small copy if all went that is due."""
    schema: str
    """Empty where the database's is this version's; otherwise what it is."""
    newest_arrival: datetime | None
    newest_recording: tuple[str, datetime] | None
    newest_plan: datetime | None
    announced: bool
    """An earlier plan was made within `ANNOUNCED`."""


def refusals(seen: Circumstances, survey: Survey, most_of_videos: float) -> list[str]:
    """Why nothing may be removed now, one sentence each; empty when all is as it should be."""
    return [*_stores(survey), *_database(seen, survey), *_clock(seen, survey), *_unattended(seen, most_of_videos)]


def _stores(survey: Survey) -> list[str]:
    return [one.trouble for one in survey.stores if one.trouble is not None]


def _database(seen: Circumstances, survey: Survey) -> list[str]:
    said = []
    if seen.schema:
        said.append(f"The database is of another version ({seen.schema}): start the main server of this version first.")
    folders = max((one.folders or 0 for one in survey.stores), default=0)
    if folders > seen.videos:
        said.append(
            f"The archive has {folders:,} clips, but the database knows {seen.videos:,}: it is new, or not the one "
            "that belongs to this archive. Put the right one back, or build it from the archive: dashcam rebuild"
        )
    return said


def _clock(seen: Circumstances, survey: Survey) -> list[str]:
    said = []
    if seen.newest_recording is not None and seen.newest_recording[1] > seen.now + A_DAY:
        name, began = seen.newest_recording
        said.append(
            f"{name} was recorded on {began:%Y-%m-%d}, which is still to come: set the clock of the main server, or "
            "correct the camera's: dashcam clock"
        )
    for what, when in (("clip came in", seen.newest_arrival), ("plan was made", seen.newest_plan)):
        if when is not None and when > seen.now + CLOCKS_APART:
            said.append(f"A {what} at {when:%Y-%m-%d %H:%M} UTC, which is still to come: set the main server's clock.")
    if abs(survey.at - seen.now) > CLOCKS_APART:
        said.append(
            f"It is {survey.at:%Y-%m-%d %H:%M} UTC on the machine that would do it, and {seen.now:%Y-%m-%d %H:%M} on "
            "the main server: set the clock that is wrong."
        )
    return said


def _unattended(seen: Circumstances, most_of_videos: float) -> list[str]:
    """What a person may decide who has seen the plan."""
    if not seen.unattended:
        return []
    said = []
    if not seen.announced:
        said.append(
            "No plan was made between 20 hours and 30 days ago: the database is new, or the clock has jumped, or the "
            "machine was off. If this plan is right, the next night's goes ahead; or run now: dashcam retention"
        )
    if seen.losing > most_of_videos * seen.videos:
        said.append(
            f"{seen.losing:,} of {seen.videos:,} videos would lose their clip or their small copy at once, more than "
            f"retention.most_of_videos allows ({most_of_videos:.0%}). If that is right, run: dashcam retention"
        )
    return said


HoldingState = Literal["due", "later", "kept"]


def state_of(verdict: Verdict, now: datetime) -> HoldingState:
    return "kept" if verdict.goes_at is None else "due" if verdict.goes_at <= now else "later"
