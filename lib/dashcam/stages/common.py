"""What every stage gets and gives back."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from dashcam import Explained
from dashcam.config import DeviceSettings, PreprocessSettings
from dashcam.media import identity
from dashcam.records import Record
from dashcam.storage import bundle, layout
from dashcam.storage.bundle import explained
from dashcam.storage.roots import StoreError, Stores
from dashcam.tasks.chain import reads_clip
from dashcam.tasks.model import Completion, InputRef, NewTask, Task

PARAMETERS = "parameters"
"""The type of a task's input that says what its stage goes by."""
BUNDLE = "bundle"
"""The type of the input that has what goes into the archive."""
HASHES = "hashes"
"""The type of the input that says what the heavy stage wrote: its bundle's manifest."""


class Rejected(Explained):
    """This clip can never be processed; the message is the plain sentence a person will read.

    ``result`` is what could be saved of it all the same.
    """

    def __init__(self, message: str, result: Record | None = None) -> None:
        super().__init__(message)
        self.result = result


class StageError(Explained):
    """This attempt failed, for a reason that lies with the device and not with the clip; the message is the plain
    sentence a person will read. The task is offered again by itself."""


@dataclass(frozen=True)
class StageContext:
    """The device a stage runs on.

    ``scratch`` is an empty folder of this run's own, removed afterwards; ``progress`` takes a fraction from 0 to 1.
    """

    stores: Stores
    scratch: Path
    device: DeviceSettings
    log: logging.Logger | logging.LoggerAdapter[logging.Logger]
    progress: Callable[[float], None] = lambda fraction: None


@dataclass(frozen=True)
class StageOutput:
    """What a stage hands to ``complete``: its result and the tasks that follow."""

    result: Record
    publish: list[NewTask] = field(default_factory=list)


def worked(task: Task, stage: Callable[[Task, StageContext], StageOutput], ctx: StageContext) -> Completion:
    """One attempt: what the main server is to be told when it went well, or the clip is rejected. Raises whatever else
    the stage raises."""
    try:
        with its_clip(task, ctx.stores), explained(ctx.scratch):
            output = stage(task, ctx)
    except Rejected as rejected:
        ctx.log.warning("rejected: %s", rejected)
        saved = rejected.result.model_dump(mode="json") if rejected.result else None
        return of(task, Completion(outcome="rejected", reason=str(rejected), result=saved))
    return of(task, Completion(result=output.result.model_dump(mode="json"), publish=output.publish))


def of(task: Task, completion: Completion) -> Completion:
    """The same, saying whose it is."""
    return completion.model_copy(update={"task_type": task.task_type, "video_id": task.video_id})


StageFunction = Callable[[Task, StageContext], StageOutput]
"""A stage, its models loaded."""


@contextmanager
def its_clip(task: Task, stores: Stores) -> Iterator[None]:
    """What lies at the clip's place is that clip before the stage reads it, and still is afterwards, whether the stage
    ended well or rejects it: people, and cameras that count from 1 again, put another one there, and a copy may be cut
    off or written over at any time. Raises `StageError`; ``OSError`` and `StoreError` when it cannot be read."""
    _ensure(task, stores)
    try:
        yield
    except Rejected:
        _ensure(task, stores)
        raise
    _ensure(task, stores)


def _ensure(task: Task, stores: Stores) -> None:
    if reads_clip(task) and identity.video_id(stores.path(task.input("video").uri)) != task.video_id:
        raise StageError(
            f"{task.input('video').path} is not the clip any more that was handed in: it was still being written, or "
            "was replaced."
        )


def is_reread(task: Task) -> bool:
    """Whether an archive's crops were read again: it is its own source, and keeps all of its files but the record."""
    return any(ref.type == BUNDLE and ref.uri == layout.archive(task.video_id) for ref in task.inputs)


def new_folder(stores: Stores, uri: str) -> AbstractContextManager[Path]:
    """`dashcam.storage.bundle.new_folder` at ``store:path``, in a store that is there before and after it is made.
    Raises `StoreMissing` too."""
    return bundle.new_folder(stores.path(uri), lambda: stores.path(uri))


def ensure_all_came(task: Task, came: int, again: Callable[[], int], ctx: StageContext) -> None:
    """As many frames came out of the clip as ingest had counted, where that is known and nothing was missing then.

    What came too few the first time is counted once more by ``again``: a clip whose index promises too much, or in
    which some frames are spoiled, gives the same number twice. Raises `StageError` when it does not: the store did.
    """
    facts = task.video
    if facts is None or facts.damage or came >= facts.frames:
        return
    second = again()
    if second != came:
        raise StageError(
            f"{task.input('video').path} gave {came} of its {facts.frames} frames, and {second} when it was read once "
            "more: it, or the store it lies in, changed meanwhile."
        )
    ctx.log.warning("%s: %d frames came out, twice; ingest had counted %d", facts.name, came, facts.frames)


def clip_vanished(task: Task, stores: Stores) -> bool:
    """The clip that the stage must read is in its place no more, and the store is there: a person, the camera's
    software or a retention rule has removed or replaced it. An empty store counts as not mounted."""
    if not reads_clip(task):
        return False
    clip = task.input("video")
    try:
        path = stores.path(clip.uri)
        gone = not path.exists() or identity.video_id(path) != task.video_id
        return gone and any(stores.root(clip.device).iterdir())
    except (StoreError, OSError):
        return False


def settings_of(task: Task, device: DeviceSettings) -> PreprocessSettings:
    """What the task says; the device's where it says nothing (published by hand, or by an older version)."""
    values = next((ref.values for ref in task.inputs if ref.type == PARAMETERS), None)
    try:
        return device.preprocess if values is None else PreprocessSettings.model_validate(values)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(one["loc"][0]) for one in error.errors()}))
        raise StageError(f"This device cannot go by the task's parameters ({wrong}): bring it up to date.") from error


def parameters(settings: PreprocessSettings) -> InputRef:
    """The input of a PREPROCESS_VIDEO task that says what it goes by."""
    return InputRef(device="main_server", path="config.json", type=PARAMETERS, values=settings.model_dump())
