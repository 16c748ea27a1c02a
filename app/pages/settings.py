"""What is set, one place for all of it: each part in a sentence, and where it is changed. No secret is on it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from app import streets, system, wording
from app.access import callers
from app.pages import broker, messaging, parts
from app.pages.cameras import name_of, wrong
from app.pages.frame import ask, frame, may_open
from app.pages.parts import tag
from dashcam.access import users
from dashcam.access.models import Account
from dashcam.access.roles import Role
from dashcam.catalog import clocks, lenses, notes
from dashcam.config import Site
from dashcam.config.model import PlaceSettings
from dashcam.gps.streets import Streets
from dashcam.upkeep import retention
from dashcam.upkeep.retention import Rules

FILE = (
    "What stands in config.json is changed there, on the main server: in /etc/dashcam-processor, or where "
    "DASHCAM_CONFIG says. dashcam check says what is wrong with it; it holds after sudo systemctl restart "
    "dashcam-server, or when dashcam up is started again."
)
PLAN = ("What goes when", "/storage")
SPACE = ("Free space", "/storage")


@dataclass(frozen=True)
class Part:
    """Of what is set."""

    title: str
    said: Sequence[str]
    keys: Sequence[str] = ()
    """Of config.json, where it can be changed there alone."""
    page: tuple[str, str] | None = None
    """Name and address of the page where it is changed."""


async def settings() -> None:
    here = system.current()
    known = await here.recent(clocks.cameras)
    admin = callers.may(Role.ADMIN)

    def question(session: Session) -> tuple[int, list[Account], PlaceSettings]:
        people = users.all_of_them(session) if admin else []
        return len(notes.watched(session, here.site)), people, lenses.known(session, here.site.place)

    watched, people, place = await ask(question)
    found = await asyncio.to_thread(streets.here)
    with frame("Settings", "/account"):
        parts.page_title("Settings", "What is set, and where it is changed")
        tag("p", "muted small", FILE)
        for part in (
            cameras(here.site, known),
            lens(place),
            home_zone(here.site),
            kept(here.site),
            storage(here.site),
            streets_below(here.site, found),
            watch(here.site, watched),
        ):
            draw(part)
        if admin:
            keys = "notify.urls", "notify.silent_minutes"
            draw(Part("Messages", messaging.said(here), keys), partial(messaging.acts, here.addressed))
            draw(Part("Home Assistant", broker.said(here), ("mqtt",)), partial(broker.acts, here))
            draw(log_in(here.access.standing(), people))


def draw(part: Part, acts: Callable[[], None] = lambda: None) -> None:
    page = part.page if part.page and may_open(part.page[1]) else None
    with parts.section(part.title, page), tag("div", "panel pad"):
        for sentence in part.said:
            tag("p", text=sentence)
        if part.keys:
            tag("p", "muted small", f"In config.json: {', '.join(part.keys)}.")
        acts()


def cameras(site: Site, known: list[clocks.CameraTime]) -> Part:
    said = [f"{name_of(one.camera)}: its clock is {wrong(one)}." for one in known]
    zone = site.server.time_zone
    said.append(f"Clocks are taken to be of {zone}." if zone else "Clocks are taken to be of the main server's zone.")
    return Part("Cameras and clocks", said, ("server.time_zone",), ("Correct a clock", "/cameras"))


def lens(place: PlaceSettings) -> Part:
    each = [(name, place.lens(name)) for name in wording.CAMERA_NAMES]
    said = "; ".join(f"{name} {one.horizontal_fov_deg:g}° {one.projection}" for name, one in each)
    plate = f"Plates are taken to be {place.plate_width_m:g} m by {place.plate_height_m:g} m."
    how = f"What a picture spans: {said}. The places of other cars go by it; it is measured on the page of a clip."
    return Part("Lens", [how, plate], ("place.lenses", "place.plate_width_m", "place.plate_height_m"))


def home_zone(site: Site) -> Part:
    known = site.privacy.home_zones
    if not known:
        said = "None: exports have every place, and viewers see where you live."
    else:
        sizes = ", ".join(wording.distance(one.radius_m) for one in known)
        said = f"{wording.count(len(known), 'circle')} ({sizes}): exports have no place in there, viewers see none."
    return Part("Home zone", [said], ("privacy.home_zones",), ("Draw it on a map", "/home-zone"))


def kept(site: Site) -> Part:
    rules = Rules.of(site)
    each = []
    for kind in retention.KINDS:
        span = rules.keeps(kind)
        each.append(f"{wording.HELD_NAMES[kind].lower()} {'for ever' if span is None else f'{span.days:,} days'}")
    going = "What is due goes every night." if site.retention.enabled else "Nothing goes: it is only reported."
    hashed = site.privacy.hash_plates_after_days
    plates = "for ever" if hashed is None else f"for {hashed:,} days, then as hashes"
    said = [f"Kept: {', '.join(each)}. {going}", f"Plates stay by name {plates}."]
    days = ("global.storage_retention_days", "retention.lowres_months")
    return Part("Retention", said, ("retention.enabled", *days, "privacy.hash_plates_after_days"), PLAN)


def storage(site: Site) -> Part:
    paths = site.storage_paths
    named = ["the indoor NAS"] if paths.indoor_nas else []
    named += ["the archive"] if paths.shed_nas else []
    named += sorted(site.extra_stores)
    said = f"{', '.join(named)}." if named else "none: clips have nowhere to go."
    backups = f"{wording.count(site.backup.keep, 'backup')} of the database at most."
    return Part("Storage", [f"Stores: {said}", backups], ("storage_paths", "extra_stores", "backup"), SPACE)


def streets_below(site: Site, found: Streets | None) -> Part:
    keys = ("server.streets_file", "server.tile_url")
    if site.server.tile_url:
        return Part("Streets", ["They come from a tile server of your own."], keys)
    if found is None:
        return Part("Streets", ["None: maps have land, borders and towns. dashcam map get puts them in."], keys)
    size = wording.size(found.file.stat().st_size)
    said = f"{found.file.name}, {size}" + (f", {found.attribution}." if found.attribution else ".")
    return Part("Streets", [said, "Maps have them where the file does; dashcam map get puts another in."], keys)


def watch(site: Site, watched: int) -> Part:
    settled = len(site.privacy.watched_plates)
    said = f"{wording.count(watched, 'plate')} watched" + (f", {settled} of them by config.json." if settled else ".")
    how = "A plate is watched by the button Watched on its own page."
    return Part("Watch", [said, how], ("privacy.watched_plates",), ("Plates", "/plates"))


def log_in(standing: str, people: list[Account]) -> Part:
    roles = Counter(one.role for one in people if not one.disabled)
    said = ", ".join(wording.count(number, role) for role, number in roles.items()) or "nobody has a name yet"
    return Part("People", [standing, f"Who can log in: {said}."], ("access",), ("People", "/people"))
