"""ARCHIVE_VIDEO: the heavy stage's bundle goes to the shed NAS, proven byte by byte before it gets its name: what is
read is what heavy wrote, and what is written reads back.

The archive has the layout of the owner's shed NAS document, best frames and a manifest beside it, and the clip's
record, of which the database can be made anew; what only describes the bundle (``detections.json``) stays behind.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from dashcam.records import HIDDEN, ArchiveResult, ClipRecord, Manifest, ManifestEntry
from dashcam.stages.common import BUNDLE, HASHES, StageContext, StageOutput, is_reread, new_folder
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.tasks.model import ARCHIVE, InputRef, NewTask, Task, TaskType


def run(task: Task, ctx: StageContext) -> StageOutput:
    """Copies the bundle of ``task.input("bundle")`` to ``shed_nas:<video_id>`` and publishes FINALIZE_VIDEO.

    An archive that already holds exactly this is left alone. One whose crops were read again is its own bundle: all its
    files but the record are proven, and go over as they are. Raises ``StorageError``, ``StoreError`` or ``OSError``;
    then the archive is as it was before.
    """
    if task.video is None or (is_reread(task) and task.record is None):
        raise StorageError(
            f"Task {task.task_id} does not say which clip {task.video_id} is made from; ingest it again."
        )
    archive = InputRef.of(layout.archive(task.video_id), ARCHIVE)
    source = task.input(BUNDLE)
    final = ctx.stores.path(archive.uri)
    if swept := bundle.sweep_temporaries(final.parent, task.video_id):
        ctx.log.warning("cleaned up after an interrupted archiving: %s", ", ".join(swept))

    folder = ctx.stores.path(source.uri)
    if not folder.is_dir():
        manifest = _proven(final, task)
        if manifest is None:
            raise StorageError(f"The bundle {source.uri} is not there ({folder}), nor is it archived; {anew(folder)}")
    else:
        manifest = _archive(folder, final, task, ctx)
    ctx.progress(1.0)
    result = ArchiveResult(
        archive=archive.uri,
        manifest_sha256=hashlib.sha256(bundle.manifest_bytes(manifest)).hexdigest(),
        files=len(manifest.files),
        bytes=sum(entry.size for entry in manifest.files),
    )
    following = NewTask(task_type=TaskType.FINALIZE_VIDEO, video_id=task.video_id, inputs=[archive, source])
    return StageOutput(result, [following])


def _archive(folder: Path, final: Path, task: Task, ctx: StageContext) -> Manifest:
    files = whole(folder, task)
    if task.record is not None:
        files = dict(sorted({**files, layout.RECORD: _recorded(task.record, files, ctx.scratch)}.items()))
    written = _written(folder, task)
    existing = _proven(final, task)
    # everything is read twice: from the bundle, and from the copy (or from the archive that is there)
    step = bundle.counted(2 * sum(path.stat().st_size for path in files.values()), ctx.progress)
    if existing is not None and _same(existing, files, step):
        _ensure_written(folder, written, existing.files)
        ctx.log.info("%s already holds exactly this; left alone", final)
        return existing
    with new_folder(ctx.stores, layout.archive(task.video_id)) as temporary:
        manifest = _manifest(task, [bundle.copy_file(path, temporary, name, step) for name, path in files.items()])
        _ensure_written(folder, written, manifest.files)
        if differences := bundle.verify(temporary, manifest, step):
            raise StorageError(
                f"The copy in {final.parent} does not read back as it was written ({differences[0]}); check that disk."
            )
        bundle.write_file(temporary / layout.MANIFEST, bundle.manifest_bytes(manifest))
    ctx.log.info("archived %d files in %s", len(manifest.files), final)
    return manifest


def _recorded(record: ClipRecord, files: Collection[str], scratch: Path) -> Path:
    """The clip's record as a file; it must be of this bundle."""
    heavy = next(one for one in reversed(record.stages) if one.task_type == TaskType.HEAVY_PROCESS_VIDEO)
    told = [seen for seen in heavy.result["sightings"] if not str(seen["text"]).startswith(HIDDEN)]
    shown = {str(seen[what]) for seen in told for what in ("crop", "frame")}
    if missing := sorted(shown - set(files)):
        raise StorageError(
            f"The main server's record of {record.video_id} is not of this bundle, which has no {missing[0]}: when the "
            "heavy stage has told its newest result, archiving goes on."
        )
    path = scratch / layout.RECORD
    path.write_bytes(bundle.record_bytes(record))
    return path


def kept(folder: Path) -> dict[str, Path]:
    """The files of a bundle that belong into the archive, by their path there, sorted."""
    named = ((layout.archived(name), path) for name, path in bundle.tree(folder).items())
    return dict(sorted((name, path) for name, path in named if name is not None))


def whole(folder: Path, task: Task) -> dict[str, Path]:
    """As ``kept``; ``StorageError`` when the low-resolution video, the one file every bundle has, is not there. An
    archive that is its own source may have let it go."""
    files = kept(folder)
    if layout.LOWRES not in files and not is_reread(task):
        raise StorageError(f"The bundle {folder} has no {layout.LOWRES}, so it is not whole; {anew(folder)}")
    return files


def anew(folder: Path) -> str:
    """What to do where a bundle is of no use."""
    return f"run heavy again (dashcam again {folder.name})."


def _written(folder: Path, task: Task) -> Manifest | None:
    """What heavy says it wrote; None for a bundle from before it did."""
    if not any(ref.type == HASHES for ref in task.inputs) and not (folder / layout.MANIFEST).exists():
        return None
    try:
        manifest = bundle.read_manifest(folder)
    except StorageError as error:
        raise StorageError(f"What heavy wrote cannot be proven: {error} Nothing was archived; {anew(folder)}") from None
    if manifest != _manifest(task, manifest.files).model_copy(update={"source": manifest.source}):
        raise StorageError(f"{folder / layout.MANIFEST} is of another clip; nothing was archived, {anew(folder)}")
    return manifest


def _ensure_written(folder: Path, written: Manifest | None, read: Sequence[ManifestEntry]) -> None:
    """Raises unless the bundle, of which ``read`` goes into the archive, has the files that heavy wrote and no others,
    those that stay behind included."""
    if written is None:
        return
    said = {layout.archived(entry.path) or entry.path: (entry.size, entry.sha256) for entry in written.files}
    said.pop(layout.RECORD, None)  # of an archive that is its own source: another one takes its place
    there = {entry.path: (entry.size, entry.sha256) for entry in read if entry.path != layout.RECORD}
    for name, path in bundle.tree(folder).items():
        if layout.archived(name) is None and name not in (layout.MANIFEST, layout.RECORD):
            there[name] = path.stat().st_size, bundle.hash_file(path)
    if others := sorted(name for name in said.keys() | there.keys() if said.get(name) != there.get(name)):
        raise StorageError(
            f"The bundle {folder} is not what heavy wrote, by its {layout.MANIFEST} ({', '.join(others[:3])}): check "
            f"that disk. Nothing was archived; {anew(folder)}"
        )


def _manifest(task: Task, entries: list[ManifestEntry]) -> Manifest:
    assert task.video is not None
    return Manifest(video_id=task.video_id, source=task.video.name, source_sha256=task.video.sha256, files=entries)


def _proven(final: Path, task: Task) -> Manifest | None:
    """The manifest of the archive that is there, when it is of this clip and every byte of it is right."""
    try:
        manifest = bundle.read_manifest(final)
        ours = _manifest(task, manifest.files) == manifest
        return manifest if ours and whole(final, task) and not bundle.verify(final, manifest) else None
    except StorageError:
        return None


def _same(manifest: Manifest, files: dict[str, Path], step: Callable[[int], None]) -> bool:
    if [entry.path for entry in manifest.files] != list(files):
        return False
    return all(bundle.hash_file(files[entry.path], step) == entry.sha256 for entry in manifest.files)
