"""The pieces pages are made of. Whatever text comes in is shown as text: nothing here is ever parsed as HTML."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, tzinfo
from itertools import groupby
from typing import TypeVar, cast

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from app import addresses, media, wording
from app.access import callers
from app.pages.still import StillTag, is_still
from app.progress import Progress
from dashcam.access.roles import Role
from dashcam.catalog.plates import PlateCard
from dashcam.catalog.sightings import SightingCard
from dashcam.catalog.videos import VideoCard
from dashcam.catalog.work import TaskLine

GUESS = "a guess by the file's date"
AS_FORM = """event => {
  event.preventDefault(); emit(Object.fromEntries(new FormData(event.target, event.submitter)));
}"""
"""What a form's submit event is to be handled by, so that its handler gets the fields by their names, and the button's
where it has one."""
FormT = TypeVar("FormT")


def submitted(
    read: Callable[[Mapping[str, str]], FormT], then: Callable[[FormT], Awaitable[None]]
) -> Callable[[GenericEventArguments], Awaitable[None]]:
    """The handler of such a form: ``then`` is called with what ``read`` makes of it, or its sentence is shown where
    that raises ``ValueError``."""

    async def save(event: GenericEventArguments) -> None:
        try:
            said = read(event.args)
        except ValueError as error:
            ui.notify(str(error), type="warning")
            return
        await then(said)

    return save


def tag(kind: str, /, classes: str = "", text: str | None = None, **attributes: str | bool) -> Element:
    """An HTML element with text and attributes, both taken literally; underscores in names stand for dashes.

    The browser is told of a new element anyway: NiceGUI's own setters tell it of each change once more, a quarter of
    what an element costs. In what is `still` it is no element of NiceGUI's: nobody can listen to it.
    """
    known = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
    if is_still():
        return cast(Element, StillTag(kind, classes, text, known))
    if kind == "input" and "value" in known:
        # Vue's word for an attribute: a value would be set anew, over what is being typed, with each change of the page
        known["^value"] = known.pop("value")
    element = Element(kind) if text is None else TextElement(tag=kind, text=text)
    list.extend(element.classes, classes.split())
    dict.update(element.props, known)
    return element


def link(href: str, classes: str = "", text: str | None = None, **attributes: str | bool) -> Element:
    return tag("a", classes, text, href=href, **attributes)


def icon(name: str) -> Element:
    """As Quasar's own, which costs server and browser several times as much."""
    return tag("i", "q-icon notranslate material-icons", name, aria_hidden="true")


def picture(source: str, alt: str, classes: str = "") -> Element:
    """An image that `pictures.js` asks for when it is to be seen; it puts a quiet placeholder where one is missing."""
    with tag("span", f"picture {classes}") as frame:
        tag("img", data_src=source, alt=alt, decoding="async")
    return frame


def plate_text(text: str, classes: str = "", name: str = "span") -> Element:
    """A plate as it stands on a car; of which only a hash is kept, that with a word for what it is."""
    if wording.is_hashed(text):
        return tag(name, f"plate hashed {classes}", wording.plate(text), title=wording.HASHED)
    return tag(name, f"plate {classes}", text)


def chip(text: str, classes: str = "", icon_name: str | None = None) -> Element:
    with tag("span", f"chip {classes}") as element:
        if icon_name:
            icon(icon_name)
        tag("span", text=text)
    return element


def confidence(value: float) -> Element:
    classes = f"confidence {wording.sureness(value)} num"
    return tag("span", classes, wording.percent(value), title="How sure the reader is of this plate")


def section(title: str, more: tuple[str, str] | None = None, count: str = "") -> Element:
    """A section with its heading; ``more`` is the text and address of a link beside it."""
    with tag("section", "section") as element, tag("div", "section-head"):
        tag("h2", text=title)
        if count:
            tag("span", "muted num", count)
        if more:
            link(more[1], "more", more[0])
    return element


def page_title(title: str, note: str = "") -> None:
    with tag("div", "page-title"):
        tag("h1", text=title)
        if note:
            tag("p", "muted num", note)


def empty(icon_name: str, title: str, what_to_do: str, command: str = "", alone: bool = False) -> None:
    """``alone``: it is all that the page says, its heading that of the page."""
    with tag("div", "empty"):
        icon(icon_name)
        tag("h1" if alone else "h2", text=title)
        tag("p", "muted", what_to_do)
        if command:
            tag("code", text=command)


def sure(label: str, spoken: str, certain: str, do: Callable[[], object]) -> None:
    """A button for what cannot be taken back: pressed once it shows another, which says what will be done."""
    with tag("details", "sure"):
        tag("summary", "button small", label, aria_label=spoken, title=spoken)
        tag("button", "button small danger", certain, type="button").on("click", do)


def progress_bar(progress: Progress, label: str) -> None:
    """Empty, and to a screen reader without a number, while nobody knows how far it is."""
    with tag("span", "progress", role="progressbar", aria_label=label, title=label) as bar:
        if progress.fraction is not None:
            bar.props["aria-valuenow"] = f"{progress.fraction * 100:.0f}"
            tag("span", style=f"width: {progress.fraction * 100:.0f}%")


def plate_card(card: PlateCard, zone: tzinfo | None, now: datetime) -> None:
    last = card.last
    with link(addresses.plate_url(card.text), "card plate-card" + ("" if last.confirmed else " unsure")):
        picture(addresses.media_url(last.video_id, last.crop), wording.crop_of(card.text), "crop")
        with tag("div", "card-body"):
            with tag("div", "line"):
                plate_text(card.text)
                confidence(last.confidence)
            with tag("div", "line muted small num"):
                when = wording.short_moment(last.seen_utc, zone, now) if last.seen_utc else "time unknown"
                when = f"≈ {when}" if last.guessed else when
                tag("span", text=when, title=sighting_when(last, zone))
                if card.sightings > 1:
                    tag("span", "times", f"×{card.sightings:,}", title=wording.count(card.sightings, "sighting"))


def video_card(
    card: VideoCard, zone: tzinfo | None, now: datetime, progress: Mapping[int, Progress], dated: bool = False
) -> None:
    """``dated`` where no heading above it says of which day it is."""
    state = "rejected" if card.outcome in wording.ENDED_BADLY else "pending" if card.outcome is None else "done"
    with link(addresses.video_url(card.video_id), f"card video-card {state}"):
        with tag("div", "poster"):
            if card.poster:
                picture(media.poster_url(card.video_id, card.poster), f"A frame of {card.name}")
            else:
                with tag("span", "picture missing"):
                    icon("block" if state == "rejected" else "hourglass_empty")
            if card.duration_s is not None:
                tag("span", "duration num", wording.duration(card.duration_s))
            if card.plates:
                tag("span", "plate-count num", wording.count(card.plates, "plate"))
        with tag("div", "card-body"):
            with tag("div", "line"):
                when = wording.short_moment(card.when, zone, now) if dated else f"{card.when.astimezone(zone):%H:%M:%S}"
                guess = {"title": GUESS} if card.guessed else {}
                when = f"≈ {when}" if card.guessed else when
                tag("strong", "num", when if card.start_utc else "not read yet", **guess)
                video_chips(card.camera, card.kind, card.locked)
            tag("div", "name muted small", card.name, title=card.name)
            if state != "done":
                standing(card.task, card.outcome, card.reason, now, progress)


def video_chips(camera: str | None, kind: str, locked: bool = False) -> None:
    if camera:
        chip(wording.CAMERA_NAMES.get(camera, camera))
    if kind in wording.KIND_NAMES:
        chip(wording.KIND_NAMES[kind], f"kind-{kind}")
    if locked:
        chip("Locked", icon_name="lock")


def standing(
    task: TaskLine | None, outcome: str | None, reason: str | None, now: datetime, progress: Mapping[int, Progress]
) -> None:
    """Where the clip stands: a bar while a worker is on it, one sentence otherwise."""
    if task is not None and (running := progress.get(task.task_id)):
        with tag("div", "standing running small"):
            what = f"{wording.stage_name(task.task_type)} on {running.device}"
            tag("span", text=f"{what}: {wording.how_far(running.fraction)}")
            progress_bar(running, what)
        return
    trouble = outcome in wording.ENDED_BADLY or (task is not None and (task.hold or task.failures))
    tag("div", f"standing small {'trouble' if trouble else ''}", wording.where_it_stands(task, outcome, reason, now))


def sighting_when(sighting: SightingCard, zone: tzinfo | None) -> str:
    """One that nothing but the file's date tells is marked as the guess it is."""
    if sighting.seen_utc is None:
        return "time unknown"
    when = wording.moment(sighting.seen_utc, zone)
    return f"≈ {when}, {GUESS}" if sighting.guessed else when


def map_frame(source: str, title: str) -> None:
    tag("iframe", "map", src=source, title=title, loading="lazy")


def downloads(scope: Mapping[str, str], track: bool = True) -> None:
    """Links to what may be taken out of a clip, trip or day, or with ``track`` False of a plate."""
    if not callers.may(Role.MEMBER):
        return
    forms = [("track", form) for form in ("gpx", "geojson", "kml")] if track else []
    forms += [("sightings", form) for form in ("csv", "gpx", "geojson", "kml")]
    with tag("p", "downloads small"):
        for kind, of_kind in groupby(forms, key=lambda one: one[0]):
            tag("span", "muted", f"{kind.capitalize()}:")
            for _, form in of_kind:
                name = {"geojson": "GeoJSON"}.get(form, form.upper())
                link(
                    addresses.url(f"/export/{kind}.{form}", scope),
                    "",
                    name,
                    aria_label=f"{kind} as {name}",
                    download=True,
                )


def pager(older: str | None, newest: str | None) -> None:
    """Links to what comes next and back to the beginning, where there is such a place."""
    if older or newest:
        with tag("nav", "pager", aria_label="Newer and older"):
            if newest:
                link(newest, "button", "Back to the newest")
            if older:
                link(older, "button primary", "Show older")
