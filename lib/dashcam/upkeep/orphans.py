"""What the main server knows of folders that lie about: whose they are, and whether somebody still needs them."""

from collections.abc import Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dashcam.catalog import deletions, held_back
from dashcam.catalog.models import Holding, Protection, Video
from dashcam.storage import layout
from dashcam.tasks.row import PENDING, TaskRow
from dashcam.upkeep.sweep import Folder, Word

UNKNOWN = "the database knows no such clip: if it is a new one, put the right one back, or build it from the archive"


def judge(session: Session, folders: Sequence[Folder]) -> list[Word]:
    """Of each folder of intermediates whether it was left behind: its clip has ended, and no rule has it to remove."""
    ids = {folder.video_id for folder in folders}
    found = select(Video.video_id, Video.outcome, Video.facts).where(Video.video_id.in_(ids))
    videos = {row.video_id: row for row in session.execute(found)}
    pending = select(TaskRow.video_id, func.min(TaskRow.task_type)).where(text(PENDING), TaskRow.video_id.in_(ids))
    to_do = dict(session.execute(pending.group_by(TaskRow.video_id)).tuples().all())
    protected = set(session.scalars(select(Protection.video_id).where(Protection.video_id.in_(ids))))
    rows = session.scalars(select(Holding).where(Holding.video_id.in_(ids)))
    holdings = {(row.kind, row.video_id): row for row in rows}
    deleted, going = deletions.deleted_clips(session, ids), held_back.clips(session, ids)

    def word(folder: Folder) -> Word:
        video, row = videos.get(folder.video_id), holdings.get((folder.kind, folder.video_id))
        known = folder.model_dump()
        if video is None and folder.video_id in going:
            return Word(**known, orphan=False, why="its clip was deleted by a person, who may have it back still")
        if video is None and folder.video_id in deleted:
            return Word(**known, orphan=True, deleted=True, why="its clip was deleted by a person")
        if video is None:
            return Word(**known, orphan=False, unknown=True, why=UNKNOWN)
        if (stage := to_do.get(folder.video_id)) is not None:
            return Word(**known, orphan=False, why=f"{stage} of its clip is still to be done")
        if folder.video_id in protected:
            return Word(**known, orphan=False, why="its clip is protected")
        if video.outcome in ("rejected", "vanished"):
            return Word(**known, orphan=True, why=f"its clip ended as {video.outcome}")
        if video.outcome != "processed" or row is None or row.removed_at is None:
            return Word(**known, orphan=False, why="retention lets it go when its days are over")
        sha256 = (video.facts or {}).get("sha256", "")
        why = f"it was let go on {row.removed_at:%Y-%m-%d}, and written again by a run that came too late"
        return Word(**known, orphan=True, archived=True, sha256=sha256, why=why)

    return [word(folder) for folder in folders]


def archived(session: Session, after: str, limit: int) -> list[str]:
    """Clips that must have a folder in the archive, by their id, from behind ``after``."""
    through = Video.outcome == "processed", Video.media.startswith(f"{layout.SHED}:")
    query = select(Video.video_id).where(*through, Video.video_id > after).order_by(Video.video_id).limit(limit)
    return list(session.scalars(query))


def known(session: Session, video_ids: Sequence[str]) -> set[str]:
    return set(session.scalars(select(Video.video_id).where(Video.video_id.in_(list(video_ids)))))
