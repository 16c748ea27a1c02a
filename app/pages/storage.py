"""What is kept and for how long, what goes next, what has gone, and the stores' free space."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from nicegui import ui
from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.access import callers
from app.pages import deletion, keeping, parts
from app.pages.frame import ask, change, frame, now, person, zone
from app.pages.parts import icon, link, tag
from dashcam.access.roles import Role
from dashcam.catalog import holdings, site_words
from dashcam.catalog.models import Holding, Protection, RetentionPlan
from dashcam.catalog.site_rows import RetentionWord
from dashcam.upkeep import answers, planning, retention, undoing
from dashcam.upkeep.answers import Entry
from dashcam.upkeep.retention import Plan, Rules
from dashcam.upkeep.undoing import GoingLine

NEXT = 50
STORE_NAMES = {"indoor_nas": "Indoor NAS", "shed_nas": "Shed NAS, the archive"}


@dataclass(frozen=True)
class Looked:
    coming: list[Entry]
    protected: list[tuple[Protection, str]]
    went: list[tuple[Holding, str]]
    plan: tuple[RetentionPlan, Plan] | None
    going: list[GoingLine]
    word: RetentionWord | None
    """Of an admin, how long what is kept."""


def look(session: Session) -> Looked:
    rules = Rules.of(system.current().site)
    kinds = [kind for kind in retention.KINDS if rules.keeps(kind) is not None]
    coming = [one for one in answers.entries(session, rules, kinds, now(), limit=NEXT) if one.goes_at is not None]
    plans = planning.plans(session, 1)
    return Looked(
        coming,
        planning.protected(session),
        planning.last_removed(session),
        plans[0] if plans else None,
        undoing.listed(session),
        site_words.retention_word(session),
    )


async def storage() -> None:
    found, held = await ask(look), await system.current().recent(holdings.totals)
    with frame("Storage", "/devices"):
        parts.page_title("Storage", "What is kept, and what goes when")
        draw(found)
        deletion.going(found.going)
        kept(held)
        keeping.other_rules()
        deletion.days()


def draw(found: Looked) -> None:
    standing(found.plan, found.word)
    if found.plan is not None:
        stores(found.plan[1], found.plan[0].made_at)
    next_to_go(found.coming)
    under_protection(found.protected)
    gone(found.went)


def standing(known: tuple[RetentionPlan, Plan] | None, word: RetentionWord | None) -> None:
    """Whether anything goes at all, and what was said last."""
    enabled = system.current().site.retention.enabled
    refused = known[1].refused if known else []
    with tag("div", "panel note" + (" trouble" if enabled and refused else ""), role="status"):
        icon("visibility" if not enabled else "block" if refused else "auto_delete")
        with tag("div", "grow"):
            if enabled:
                tag("strong", text="What is due goes every night" if not refused else "Nothing goes now")
            else:
                tag("strong", text="Only reported: nothing is removed")
                tag("p", "small", "It begins when an admin has looked at what goes next, and says so here.")
            for sentence in refused:
                tag("p", "small", sentence)
            tag("p", "small muted", last_plan(known))
            if said := keeping.whose(word):
                tag("p", "small muted", said)
            keeping.acts(word)


def last_plan(known: tuple[RetentionPlan, Plan] | None) -> str:
    if known is None:
        return "No plan has been made yet: the first comes tonight, or with dashcam retention --dry-run."
    row, plan = known
    said = f"Plan {plan.plan_id} of {wording.moment(row.made_at, zone())}: "
    said += f"{wording.count(len(plan.items), 'thing')}, about {wording.size(plan.bytes)}"
    if plan.later:
        said += f"; {plan.later:,} more are due"
    if row.began_at is not None:
        said += f". Removed: {row.removed:,}, {wording.size(row.removed_bytes)}"
        said += f"; {wording.count(len(row.kept), 'thing')} stayed" if row.kept else ""
    return f"{said}."


def stores(plan: Plan, at: datetime) -> None:
    with parts.section("Stores", count=wording.ago(at, now())), tag("div", "panel"):
        for sentence in plan.nearly_full:
            tag("p", "small pad", sentence)
        for one in plan.stores:
            name = STORE_NAMES.get(one.store, one.store)
            with tag("div", "row wraps"):
                tag("span", "grow", name)
                if one.trouble is not None:
                    tag("span", "small", one.trouble)
                    continue
                used = 1 - one.free / one.total if one.total else 0.0
                label = f"{name}: {wording.percent(used)} used"
                with tag("span", "progress", role="img", aria_label=label, title=label):
                    tag("span", style=f"width: {used * 100:.0f}%")
                tag("span", "num small", f"{wording.size(one.free)} of {wording.size(one.total)} free")


def next_to_go(coming: list[Entry]) -> None:
    with parts.section("Goes next"):
        if not coming:
            what = "Clips appear here when their archive is verified."
            parts.empty("inventory_2", "Nothing goes by the rules as they are", what)
            return
        with tag("div", "panel scroll"), tag("table", "table"):
            head("Clip", "What", "Size", "Goes", "Rule", "")
            with tag("tbody"):
                for entry in coming:
                    coming_row(entry)


def head(*columns: str) -> None:
    with tag("thead"), tag("tr"):
        for column in columns:
            tag("th", text=column, scope="col") if column else tag("td")


def coming_row(entry: Entry) -> None:
    assert entry.goes_at is not None
    due = entry.goes_at <= now()
    with tag("tr"):
        with tag("td", "clip-cell"):
            link(addresses.video_url(entry.video_id), "clip", entry.name, title=entry.name)
        tag("td", text=wording.HELD_NAMES[entry.kind], title=", ".join(entry.uris))
        tag("td", "num", wording.size(entry.bytes) if entry.bytes is not None else "small")
        with tag("td", "num", title=wording.moment(entry.goes_at, zone())):
            if due:
                parts.chip("Due", "trouble")
            else:
                tag("span", text=wording.day(entry.goes_at, zone()))
        tag("td", "muted small", entry.rule, title=entry.why)
        with tag("td", "action"):
            label = f"Keep all of {entry.name} for good"
            keep = partial(protect, entry.video_id, entry.name, "kept by hand, from the page Storage")
            tag("button", "button small", "Keep", type="button", aria_label=label, title=label).on("click", keep)


async def protect(video_id: str, name: str, reason: str) -> None:
    at, who = datetime.now(UTC), person()
    await change(lambda session: planning.protect(session, video_id, reason, who, at), f"keeps {video_id} for good")
    ui.notify(f"{name} is kept, until the mark is taken off.", type="info")
    ui.navigate.reload()


async def unprotect(video_id: str, name: str) -> None:
    did = f"took the mark off {video_id}: the rules hold again"
    await change(partial(planning.unprotect, video_id=video_id), did, Role.ADMIN, "deletion")
    ui.notify(f"The rules hold for {name} again.", type="info")
    ui.navigate.reload()


def under_protection(words: list[tuple[Protection, str]]) -> None:
    if not words:
        return
    with parts.section("Kept by hand", count=f"{len(words):,}"), tag("div", "panel"):
        for word, name in words:
            with tag("div", "row wraps"):
                link(addresses.video_url(word.video_id), "clip", name)
                tag("span", "grow muted small", f"{word.reason} ({word.who}, {wording.day(word.at, zone())})")
                label = f"Take the mark off {name}"
                if not callers.may(Role.ADMIN):
                    continue
                button = tag("button", "button small", "Take the mark off", type="button", aria_label=label)
                button.on("click", partial(unprotect, word.video_id, name))


def gone(went: list[tuple[Holding, str]]) -> None:
    if not went:
        return
    with parts.section("Went last"), tag("div", "panel scroll"), tag("table", "table"):
        head("Clip", "What", "Size", "Went", "Rule")
        with tag("tbody"):
            for row, name in went:
                with tag("tr"):
                    with tag("td", "clip-cell"):
                        link(addresses.video_url(row.video_id), "clip", name, title=name)
                    tag("td", text=wording.HELD_NAMES[row.kind])
                    tag("td", "num", wording.size(row.bytes or 0))
                    tag("td", "num", wording.moment(row.removed_at, zone()) if row.removed_at else "")
                    tag("td", "muted small", row.rule or "")


def kept(held: Mapping[str, tuple[int, int]]) -> None:
    rules = Rules.of(system.current().site)
    with parts.section("Kept now"), tag("div", "panel scroll"):
        with tag("table", "table"):
            head("What", "How many", "About", "For how long")
            with tag("tbody"):
                for kind in retention.KINDS:
                    count, size = held.get(kind, (0, 0))
                    name = rules.name(kind)
                    with tag("tr"):
                        tag("td", text=wording.HELD_NAMES[kind])
                        tag("td", "num", f"{count:,}")
                        tag("td", "num", wording.size(size) if size else "")
                        tag("td", "muted small", f"for ever ({name})" if name.endswith("null") else name)
                with tag("tr"):
                    tag("td", text="Crops and frames")
                    tag("td")
                    tag("td")
                    tag("td", "muted small", "for ever: no rule removes them")
        cold = system.current().site.retention.cold_store
        said = f"Before a small copy goes, the clip's record is copied to {cold}."
        tag("p", "muted small pad", said if cold else "No store is named for cold storage (retention.cold_store).")
