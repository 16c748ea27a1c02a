"""What each stage will write, and where: asked before a clip is begun, so that one that would not fit waits.

Estimates are on the safe side: a bundle was 0.4 to 0.7 times as large as its clip, and some hundred kB larger than that
where the clip is short.
"""

from pathlib import Path

from dashcam.storage import bundle, layout
from dashcam.storage.bundle import DiskFull
from dashcam.storage.room import Need, shortage
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.chain import reads_clip
from dashcam.tasks.model import Task, TaskType

MB = 1_000_000
PREPROCESSED = 4 * MB
"""``candidates.json`` and its thumbs, at most."""
BESIDE = 4 * MB
"""What of a bundle does not grow with its clip: pictures of plates."""
RECORD = 1 * MB


def no_room(task: Task, stores: Stores, scratch: Path) -> str | None:
    """Why the task cannot be begun on this device, in a plain sentence; None where it fits.

    A store that is not there is for the stage to complain of.
    """
    try:
        return shortage(needs(task, stores, scratch))
    except (StoreError, OSError):
        return None


def filled_up(full: DiskFull, stores: Stores, scratch: Path) -> str:
    """The same, of a task that was begun: what it has left half-written is gone again."""
    folders = {f"store {name}": root for name, root in stores.roots.items()} | {"the scratch of this device": scratch}
    inside = {what: folder for what, folder in folders.items() if full.where.is_relative_to(folder)}
    what = max(inside, key=lambda what: len(inside[what].parts), default="")
    where = f"{what} ({inside[what]})" if what else str(full.where)
    return f"No room in {where}: it filled up while the clip was in work. Make room there, and it goes on by itself."


def needs(task: Task, stores: Stores, scratch: Path) -> list[Need]:
    """What the task's stage will write at most. Taking in only reads, and so does who reads an
    archive's crops; finalizing makes room: they need none.

    Raises `StoreError`, ``OSError``.
    """
    match task.task_type:
        case TaskType.PREPROCESS_VIDEO:
            return [_in_store(layout.INDOOR, stores, PREPROCESSED)]
        case TaskType.HEAVY_PROCESS_VIDEO if reads_clip(task):
            made = (task.video.size if task.video else 0) + BESIDE
            # in scratch it is made, beside every frame that may be shown
            return [_in_store(layout.INDOOR, stores, made), Need("the scratch of this device", scratch, 2 * made)]
        case TaskType.ARCHIVE_VIDEO:
            folder = stores.path(task.input("bundle").uri)
            size = sum(path.stat().st_size for path in bundle.tree(folder).values()) if folder.is_dir() else 0
            return [_in_store(layout.SHED, stores, size + RECORD)]
    return []


def _in_store(store: str, stores: Stores, size: int) -> Need:
    return Need(f"store {store}", stores.root(store), size)
