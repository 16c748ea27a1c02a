"""What each route asks for: the one table. A route that is not in it is an admin's alone.

A line is matched as the router matches it, the first that fits counts. ``tests/app/access/test_every_route.py`` walks
the whole application and holds that each of its routes has a line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from starlette.routing import compile_path

from dashcam.access.audit import Kind
from dashcam.access.roles import Role

VIEWER, MEMBER, ADMIN = Role.VIEWER, Role.MEMBER, Role.ADMIN
API = "/api/v1"


class Device(Enum):
    """What of a route is a device's."""

    NOTHING = auto()
    ITS_OWN = auto()
    """The route itself looks at what is in the request: its name, its stores."""
    ITS_TASK = auto()
    """Where the task in the path is of one of its types."""
    ITS_POOL = auto()
    """Where the query asks for its pool, or for one of its task types."""
    ITS_NAME = auto()
    """Where the device in the path is itself."""
    HOUSEKEEPING = auto()
    """Where it does the main server's work."""


@dataclass(frozen=True)
class RouteRule:
    least: Role | None
    """None: open to all."""
    device: Device = Device.NOTHING
    audit: Kind | None = None
    """It is written down who did it."""
    what: str = ""
    """In words, for the audit log."""

    path: str = ""
    is_api: bool = False
    """Asks for a token: neither a cookie nor being on this machine counts, so no page of others can make use of it."""


OPEN = RouteRule(None)
CLIENT = RouteRule(VIEWER)
ALL = RouteRule(MEMBER)
RUN = RouteRule(ADMIN)
HOUSEKEEPING = RouteRule(ADMIN, Device.HOUSEKEEPING)
UNKNOWN = RouteRule(ADMIN)


def plate(what: str) -> RouteRule:
    return RouteRule(MEMBER, audit="plate", what=what)


def export(what: str) -> RouteRule:
    return RouteRule(MEMBER, audit="export", what=what)


def correction(what: str) -> RouteRule:
    return RouteRule(MEMBER, audit="correction", what=what)


def deletion(what: str, device: Device = Device.NOTHING) -> RouteRule:
    return RouteRule(ADMIN, device, "deletion", what)


def setting(what: str) -> RouteRule:
    return RouteRule(ADMIN, audit="settings", what=what)


def access(what: str) -> RouteRule:
    return RouteRule(ADMIN, audit="access", what=what)


PAGES = {
    # looks at the device's token itself: Prefect's client has a way of its own to bring it
    "ANY /prefect/api/{path:path}": OPEN,
    "GET /authority.crt": OPEN,
    "GET /log-in": OPEN,
    "POST /log-in": OPEN,
    "POST /log-out": OPEN,
    "GET /log-in/check": OPEN,
    "GET /favicon.ico": OPEN,
    "GET /static/app.css": OPEN,
    "GET /static/theme.js": OPEN,
    "GET /static/favicon.svg": OPEN,
    "GET /static/{path:path}": CLIENT,
    "ANY /_nicegui_ws/{path:path}": CLIENT,
    "GET /_nicegui/{path:path}": CLIENT,
    "GET /": CLIENT,
    "GET /videos": CLIENT,
    "GET /videos/{video_id}": CLIENT,
    "GET /trips": CLIENT,
    "GET /trips/{trip_id}": CLIENT,
    "GET /map": CLIENT,
    "GET /map/clusters": ALL,
    "GET /map/routes": CLIENT,
    "GET /map/heat": CLIENT,
    "GET /map/day": CLIENT,
    "GET /map/sightings": ALL,
    "GET /map/trips": CLIENT,
    "GET /trips/{trip_id}/play": CLIENT,
    "GET /cameras": ALL,
    "GET /plates": plate("looked through plates"),
    "GET /found/plates": plate("looked through plates"),
    "GET /found/reads/{sighting_id}": plate("looked at what was read"),
    "GET /plates/{text:path}": plate("looked a plate up"),
    "GET /tasks": ALL,
    "GET /devices": ALL,
    "GET /accuracy": ALL,
    "GET /rereads": plate("looked through what was read differently"),
    "GET /storage": ALL,
    "GET /settings": ALL,
    "GET /home-zone": RUN,
    "GET /account": CLIENT,
    "GET /people": RUN,
    "GET /audit": RUN,
    "GET /media/{video_id}/original": ALL,
    "GET /media/{video_id}/{path:path}": CLIENT,
    "GET /maps/leaflet.js": CLIENT,
    "GET /maps/leaflet/leaflet.css": CLIENT,
    "GET /maps/ground/{size}/{row}/{col}": CLIENT,
    "GET /maps/streets/{zoom}/{x}/{y}": CLIENT,
    "GET /maps/pins/{sighting_id}": ALL,
    "GET /maps/videos/{video_id}": CLIENT,
    "GET /maps/trips/{trip_id}": CLIENT,
    "GET /maps/home": RUN,
    "GET /maps/everything": RouteRule(VIEWER, audit="plate", what="looked at the map of everything"),
    "GET /maps/plates/{text:path}": plate("looked a plate up on the map"),
    "GET /timeline/trips/{trip_id}": CLIENT,
    "GET /timeline/videos/{video_id}": CLIENT,
    "GET /timeline/videos/{video_id}/inside": CLIENT,
    "GET /export/track.{form}": export("exported a track"),
    "GET /export/sightings.{form}": export("exported sightings"),
    "GET /export/evidence.zip": export("took out a bundle of evidence"),
    "GET /export/evidence/progress": RouteRule(MEMBER),
    "GET /export/corrections.csv": export("exported corrections"),
    "GET /openapi.json": ALL,
    "GET /docs": ALL,
    "GET /docs/oauth2-redirect": ALL,
    "GET /redoc": ALL,
    "GET /static-offline-docs/{path:path}": ALL,
}

CALLS = {
    "GET /health": OPEN,
    "POST /auth/token": OPEN,
    "GET /users": RUN,
    "POST /users": access("added a person"),
    "PATCH /users/{name}": access("changed a person"),
    "DELETE /users/{name}": access("removed a person"),
    "DELETE /users/{name}/sessions": access("ended a person's sessions"),
    "GET /tokens": RUN,
    "POST /tokens": access("made a token"),
    "DELETE /tokens/{token_id}": access("revoked a token"),
    "GET /audit": RUN,
    "GET /tasks": RouteRule(MEMBER, Device.ITS_POOL),
    "POST /tasks": RUN,
    "GET /tasks/pending": RouteRule(MEMBER, Device.ITS_POOL),
    "POST /tasks/pending": ALL,
    "GET /tasks/changes": ALL,
    "GET /tasks/{task_id}": RouteRule(MEMBER, Device.ITS_TASK),
    "POST /tasks/{task_id}/complete": RouteRule(ADMIN, Device.ITS_TASK),
    "POST /tasks/{task_id}/failed": RouteRule(ADMIN, Device.ITS_TASK),
    "POST /tasks/{task_id}/progress": RouteRule(ADMIN, Device.ITS_TASK),
    "POST /tasks/{task_id}/waits": RouteRule(ADMIN, Device.ITS_TASK),
    "POST /tasks/{task_id}/retry": correction("had a task tried again"),
    # what was moved in the line is written down by itself
    "POST /tasks/retry": ALL,
    "POST /rereads": ALL,
    "POST /videos/{video_id}/first": ALL,
    "DELETE /videos/{video_id}/first": ALL,
    "POST /trips/{trip_id}/first": ALL,
    "DELETE /trips/{trip_id}/first": ALL,
    "POST /ingest": RouteRule(ADMIN, Device.ITS_OWN),
    "POST /scan": RouteRule(ADMIN, Device.ITS_OWN),
    "POST /scan/paused": RouteRule(ADMIN, Device.ITS_OWN),
    "GET /videos": CLIENT,
    "GET /videos/{video_id}": CLIENT,
    "GET /videos/{video_id}/track": CLIENT,
    "GET /videos/{video_id}/frames": CLIENT,
    "POST /videos/{video_id}/again": correction("had a clip done again"),
    "GET /videos/{video_id}/retention": ALL,
    "POST /videos/{video_id}/protect": correction("keeps a clip for good"),
    "DELETE /videos/{video_id}/protect": deletion("took the mark off a clip: the rules hold again"),
    "GET /videos/{video_id}/record": RouteRule(MEMBER, Device.HOUSEKEEPING),
    "GET /plates": plate("looked through plates"),
    "GET /plates/{plate}": plate("looked a plate up"),
    "GET /plates/{plate}/met": plate("looked up how often a plate was met"),
    # what was said, of which plate, is written down with it
    "PUT /plates/{plate}/merged": ALL,
    "DELETE /plates/{plate}/merged": ALL,
    "PUT /plates/{plate}/apart/{other}": ALL,
    "DELETE /plates/{plate}/apart/{other}": ALL,
    "GET /plates/{plate}/note": plate("looked up what is known of a plate"),
    "PUT /plates/{plate}/note": ALL,
    "GET /plates/{plate}/misreads": plate("looked up what a plate may be misread as"),
    "POST /corrections": ALL,
    "GET /corrections": plate("looked through corrections"),
    "DELETE /corrections/{word_id}": ALL,
    "GET /corrections/confusions": ALL,
    "GET /corrections/bands": ALL,
    "GET /corrections/checks": ALL,
    "GET /search": plate("searched for plates"),
    "GET /suggestions": plate("looked through plates that are probably one car"),
    "GET /searches": ALL,
    "POST /searches": ALL,
    "DELETE /searches/{search_id}": ALL,
    "GET /sightings": plate("looked through sightings"),
    "GET /sightings/{sighting_id}/reads": plate("looked up what was read of a sighting"),
    "GET /devices": ALL,
    "POST /join": OPEN,
    "GET /site": RouteRule(ADMIN, Device.ITS_OWN),
    "POST /devices/invitations": access("invited a device"),
    "DELETE /devices/{hostname}/token": RouteRule(ADMIN, Device.ITS_NAME, "access", "took a device's tokens back"),
    "POST /devices/heartbeat": RouteRule(ADMIN, Device.ITS_OWN),
    "GET /devices/{hostname}": RouteRule(MEMBER, Device.ITS_NAME),
    "GET /devices/{hostname}/pause": RouteRule(MEMBER, Device.ITS_NAME),
    "PUT /devices/{hostname}/pause": ALL,
    "DELETE /devices/{hostname}/pause": ALL,
    "GET /trips": CLIENT,
    "GET /trips/{trip_id}": CLIENT,
    "POST /trips/{trip_id}/split": correction("split a trip"),
    "POST /trips/{trip_id}/merge": correction("joined two trips"),
    "PUT /trips/decisions/{video_id}": correction("undid a decision about trips"),
    "POST /trips/derive": RouteRule(ADMIN, audit="correction", what="had all trips derived anew"),
    "GET /map/clusters": plate("looked through sightings on a map"),
    "GET /map/routes": CLIENT,
    "GET /map/heat": CLIENT,
    "GET /map/day": CLIENT,
    "GET /map/sightings": plate("looked through sightings on a map"),
    "GET /map/trips": CLIENT,
    "GET /cameras/clocks": ALL,
    "PUT /cameras/clocks": correction("corrected a camera's clock"),
    "GET /cameras/lenses": ALL,
    "PUT /cameras/lenses": correction("said how wide a camera's lens is"),
    "GET /home-zones": ALL,
    "POST /home-zones": setting("drew a home zone"),
    "DELETE /home-zones": setting("removed a home zone"),
    "GET /export/track.{form}": export("exported a track"),
    "GET /export/sightings.{form}": export("exported sightings"),
    "GET /export/evidence.zip": export("took out a bundle of evidence"),
    "GET /export/evidence/progress": RouteRule(MEMBER),
    "GET /export/corrections.csv": export("exported corrections"),
    "GET /timeline/trips/{trip_id}": CLIENT,
    "GET /timeline/videos/{video_id}": CLIENT,
    "GET /timeline/videos/{video_id}/inside": CLIENT,
    "GET /accuracy": ALL,
    "GET /rereads": plate("looked through what was read differently"),
    "GET /retention": ALL,
    "POST /retention/simulate": ALL,
    "PUT /retention/rules": deletion("said how long what is kept"),
    "DELETE /retention/rules": deletion("had config.json say again how long what is kept"),
    "POST /retention/plans": HOUSEKEEPING,
    "GET /retention/plans/{plan_id}": RouteRule(MEMBER, Device.HOUSEKEEPING),
    "POST /retention/plans/{plan_id}/begin": deletion("began to remove what is due", Device.HOUSEKEEPING),
    "POST /retention/plans/{plan_id}/check": HOUSEKEEPING,
    "POST /retention/plans/{plan_id}/removed": HOUSEKEEPING,
    "POST /retention/plans/{plan_id}/end": HOUSEKEEPING,
    # who deleted how much is written down by itself, what it was is not
    "POST /deletions/preview": RUN,
    "POST /deletions": RUN,
    "GET /deletions/going": RUN,
    "POST /deletions/going": RUN,
    "POST /deletions/going/sightings/{sighting_id}": RUN,
    "DELETE /deletions/going/{going_id}": RUN,
    "POST /deletions/going/{going_id}/now": RUN,
    "GET /deletions/leftovers": HOUSEKEEPING,
    "POST /deletions/leftovers/{video_id}": HOUSEKEEPING,
    "POST /sweep/judge": HOUSEKEEPING,
    "GET /sweep/archives": HOUSEKEEPING,
    "GET /archives/unchecked": RouteRule(MEMBER, Device.HOUSEKEEPING),
    "GET /archives/damaged": RouteRule(MEMBER, Device.HOUSEKEEPING),
    "POST /archives/{video_id}/checked": HOUSEKEEPING,
    "GET /backup": HOUSEKEEPING,
    "POST /backup": HOUSEKEEPING,
    "POST /maintenance": HOUSEKEEPING,
    "GET /doctor": RouteRule(MEMBER, Device.HOUSEKEEPING),
    "GET /metrics": CLIENT,
}


def compiled(lines: dict[str, RouteRule], prefix: str = "") -> Iterator[tuple[re.Pattern[str], str, RouteRule]]:
    for line, rule in lines.items():
        method, path = line.split(" ", 1)
        path = prefix + path
        yield compile_path(path)[0], method, replace(rule, path=path, is_api=bool(prefix))


LINES = [*compiled(CALLS, API), *compiled(PAGES)]


def rule_of(path: str, method: str) -> tuple[RouteRule, dict[str, str]]:
    """What the route of a path asks for, and the path's parameters."""
    method = "GET" if method == "HEAD" else method
    for pattern, its_method, rule in LINES:
        if its_method in (method, "ANY") and (match := pattern.match(path)):
            return rule, match.groupdict()
    return replace(UNKNOWN, is_api=f"{path}/".startswith(f"{API}/")), {}
