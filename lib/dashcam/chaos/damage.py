"""Faults of what is worked with: stores, clips, bundles, the database, engines. By name in `FAULTS`."""

import errno
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from dashcam.chaos.fragile import Fragile
from dashcam.chaos.interrupt import Watch
from dashcam.chaos.trial import Fault, Trial
from dashcam.chaos.world import Run, device
from dashcam.stages.heavy import Heavy
from dashcam.stages.preprocess import Preprocess
from dashcam.storage import layout
from dashcam.tasks import chain
from dashcam.tasks.model import Task, TaskType
from dashcam.vision.detect.onnx_detector import quickest_weights
from dashcam.vision.engines import EngineLost, MissingWeights


def midway(trial: Trial, run: Run, happens: Callable[[], object], reads: bool = False) -> str | None:
    """``happens`` before one of the stage's file operations; the worker goes on as well as it can."""
    met: list[str] = []

    def now(change: str, path: Path) -> None:
        met.append(f"before {change} {path.name}")
        happens()

    trial.go_on(run, Watch(trial.world.watched, trial.moment(run.task_type), now, reads))
    return met[0] if met else None


def away(trial: Trial, root: Path, empty: bool) -> None:
    """The store is not there any more; where it was is nothing, or the empty folder that a mount leaves."""
    if nas := next((one for one in trial.nas.values() if one.mount == root), None):
        nas.be("bare")
        trial.healing.append(partial(mounted_again, nas))
    elif not (aside := root.with_name(f"{root.name}.away")).exists():
        root.rename(aside)
        if empty:
            root.mkdir()
        trial.healing.append(partial(back, root, aside))


def mounted_again(nas: Fragile) -> None:
    nas.heal()
    assert not nas.strays, f"files were written below {nas.mount}, unmounted"


def back(root: Path, aside: Path) -> None:
    if root.exists():
        assert not [one for one in root.rglob("*") if one.is_file()], f"files were written below {root}, unmounted"
        shutil.rmtree(root)
    aside.rename(root)


def vanishes(store: str, empty: bool, trial: Trial, run: Run) -> str | None:
    return midway(trial, run, lambda: away(trial, trial.world.roots[store], empty))


def refuses(store: str, number: int, trial: Trial, run: Run) -> str | None:
    """From one moment on each change in the store fails, until the worker is through with its task."""
    root = trial.world.scratch if store == "scratch" else trial.world.roots[store]
    watch = Watch([*trial.world.watched], trial.moment(run.task_type))
    met: list[str] = []

    def refuse(change: str, path: Path) -> None:
        if path.is_relative_to(root) and watch.count >= (watch.at or 0) - 1 and change not in ("os.remove", "os.rmdir"):
            met.append(f"at {change} {path.name}")
            raise OSError(number, os.strerror(number), str(path))

    watch.trouble = refuse
    trial.go_on(run, watch)
    return met[0] if met else None


def clip_of(trial: Trial, run: Run) -> tuple[Task, Path] | None:
    """The clip that the run comes to next."""
    task = trial.world.task(run.task_ids[run.begun]) if run.begun < len(run.task_ids) else None
    if task is None or task.state != "pending" or trial.healing:
        return None
    return task, trial.world.stores.path(task.input("video").uri)


def clip_changes(change: Callable[[Path], object], trial: Trial, run: Run) -> str | None:
    """Somebody changes the clip while it is read; later it lies there again as it was, and is scanned."""
    found = clip_of(trial, run)
    if found is None or not found[1].is_file():
        return None
    path, content, video_id = found[1], found[1].read_bytes(), found[0].video_id

    def restore() -> None:
        trial.taken_away.discard(video_id)
        path.unlink(missing_ok=True)
        trial.world.hand_in(trial.world.put(path.name, content))

    detail = midway(trial, run, lambda: change(path), reads=True)
    if path.is_file() and path.read_bytes() == content:
        return None
    trial.taken_away.add(video_id)
    trial.healing.append(restore)
    return detail


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(bytes(100_000))


def moved(trial: Trial, run: Run) -> str | None:
    """A person puts the clip into another folder while it is worked on; the next scan finds it there."""
    found = clip_of(trial, run)
    if found is None or not found[1].is_file():
        return None
    path = found[1]
    other = path.parent.parent / f"{path.parent.name}-moved" / path.name

    def move() -> None:
        other.parent.mkdir(exist_ok=True)
        path.rename(other)

    detail = midway(trial, run, move, reads=True)
    if other.exists():
        trial.world.hand_in(other)
    return detail


def flip(path: Path, trial: Trial) -> None:
    data = bytearray(path.read_bytes())
    data[trial.dice.randrange(len(data))] ^= 1 << trial.dice.randrange(8)
    path.write_bytes(data)


def folder_spoiled(uri: Callable[[str], str], remove: bool, trial: Trial, run: Run) -> str | None:
    """A bit of a finished folder flips, or a file of it goes, before the stage that goes by it; then the stages that
    can make it anew do so, as the sentence asks."""
    if run.begun >= len(run.task_ids) or trial.healing:
        return None
    task = trial.world.task(run.task_ids[run.begun])
    if task is None or task.state != "pending":
        return None
    files = sorted(one for one in trial.world.stores.path(uri(task.video_id)).rglob("*") if one.is_file())
    if not files:
        return None
    file = trial.dice.choice(files)
    if remove:
        file.unlink()
    else:
        flip(file, trial)
    trial.go_on(run)
    trial.spoiled.add(task.video_id)
    trial.healing.append(partial(trial.world.do_again, task.video_id, TaskType.HEAVY_PROCESS_VIDEO))
    return f"{file.name} {'removed' if remove else 'flipped'}"


def database_full(trial: Trial, run: Run) -> str | None:
    """No page more can be written until somebody makes room."""
    engine = trial.world.engine
    if engine.dialect.name != "sqlite":
        return None
    hand = trial.world.begin(run)
    if hand is None:
        return None

    def full(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    event.listen(engine, "begin", full)
    told = ""
    try:
        trial.world.deliver(hand)
    except OperationalError as error:
        told = str(error.orig)
    event.remove(engine, "begin", full)
    trial.world.restart_server()
    trial.world.deliver(hand)
    return told or None


def engine_fails(error: Exception, trial: Trial, run: Run) -> str | None:
    """The detector stops answering in the midst of a clip."""
    heavy = trial.world.stages[run.task_type].__self__  # type: ignore[attr-defined]
    asked = trial.dice.randint(1, 3)
    real = heavy.detector.detect
    calls = 0

    def detect(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= asked:
            raise error
        return real(*arguments, **named)

    with mock.patch.object(heavy.detector, "detect", detect):
        trial.go_on(run)
    return f"at its {asked}. picture" if calls >= asked else None


def coral_gone(trial: Trial, run: Run) -> str | None:
    """The device is set up for a Coral that is not there."""
    stage = Preprocess(device(trial.world.scratch).model_copy(update={"proposals": "edgetpu"}))
    trial.go_on(run, stages={run.task_type: stage.run})
    return "no Coral"


def weights(spoil: Callable[[Path], object], trial: Trial, run: Run) -> str | None:
    """The detector's weights are gone or damaged when a run loads them; later they are right again."""
    models = trial.world.folder / "models"
    ours = quickest_weights()
    shutil.copytree(ours.parent, models, dirs_exist_ok=True)
    spoil(models / ours.name)
    there = device(trial.world.scratch).model_copy(update={"detector_weights": models / ours.name})
    try:
        stage = Heavy(there)
    except MissingWeights as error:
        run.state, run.failed = "failed", True
        return str(error)
    trial.go_on(run, stages={run.task_type: stage.run})
    return "loaded all the same"


def flip_weights(path: Path) -> None:
    """A few bits in the midst of a tensor, which every runtime loads without a word."""
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 64, 16):
        data[place] ^= 0x10
    path.write_bytes(data)


def done_again(trial: Trial, run: Run) -> str | None:
    """A person has the clip done again from one of its stages on while it is worked on."""
    if run.begun >= len(run.task_ids) or (task := trial.world.task(run.task_ids[run.begun])) is None:
        return None
    stage = trial.dice.choice(list(chain.STAGES))
    detail = midway(trial, run, lambda: trial.world.do_again(task.video_id, stage))
    return detail and f"{stage} {detail}"


def revision_raised(trial: Trial, run: Run) -> str | None:
    """A newer version of a stage is installed while clips are under way; what was done before is done again."""
    if run.begun >= len(run.task_ids) or (task := trial.world.task(run.task_ids[run.begun])) is None:
        return None
    trial.world.upgrade(run.task_type)
    trial.go_on(run)
    trial.world.do_again(task.video_id, run.task_type)
    return "and the stages behind it"


def handed_in_twice(trial: Trial, run: Run) -> str | None:
    """A copy of the clip under another name is scanned while the first is worked on."""
    found = clip_of(trial, run)
    if found is None or not found[1].is_file():
        return None
    copy = trial.world.put(f"copy-{found[1].name}", found[1].read_bytes())
    name = trial.world.names[found[0].video_id]
    trial.world.hand_in(copy)
    trial.world.names[found[0].video_id] = name
    trial.go_on(run)
    return copy.name


READERS = [stage for stage, one in chain.STAGES.items() if one.reads_clip]
HEAVY = [TaskType.HEAVY_PROCESS_VIDEO]
INDOOR_WRITERS = [TaskType.PREPROCESS_VIDEO, TaskType.HEAVY_PROCESS_VIDEO]
SHED_USERS = [TaskType.ARCHIVE_VIDEO]

FAULTS: dict[str, Fault] = {
    "indoor-vanishes": Fault(partial(vanishes, layout.INDOOR, False)),
    "indoor-unmounted": Fault(partial(vanishes, layout.INDOOR, True)),
    "shed-vanishes": Fault(partial(vanishes, layout.SHED, False)),
    "shed-unmounted": Fault(partial(vanishes, layout.SHED, True)),
    "indoor-eio": Fault(partial(refuses, layout.INDOOR, errno.EIO), INDOOR_WRITERS),
    "indoor-full": Fault(partial(refuses, layout.INDOOR, errno.ENOSPC), INDOOR_WRITERS),
    "shed-eio": Fault(partial(refuses, layout.SHED, errno.EIO), SHED_USERS),
    "shed-full": Fault(partial(refuses, layout.SHED, errno.ENOSPC), SHED_USERS),
    "shed-read-only": Fault(partial(refuses, layout.SHED, errno.EROFS), SHED_USERS),
    "scratch-full": Fault(partial(refuses, "scratch", errno.ENOSPC), HEAVY),
    "clip-cut": Fault(partial(clip_changes, cut), READERS),
    "clip-overwritten": Fault(partial(clip_changes, overwrite), READERS),
    "clip-removed": Fault(partial(clip_changes, lambda path: path.unlink()), READERS),
    "clip-moved": Fault(moved, READERS),
    "bundle-flipped": Fault(partial(folder_spoiled, layout.bundle, False), [TaskType.ARCHIVE_VIDEO]),
    "bundle-file-gone": Fault(partial(folder_spoiled, layout.bundle, True), [TaskType.ARCHIVE_VIDEO]),
    "archive-flipped": Fault(partial(folder_spoiled, layout.archive, False), [TaskType.FINALIZE_VIDEO]),
    "archive-file-gone": Fault(partial(folder_spoiled, layout.archive, True), [TaskType.FINALIZE_VIDEO]),
    "database-full": Fault(database_full),
    "engine-lost": Fault(partial(engine_fails, EngineLost("The accelerator does not answer.")), HEAVY),
    "gpu-out-of-memory": Fault(
        partial(engine_fails, RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")), HEAVY
    ),
    "coral-gone": Fault(coral_gone, [TaskType.PREPROCESS_VIDEO]),
    "weights-gone": Fault(partial(weights, lambda path: path.unlink()), HEAVY),
    "weights-cut": Fault(partial(weights, cut), HEAVY),
    "weights-flipped": Fault(partial(weights, flip_weights), HEAVY),
    "revision-raised": Fault(revision_raised),
    "done-again": Fault(done_again),
    "handed-in-twice": Fault(handed_in_twice, READERS),
}
