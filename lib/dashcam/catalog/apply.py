"""A completed task's result becomes catalogue rows, inside the transaction that completes it.

Applying is a replacement: what an earlier revision of the same stage left for this video goes. What follows from it,
trips and places, is derived in the same transaction.
"""

from datetime import UTC, datetime

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from dashcam import records
from dashcam.catalog import accuracy, clocks, corrections, deletions, deriving, holdings, merges, rereads
from dashcam.catalog.models import PositionRow, SightingRow, SourceFile, Video
from dashcam.catalog.plates import forget_unseen, plates_in
from dashcam.config import Site
from dashcam.storage import layout
from dashcam.tasks.model import Completion, TaskType


def apply(session: Session, task_type: TaskType, video_id: str, completion: Completion, site: Site) -> None:
    """Raises pydantic's ``ValidationError`` for a result that is none of its stage's."""
    video = session.get_one(Video, video_id)
    if completion.outcome != "processed":
        if task_type is TaskType.INGEST_VIDEO and completion.result:  # no picture, but positions
            apply_facts(session, video, records.VideoFacts.model_validate(completion.result), site)
        if completion.outcome == "vanished" and holdings.clip_let_go(session, video_id):
            video.outcome = "processed"  # it has been through, and a rule has let the clip go since: nothing vanished
            return
        video.outcome, video.reason = completion.outcome, completion.reason
        if completion.outcome == "vanished":
            # a file that comes back, even at the same place, is to be looked at again
            session.execute(delete(SourceFile).where(SourceFile.video_id == video_id))
        deriving.derive_around(session, [video], site.trips)
        return
    result = completion.result or {}
    match task_type:
        case TaskType.INGEST_VIDEO:
            apply_facts(session, video, records.VideoFacts.model_validate(result), site)
        case TaskType.HEAVY_PROCESS_VIDEO:
            apply_sightings(session, video, records.HeavyResult.model_validate(result), site)
            accuracy.note_missed(session, video_id)
        case TaskType.ARCHIVE_VIDEO:
            video.media = records.ArchiveResult.model_validate(result).archive
        case TaskType.FINALIZE_VIDEO:
            removed = records.FinalizeResult.model_validate(result).removed
            video.outcome, video.reason = "processed", completion.reason or video.reason
            holdings.note(session, video, datetime.now(UTC), removed, site.global_.storage_retention_days)
        case TaskType.PREPROCESS_VIDEO:
            video.poster = video.poster or (layout.POSTER if video.media is None else None)  # of its thumbs, until then
            accuracy.note_rejected(session, video_id, records.PreprocessResult.model_validate(result))


def apply_facts(session: Session, video: Video, facts: records.VideoFacts, site: Site) -> None:
    deriving.one_at_a_time(session)  # before the first change, so that nobody waits for a row of ours meanwhile
    video.facts = facts.model_dump(mode="json", exclude={"fixes"})
    video.reason = facts.damage or None
    video.name = facts.name
    video.start_utc = facts.start_utc
    video.duration_s = facts.duration_s
    video.trip = facts.trip
    video.camera = facts.camera
    session.execute(delete(PositionRow).where(PositionRow.video_id == video.video_id))
    if facts.fixes:
        rows = [{"video_id": video.video_id} | dict(fix) for fix in facts.fixes]
        session.connection().execute(insert(PositionRow), rows)
    deriving.describe(session, video, site.trips, sorted(facts.fixes, key=lambda fix: fix.t_s))
    clocks.follow(session, [video, *clocks.apply_to(session, video)], site)


def apply_sightings(session: Session, video: Video, heavy: records.HeavyResult, site: Site) -> None:
    merges.in_turn(session)
    heavy = deletions.without_deleted(session, video, heavy, site)
    was = None if video.frames_decoded is None else rereads.told(session, video.video_id)
    video.frames_decoded = heavy.frames_decoded
    if heavy.damaged and not video.reason:
        video.reason = f"{heavy.damaged} damaged places in the video; {heavy.frames_decoded} frames were read"
    video.frames_looked_at = heavy.frames_looked_at
    video.models = heavy.models
    video.media = heavy.bundle
    video.poster = heavy.poster
    before = plates_in(session, video.video_id)
    session.execute(delete(SightingRow).where(SightingRow.video_id == video.video_id))
    corrections.add(session, video, heavy.sightings, site)
    if was is not None:
        rereads.note(session, video.video_id, was, datetime.now(UTC))
    forget_unseen(session, before | plates_in(session, video.video_id))
