"""One video: player, plates, map and facts."""

import re
from collections.abc import Sequence
from datetime import datetime

from nicegui import ui
from sqlalchemy.orm import Session

from app import addresses, system, wording, zones
from app.access import callers
from app.pages import deletion, evidence, kept, lens, parts, reading_again
from app.pages.frame import ask, frame, keep_looking, local_there, now, zone
from app.pages.parts import icon, link, tag
from app.pages.player import OWN, player, second_of
from dashcam.access.roles import Role
from dashcam.catalog import lenses, work
from dashcam.catalog import videos as video_table
from dashcam.catalog.lenses import KnownLens
from dashcam.catalog.sightings import SightingCard
from dashcam.catalog.videos import VideoDetail
from dashcam.catalog.work import TaskLine
from dashcam.records import VideoFacts
from dashcam.upkeep import answers, checks
from dashcam.upkeep.answers import Answer
from dashcam.upkeep.checks import Health
from dashcam.upkeep.deleting import Wanted
from dashcam.upkeep.retention import Rules

PLAYED = {"h264": 'video/mp4; codecs="avc1.640033"', "hevc": 'video/mp4; codecs="hvc1.1.6.L153.B0"'}
"""By codec: of an MP4 file, for a browser's own ``canPlayType()``."""


async def video(video_id: str, t: str = "") -> None:
    def question(session: Session) -> tuple[VideoDetail, Sequence[Answer], Health | None, KnownLens] | None:
        found, site = video_table.video(session, video_id), system.current().site
        if found is None:
            return None
        held = answers.of_video(session, Rules.of(site), video_id) or []
        known = lenses.of_camera(session, found.camera or "", site.place)
        return found, held, checks.health(session, video_id), known

    told = await ask(question) if re.fullmatch("[0-9a-f]{16}", video_id) else None
    if told is None:
        with frame("No such video", "/videos"):
            what = "It may have been removed. All videos are under Videos."
            parts.empty("search_off", "There is no such video", what, alone=True)
        return
    found, held, damage, known = told
    with frame(found.name, "/videos", own=(*OWN, "evidence.js", "lens.js")):
        head(found)
        if damage is not None:
            mending = "It is made anew." if damage.mended_by else "Nothing is left to make it anew from."
            tag("p", "small", f"The archive of this clip is damaged: {'; '.join(damage.wrong[:3])}. {mending}")
        with tag("div", "columns video-page"):
            with tag("div", "wide"):
                picture(found, second_of(t, found.duration_s))
                sightings(found)
            with tag("div", "narrow"):
                if found.positions or found.beside:
                    with parts.section("Where"):
                        parts.map_frame(f"/maps/videos/{found.video_id}", f"Map of the route of {found.name}")
                        where_others_were(found, known)
                facts(found)
                parts.downloads({"video": found.video_id}, track=bool(found.positions or found.beside))
                evidence.section(found, second_of(t, found.duration_s))
                if found.outcome == "processed":
                    reading_again.section(found.video_id)
                lens.section(found.camera or "", known)
                kept.section(found, held)
                deletion.hiding("this clip", Wanted(clips=[found.video_id]), "/videos")
                deletion.section("this clip", Wanted(clips=[found.video_id]), "/videos")


def head(found: VideoDetail) -> None:
    with tag("div", "video-head"):
        tag("h1", "name", found.name)
        with tag("p", "muted num"):
            if found.start_utc:
                guess = f", {parts.GUESS}" if found.facts and found.facts.clock == "file" else ""
                tag("span", text=("≈ " if guess else "") + wording.moment(found.start_utc, zone()) + guess)
            if found.duration_s:
                tag("span", text=wording.duration(found.duration_s))
            if found.trip_id is not None:
                link(f"/trips/{found.trip_id}", "", "Its trip")
            known = found.facts
            parts.video_chips(found.camera, known.kind if known else "normal", known.locked if known else False)
            for one in found.companions:
                camera = wording.CAMERA_NAMES.get(one.camera, one.camera)
                link(addresses.video_url(one.video_id), "", f"{camera} camera at the same time")


def picture(found: VideoDetail, start_s: float | None) -> None:
    if found.media and found.facts and not any(one.kind == "lowres" for one in found.removed):
        size, type_ = (found.facts.width, found.facts.height), original_type(found)
        player(f"/timeline/videos/{found.video_id}", start_s, size=size, original=type_ or "")
        if type_ is not None:
            with tag("p", "downloads small"):
                link(f"/media/{found.video_id}/original", "", "Download the original", download=found.name)
                tag("span", "muted num", f"{picture_line(found.facts)}, {wording.size(found.facts.size)}")
    if found.outcome != "processed":
        trouble = wording.ENDED_BADLY.get(found.outcome or "")
        with tag("div", "panel note" + (" trouble" if trouble else "")):
            icon("block" if trouble else "hourglass_top")
            with tag("div", "grow"):
                if trouble:
                    tag("strong", text=trouble)
                    parts.standing(found.task, found.outcome, found.reason, now(), {})
                else:
                    live_standing(found)
    for one in found.removed:
        if one.kind in kept.GONE:
            tag("p", "muted small", kept.gone(one))
    if found.outcome == "processed" and found.reason:
        tag("p", "small", found.reason)
    if found.facts and found.facts.note:
        tag("p", "muted small", found.facts.note)


def original_type(found: VideoDetail) -> str | None:
    """What a browser has to know to say whether it plays the clip's own file, "" where none does; None where that file
    is not there any more, or not for who asks."""
    gone = found.outcome == "vanished" or any(one.kind == "raw" for one in found.removed)
    if gone or found.facts is None or not callers.may(Role.MEMBER):
        return None
    return PLAYED.get(found.facts.codec, "") if found.source.lower().endswith((".mp4", ".mov")) else ""


def live_standing(found: VideoDetail) -> None:
    """Where the clip stands, while it is watched. The page is loaded anew when a stage is done, but not while its film
    is there and may be looked at."""
    task = found.task
    with tag("div") as place:
        still_in_work(task)

    async def look_again() -> None:
        nonlocal task
        now_at = await ask(lambda session: work.task_of(session, found.video_id))
        if found.media is None and (now_at and now_at.task_id) != (task and task.task_id):
            ui.navigate.reload()
            return
        task, before = now_at, task
        place.clear()
        with place:
            if task is not None or before is None:
                still_in_work(task)
                return
            timer.cancel()
            tag("strong", text="It is through")
            with tag("p", "small"):
                link(addresses.video_url(found.video_id), "", "Load the page anew for all that is known of it")

    timer = keep_looking(2.0, look_again)


def still_in_work(task: TaskLine | None) -> None:
    tag("strong", text="Still in work")
    parts.standing(task, None, None, now(), system.current().progress.snapshot())


def sightings(found: VideoDetail) -> None:
    sure = [one for one in found.sightings if one.confirmed]
    unsure = [one for one in found.sightings if not one.confirmed]
    if found.frames_decoded is None:
        return
    with parts.section("Plates", count=f"{len(sure):,}" if sure else ""):
        if sure:
            sighting_grid(sure)
        else:
            looked = (
                f"{wording.count(found.frames_looked_at or 0, 'frame')} of {found.frames_decoded:,} were looked at."
            )
            parts.empty("pin", "No plate was read for sure", looked)
    if unsure:
        with tag("details", "section unsure-reads"):
            tag("summary", text=f"Unsure reads ({len(unsure):,})")
            sighting_grid(unsure)


def sighting_grid(seen: list[SightingCard]) -> None:
    with tag("ul", "grid sights"):
        for one in seen:
            sighting_card(one)


def sighting_card(one: SightingCard) -> None:
    with tag("li", "card sight" + ("" if one.confirmed else " unsure")):
        at = wording.second(one.best_s)
        label = f"Show {wording.plate(one.text)} at {at}"
        show = link(addresses.video_url(one.video_id, one.best_s), "show", aria_label=label)
        # without a round trip to the server; with the control key the link still opens in a new tab
        show.on("click", js_handler=f"event => dashcamSeek(event, {one.best_s!r})")
        with show:
            parts.picture(addresses.media_url(one.video_id, one.crop), wording.crop_of(one.text), "crop")
        with tag("div", "card-body"):
            with tag("div", "line"):
                with link(addresses.plate_url(one.text), "", title="All sightings of this plate"):
                    parts.plate_text(one.text)
                parts.confidence(one.confidence)
            with tag("div", "line muted small num"):
                span = f"{wording.second(one.first_s)} – {wording.second(one.last_s)}"
                tag("span", text=f"{span}, best {at}", title="First, last and best second in the clip")
                if one.lat is not None and one.lon is not None:
                    tag("span", text=zones.place(one.lat, one.lon))
                if one.estimate:
                    tag("span", text=f"≈ {one.estimate.distance_m:.0f} m away", title="Estimated from the plate's size")
                if not wording.is_hashed(one.text):
                    best_frame(one)


def best_frame(one: SightingCard) -> None:
    url = addresses.media_url(one.video_id, one.frame)
    with link(url, "download", download=True, title="Download the best frame"):
        icon("photo_camera")
        tag("span", "spoken", f"Download the best frame of {one.text}")


def where_others_were(found: VideoDetail, known: KnownLens) -> None:
    """What the dashed ellipses are, and what they rest on."""
    if not any(one.estimate for one in found.sightings):
        return
    camera = found.camera or ""
    wide = f"{known.settings.lens(camera).horizontal_fov_deg:g}° wide"
    by = f"the lens {wide}" if camera in known.settings.lenses else f"a guessed lens, {wide}"
    text = f"Dashed: where the other cars may have been. An estimate from the size of their plates, with {by}."
    tag("p", "muted small", text)


def facts(found: VideoDetail) -> None:
    with parts.section("Facts", ("Clocks of the cameras", "/cameras")), tag("dl", "facts panel"):
        for name, value in fact_lines(found):
            with tag("div"):
                tag("dt", text=name)
                tag("dd", "num", value)


def fact_lines(found: VideoDetail) -> list[tuple[str, str]]:
    known = found.facts
    lines = []
    if known:
        start = found.start_utc or known.start_utc
        local, source = wording.moment(start, zone()), wording.CLOCK_NAMES[known.clock]
        lines += [
            ("Start", f"{local} ({source})"),
            *local_there(known.time_zone, start),
            ("Start, UTC", f"{start:%Y-%m-%d %H:%M:%S}"),
            ("Clock", clock_line(known, found.clock, start)),
        ]
        if known.frames:  # a clip without index has positions and no picture
            lines += [
                ("Length", f"{known.duration_s:.2f} s, {known.frames:,} frames at {known.fps:.4g} fps"),
                ("Picture", picture_line(known)),
            ]
        lines.append(("Size", wording.size(known.size)))
        lines.append(("GPS", positions_line(found)))
    if found.frames_decoded is not None:
        lines.append(("Looked at", f"{found.frames_looked_at or 0:,} of {found.frames_decoded:,} frames decoded"))
    lines += [("Source", found.source), ("Found", wording.moment(found.created_at, zone()))]
    if known:
        lines.append(("SHA-256", known.sha256))
    lines += [(f"Model: {name}", digest[:16]) for name, digest in sorted(found.models.items())]
    return lines


def picture_line(known: VideoFacts) -> str:
    return f"{known.width} × {known.height}, {known.codec.upper()}"


def positions_line(found: VideoDetail) -> str:
    """``60 positions, novatek``; where the camera says how good they are: ``190 positions, gpmf (12 2D, 178 3D)``."""
    if not found.positions:
        return "none in this clip, shown are those of the camera beside it" if found.beside else "none in this clip"
    sources = ", ".join(sorted({source for source, _, _ in found.readings}))
    qualities = ", ".join(f"{count:,} {quality.upper()}" for _, quality, count in found.readings if quality != "fix")
    said = f"{wording.count(found.positions, 'position')}, {sources}"
    return f"{said} ({qualities})" if qualities else said


def clock_line(known: VideoFacts, kind: str | None, start: datetime) -> str:
    """Whose clock the times come from, how that of the file names stands, and whether it was corrected."""
    said = wording.CLOCK_KINDS[kind or known.clock_kind]
    if known.camera_ahead_s is not None:
        said += f"; file names are {wording.ahead(known.camera_ahead_s)}"
    if known.time_zone:
        said += f" ({known.time_zone})"
    moved = round((start - known.start_utc).total_seconds())
    return said + (f"; corrected by {moved:+,} s" if moved else "")
