"""All videos, by day and trip, newest first."""

from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from app import addresses, system, wording
from app.pages import parts
from app.pages.frame import ask, cursor_of, cursor_text, frame, midnight, now, zone
from app.pages.parts import link, tag
from app.pages.still import still
from dashcam.catalog import trips as trip_table
from dashcam.catalog import videos as video_table
from dashcam.catalog.videos import VideoCard, VideoFilter

PAGE = 60
Spans = dict[int, tuple[datetime, datetime]]
OUTCOMES = {
    "": "Any state",
    "processed": "Processed",
    "pending": "In work",
    "rejected": "Rejected",
    "vanished": "Vanished",
}


async def videos(q: str = "", camera: str = "", outcome: str = "", day: str = "", after: str = "") -> None:
    state = outcome if outcome in OUTCOMES else ""
    wanted = VideoFilter(q.strip(), camera, state, midnight(day), midnight(day, days=1))
    cursor = cursor_of(after, str)

    def question(session: Session) -> tuple[list[VideoCard], list[str], Spans]:
        cards = video_table.videos(session, wanted, cursor, PAGE + 1)
        spans = trip_table.spans(session, (card.trip_id for card in cards if card.trip_id is not None))
        return cards, video_table.cameras(session), spans

    found, cameras, spans = await ask(question)
    cards, more = found[:PAGE], len(found) > PAGE
    filters = {"q": wanted.text, "camera": wanted.camera, "outcome": wanted.outcome, "day": day}
    with frame("Videos", "/videos"):
        with tag("div", "title-line"):
            parts.page_title("Videos")
            link("/cameras", "button small quiet", "Clocks of the cameras")
        filter_form(wanted, cameras, day)
        if not cards:
            nothing(any(filters.values()) or cursor is not None)
        with still():
            days(cards, spans)
        if cards and wanted.since and wanted.until:
            parts.downloads({"since": wanted.since.isoformat(), "until": wanted.until.isoformat()})
        older = addresses.url("/videos", filters | {"after": cursor_text(cards[-1].cursor)}) if more else None
        parts.pager(older, addresses.url("/videos", filters) if cursor else None)


def filter_form(wanted: VideoFilter, cameras: list[str], day: str) -> None:
    with tag("form", "filters", method="get", action="/videos"):
        tag(
            "input",
            "field grow",
            name="q",
            type="search",
            value=wanted.text,
            placeholder="File name or folder",
            aria_label="File name or folder",
        )
        named = {"": "Any camera"} | {name: wording.CAMERA_NAMES.get(name, name) for name in cameras}
        for name, label, options, chosen in (
            ("camera", "Camera", named, wanted.camera),
            ("outcome", "State", OUTCOMES, wanted.outcome),
        ):
            with tag("select", "field submits", name=name, aria_label=label):
                for value, text in options.items():
                    tag("option", text=text, value=value, selected=value == chosen)
        tag("input", "field", name="day", type="date", value=day, aria_label="Day")
        tag("button", "button", "Filter", type="submit")
        if wanted != VideoFilter():
            link("/videos", "button quiet", "Clear")


def nothing(filtered: bool) -> None:
    if filtered:
        parts.empty("search_off", "No video matches", "Widen the filter or clear it to see all videos.")
    else:
        what = "Give the folder with your dashcam's clips to this command, and they appear here."
        parts.empty("video_library", "No clips yet", what, "dashcam process FOLDER")


def days(cards: list[VideoCard], spans: Spans) -> None:
    here, at = zone(), now()
    progress = system.current().progress.snapshot()
    for day, in_day in groupby(cards, key=lambda card: card.when.astimezone(here).date()):
        of_day = list(in_day)
        title = wording.day_title(day, at.astimezone(here).date())
        footage = sum(card.duration_s or 0 for card in of_day)
        note = wording.count(len(of_day), "clip") + (f" · {wording.footage(footage)}" if footage else "")
        with parts.section(title, count=note):
            for trip_id, in_trip in groupby(of_day, key=lambda card: card.trip_id):
                with tag("h3", "trip num"):
                    if trip_id in spans:
                        link(f"/trips/{trip_id}", "", f"Trip {wording.span(*spans[trip_id], here)}")
                    else:
                        tag("span", text="In no trip")
                with tag("div", "grid videos"):
                    for card in in_trip:
                        parts.video_card(card, here, at, progress)
