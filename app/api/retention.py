"""What is kept and why, what goes when and by which rule; plans, and the marks of a person who wants a clip kept."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from app import system
from app.access import callers
from app.api.tasks import Changed
from app.parameters import Number
from dashcam.catalog import holdings, site_words
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from dashcam.records import HoldingKind
from dashcam.upkeep import answers, planning, retention
from dashcam.upkeep.answers import Answer, Entry
from dashcam.upkeep.retention import HoldingState, Plan, Rules, Survey

router = APIRouter(tags=["retention"])


class Retention(BaseModel):
    enabled: bool
    """False: nothing is removed, it is only reported what would be."""
    rules: Rules
    items: list[Entry]
    """What goes first before the rest."""
    plan: "PlanState | None"
    """The newest."""


class PlanState(BaseModel):
    plan: Plan
    began_at: datetime | None
    ended_at: datetime | None
    removed: int
    removed_bytes: int
    kept: list[str]
    """Why something of it was not removed."""


class PlanWish(BaseModel):
    survey: Survey
    unattended: bool = True


class Ended(BaseModel):
    kept: list[str] = Field([], max_length=100_000)


class NewRules(BaseModel):
    """Those that are left out stay as they are."""

    raw_videos: int | None = Field(None, ge=0, le=100_000)
    preproc_data: int = Field(0, ge=0, le=100_000)
    heavy_output: int = Field(0, ge=0, le=100_000)
    lowres_months: int | None = Field(None, ge=1, le=3_000)


class SaidRules(BaseModel):
    """Said, those that are left out stay as they are; answered, as all of them are now."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = False
    """Whether what is due goes every night."""
    raw_videos: int | None = Field(None, ge=0, le=100_000)
    """Days; null is for ever, here and below."""
    lowres_months: int | None = Field(None, ge=1, le=3_000)


class Wish(BaseModel):
    reason: str = Field(min_length=1, max_length=500)
    who: str = Field("the owner", min_length=1, max_length=100)


@router.get("/retention")
def get_retention(
    kind: HoldingKind | None = None,
    state: HoldingState | None = None,
    until: Annotated[datetime | None, Query(description="Only what goes before; UTC where no zone is given.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Number = 0,
) -> Retention:
    """What is held, with the rule that keeps it or lets it go and when; filters narrow it down."""
    here, now = system.current(), datetime.now(UTC)
    rules = Rules.of(here.site)
    last = until and (until if until.tzinfo else until.replace(tzinfo=UTC))
    with reading(here.engine) as session:
        kinds = (kind,) if kind else retention.KINDS
        items = answers.entries(session, rules, kinds, now, state, last, limit, offset)
        plans = planning.plans(session, 1)
    newest = plan_state(*plans[0]) if plans else None
    return Retention(enabled=here.site.retention.enabled, rules=rules, items=items, plan=newest)


@router.post("/retention/simulate")
def simulate(new: NewRules) -> planning.Simulated:
    """What would be due at once under other rules, beside what is due under those that hold. Changes nothing."""
    here = system.current()
    rules = Rules.of(here.site).model_copy(update=new.model_dump(exclude_unset=True))
    with reading(here.engine) as session:
        return planning.simulate(session, here.site, rules, datetime.now(UTC))


@router.put("/retention/rules")
def say_rules(said: SaidRules) -> SaidRules:
    """Count from now on, before those of ``config.json``; the days of intermediates stand there alone."""
    here = system.current()
    rules = site_words.rules_of(here.site) | said.model_dump(exclude_unset=True)
    here.settle(partial(site_words.say_retention, who=callers.name(), now=datetime.now(UTC), **rules))
    return SaidRules(**site_words.rules_of(here.site))


@router.delete("/retention/rules")
def take_rules_back() -> SaidRules:
    """Those of ``config.json`` count again."""
    here = system.current()
    here.settle(partial(site_words.take_retention_back, who=callers.name(), now=datetime.now(UTC)))
    return SaidRules(**site_words.rules_of(here.site))


@router.post("/retention/plans", status_code=201)
def announce(wish: PlanWish) -> Plan:
    """Make a plan of what goes next, by what the machine that would do it sees of the stores. Removes nothing."""
    here, now = system.current(), datetime.now(UTC)
    note = partial(holdings.catch_up, days=here.site.global_.storage_retention_days, now=now)
    while True:
        with writing(here.engine) as session:
            if not note(session):
                break
    with reading(here.engine) as session:
        draft = planning.draft(session, here.site, wish.survey, now, wish.unattended)
    with writing(here.engine) as session:
        return planning.announce(session, draft)


@router.get("/retention/plans/{plan_id}")
def get_plan(plan_id: Number) -> PlanState:
    with reading(system.current().engine) as session:
        known = planning.plan_of(session, plan_id)
    if known is None:
        raise HTTPException(404, f"There is no plan {plan_id}.")
    return plan_state(*known)


@router.post("/retention/plans/{plan_id}/begin")
def begin(plan_id: Number) -> Plan:
    """The plan is carried out from now on; 409 with the reason where it may not be."""
    return _of_plan(partial(planning.begin, site=system.current().site, plan_id=plan_id, now=datetime.now(UTC)))


@router.post("/retention/plans/{plan_id}/check")
def check(plan_id: Number, one: planning.One) -> planning.Go:
    """Asked just before something is removed: whether it may go still."""
    site, now = system.current().site, datetime.now(UTC)
    return _of_plan(partial(planning.check, site=site, plan_id=plan_id, one=one, now=now))


@router.post("/retention/plans/{plan_id}/removed")
def removed(plan_id: Number, one: planning.RemovedOne) -> Literal["ok"]:
    """It is gone, with so many bytes that were really unlinked."""
    _of_plan(partial(planning.removed, plan_id=plan_id, one=one))
    return "ok"


@router.post("/retention/plans/{plan_id}/end")
def end(plan_id: Number, ended: Ended) -> Literal["ok"]:
    _of_plan(partial(planning.end, plan_id=plan_id, kept=ended.kept, now=datetime.now(UTC)))
    system.current().upkeep.something_went()
    return "ok"


@router.get("/videos/{video_id}/retention")
def of_video(video_id: str) -> list[Answer]:
    """Of everything there is of a clip: is it kept, why, when will it go, by which rule; or when it went."""
    here = system.current()
    with reading(here.engine) as session:
        found = answers.of_video(session, Rules.of(here.site), video_id)
    if found is None:
        raise unknown(video_id)
    return found


@router.post("/videos/{video_id}/protect")
def protect(video_id: str, wish: Wish) -> Changed:
    """Nothing of this clip is ever removed, until the mark is taken off."""
    with writing(system.current().engine) as session:
        if not planning.protect(session, video_id, wish.reason, wish.who, datetime.now(UTC)):
            raise unknown(video_id)
    return Changed(changed=True)


@router.delete("/videos/{video_id}/protect")
def unprotect(video_id: str) -> Changed:
    with writing(system.current().engine) as session:
        if session.get(Video, video_id) is None:
            raise unknown(video_id)
        return Changed(changed=planning.unprotect(session, video_id))


def _of_plan(what: Any) -> Any:
    try:
        with writing(system.current().engine) as session:
            return what(session)
    except planning.PlanRefused as error:
        raise HTTPException(409, str(error)) from error


def plan_state(row: Any, plan: Plan) -> PlanState:
    known = {name: getattr(row, name) for name in ("began_at", "ended_at", "removed", "removed_bytes", "kept")}
    return PlanState(plan=plan, **known)


def unknown(video_id: str) -> HTTPException:
    return HTTPException(404, f"There is no video {video_id}.")
