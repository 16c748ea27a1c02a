"""HEAVY_PROCESS_VIDEO of a clip that is gone: its archive's crops are read by the readers of today.

The archive is read only. What comes of it is a result as any other of the stage, whose bundle is the archive itself;
archiving then writes that archive's record anew, and nothing else of it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from dashcam.records import HIDDEN, ClipRecord, HeavyResult, Sighting, VideoFacts
from dashcam.stages.common import BUNDLE, StageContext, StageError, StageOutput
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.tasks.model import ARCHIVE, InputRef, NewTask, Task, TaskType
from dashcam.vision.engines import PlateReader
from dashcam.vision.track.kept_crops import decoded, read_again


def run(task: Task, ctx: StageContext, reader: PlateReader, second: PlateReader) -> StageOutput:
    """Publishes ARCHIVE_VIDEO. A sighting whose crop is not the one that was archived, or shows nothing, stays as it
    is. Raises `StageError`, ``StorageError``, ``StoreError``."""
    if layout.SHED not in ctx.stores.roots:
        raise StageError(
            "This device does not have the archive, whose crops are to be read: have it join again with "
            f"--store {layout.SHED}=FOLDER."
        )
    folder = ctx.stores.path(task.input(ARCHIVE).uri)
    manifest = bundle.read_manifest(folder)
    if manifest.video_id != task.video_id:
        raise StorageError(f"The manifest in {folder} belongs to another clip ({manifest.source}).")
    facts, was = told(bundle.read_record(folder, manifest), folder)
    hashes = {entry.path: entry.sha256 for entry in manifest.files}
    found = []
    for number, seen in enumerate(was.sightings, 1):
        found.append(anew(seen, folder, hashes, facts, reader, second))
        ctx.progress(number / len(was.sightings))
    archive = layout.archive(task.video_id)
    models = was.models | {one.name: one.sha256 for one in (reader, second)}
    result = was.model_copy(update={"bundle": archive, "sightings": found, "models": models})
    changed = sum(one != other for one, other in zip(found, was.sightings, strict=True))
    ctx.log.info("%s: %d crops read again, %d of them otherwise", task.video_id, len(found), changed)
    following = NewTask(task_type=TaskType.ARCHIVE_VIDEO, video_id=task.video_id, inputs=[InputRef.of(archive, BUNDLE)])
    return StageOutput(result, [following])


def told(record: ClipRecord, folder: Path) -> tuple[VideoFacts, HeavyResult]:
    """What ingest and the heavy stage have said last."""
    said = {stage.task_type: stage.result for stage in record.stages}
    try:
        return (
            VideoFacts.model_validate(said[TaskType.INGEST_VIDEO]),
            HeavyResult.model_validate(said[TaskType.HEAVY_PROCESS_VIDEO]),
        )
    except (KeyError, ValueError) as error:
        raise StorageError(f"{folder / layout.RECORD} is not a record this version can read.") from error


def anew(
    seen: Sighting, folder: Path, hashes: Mapping[str, str], facts: VideoFacts, reader: PlateReader, second: PlateReader
) -> Sighting:
    if seen.text.startswith(HIDDEN) or seen.crop not in hashes:
        return seen
    try:
        data = (folder / seen.crop).read_bytes()
    except FileNotFoundError:
        return seen
    shown = decoded(data) if hashlib.sha256(data).hexdigest() == hashes[seen.crop] else None
    return seen if shown is None else read_again(seen, shown, (facts.width, facts.height), reader, second)
