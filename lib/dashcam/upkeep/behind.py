"""Clips of which the archive shows more than the database knows: it is a backup that is older than the archive is.

What the stages have said is taken from the archive's record; then the clip is archived and finalized as ever, which
reads every byte of what is there and lets go what was left of it. Nothing of this needs the clip itself, which a rule
may have removed since.
"""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dashcam.catalog import apply, holdings
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.records import ClipRecord, Manifest, StageRecord, VideoFacts
from dashcam.stages.common import HASHES
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import Stores
from dashcam.tasks import table
from dashcam.tasks.chain import STAGES
from dashcam.tasks.model import Completion, InputRef, NewTask, Outcome, TaskType
from dashcam.tasks.row import PENDING, TaskRow

GONE = "was gone when its clip was to be read again; its archive is whole"
REPLACED = "replaced: its archive shows more"
BEFORE_THE_ARCHIVE = [TaskType.INGEST_VIDEO, TaskType.PREPROCESS_VIDEO, TaskType.HEAVY_PROCESS_VIDEO]


def archived(stores: Stores, video_id: str) -> ClipRecord | None:
    """What the clip's archive says of it, every file of which has its size; None where there is none that is whole.

    Raises `StoreError` where that cannot be seen.
    """
    folder = stores.path(layout.archive(video_id))
    try:
        manifest = bundle.read_manifest(folder)
        if manifest.video_id != video_id or missing(folder, manifest):
            return None
        return bundle.read_record(folder, manifest)
    except (StorageError, OSError):
        stores.root(layout.SHED)
        return None


def missing(folder: Path, manifest: Manifest) -> list[str]:
    """Files of the archive that are not there with the size that its manifest says, a sentence each."""
    there = {name: path.stat().st_size for name, path in bundle.tree(folder).items()}
    return [f"{one.path} is missing or cut" for one in manifest.files if there.get(one.path) != one.size]


def found_gone(session: Session, record: ClipRecord, site: Site) -> bool:
    """The clip lies nowhere any more, and has an archive: it has not vanished. Whether its work goes on from there."""
    holdings.found_gone(session, session.get_one(Video, record.video_id), GONE)
    if not lacking(session, record):
        return False
    take_in(session, record, site)
    return True


def shows_more(session: Session, record: ClipRecord) -> bool:
    """Whether the archive was made of results that the database lacks. Where the clip is to be done again at a revision
    that is newer than the archive, it is not: that is what is wanted now."""
    newest = max(stage.revision for stage in record.stages)
    newer = TaskRow.video_id == record.video_id, text(PENDING), TaskRow.revision > newest
    return session.scalar(select(TaskRow.task_id).where(*newer).limit(1)) is None and lacking(session, record)


def lacking(session: Session, record: ClipRecord) -> bool:
    of_clip = TaskRow.video_id == record.video_id, TaskRow.outcome == "processed"
    newest = select(TaskRow.task_type, func.max(TaskRow.revision)).where(*of_clip).group_by(TaskRow.task_type)
    done = dict(session.execute(newest).tuples().all())
    return any(done.get(stage.task_type, 0) < stage.revision for stage in record.stages)


def has_the_newest(session: Session, record: ClipRecord) -> bool:
    """Whether the archive was made of what the heavy stage has said last."""
    found = {stage.task_type: stage.revision for stage in record.stages}
    kind = TaskType.HEAVY_PROCESS_VIDEO.value
    done = TaskRow.video_id == record.video_id, TaskRow.task_type == kind, TaskRow.outcome == "processed"
    return kind in found and session.scalar(select(func.max(TaskRow.revision)).where(*done)) == found[kind]


def take_in(session: Session, record: ClipRecord, site: Site) -> None:
    """What the archive knows takes the place of what waits for the clip; archiving is what is done next."""
    video = session.get_one(Video, record.video_id)
    for stage in record.stages:
        complete(session, record.video_id, stage, site)
    bundled = layout.bundle(record.video_id)
    store, _, path = record.source.partition(":")
    archive = NewTask(
        task_type=TaskType.ARCHIVE_VIDEO,
        video_id=record.video_id,
        inputs=[
            InputRef(device=store, path=path, type="video"),
            InputRef.of(bundled, "bundle"),
            InputRef.of(f"{bundled}/{layout.MANIFEST}", HASHES),
        ],
    )
    newest = max([STAGES[archive.task_type].revision, *(stage.revision for stage in record.stages)])
    table.close(session, record.video_id, BEFORE_THE_ARCHIVE, REPLACED)
    table.publish(session, archive, newest)
    video.outcome = None
    video.reason = (VideoFacts.model_validate(video.facts).damage or None) if video.facts else None


def complete(session: Session, video_id: str, stage: StageRecord, site: Site) -> None:
    """As the stage's worker did once; nothing where that is known."""
    kind = TaskType(stage.task_type)
    key = TaskRow.video_id == video_id, TaskRow.task_type == kind.value, TaskRow.revision == stage.revision
    row = session.scalars(select(TaskRow).where(*key)).one_or_none()
    if row is None:
        row = TaskRow(
            task_type=kind.value,
            video_id=video_id,
            revision=stage.revision,
            device_type=STAGES[kind].pool,
            inputs=stage.inputs,
            created_at=datetime.now(UTC),
        )
        session.add(row)
    elif row.outcome == stage.outcome:
        return
    else:  # it waits, has found the clip gone, or was replaced by what the archive was not made of
        row.state, row.outcome = "pending", None
    session.flush()
    completion = Completion(outcome=cast(Outcome, stage.outcome), reason=stage.reason, result=stage.result or None)
    table.complete(session, row.task_id, completion, partial(apply.apply, site=site))
