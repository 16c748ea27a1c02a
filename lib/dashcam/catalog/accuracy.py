"""How much preprocessing misses: plates that the heavy stage found in the sample of what had been rejected.

A plate is missed when it is confirmed, was seen in an audited stretch, and was not read in what is kept of its clip:
without the sample nobody would know of it. Each completed task brings its clip's rows up to date, so that the page adds
up a few numbers per clip and reads no result.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from pydantic import BaseModel
from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import Session

from dashcam.catalog.models import Plate, Rejection, SightingRow, Video
from dashcam.records import PreprocessResult, Span
from dashcam.tasks.model import TaskType
from dashcam.tasks.row import TaskRow

Z_95 = 1.96
"""Standard deviations of a normal distribution that hold 95 % of it, to both sides."""


class Share(BaseModel):
    """Of one reason, or of all together (empty)."""

    reason: str
    rejected_s: float
    audited_s: float
    """As far as the heavy stage has looked at it."""
    stretches: int
    """In so many stretches of a few seconds."""
    missed_s: float
    """Seconds of these in which a missed plate was seen."""
    missed: int
    """Stretches with one."""
    rate: float | None
    """Missed seconds over audited ones; None before anything was audited."""
    low: float | None
    high: float | None
    """Between these it lies with 95 % (Wilson's interval, with the stretches as independent trials)."""


class Miss(BaseModel):
    """A plate that only the sample found."""

    video_id: str
    video_name: str
    text: str
    confidence: float
    best_s: float
    seen_utc: datetime | None
    crop: str
    reason: str


class Accuracy(BaseModel):
    total: Share
    reasons: list[Share]
    """Most rejected first."""
    misses: list[Miss]
    """Newest clips first."""


@dataclass(frozen=True)
class SureSighting:
    """A confirmed sighting: its plate, from when to when it was followed, and when just that was read."""

    key: int
    text: str
    first_s: float
    last_s: float
    reads_s: Sequence[float]


def note_rejected(session: Session, video_id: str, result: PreprocessResult) -> None:
    """Put down what of the clip was rejected; replaces what an earlier run rejected."""
    session.execute(delete(Rejection).where(Rejection.video_id == video_id))
    for reason, spans in by_reason(result.spans):
        audited = [length(span) for span in spans if span.audit]
        session.add(
            Rejection(
                video_id=video_id,
                reason=reason,
                seconds=sum(length(span) for span in spans),
                audited_s=sum(audited),
                audited=len(audited),
            )
        )


def note_missed(session: Session, video_id: str) -> None:
    """Put down what was missed, once the clip's sightings are in the catalogue."""
    rows = session.scalars(select(Rejection).where(Rejection.video_id == video_id)).all()
    if not rows:
        return
    by_stretch: dict[Span, list[SureSighting]] = {}
    for span, one in missed(spans_of(session, video_id), seen_in(session, video_id)):
        by_stretch.setdefault(span, []).append(one)
    for row in rows:
        mine = [(span, seen) for span, seen in by_stretch.items() if span.reason == row.reason]
        row.missed = len(mine)
        row.missed_s = sum((touched(span, seen) for span, seen in mine), 0.0)


def missed(spans: Sequence[Span], sightings: Sequence[SureSighting]) -> list[tuple[Span, SureSighting]]:
    """Each audited stretch with each plate that was seen in it and read in no kept one."""
    kept = [span for span in spans if span.keep]
    known = {one.text for one in sightings for at in one.reads_s if any(s.start_s <= at < s.end_s for s in kept)}
    return [
        (span, one)
        for span in spans
        if span.audit
        for one in sightings
        if one.text not in known and one.first_s < span.end_s and one.last_s >= span.start_s
    ]


def touched(span: Span, sightings: Sequence[SureSighting]) -> float:
    """Seconds of the stretch, in whole seconds of the clip as far as they lie in it, in which one of these was seen."""
    seconds: set[int] = set()
    for one in sightings:
        first, last = max(one.first_s, span.start_s), min(one.last_s, span.end_s)
        seconds.update(range(math.floor(first), math.floor(last) + 1))
    return sum(max(0.0, min(span.end_s, second + 1) - max(span.start_s, second)) for second in seconds)


def accuracy(session: Session, limit: int = 24) -> Accuracy:
    """All that was counted, and the plates of at most ``limit`` clips in which some were missed."""
    looked = Rejection.missed_s.is_not(None)
    rows = session.execute(
        select(
            Rejection.reason,
            func.sum(Rejection.seconds),
            func.sum(case((looked, Rejection.audited_s), else_=0.0)),
            func.sum(case((looked, Rejection.audited), else_=0)),
            func.coalesce(func.sum(Rejection.missed_s), 0.0),
            func.coalesce(func.sum(Rejection.missed), 0),
        )
        .group_by(Rejection.reason)
        .order_by(func.sum(Rejection.seconds).desc())
    )
    reasons = [share(*row) for row in rows]
    total = share(
        "",
        sum(one.rejected_s for one in reasons),
        sum(one.audited_s for one in reasons),
        sum(one.stretches for one in reasons),
        sum(one.missed_s for one in reasons),
        sum(one.missed for one in reasons),
    )
    return Accuracy(total=total, reasons=reasons, misses=misses(session, limit) if total.missed else [])


def share(reason: str, rejected_s: float, audited_s: float, stretches: int, missed_s: float, missed: int) -> Share:
    rate = min(1.0, missed_s / audited_s) if audited_s else None
    low, high = wilson(rate, stretches) if rate is not None else (None, None)
    return Share(
        reason=reason,
        rejected_s=round(rejected_s, 3),
        audited_s=round(audited_s, 3),
        stretches=stretches,
        missed_s=round(missed_s, 3),
        missed=missed,
        rate=rate,
        low=low,
        high=high,
    )


def wilson(rate: float, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share: where the true one lies with 95 %. Sound for few trials and for 0 and 1."""
    if not trials:
        return 0.0, 1.0
    extra = Z_95**2 / trials
    middle = (rate + extra / 2) / (1 + extra)
    half = math.sqrt(extra * rate * (1 - rate) + extra**2 / 4) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


def misses(session: Session, limit: int) -> list[Miss]:
    """The missed plates of the newest clips that have some, each once in its clip."""
    some = select(Rejection.video_id).where(Rejection.missed > 0)
    newest = func.coalesce(Video.start_utc, Video.created_at).desc()
    clips = session.scalars(select(Video).where(Video.video_id.in_(some)).order_by(newest, Video.video_id).limit(limit))
    found = []
    for video in clips.all():
        reasons: dict[int, str] = {}
        for span, one in missed(spans_of(session, video.video_id), seen_in(session, video.video_id)):
            reasons.setdefault(one.key, span.reason)
        query = select(SightingRow, Plate.text).join(SightingRow.plate).where(SightingRow.sighting_id.in_(reasons))
        for sighting, text in session.execute(query.order_by(SightingRow.best_s)):
            found.append(
                Miss(
                    video_id=video.video_id,
                    video_name=video.name,
                    text=text,
                    confidence=sighting.confidence,
                    best_s=sighting.best_s,
                    seen_utc=sighting.seen_utc,
                    crop=sighting.crop,
                    reason=reasons[sighting.sighting_id],
                )
            )
    return found


def spans_of(session: Session, video_id: str) -> list[Span]:
    """What preprocessing said of the clip last."""
    result = session.scalar(
        select(TaskRow.result)
        .where(
            TaskRow.video_id == video_id,
            TaskRow.task_type == TaskType.PREPROCESS_VIDEO,
            TaskRow.state == "complete",
            TaskRow.result.is_not(None),
        )
        .order_by(TaskRow.revision.desc())
        .limit(1)
    )
    return PreprocessResult.model_validate(result).spans if result else []


def seen_in(session: Session, video_id: str) -> list[SureSighting]:
    """The clip's confirmed sightings."""
    columns = (SightingRow.sighting_id, Plate.text, SightingRow.first_s, SightingRow.last_s, SightingRow.reads)
    query = select(*columns).join(SightingRow.plate).where(SightingRow.video_id == video_id, SightingRow.confirmed)
    return [
        SureSighting(key, text, first_s, last_s, [float(read["t_s"]) for read in reads if read["text"] == text])
        for key, text, first_s, last_s, reads in session.execute(query.order_by(SightingRow.first_s))
    ]


def by_reason(spans: Iterable[Span]) -> list[tuple[str, list[Span]]]:
    rejected = sorted((span for span in spans if not span.keep), key=lambda span: span.reason)
    return [(reason, list(some)) for reason, some in groupby(rejected, key=lambda span: span.reason)]


def length(span: Span) -> float:
    return span.end_s - span.start_s
