"""The loop that every stage's flow runs over its task ids."""

import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from blocks.device import LocalDevice, load_device
from dashcam import Explained
from dashcam.stages.common import StageContext, StageFunction, clip_vanished, of, worked
from dashcam.stages.room import filled_up, no_room
from dashcam.storage.bundle import DiskFull, explained
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import Completion, Task
from flows.artifacts import ProgressArtifact, SightingTable
from flows.progress import reporting
from flows.spool import Spool
from flows.stopwatch import LOADING, Stopwatch


def work_off(task_ids: Sequence[int], load: Callable[[LocalDevice], StageFunction]) -> State:
    """Work off the tasks one by one; what is complete by now is skipped, what fails does not stop the rest.

    ``load`` is called once, before the first clip: models are loaded there. The state in which the run is to end:
    Failed names each clip that failed, and why.
    """
    try:
        work = Work(load_device())
        work.off(task_ids, load)
    except Explained as error:
        return Failed(message=str(error))
    finally:
        outlive_signals()
    if not work.failed:
        return Completed(message=f"Clips wait. {work.short}" if work.short else None)
    told = " ".join(f"{clip}: {why}" for clip, why in work.failed.items())
    return Failed(message=f"{len(work.failed)} of {len(task_ids)} clips failed and will be tried again. {told}")


def outlive_signals() -> None:
    """The work is over: a SIGTERM while Prefect is told so would make the run Crashed, for nothing."""
    if "PREFECT__FLOW_RUN_ID" in os.environ and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


class ServerSilent(Explained):
    """The main server has not answered for as long as its client is patient."""

    def __init__(self, work: "Work", error: httpx.HTTPError) -> None:
        results = len(work.spool.files())
        waiting = f" {results} result(s) wait in {work.spool.folder} until it answers." if results else ""
        super().__init__(f"{error}{waiting}")


@dataclass
class Work:
    """What one run has at hand, and how it went."""

    device: LocalDevice
    watch: Stopwatch = field(default_factory=Stopwatch)
    failed: dict[str, str] = field(default_factory=dict)
    """The clips that failed, and why."""
    short: str | None = None
    """Why the rest of the clips waits."""

    def __post_init__(self) -> None:
        self.server = MainServerClient(self.device.server_url, self.device.token)
        self.spool = Spool(self.device.settings.scratch)
        self.sightings = SightingTable(self.device.server_url)

    def off(self, task_ids: Sequence[int], load: Callable[[LocalDevice], StageFunction]) -> None:
        """Raises `ServerSilent` when the main server is away, `Explained` when the stage cannot be loaded."""
        stage: StageFunction | None = None
        progress = ProgressArtifact(len(task_ids))
        try:
            for task_id in task_ids:
                self.deliver()
                todo = self.server.pending(task_id, device=self.device.settings.hostname)
                if todo is None or self.is_done_already(todo):
                    continue
                if self.must_wait(todo):
                    break
                if stage is None:
                    with self.watch.timing(LOADING):
                        stage = load(self.device)
                self.on(todo, stage)
                progress.clip_is_through()
            self.spool.deliver(self.server, self.server.patience_s)
        except httpx.HTTPError as error:
            raise ServerSilent(self, error) from error
        finally:
            self.server.close()
            self.sightings.publish()
        self.watch.publish()

    def must_wait(self, todo: Task) -> bool:
        """What comes after it in this run would most likely not fit either, and is free again with the run's end."""
        short = no_room(todo, self.device.stores, self.device.settings.scratch)
        if short is not None:
            self.let_wait(todo, short)
        return short is not None

    def let_wait(self, todo: Task, why: str) -> None:
        self.short = why
        self.server.waits(todo.task_id, why, flow_run.id)

    def deliver(self) -> None:
        with suppress(httpx.HTTPError):  # asked for its task next, the server has all the patience there is
            self.spool.deliver(self.server)

    def is_done_already(self, todo: Task) -> bool:
        """Its result waits here for a server that cannot take it: nothing is gained by working on it again."""
        if not self.spool.holds(todo.task_id):
            return False
        file = self.spool.file_of(todo.task_id)
        self.failed[clip_name(todo)] = (
            f"the main server cannot take its result, which waits in {file}: remove the file to have it done again."
        )
        return True

    def on(self, todo: Task, stage: StageFunction) -> None:
        name = clip_name(todo)
        state = work_on_clip.with_options(task_run_name=name)(todo, stage, self, return_state=True)
        if state.is_failed():
            self.failed[name] = state.message or "no reason given"


@task(cache_policy=NO_CACHE, persist_result=False)
def work_on_clip(todo: Task, stage: StageFunction, work: Work) -> State:
    """One clip: run the stage, then complete the task; or say why not."""
    device, server = work.device, work.server
    hostname = device.settings.hostname
    log = ClipLog(get_run_logger(), {"clip": clip_name(todo), "stage": todo.task_type, "device": hostname})
    try:
        with (
            explained(device.settings.scratch),
            scratch_folder(device.settings.scratch) as scratch,
            reporting(server, todo.task_id, hostname) as report,
            work.watch.timing(clip_name(todo)),
        ):
            completion = worked(todo, stage, StageContext(device.stores, scratch, device.settings, log, report))
    except DiskFull as full:
        work.let_wait(todo, why := filled_up(full, device.stores, device.settings.scratch))
        log.warning("waits: %s", why)
        return Completed(message=why)
    except Exception as error:
        if clip_vanished(todo, device.stores) and not moved(todo, server) and end_as_vanished(todo, server, log):
            return Completed(message="vanished")
        known = isinstance(error, Explained)
        why = str(error) if known else f"{type(error).__name__}: {error}"
        log.error("failed: %s", why, exc_info=not known)
        server.failed(todo.task_id, why, flow_run.id)
        return Failed(message=why)
    try:
        changed = work.spool.complete(server, todo, completion)
    except ServerRefused as refused:
        log.error("failed: %s", refused)
        server.failed(todo.task_id, str(refused), flow_run.id)
        return Failed(message=str(refused))
    work.sightings.note(todo, clip_name(todo), completion)
    if changed is None:
        log.warning("done, but the main server does not answer: its result waits in %s", work.spool.folder)
        return Completed(message="done; its result waits for the main server")
    log.info("complete" if changed else "was complete already; this result is dropped")
    return Completed()


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
        ended = server.complete(todo.task_id, of(todo, Completion(outcome="vanished", reason=reason)))
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
