"""The loop that every stage's flow runs over its task ids."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from blocks.device import LocalDevice, load_device
from dashcam.stages.common import Rejected, StageContext, StageError, StageOutput, clip_vanished, ensure_its_clip
from dashcam.storage.bundle import StorageError, explained
from dashcam.storage.roots import StoreError
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import Completion, Task

PROGRESS_INTERVAL_S = 0.5
SENTENCES = (StorageError, StoreError, StageError)  # whose message is one for people already
LOADING, PROCESS = "(loading)", "(process)"  # where the name of a clip stands otherwise

Stage = Callable[[Task, StageContext], StageOutput]


def work_off(task_ids: Sequence[int], load: Callable[[LocalDevice], Stage]) -> None:
    """Work off the tasks one by one; what is complete by now is skipped, what fails does not stop the rest.

    ``load`` is called once, before the first clip: models are loaded there. Raises at the end when a clip failed, so
    that the run shows as Failed in Prefect.
    """
    device = load_device()
    server = MainServerClient(device.server_url, device.token)
    stage: Stage | None = None
    failed = []
    watch = Stopwatch()
    for task_id in task_ids:
        todo = server.pending(task_id)
        if todo is None:
            continue
        if stage is None:
            with watch.timing(LOADING):
                stage = load(device)
        name = clip_name(todo)
        state = work_on_clip.with_options(task_run_name=name)(todo, stage, device, server, watch, return_state=True)
        if state.is_failed():
            failed.append(name)
    server.close()
    watch.publish()
    if failed:
        raise RuntimeError(
            f"{len(failed)} of {len(task_ids)} clips failed and will be tried again: {', '.join(failed)}"
        )


class Stopwatch:
    """What the stage itself took, for each clip and for loading its models, and what this whole process has used.

    Shows in Prefect as the run's artifact.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        began, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.note(what, time.perf_counter() - began, time.process_time() - cpu)

    def note(self, what: str, seconds: float, cpu_seconds: float) -> None:
        self.rows.append({"clip": what, "seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds, 3)})

    def publish(self) -> None:
        if self.rows:
            self.note(PROCESS, time.time() - psutil.Process().create_time(), time.process_time())
            create_table_artifact(self.rows, description="The stage's own work, and this process in all")


@task(cache_policy=NO_CACHE, persist_result=False)
def work_on_clip(todo: Task, stage: Stage, device: LocalDevice, server: MainServerClient, watch: Stopwatch) -> None:
    """One clip: run the stage, then complete the task; or say why not."""
    log = ClipLog(
        get_run_logger(), {"clip": clip_name(todo), "stage": todo.task_type, "device": device.settings.hostname}
    )
    try:
        with scratch_folder(device.settings.scratch) as scratch:
            report = progress_reporter(server, todo.task_id, device.settings.hostname)
            ensure_its_clip(todo, device.stores)
            with explained(scratch), watch.timing(clip_name(todo)):
                output = stage(todo, StageContext(device.stores, scratch, device.settings, log, report))
            completion = Completion(result=output.result.model_dump(mode="json"), publish=output.publish)
    except Rejected as rejected:
        log.warning("rejected: %s", rejected)
        saved = rejected.result.model_dump(mode="json") if rejected.result else None
        completion = Completion(outcome="rejected", reason=str(rejected), result=saved)
    except Exception as error:
        if clip_vanished(todo, device.stores) and not moved(todo, server) and end_as_vanished(todo, server, log):
            return
        log.error("failed: %s", error)
        server.failed(todo.task_id, str(error) if isinstance(error, SENTENCES) else f"{type(error).__name__}: {error}")
        raise
    if server.complete(todo.task_id, completion):
        log.info("complete")
    else:
        log.info("was complete already; this result is dropped")


def moved(todo: Task, server: MainServerClient) -> bool:
    """Whether the server knows by now that the clip lies elsewhere."""
    now = server.pending(todo.task_id)
    return now is not None and now.inputs != todo.inputs


def end_as_vanished(todo: Task, server: MainServerClient, log: "ClipLog") -> bool:
    """Whether that is settled: the clip has ended, or goes on from a copy. The server refuses where it sees it."""
    path = todo.input("video").path
    reason = (
        f"{path} was removed or replaced before it was processed: put it back, and the next scan takes it up again."
    )
    try:
        ended = server.complete(todo.task_id, Completion(outcome="vanished", reason=reason))
    except ServerRefused as refused:
        log.warning("not ended as vanished: %s", refused)
        return False
    log.warning("vanished: %s" if ended else "gone, and taken up again from a copy: %s", reason if ended else path)
    return True


class ClipLog(logging.LoggerAdapter):
    """Each line says the video, the stage and the device."""

    def process(self, msg: str, kwargs: object) -> tuple[str, object]:  # type: ignore[override]
        extra = self.extra or {}
        return f"[{extra['clip']} {extra['stage']} {extra['device']}] {msg}", kwargs


def clip_name(todo: Task) -> str:
    return todo.video.name if todo.video is not None else todo.inputs[0].path.rsplit("/", 1)[-1]


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="clip-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def progress_reporter(server: MainServerClient, task_id: int, device: str) -> Callable[[float], None]:
    """A callback that passes on at most two reports a second."""
    last = 0.0

    def report(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL_S:
            last = now
            server.progress(task_id, fraction, device)

    return report
