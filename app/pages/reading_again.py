"""The button that has clips read again, and what it says then."""

import asyncio
from collections.abc import Sequence

from nicegui import ui

from app import rereading, wording
from app.access import callers
from app.pages import parts
from app.pages.parts import tag
from app.rereading import Begun
from dashcam.access.roles import Role
from dashcam.catalog.older_reads import OlderReads


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
        say(await asyncio.to_thread(rereading.read_again, video_ids))

    tag("button", "button small", label, type="button").on("click", read_again)


def all_of(older: OlderReads) -> None:
    """What an older reader has read, and the button that has all of it read again."""
    if not older.clips or not callers.may(Role.MEMBER):
        return

    async def read_all() -> None:
        say(await asyncio.to_thread(rereading.read_all))

    crops, clips = wording.count(older.crops, "crop"), wording.count(older.clips, "clip")
    with parts.section("A newer reader is there"), tag("div", "panel pad"):
        tag("p", "", f"{crops} of {clips} could be read again: an older reader has read them.")
        tag("p", "muted small", f"{how_of(older)} It is done when nothing else waits. What people said stays.")
        tag("button", "button small", "Read all again tonight", type="button").on("click", read_all)


def how_of(older: OlderReads) -> str:
    if not older.by_crops:
        return "They are read from their clips."
    if older.by_crops == older.clips:
        return "Their files are gone: the crops in their archives are read."
    return f"Of {older.by_crops:,} clips the file is gone: the crops in their archives are read."


def say(begun: Begun) -> None:
    for sentence in begun.refused[:3]:
        ui.notify(sentence, type="warning")
    if begun.clips:
        how = f", {begun.by_crops:,} by the crops in their archives" if begun.by_crops else ""
        ui.notify(f"{wording.count(begun.clips, 'clip')} read again{how}: see Tasks, then Read again.", type="info")
