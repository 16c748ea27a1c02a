"""The cameras' clocks: how far off they are, what a person says about them, and what follows for their clips.

Clips timed by the satellites' UTC are right as they are. For all others a camera's correction counts. Without one, a
clip that is named like one with GPS of another camera goes by that one's offset, for both names carry one clock. A
clock that had started again on 1 January is seen through (`gps.restart`).
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from statistics import median
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Engine, bindparam, false, func, select, update
from sqlalchemy.orm import Session

from dashcam.catalog import deriving, plate_facts
from dashcam.catalog.camera_rows import CameraClock
from dashcam.catalog.models import PositionRow, SightingRow, Video
from dashcam.catalog.places import overlapping, place_companions, place_sightings
from dashcam.config import Site
from dashcam.config.model import PlaceSettings
from dashcam.database import reading, writing
from dashcam.gps import clock
from dashcam.gps.restart import NEAR, Numbered, mended
from dashcam.media import names
from dashcam.records import ClockKind, VideoFacts

LATEST = 50
SHORT_S = 0.5
"""A write transaction ends after about so long, so that nobody waits for it."""
TEN_YEARS_S = 3.2e8
"""More than that no clock is off."""
NAMED_TOGETHER = timedelta(seconds=5)
"""So close together the cameras of one car begin a recording."""
FAR_OFF = timedelta(days=1)
"""A clock that is further off is seen through only where the names have numbers."""


MOVE_FIX = (
    update(PositionRow)
    .where(PositionRow.video_id == bindparam("of"), PositionRow.t_s == bindparam("at"))
    .values(utc=bindparam("utc"))
)


class Correcting(BaseModel):
    """How far the carrying out of a correction is."""

    clips: int = 0
    """That may move: those timed by the satellites' UTC never do."""
    done: int = 0
    changed: int = 0
    """Clips whose time changed."""
    ended: bool = False
    """Trips included."""


class CameraTime(BaseModel):
    """What is known about a camera's clock. Offsets count how far it is ahead, in seconds."""

    camera: str
    clips: dict[ClockKind, int]
    """By the clock that their times come from."""
    ahead_of_utc_s: float | None
    """Of the clock of the file names, as the GPS tells: the median of the latest clips."""
    time_zone: str
    """Where these clips were taken, or what the settings say."""
    ahead_s: float | None
    """The same without the time zone's own offset: how wrong the clock goes."""
    correction_s: float
    """What a person says it is ahead; taken off the times of clips without UTC of their own."""
    correcting: Correcting | None = None
    """How far the latest correction is, where one was made since the main server started or goes on."""


def cameras(session: Session) -> list[CameraTime]:
    """Every camera that clips come from; the one without a name is ``""``."""
    counted = select(Video.camera, Video.clock, func.count()).where(Video.clock.is_not(None))
    clips: dict[str, dict[ClockKind, int]] = {}
    for name, kind, count in session.execute(counted.group_by(Video.camera, Video.clock)):
        clips.setdefault(name or "", {})[_kind(kind)] = count
    corrections = {row.camera: row.ahead_s for row in session.scalars(select(CameraClock))}
    return [
        _camera(session, name, clips.get(name, {}), corrections.get(name, 0.0))
        for name in sorted({*clips, *corrections})
    ]


def _camera(session: Session, name: str, clips: dict[ClockKind, int], correction_s: float) -> CameraTime:
    at = func.coalesce(Video.start_utc, Video.created_at)
    known = []
    for kind in ("utc", "gps_local"):  # one by one: each is a walk along an index, both together a sort of all clips
        query = select(Video.facts, Video.start_utc).where(Video.camera == name, Video.clock == kind)
        latest = session.execute(query.order_by(at.desc()).limit(LATEST))
        known += [(VideoFacts.model_validate(facts), start) for facts, start in latest if facts and start]
    known = sorted(known, key=lambda one: one[1], reverse=True)[:LATEST]
    ahead = [
        (facts.camera_ahead_s, facts.time_zone, start) for facts, start in known if facts.camera_ahead_s is not None
    ]
    wrong = [total - _offset_s(start, zone) for total, zone, start in ahead if zone]
    return CameraTime(
        camera=name,
        clips=clips,
        ahead_of_utc_s=round(median(total for total, _, _ in ahead), 1) if ahead else None,
        time_zone=ahead[0][1] if ahead else "",
        ahead_s=round(median(wrong), 1) if wrong else None,
        correction_s=correction_s,
    )


def zone_lived_in(session: Session) -> ZoneInfo | None:
    """The time zone of the latest clip whose place tells one; None when none of the latest does."""
    at = func.coalesce(Video.start_utc, Video.created_at)
    latest = select(Video.clock, Video.facts).order_by(at.desc()).limit(10 * LATEST).subquery()
    told = select(latest.c.facts).where(latest.c.clock.in_(("utc", "gps_local")))
    zones = (clock.known_zone(facts.get("time_zone", "")) for facts in session.scalars(told) if facts)
    return next((zone for zone in zones if zone is not None), None)


def _offset_s(start: datetime, zone: str) -> float:
    offset = start.astimezone(clock.known_zone(zone)).utcoffset()
    return offset.total_seconds() if offset else 0.0


def correct(engine: Engine, camera: str, ahead_s: float, site: Site) -> int:
    """`note` a correction and `carry_out`; how many clips changed."""
    note(engine, camera, ahead_s)
    at = Correcting()
    carry_out(engine, camera, site, at)
    return at.changed


def note(engine: Engine, camera: str, ahead_s: float) -> None:
    """Write down that the camera's clock is so far ahead; `carry_out` is owed from then on."""
    with writing(engine) as session:
        session.merge(CameraClock(camera=camera, ahead_s=ahead_s, decided_at=datetime.now(UTC), applied=False))


def owed(session: Session) -> list[str]:
    """The cameras whose correction is not, or not wholly, carried out."""
    return list(session.scalars(select(CameraClock.camera).where(CameraClock.applied == false())))


def carry_out(
    engine: Engine, camera: str, site: Site, at: Correcting, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Derive all clips of the camera anew by what a person says of its clock, and write into ``at`` how far that is.

    Many short transactions, so that nobody waits: first the clips' times and places, then the trips where they were
    and are. One that is cut short, by ``go_on`` or a power cut, stays `owed` and is finished by doing it again.
    """
    with reading(engine) as session:
        decided_at = session.scalar(select(CameraClock.decided_at).where(CameraClock.camera == camera))
        wanted = select(Video.video_id).where(func.coalesce(Video.camera, "") == camera, Video.clock != "utc")
        ids = deque(session.scalars(wanted.order_by(Video.start_utc)))
    at.clips = len(ids)
    changed: set[str] = set()
    spans: list[deriving.Stretch] = []
    while ids:
        if not go_on():
            return
        with writing(engine) as session:
            moved, looked_at = apply_some(session, ids, site)
            changed.update(video.video_id for video in moved)
            spans += deriving.spans_of(session, [*looked_at, *moved])
        at.done, at.changed = at.clips - len(ids), len(changed)
    deriving.derive_in_steps(engine, spans, site.trips)
    with writing(engine) as session:
        same = CameraClock.camera == camera, CameraClock.decided_at == decided_at  # not corrected again meanwhile
        session.execute(update(CameraClock).where(*same).values(applied=True))
    at.ended = True


def apply_some(session: Session, ids: deque[str], site: Site) -> tuple[list[Video], list[Video]]:
    """Settle the first of these clips, as many as a short transaction has time for, and take them off the queue; the
    clips that moved, places included, and all that were looked at."""
    end = time.monotonic() + SHORT_S
    moved: list[Video] = []
    looked_at: list[Video] = []
    while ids and (not looked_at or time.monotonic() < end):
        video = session.get(Video, ids.popleft())
        if video is not None:
            looked_at.append(video)
            before = overlapping(session, video)
            retimed = apply_to(session, video)
            place_moved(session, retimed, before, site.place)
            moved += retimed
    return moved, looked_at


def place_moved(session: Session, moved: Sequence[Video], before: Sequence[Video], settings: PlaceSettings) -> None:
    """The places in clips without positions that these clips have come to, or went away from: ``before``. A clip's own
    positions move with it, and so its places stay."""
    for video in moved:
        if video.drive is None:
            place_sightings(session, video, settings)
        else:
            place_companions(session, video, settings)
    for other in before if moved else ():
        if other.drive is None and other not in moved:
            place_sightings(session, other, settings)


def follow(session: Session, moved: Sequence[Video], site: Site) -> None:
    """What hangs on the times and positions of these clips: the places in those without positions, and trips."""
    session.flush()
    for video in moved:
        place_sightings(session, video, site.place)
        if video.drive is not None:
            place_companions(session, video, site.place)
    deriving.derive_around(session, moved, site.trips)


def apply_to(session: Session, video: Video) -> list[Video]:
    """Set the clip's start to what its facts, the correction and its neighbours say; the clips whose time changed."""
    beside = [one for one in _named_alike(session, video, video.start_utc) if one.clock == "camera"]
    moved = [one for one in [video, *beside] if _settle(session, one)]  # in this order: they go by what it says
    return moved + _mend_restart(session, video)


def _settle(session: Session, video: Video) -> bool:
    start = _corrected(session, video)
    return start is not None and retime(session, video, start)


def _corrected(session: Session, video: Video) -> datetime | None:
    if video.facts is None:
        return None
    facts = VideoFacts.model_validate(video.facts)
    correction = None if video.clock == "utc" else session.get(CameraClock, video.camera or "")
    said_s = correction.ahead_s if correction else 0.0
    start, named = facts.start_utc - timedelta(seconds=said_s), _named(video.name)
    if video.clock != "camera" or named is None:
        return start
    ahead = None if said_s else _ahead_beside(session, video, facts.start_utc)
    ahead_s = None if ahead is None else ahead.total_seconds()
    if ahead_s != facts.camera_ahead_s:
        video.facts = video.facts | {"camera_ahead_s": ahead_s}
    return start if ahead is None else named - ahead


def _ahead_beside(session: Session, video: Video, start: datetime) -> timedelta | None:
    """How far names are ahead of UTC, as the GPS of another camera tells in the same recording; None without one."""
    told: list[tuple[int, timedelta, timedelta]] = []
    for other in _named_alike(session, video, start):
        named = _named(other.name)
        if other.clock in ("utc", "gps_local") and named is not None and other.start_utc is not None:
            numbers_apart = abs((other.counter or 0) - (video.counter or 0))
            # names repeat themselves, in the autumn hour and after each empty battery: the nearest one is meant
            told.append((numbers_apart, abs(other.start_utc - start), named - other.start_utc))
    return min(told)[2] if told else None


def _named_alike(session: Session, video: Video, start: datetime | None) -> list[Video]:
    """The clips of other cameras that by their names are of the same recording, however far their clocks are off."""
    named = _named(video.name)
    if named is None or start is None:
        return []
    near: ColumnElement[bool] = Video.start_utc.between(start - FAR_OFF, start + FAR_OFF) & Video.counter.is_(None)
    if video.counter is not None:  # one device numbers either all its clips or none
        near = Video.counter.between(video.counter - NEAR, video.counter + NEAR)
    others = select(Video.video_id, Video.name).where(near, func.coalesce(Video.camera, "") != (video.camera or ""))
    alike = [
        video_id
        for video_id, name in session.execute(others)
        if (said := _named(name)) is not None and abs(said - named) <= NAMED_TOGETHER
    ]
    return list(session.scalars(select(Video).where(Video.video_id.in_(alike)))) if alike else []


@lru_cache(4096)  # neighbours ask for each name some forty times
def _named(name: str) -> datetime | None:
    """The time in a file's name, as if it were UTC."""
    local = names.parse(name).start_local
    return local and local.replace(tzinfo=UTC)


def _mend_restart(session: Session, video: Video) -> list[Video]:
    """Clips around this one that are named by a clock that had started again."""
    if video.counter is None:
        return []
    near = Video.counter.between(video.counter - NEAR, video.counter + NEAR)
    columns = Video.video_id, Video.name, Video.counter, Video.start_utc, Video.duration_s, Video.clock
    whole = near, Video.start_utc.is_not(None), Video.clock.is_not(None)
    around = [
        Numbered(video_id, name, counter, start, duration_s or 0.0, _kind(clock))
        for video_id, name, counter, start, duration_s, clock in session.execute(select(*columns).where(*whole))
        if counter is not None and start is not None
    ]
    starts = mended(around)
    lost = session.scalars(select(Video).where(Video.video_id.in_(starts))).all() if starts else ()
    return [one for one in lost if retime(session, one, starts[one.video_id])]


def _kind(stored: str | None) -> ClockKind:
    return "utc" if stored == "utc" else "gps_local" if stored == "gps_local" else "camera"


def retime(session: Session, video: Video, start: datetime) -> bool:
    """Move the clip, its positions and its sightings to another start; false when it is that already."""
    if video.start_utc is None or abs(start - video.start_utc) < timedelta(milliseconds=1):
        return False
    shift = start - video.start_utc
    video.start_utc = start
    session.flush()
    fixes = session.execute(
        select(PositionRow.t_s, PositionRow.utc).where(PositionRow.video_id == video.video_id)
    ).all()
    if fixes:
        moved = [{"of": video.video_id, "at": t_s, "utc": utc + shift} for t_s, utc in fixes]
        session.connection().execute(MOVE_FIX, moved)  # not through the ORM, which takes five times as long
    mine = select(SightingRow.sighting_id, SightingRow.best_s).where(SightingRow.video_id == video.video_id)
    seen = [
        {"sighting_id": key, "seen_utc": start + timedelta(seconds=best_s)} for key, best_s in session.execute(mine)
    ]
    if seen:
        session.execute(update(SightingRow), seen)
        plate_facts.outdate(session, video.video_id)
    return True
