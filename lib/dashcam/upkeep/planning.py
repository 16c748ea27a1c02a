"""What the main server does for retention: announces plans, says what of one may go now, writes down what went.

Each function works inside the caller's transaction. Nobody but the main server's process comes here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import ColumnElement, delete, func, literal, select, text, update
from sqlalchemy.orm import Session

import migrations
from dashcam.catalog import holdings
from dashcam.catalog.models import Holding, Protection, RetentionPlan, Video
from dashcam.config import Site
from dashcam.records import Held, HoldingKind, Record
from dashcam.upkeep import retention
from dashcam.upkeep.retention import ANNOUNCED, KINDS, Circumstances, Plan, PlanItem, Rules, Survey, Verdict

LASTING = timedelta(hours=26)
"""So long a plan may be carried out."""
PLANS_KEPT = timedelta(days=400)
SENTENCES_KEPT = 200


class PlanRefused(Exception):
    """The plan cannot be carried out; the message is one plain sentence."""


class Due(Record):
    """All that could go under some rules."""

    items: int
    bytes: int
    by_kind: dict[HoldingKind, int]


class Simulated(Record):
    now: Due
    """Under the rules as they stand."""
    then: Due
    """Under those that were asked about."""


class One(Record):
    """One item of a plan."""

    kind: HoldingKind
    video_id: str


class RemovedOne(One):
    bytes: int = Field(ge=0, le=2**63 - 1)
    """That were really unlinked."""
    rule: str | None = Field(None, max_length=300)
    """By which it went, where that is not the plan's."""


class Go(Record):
    """Whether one item of a plan may go this moment, and by what the machine that removes it can prove so."""

    go: bool
    why: str = ""
    uris: list[str] = Field([])
    sha256: str = ""
    """Of the clip, as its archive must say."""
    lowres: bool = True
    """The archive still has its small copy."""
    cut_off: bool = False
    """An earlier run was about to remove it and did not say how that ended."""


def due(session: Session, rules: Rules, now: datetime) -> list[PlanItem]:
    """All that may go now, what was due first before the rest."""
    found: list[Held] = []
    for kind in KINDS:
        keeps = rules.keeps(kind)
        if keeps is not None:
            found += holdings.held(session, Holding.kind == kind, Holding.since <= now - keeps)
    return retention.due(found, rules, now)


def draft(session: Session, site: Site, survey: Survey, now: datetime, unattended: bool) -> Plan:
    """A plan that nobody has been told of yet: it only asks, which takes seconds where much is due."""
    rules = Rules.of(site)
    all_due = due(session, rules, now)
    items, later = retention.within(all_due, survey.stores, site.retention.most_of_store)
    losing = len({item.video_id for item in all_due if item.kind in retention.LOSING})
    seen = circumstances(session, now, unattended, losing)
    return Plan(
        made_at=now,
        unattended=unattended,
        report_only=not site.retention.enabled,
        cold_store=site.retention.cold_store,
        refused=retention.refusals(seen, survey, site.retention.most_of_videos),
        rules=rules,
        items=items,
        later=len(later),
        later_bytes=sum(item.bytes or 0 for item in later),
        stores=survey.stores,
    )


def announce(session: Session, plan: Plan) -> Plan:
    """The plan is written down, and has a number from now on. Nothing is removed by it; see `begin`."""
    row = RetentionPlan(made_at=plan.made_at, plan={})
    session.add(row)
    session.flush()
    plan = plan.model_copy(update={"plan_id": row.plan_id})
    row.plan = plan.model_dump(mode="json")
    session.execute(delete(RetentionPlan).where(RetentionPlan.made_at < plan.made_at - PLANS_KEPT))
    return plan


def circumstances(session: Session, now: datetime, unattended: bool, losing: int) -> Circumstances:
    first, last = (now - ago for ago in ANNOUNCED)
    made = select(RetentionPlan.plan_id).where(RetentionPlan.made_at.between(first, last)).limit(1)
    # the newest of each by its index
    recorded = select(Video.name, Video.start_utc).where(Video.start_utc.is_not(None))
    newest = session.execute(recorded.order_by(Video.start_utc.desc()).limit(1)).one_or_none()
    return Circumstances(
        now=now,
        unattended=unattended,
        videos=session.scalar(select(func.count()).select_from(Video)) or 0,
        losing=losing,
        schema=migrations.differs(session.connection()),
        newest_arrival=session.scalar(select(func.max(Video.created_at))),
        newest_recording=(newest.name, newest.start_utc) if newest is not None and newest.start_utc else None,
        newest_plan=session.scalar(select(func.max(RetentionPlan.made_at))),
        announced=session.scalar(made) is not None,
    )


def plan_of(session: Session, plan_id: int) -> tuple[RetentionPlan, Plan] | None:
    row = session.get(RetentionPlan, plan_id)
    return None if row is None else (row, Plan.model_validate(row.plan))


def begin(session: Session, site: Site, plan_id: int, now: datetime) -> Plan:
    """The plan is carried out from now on, once and by one. Raises `PlanRefused`."""
    known = plan_of(session, plan_id)
    if known is None:
        raise PlanRefused(f"There is no plan {plan_id}: make one first.")
    _, plan = known
    if plan.refused:
        raise PlanRefused(" ".join(plan.refused))
    if not site.retention.enabled:
        raise PlanRefused(
            "Retention only reports: an admin has it begin on the page Storage (or retention.enabled in config.json)."
        )
    if plan.rules != Rules.of(site):
        raise PlanRefused("The rules have changed since this plan was made: make another one.")
    if not now - LASTING <= plan.made_at <= now:
        raise PlanRefused(f"This plan was made on {plan.made_at:%Y-%m-%d %H:%M} UTC: make another one.")
    newer = select(RetentionPlan.plan_id).where(RetentionPlan.plan_id > plan_id, RetentionPlan.began_at.is_not(None))
    if session.scalar(newer.limit(1)) is not None:
        raise PlanRefused("A newer plan has been carried out: make another one.")
    mine = update(RetentionPlan).where(RetentionPlan.plan_id == plan_id, RetentionPlan.began_at.is_(None))
    if not session.execute(mine.values(began_at=now)).rowcount:  # type: ignore[attr-defined]
        raise PlanRefused("This plan was begun before: make another one.")
    return plan


def check(session: Session, site: Site, plan_id: int, one: One, now: datetime) -> Go:
    """The last word before something is removed: what has changed since the plan was made counts."""
    item = item_of(session, plan_id, one)
    if not site.retention.enabled:
        return Go(go=False, why="Somebody has ended it: what is due is only reported now.")
    kind, video_id = one.kind, one.video_id
    held = holdings.held(session, Holding.kind == kind, Holding.video_id == video_id)
    if not held:
        return Go(go=False, why="It is gone already.")
    verdict = retention.judge(held[0], Rules.of(site))
    if not verdict.is_due(now):
        return Go(go=False, why=verdict.why)
    if held[0].uris != item.uris:
        return Go(go=False, why="It lies elsewhere now; the next plan has it.")
    video = session.get_one(Video, video_id)
    small = holdings.of_video(session, video_id).get("lowres")
    before = holdings.about_to_go(session, video_id, kind, plan_id)
    return Go(
        go=True,
        uris=item.uris,
        sha256=(video.facts or {}).get("sha256", ""),
        lowres=small is None or small.removed_at is None,
        cut_off=before is not None and before != plan_id,
    )


def item_of(session: Session, plan_id: int, one: One) -> PlanItem:
    """Raises `PlanRefused` unless the plan is being carried out and names it."""
    known = plan_of(session, plan_id)
    if known is None or known[0].began_at is None or known[0].ended_at is not None:
        raise PlanRefused(f"Plan {plan_id} is not being carried out.")
    for item in known[1].items:
        if (item.kind, item.video_id) == (one.kind, one.video_id):
            return item
    raise PlanRefused(f"Plan {plan_id} does not say that {one.kind} of {one.video_id} goes.")


def removed(session: Session, plan_id: int, one: RemovedOne) -> None:
    """It is gone. Told twice it counts once."""
    item = item_of(session, plan_id, one)
    if holdings.gone(session, one.video_id, one.kind, plan_id, one.rule or item.rule, one.bytes):
        known = update(RetentionPlan).where(RetentionPlan.plan_id == plan_id)
        size = RetentionPlan.removed_bytes + literal(one.bytes)
        more = {"removed": RetentionPlan.removed + 1, "removed_bytes": size}
        session.execute(known.values(more))


def end(session: Session, plan_id: int, kept: Sequence[str], now: datetime) -> None:
    row = session.get(RetentionPlan, plan_id)
    if row is None or row.began_at is None:
        raise PlanRefused(f"Plan {plan_id} is not being carried out.")
    row.ended_at, row.kept = now, list(kept[:SENTENCES_KEPT])


def plans(session: Session, limit: int = 20) -> list[tuple[RetentionPlan, Plan]]:
    """The newest first."""
    rows = session.scalars(select(RetentionPlan).order_by(RetentionPlan.plan_id.desc()).limit(limit))
    return [(row, Plan.model_validate(row.plan)) for row in rows]


def upcoming(
    session: Session,
    rules: Rules,
    kind: HoldingKind,
    limit: int,
    offset: int = 0,
    until: datetime | None = None,
    only_kept: bool = False,
) -> list[tuple[Held, Verdict]]:
    """What is held of one kind, what goes first before the rest; ``until`` is a time at which it goes at the latest.
    ``only_kept``: what never goes, or not before something else has happened."""
    wanted: list[ColumnElement[bool]] = [Holding.kind == kind]
    keeps = rules.keeps(kind)
    if only_kept and keeps is not None:
        wanted.append(holdings.kept_by_mark(kind))
    if until is not None:
        if keeps is None:
            return []
        wanted.append(Holding.since <= until - keeps)
    found = holdings.held(session, *wanted, limit=limit, offset=offset)
    return [(one, retention.judge(one, rules)) for one in found]


def simulate(session: Session, site: Site, rules: Rules, now: datetime) -> Simulated:
    return Simulated(now=counted(due(session, Rules.of(site), now)), then=counted(due(session, rules, now)))


def counted(items: Sequence[PlanItem]) -> Due:
    by_kind = {kind: sum(item.kind == kind for item in items) for kind in KINDS}
    return Due(items=len(items), bytes=sum(item.bytes or 0 for item in items), by_kind=by_kind)


def protect(session: Session, video_id: str, reason: str, who: str, now: datetime) -> bool:
    """A person's word that nothing of the clip is removed; False where there is no such video."""
    if session.get(Video, video_id) is None:
        return False
    session.merge(Protection(video_id=video_id, reason=reason, who=who, at=now))
    return True


def unprotect(session: Session, video_id: str) -> bool:
    word = session.get(Protection, video_id)
    if word is not None:
        session.delete(word)
    return word is not None


def protected(session: Session, limit: int = 100) -> list[tuple[Protection, str]]:
    """The newest first, each with the name of its clip."""
    query = select(Protection, Video.name).join(Video, Video.video_id == Protection.video_id)
    return list(session.execute(query.order_by(Protection.at.desc()).limit(limit)).tuples())


def last_removed(session: Session, limit: int = 20) -> list[tuple[Holding, str]]:
    """What a plan has removed last, each with the name of its clip."""
    query = select(Holding, Video.name).join(Video, Video.video_id == Holding.video_id)
    went = text("holding.removed_at IS NOT NULL AND holding.plan_id IS NOT NULL")
    return list(session.execute(query.where(went).order_by(Holding.removed_at.desc()).limit(limit)).tuples())
