"""A whole trip in one player, beside its map."""

from sqlalchemy.orm import Session

from app import addresses, wording
from app.pages import parts
from app.pages.frame import ask, frame, now, zone
from app.pages.parts import link, tag
from app.pages.player import OWN, player, second_of
from dashcam.catalog.models import TripRow


async def play(trip_id: str, t: str = "", z: str = "") -> None:
    def question(session: Session) -> TripRow | None:
        return session.get(TripRow, int(trip_id)) if trip_id.isdecimal() and len(trip_id) < 10 else None

    found = await ask(question)
    if found is None:
        with frame("No such trip", "/trips"):
            parts.empty("search_off", "There is no such trip", "It may have been joined with another one: see Trips.")
        return
    here = zone()
    with frame(f"Playing the trip of {wording.moment(found.start_utc, here)}", "/trips", own=OWN):
        with tag("div", "title-line"):
            day = wording.day_title(found.start_utc.astimezone(here).date(), now().astimezone(here).date())
            parts.page_title(day, wording.span(found.start_utc, found.end_utc, here))
            with tag("div", "actions"):
                link(addresses.trip_url(found.trip_id), "button", "About this trip")
        with tag("div", "play-page" + ("" if found.box is None else " mapped")):
            player(f"/timeline/trips/{found.trip_id}", second_of(t), second_of(z))
            if found.box is not None:
                parts.map_frame(f"/maps/trips/{found.trip_id}", "Map of the trip")
