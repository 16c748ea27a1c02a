"""Splitting and joining trips by hand: the buttons, and the way back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from nicegui import ui
from sqlalchemy.orm import Session

from app import addresses, system
from app.access import callers
from app.pages import frame, parts
from app.pages.parts import icon, tag
from app.pages.still import PRESSED
from dashcam.access.roles import Role
from dashcam.catalog import trips
from dashcam.catalog.models import Video
from dashcam.config.model import TripSettings
from dashcam.gps.trips import Decision

T = TypeVar("T")
DONE = {"split": "The trip is split in two.", "join": "The two trips are one."}
WORDS: dict[str, Decision] = {"split": "split", "merge": "merge"}


async def act(change: Callable[[Session, TripSettings], T], did: str) -> T | None:
    """One writing transaction beside the event loop; what cannot be done is said, and None comes back."""
    here = system.current()
    try:
        return await frame.change(lambda session: change(session, here.site.trips), did)
    except trips.NoSuchTrip as error:
        ui.notify(str(error), type="warning")
        return None


def trip_of(session: Session, video_id: str) -> int | None:
    video = session.get(Video, video_id)
    return video.trip_id if video else None


def go(trip_id: int | None, did: str = "", clip: str = "", was: Decision | None = None) -> None:
    """Show a trip, with the way back from what was just done."""
    target = f"/trips/{trip_id}" if trip_id is not None else "/trips"
    ui.navigate.to(addresses.url(target, {"did": did, "clip": clip, "was": was or ""}))


def split_button(video_id: str, name: str) -> None:
    """In what is `still`: `listen` hears it."""
    if callers.may(Role.MEMBER):
        said = f"Split here: begin a new trip with {name}"
        tag(
            "button", "button small quiet", "Split here",
            type="button", aria_label=said, title=said, data_act="split", data_of=video_id,
        )  # fmt: skip


def listen(clips: ui.html, trip_id: int) -> None:
    """To the buttons among a trip's clips."""

    async def pressed(told: Mapping[str, str]) -> None:
        video_id = str(told.get("of"))
        await (split(trip_id, video_id) if told.get("act") == "split" else restoring(video_id, None)())

    clips.on("click", lambda event: pressed(event.args), js_handler=PRESSED)


async def split(trip_id: int, video_id: str) -> None:
    def change(session: Session, settings: TripSettings) -> tuple[int | None, Decision | None]:
        was = trips.split(session, trip_id, video_id, settings)
        return trip_of(session, video_id), was

    if (done := await act(change, f"split trip {trip_id} at {video_id}")) is not None:
        go(done[0], "split", video_id, done[1])


def join_button(label: str, later: int) -> None:
    """Join the trip ``later`` with the one before it."""
    if not callers.may(Role.MEMBER):
        return

    async def join() -> None:
        def change(session: Session, settings: TripSettings) -> tuple[int | None, str, Decision | None]:
            clip, was = trips.merge(session, later, settings)
            return trip_of(session, clip), clip, was

        if (done := await act(change, f"joined trip {later} with the one before")) is not None:
            go(done[0], "join", done[1], done[2])

    tag("button", "button small", label, type="button").on("click", join)


def undo_bar(did: str, clip: str, was: str) -> None:
    """What was just done, and a button that takes it back."""
    if did not in DONE or not clip or not callers.may(Role.MEMBER):
        return
    with tag("div", "panel note undo", role="status"):
        icon("check_circle")
        tag("div", "grow", DONE[did])
        tag("button", "button small", "Undo", type="button").on("click", restoring(clip, WORDS.get(was)))


def back_to_the_rule(video_id: str, decision: str) -> None:
    """Says that a person decided here, and leaves it to the rule again; in what is `still`, as `split_button`."""
    parts.chip("begins here by hand" if decision == "split" else "joined by hand")
    if not callers.may(Role.MEMBER):
        return
    said = "Leave this to the rule again"
    tag("button", "button small quiet", "Undo", type="button", aria_label=said, data_act="undo", data_of=video_id)


def restoring(video_id: str, decision: Decision | None) -> Callable[[], Awaitable[None]]:
    async def restore() -> None:
        def change(session: Session, settings: TripSettings) -> tuple[int | None]:
            trips.restore(session, video_id, decision, settings)
            return (trip_of(session, video_id),)

        if (done := await act(change, f"undid a decision about trips: {video_id}")) is not None:
            go(done[0])

    return restore
