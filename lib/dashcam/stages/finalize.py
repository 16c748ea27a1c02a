"""FINALIZE_VIDEO: the archive is read once more against its manifest; only then its intermediates are let go."""

from pathlib import Path

from dashcam.records import FinalizeResult
from dashcam.stages.archive import kept
from dashcam.stages.common import StageContext, StageOutput, is_reread
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import StorageError
from dashcam.storage.roots import Stores
from dashcam.tasks.model import ARCHIVE, Task


def run(task: Task, ctx: StageContext) -> StageOutput:
    """Verifies the archive of ``task.input("archive")``, then removes the clip's intermediates from the indoor NAS.

    Raw footage is not touched, nor what the site keeps for some days (``storage_retention_days``). When the archive
    does not verify, lacks something the bundle has, or a store is not there, nothing is removed and ``StorageError`` or
    ``StoreError`` says why. What is gone already is no error.
    """
    archive = task.input(ARCHIVE)
    # every address is resolved before the first removal: a store that is not there stops all of it
    made_from = layout.bundle(task.video_id)
    days = ctx.device.retention
    kept_days = {layout.preproc(task.video_id): days.preproc_data, made_from: days.heavy_output}
    places = {uri: ctx.stores.path(uri) for uri in kept_days}
    _prove(ctx.stores.path(archive.uri), places[made_from], task, ctx)
    removed = [uri for uri in places if not kept_days[uri] and _remove(uri, ctx.stores)]
    ctx.log.info("archive verified; removed %s", ", ".join(removed) or "nothing: it was gone already, or shall stay")
    ctx.progress(1.0)
    return StageOutput(FinalizeResult(archive=archive.uri, removed=removed))


def _prove(folder: Path, made_from: Path, task: Task, ctx: StageContext) -> None:
    """Raises unless the archive is whole, is this clip's, and has all that is left of the bundle it was made from."""
    manifest = bundle.read_manifest(folder)
    if manifest.video_id != task.video_id or (task.video and manifest.source_sha256 != task.video.sha256):
        raise StorageError(f"The manifest in {folder} belongs to another clip ({manifest.source}); {anew(folder)}")
    bundled = kept(made_from) if made_from.is_dir() else {}
    sizes = [entry.size for entry in manifest.files] + [path.stat().st_size for path in bundled.values()]
    step = bundle.counted(sum(sizes), ctx.progress)
    archived = {entry.path: entry.sha256 for entry in manifest.files}
    if is_reread(task):  # of such an archive a rule may have let the small copy go
        bundled.pop(layout.LOWRES, None)
    differences = [] if layout.LOWRES in archived or is_reread(task) else [f"{layout.LOWRES} is missing"]
    differences += bundle.verify(folder, manifest, step)
    # a newer bundle that still waits for its own archiving must not go with the older one's intermediates
    differences += [
        f"{name} of the bundle is not archived"
        for name, path in bundled.items()
        if archived.get(name) != bundle.hash_file(path, step)
    ]
    if differences:
        raise StorageError(
            f"The archive {folder} is not what it should be ({'; '.join(differences[:3])}); "
            f"nothing was removed, {anew(folder)}"
        )


def anew(folder: Path) -> str:
    return f"archive it again (dashcam again {folder.name} --from archive)."


def _remove(uri: str, stores: Stores) -> bool:
    """False when it is gone already. ``StoreMissing`` when its store is: what cannot be seen is not gone."""
    folder = stores.path(uri)
    if folder.is_symlink():
        raise StorageError(f"{folder} is a link, not a folder this pipeline made; look where it points and remove it.")
    if not folder.is_dir():
        stores.path(uri)  # the store may have gone away between the two
        return False
    bundle.let_go(folder)
    return True
