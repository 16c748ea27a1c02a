"""What clips that were read again are read as now: how many plates differ, and which."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from app import addresses, system, wording
from app.found import TEMPLATES
from app.pages import parts, reading_again
from app.pages.frame import ask, cursor_of, cursor_text, frame, keep_looking, now, zone
from app.pages.parts import tag
from app.pages.still import Piece, anew, still
from dashcam.catalog import older_reads
from dashcam.catalog import rereads as reread
from dashcam.catalog.older_reads import OlderReads
from dashcam.catalog.rereads import ChangeKind, ChangeLine, RereadCounts

HERE = "/rereads"
PAGE = 60
LOOK_S = 5.0
CHIPS: dict[ChangeKind, str] = {"differently": "", "new": "Not seen before", "gone": "Not seen any more"}
SPOKEN: dict[ChangeKind, str] = {
    "differently": "{was} before, {now} now",
    "new": "{now}, not seen before",
    "gone": "{was}, not seen any more",
}
Pieces = list[tuple[str, bool]]
"""A text in order, with whether that piece of it differs."""


async def rereads(after: str = "") -> None:
    cursor = cursor_of(after, int)

    async def look() -> tuple[list[ChangeLine], RereadCounts, OlderReads]:
        lines = await ask(lambda session: reread.listed(session, PAGE + 1, cursor))
        here = system.current()
        return lines, await here.recent(reread.counts), await here.recent(older_reads.count)

    shown = await look()
    with frame("Read again", "/tasks"):
        parts.page_title("Read again", "What plates were read as before their clips were read again, and now")
        with tag("div") as offered:
            reading_again.all_of(shown[2])
        with still() as counted:
            count(shown[0], shown[1])
        listed = Piece(piece(shown[0][:PAGE]))  # our own template, in which whatever comes in is text
        with still() as further:
            pager(shown[0], cursor is None)

    async def look_again() -> None:
        nonlocal shown
        (lines, counts, older), before = await look(), shown
        shown = lines, counts, older
        if older != before[2]:
            offered.clear()
            with offered:
                reading_again.all_of(older)
        if (lines, counts) != before[:2]:
            with anew(counted):
                count(lines, counts)
            listed.content = piece(lines[:PAGE])
            with anew(further):
                pager(lines, cursor is None)

    keep_looking(LOOK_S, look_again)


def count(lines: list[ChangeLine], counts: RereadCounts) -> None:
    if not (lines or counts.clips or counts.waiting):
        what = "After a new release, or with another reader, what its plates are read as then shows here."
        parts.empty("published_with_changes", "No clip was read again yet", what, "dashcam again VIDEO")
        return
    figures(counts)
    if not lines:
        what = "Everything that was read again is read as it was before."
        parts.empty("task_alt", "Nothing is read differently", what if counts.clips else "The first clips are waiting.")


def pager(lines: list[ChangeLine], is_first: bool) -> None:
    further = addresses.url(HERE, {"after": cursor_text(lines[PAGE - 1].cursor)}) if len(lines) > PAGE else None
    parts.pager(further, None if is_first else HERE)


def figures(counts: RereadCounts) -> None:
    with tag("div", "counts"):
        for value, one, many in (
            (counts.differently, "plate read differently", "plates read differently"),
            (counts.new + counts.gone, "plate new or not seen any more", "plates new or not seen any more"),
            (counts.clips, "time a clip was read again", "times a clip was read again"),
            (counts.waiting, "clip still to be read again", "clips still to be read again"),
        ):
            with tag("div", "count"):
                tag("strong", "num", f"{value:,}")
                tag("span", "muted", one if value == 1 else many)


def piece(lines: Sequence[ChangeLine]) -> str:
    today = now().astimezone(zone()).date()
    by_day = groupby(lines, key=lambda line: line.at.astimezone(zone()).date())
    days = [(f"Read again {day_name(wording.day_title(day, today))}", list(map(card_of, some))) for day, some in by_day]
    return TEMPLATES.get_template("rereads.html").render(days=days)


def day_name(title: str) -> str:
    """Within a sentence."""
    return title[0].lower() + title[1:] if title.startswith(("Today", "Yesterday")) else f"on {title}"


def card_of(line: ChangeLine) -> dict[str, Any]:
    was, now_read = differing(line.was or "", line.now or "")
    second = wording.second(line.best_s)
    spoken = SPOKEN[line.kind].format(was=line.was, now=line.now)
    stays = f". A person says {line.said}" if line.said else ""
    return {
        "key": line.cursor.key,
        "href": addresses.video_url(line.video_id, line.best_s),
        "picture": line.crop and addresses.media_url(line.video_id, line.crop),
        "was": was if line.was else [],
        "was_confidence": sureness(line.was_confidence),
        "now": now_read if line.now else [],
        "now_confidence": sureness(line.now_confidence),
        "chip": CHIPS[line.kind],
        "said": line.said,
        "clip": line.video_name,
        "second": second,
        "spoken": f"{spoken}{stays}. {second} of {line.video_name}",
    }


def sureness(confidence: float | None) -> str:
    return "" if confidence is None else wording.percent(confidence)


def differing(was: str, now_read: str) -> tuple[Pieces, Pieces]:
    """Both texts in pieces, so that each shows where it differs from the other; what one lacks is a gap in it."""
    if not was or not now_read:
        return [(was, False)], [(now_read, False)]
    steps = SequenceMatcher(None, was, now_read, autojunk=False).get_opcodes()
    before = [(was[i:j], step != "equal") for step, i, j, _, _ in steps]
    after = [(now_read[i:j], step != "equal") for step, _, _, i, j in steps]
    return list(shown(before)), list(shown(after))


def shown(pieces: Pieces) -> Iterator[tuple[str, bool]]:
    return ((text or "·", differs) for text, differs in pieces)
