"""A completed task's result becomes catalogue rows, inside the transaction that completes it.

Applying is a replacement: what an earlier revision of the same stage left for this video goes.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dashcam import records
from dashcam.catalog.models import Plate, Position, Sighting, Video
from dashcam.gps.track import Track
from dashcam.tasks.model import Completion, TaskType


def apply(session: Session, task_type: TaskType, video_id: str, completion: Completion) -> None:
    video = session.get_one(Video, video_id)
    if completion.outcome == "rejected":
        video.outcome, video.reason = "rejected", completion.reason
        return
    result = completion.result or {}
    match task_type:
        case TaskType.INGEST_VIDEO:
            apply_facts(session, video, records.VideoFacts.model_validate(result))
        case TaskType.HEAVY_PROCESS_VIDEO:
            apply_sightings(session, video, records.HeavyResult.model_validate(result))
        case TaskType.ARCHIVE_VIDEO:
            video.media = records.ArchiveResult.model_validate(result).archive
        case TaskType.FINALIZE_VIDEO:
            video.outcome, video.reason = "processed", completion.reason
        case TaskType.PREPROCESS_VIDEO:
            records.PreprocessResult.model_validate(result)


def apply_facts(session: Session, video: Video, facts: records.VideoFacts) -> None:
    video.facts = facts.model_dump(mode="json", exclude={"fixes"})
    video.name = facts.name
    video.start_utc = facts.start_utc
    video.duration_s = facts.duration_s
    video.trip = facts.trip
    video.camera = facts.camera
    session.execute(delete(Position).where(Position.video_id == video.video_id))
    session.add_all(Position(video_id=video.video_id, **fix.model_dump()) for fix in facts.fixes)


def apply_sightings(session: Session, video: Video, heavy: records.HeavyResult) -> None:
    video.frames_decoded = heavy.frames_decoded
    video.frames_looked_at = heavy.frames_looked_at
    video.models = heavy.models
    video.media = heavy.bundle
    video.poster = heavy.poster
    before = set(session.scalars(select(Sighting.plate_id).where(Sighting.video_id == video.video_id)))
    session.execute(delete(Sighting).where(Sighting.video_id == video.video_id))
    track = Track(fixes_of(session, video.video_id))
    for sighting in heavy.sightings:
        here = track.at(sighting.best_s)
        session.add(
            Sighting(
                video_id=video.video_id,
                plate_id=plate_id(session, sighting.text),
                seen_utc=None if video.start_utc is None else video.start_utc + timedelta(seconds=sighting.best_s),
                lat=here and here.lat,
                lon=here and here.lon,
                speed_mps=here and here.speed_mps,
                heading_deg=here and here.heading_deg,
                **sighting.model_dump(mode="json", exclude={"text"}),
            )
        )
    session.flush()
    forget_unseen(session, before)


def plate_id(session: Session, text: str) -> int:
    found = session.scalar(select(Plate.plate_id).where(Plate.text == text))
    if found is not None:
        return found
    plate = Plate(text=text)
    session.add(plate)
    session.flush()
    return plate.plate_id


def forget_unseen(session: Session, plate_ids: set[int]) -> None:
    seen = select(Sighting.plate_id).where(Sighting.plate_id == Plate.plate_id).exists()
    session.execute(delete(Plate).where(Plate.plate_id.in_(plate_ids), ~seen))


def fixes_of(session: Session, video_id: str) -> Sequence[records.Fix]:
    rows = session.scalars(select(Position).where(Position.video_id == video_id).order_by(Position.t_s))
    return [
        records.Fix(
            t_s=row.t_s,
            utc=row.utc,
            lat=row.lat,
            lon=row.lon,
            speed_mps=row.speed_mps,
            heading_deg=row.heading_deg,
            source=row.source,
        )
        for row in rows
    ]
