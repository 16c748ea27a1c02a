"""Of one clip: what of it is kept, why, until when and by which rule; and a way to keep all of it for good."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from app import wording
from app.access import callers
from app.pages import parts
from app.pages.frame import change, now, person, zone
from app.pages.parts import AS_FORM, tag
from dashcam.access.roles import Role
from dashcam.catalog.videos import Removed, VideoDetail
from dashcam.upkeep import planning
from dashcam.upkeep.answers import Answer

GONE = {"raw": "Original", "lowres": "Small copy"}
LEFT = {"raw": "archive kept", "lowres": "crops and frames kept"}


def gone(one: Removed) -> str:
    """``Original removed on 28 Jun 2026 by storage_retention_days.raw_videos = 90; archive kept.``"""
    return f"{GONE[one.kind]} removed on {wording.day(one.removed_at, zone())} by {one.rule}; {LEFT[one.kind]}."


def section(found: VideoDetail, held: Sequence[Answer]) -> None:
    with parts.section("Kept", ("All of it", "/storage")), tag("div", "panel"):
        with tag("dl", "facts panel-in"):
            for one in held:
                with tag("div"):
                    tag("dt", text=wording.HELD_NAMES[one.kind])
                    tag("dd", "num", said(one), title=", ".join(one.places))
        if any(one.rule == "protected" for one in held):
            if not callers.may(Role.ADMIN):
                return
            button = tag("button", "button small", "Take the mark off", type="button")
            button.on("click", partial(unprotect, found.video_id))
        elif callers.may(Role.MEMBER):
            protect_form(found)


def said(one: Answer) -> str:
    if one.removed_at is not None:
        return f"removed on {wording.day(one.removed_at, zone())} by {one.rule}"
    if one.goes_at is not None:
        when = "due since" if one.goes_at <= now() else "until"
        return f"{when} {wording.day(one.goes_at, zone())}, by {one.rule}"
    return one.why


def protect_form(found: VideoDetail) -> None:
    async def keep(event: GenericEventArguments) -> None:
        await protect(found.video_id, event.args)

    with tag("form", "filters").on("submit", keep, js_handler=AS_FORM):
        label = "Why all of this clip is to be kept"
        tag("input", "field grow", name="reason", required=True, maxlength="500", placeholder="Why", aria_label=label)
        tag("button", "button", "Keep it all for good", type="submit")


async def protect(video_id: str, form: Mapping[str, str]) -> None:
    reason = str(form.get("reason") or "").strip()[:500]
    if not reason:
        ui.notify("Say why, so that it is known later.", type="warning")
        return
    at, who = datetime.now(UTC), person()
    await change(lambda session: planning.protect(session, video_id, reason, who, at), f"keeps {video_id} for good")
    ui.navigate.reload()


async def unprotect(video_id: str) -> None:
    did = f"took the mark off {video_id}: the rules hold again"
    await change(partial(planning.unprotect, video_id=video_id), did, Role.ADMIN, "deletion")
    ui.navigate.reload()
