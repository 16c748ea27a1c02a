"""The button that has clips read again, and what it says then."""

import asyncio
from collections.abc import Sequence

from nicegui import ui

from app import rereading, wording
from app.access import callers
from app.pages import parts
from app.pages.parts import tag
from dashcam.access.roles import Role


def section(video_id: str) -> None:
    """On the page of a clip that is through."""
    if not callers.may(Role.MEMBER):
        return
    with parts.section("Read again", ("What has changed", "/rereads")), tag("div", "panel pad"):
        tag("p", "muted small", "Its plates are looked for and read once more. What people said of them stays.")
        button("Read this clip again", [video_id])


def button(label: str, video_ids: Sequence[str]) -> None:
    """For members."""
    if not callers.may(Role.MEMBER):
        return

    async def read_again() -> None:
        begun = await asyncio.to_thread(rereading.read_again, video_ids)
        for sentence in begun.refused[:3]:
            ui.notify(sentence, type="warning")
        if begun.clips:
            how = f", {begun.by_crops:,} by the crops in their archives" if begun.by_crops else ""
            ui.notify(f"{wording.count(begun.clips, 'clip')} read again{how}: see Tasks, then Read again.", type="info")

    tag("button", "button small", label, type="button").on("click", read_again)
