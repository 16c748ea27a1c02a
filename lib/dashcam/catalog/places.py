"""Where sightings were: our own place at that instant, and an estimate of the other car's."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dashcam import records
from dashcam.catalog import lenses, plate_facts
from dashcam.catalog.models import PositionRow, SightingRow, Video
from dashcam.config.model import PlaceSettings
from dashcam.gps.place import estimate
from dashcam.gps.track import Track, TrackPoint

LONGEST_CLIP = timedelta(hours=1)


def place_sightings(session: Session, video: Video, settings: PlaceSettings) -> None:
    """Give each of the video's sightings its place, from the clip's own positions or those of the camera beside it."""
    seen = session.scalars(select(SightingRow).where(SightingRow.video_id == video.video_id)).all()
    if seen:
        place(session, video, seen, settings)
        plate_facts.outdate(session, video.video_id)


def estimate_again(session: Session, video: Video, settings: PlaceSettings) -> None:
    """Where other cars were, by another lens: times and places stay, and so does what is kept of plates."""
    seen = session.scalars(select(SightingRow).where(SightingRow.video_id == video.video_id)).all()
    place(session, video, seen, settings)


def place(session: Session, video: Video, seen: Sequence[SightingRow], settings: PlaceSettings) -> None:
    """`place_sightings` for rows that may not be in the table yet."""
    track = Track(track_of(session, video))
    size = (int((video.facts or {}).get("width", 0)), int((video.facts or {}).get("height", 0)))
    settings = lenses.known(session, settings)
    for sighting in seen:
        sighting.seen_utc = video.start_utc and video.start_utc + timedelta(seconds=sighting.best_s)
        _place(sighting, track.at(sighting.best_s), size, video.camera or "", settings)


def _place(
    sighting: SightingRow, here: TrackPoint | None, size: tuple[int, int], camera: str, settings: PlaceSettings
) -> None:
    other = None
    if here is not None:
        x0, y0, x1, y1 = sighting.box
        other = estimate(here, (x0, y0, x1, y1), size, camera, settings)
    sighting.lat = round(here.lat, 7) if here else None
    sighting.lon = round(here.lon, 7) if here else None
    sighting.speed_mps = here.speed_mps if here else None
    sighting.heading_deg = here.heading_deg if here else None
    sighting.accuracy_m = round(here.accuracy_m, 2) if here else None
    sighting.place_quality = here.quality if here else None
    sighting.estimate = other.model_dump() if other else None


def place_companions(session: Session, video: Video, settings: PlaceSettings) -> None:
    """A clip's positions have changed: so have the places in clips beside it that have none of their own."""
    for other in overlapping(session, video):
        if other.drive is None:
            place_sightings(session, other, settings)


def track_of(session: Session, video: Video) -> Sequence[records.Fix]:
    """The fixes of the clip, else those of the clip of another camera that ran longest beside it, in our media time."""
    own = fixes_of(session, video.video_id)
    if own or video.start_utc is None:
        return own
    placed = [other for other in overlapping(session, video) if other.drive is not None]
    if not placed:
        return []
    best = max(placed, key=lambda other: (together_s(video, other), other.video_id))
    shift_s = (best.start_utc - video.start_utc).total_seconds() if best.start_utc else 0.0
    return [fix.model_copy(update={"t_s": fix.t_s + shift_s}) for fix in fixes_of(session, best.video_id)]


def overlapping(session: Session, video: Video) -> list[Video]:
    """The clips of other cameras that ran at the same time."""
    if video.start_utc is None or video.duration_s is None:
        return []
    query = select(Video).where(
        Video.start_utc > video.start_utc - LONGEST_CLIP,
        Video.start_utc < video.start_utc + timedelta(seconds=video.duration_s),
        Video.video_id != video.video_id,
        or_(Video.camera.is_(None), Video.camera != (video.camera or "")),
    )
    return [other for other in session.scalars(query) if together_s(video, other) > 0]


def together_s(a: Video, b: Video) -> float:
    if a.start_utc is None or b.start_utc is None:
        return 0.0
    ends = (one.start_utc + timedelta(seconds=one.duration_s or 0) for one in (a, b) if one.start_utc)
    return (min(ends) - max(a.start_utc, b.start_utc)).total_seconds()


def fixes_of(session: Session, video_id: str) -> list[records.Fix]:
    return fixes_of_each(session, [video_id])[0]


def fixes_of_each(session: Session, video_ids: Sequence[str]) -> list[list[records.Fix]]:
    """Those of each clip, in order of time; one question for all."""
    names = list(records.Fix.model_fields)
    columns = [getattr(PositionRow, name) for name in names]
    wanted = select(PositionRow.video_id, *columns).where(PositionRow.video_id.in_(video_ids))
    found: dict[str, list[records.Fix]] = {video_id: [] for video_id in video_ids}
    for video_id, *values in session.execute(wanted.order_by(PositionRow.video_id, PositionRow.t_s)):
        found[video_id].append(records.Fix(**dict(zip(names, values, strict=True))))
    return [found[video_id] for video_id in video_ids]
