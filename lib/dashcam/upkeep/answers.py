"""Why something is kept, when it will go, by which rule; or when it went: for REST and the pages."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from dashcam.catalog import holdings
from dashcam.catalog.models import Holding, Protection, Video
from dashcam.records import Held, HoldingKind, Record
from dashcam.storage import layout
from dashcam.upkeep import planning, retention
from dashcam.upkeep.retention import KINDS, HoldingState, Rules, Verdict, state_of

NEVER = datetime.max.replace(tzinfo=UTC)
CHUNK = 500


class Entry(Record):
    """One thing that is held."""

    kind: HoldingKind
    video_id: str
    name: str
    uris: list[str]
    bytes: int | None
    state: HoldingState
    rule: str
    goes_at: datetime | None
    why: str


class Answer(Record):
    """One thing that there is, or was, of a clip."""

    kind: str
    """`records.HoldingKind`, or ``crops``, the crops and frames in the archive."""
    places: list[str]
    kept: bool
    why: str
    rule: str
    goes_at: datetime | None = None
    """None while it is kept for good, or until something else has happened."""
    removed_at: datetime | None = None


def entries(
    session: Session,
    rules: Rules,
    kinds: Iterable[HoldingKind],
    now: datetime,
    state: HoldingState | None = None,
    until: datetime | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Entry]:
    """What is held, by the time at which it goes; what never goes comes last."""
    if state == "due":
        until = min(until, now) if until else now
    each = [_of_kind(session, rules, kind, now, state, until) for kind in kinds]
    merged = heapq.merge(*each, key=lambda entry: entry.goes_at or NEVER)
    found: list[Entry] = []
    for number, entry in enumerate(merged):
        if number >= offset + limit:
            break
        if number >= offset:
            found.append(entry)
    return found


def _of_kind(
    session: Session, rules: Rules, kind: HoldingKind, now: datetime, state: HoldingState | None, until: datetime | None
) -> Iterator[Entry]:
    """In order of when it would go; those that a mark keeps stand among the others."""
    if rules.keeps(kind) is None and state not in (None, "kept"):
        return
    offset, late = 0, list[Entry]()
    while found := planning.upcoming(session, rules, kind, CHUNK, offset, until, state == "kept"):
        offset += len(found)
        for held, verdict in found:
            entry = _entry(held, verdict, now)
            if state in (None, entry.state):
                if entry.goes_at is None and rules.keeps(kind) is not None:
                    late.append(entry)
                else:
                    yield entry
        if len(found) < CHUNK:
            break
    yield from late


def _entry(held: Held, verdict: Verdict, now: datetime) -> Entry:
    known = held.model_dump(include={"kind", "video_id", "name", "uris", "bytes"})
    said = verdict.model_dump()
    return Entry(**known, **said, state=state_of(verdict, now))


def of_video(session: Session, rules: Rules, video_id: str) -> list[Answer] | None:
    """None where there is no such video."""
    video = session.get(Video, video_id)
    if video is None:
        return None
    rows = holdings.of_video(session, video_id)
    held = {one.kind: one for one in holdings.held(session, Holding.video_id == video_id)}
    found = []
    for kind in KINDS:
        if kind in rows and (removed_at := rows[kind].removed_at) is not None:
            rule = rows[kind].rule or ""
            found.append(Answer(kind=kind, places=[], kept=False, why="", rule=rule, removed_at=removed_at))
        elif kind in held:
            verdict = retention.judge(held[kind], rules)
            found.append(Answer(kind=kind, places=held[kind].uris, kept=True, **verdict.model_dump()))
        else:
            found.append(_not_through(session, video, kind))
    return [*found, _crops(video)]


def _not_through(session: Session, video: Video, kind: HoldingKind) -> Answer:
    places = {
        "raw": [video.source],
        "preproc": [layout.preproc(video.video_id)],
        "heavy_output": [layout.bundle(video.video_id)],
        "lowres": [f"{layout.archive(video.video_id)}/{layout.LOWRES}"],
    }[kind]
    if (word := session.get(Protection, video.video_id)) is not None:
        return Answer(kind=kind, places=places, kept=True, rule="protected", why=holdings.protected_by(word))
    if video.outcome is None:
        rule, why = "in work", "It has not been through yet: its days begin when its archive is verified."
    elif video.outcome == "processed":
        rule, why = (
            "not noted yet",
            "Since when its archive is verified is noted by the next plan; its days begin then.",
        )
    else:
        rule, why = (
            "no archive",
            f"Its clip ended as {video.outcome}: nothing proves it elsewhere, so no rule removes it.",
        )
    return Answer(kind=kind, places=places, kept=True, rule=rule, why=why)


def _crops(video: Video) -> Answer:
    folder = layout.archive(video.video_id)
    places = [f"{folder}/{layout.PLATES}/", f"{folder}/{layout.FRAMES}/"]
    return Answer(kind="crops", places=places, kept=True, rule="kept for ever", why="No rule removes crops and frames.")
