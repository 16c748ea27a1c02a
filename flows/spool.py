"""Results that the main server could not take, kept on the device's disk until it does: no work is done twice for it.

They lie in the device's scratch, in a folder that outlives its emptying, and are delivered by the next run, and by the
worker as soon as the server hears its heartbeat.
"""

import logging
from pathlib import Path

import httpx
from pydantic import BaseModel

from blocks.device import LocalDevice
from dashcam.storage.bundle import write_file
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import Completion, Task, TaskType

FOLDER = "undelivered"
PATIENCE_S = 10.0
"""How long one delivery is tried before the result is put aside and the next clip taken up."""
UNAUTHORISED = (401, 403)

log = logging.getLogger(__name__)


class Undelivered(BaseModel):
    task_id: int
    task_type: TaskType
    video_id: str
    completion: Completion


class Spool:
    def __init__(self, scratch: Path) -> None:
        self.folder = scratch / FOLDER

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))

    def holds(self, task_id: int) -> bool:
        return self.file_of(task_id).exists()

    def file_of(self, task_id: int) -> Path:
        return self.folder / f"{task_id}.json"

    def complete(self, server: MainServerClient, task: Task, completion: Completion) -> bool | None:
        """Whether the task changed; None where the server does not answer soon, and the result waits here."""
        try:
            return server.complete(task.task_id, completion, PATIENCE_S)
        except httpx.HTTPError:
            self.keep(task, completion)
            return None

    def keep(self, task: Task, completion: Completion) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = Undelivered(
            task_id=task.task_id, task_type=task.task_type, video_id=task.video_id, completion=completion
        )
        write_file(self.file_of(task.task_id), kept.model_dump_json().encode())

    def deliver(self, server: MainServerClient, patience_s: float | None = None) -> None:
        """Deliver what waits. What the server does not want goes; one that came too late changes nothing there.

        Raises `httpx.HTTPError` when the server still does not answer, or fails over one of them (the others are
        delivered even so); `ServerRefused` when it does not know us.
        """
        patience_s = PATIENCE_S if patience_s is None else patience_s
        trouble: httpx.HTTPStatusError | None = None
        for file in self.files():
            try:
                kept = Undelivered.model_validate_json(file.read_bytes())
            except FileNotFoundError:
                continue  # the worker or another run has just delivered it
            except ValueError as error:
                log.warning("%s is no result and is removed: %s", file, error)
                file.unlink(missing_ok=True)
                continue
            try:
                log.info("task %s: %s", kept.task_id, deliver(server, kept, patience_s))
            except ServerRefused as refused:
                if refused.status in UNAUTHORISED:
                    raise
                log.warning("the result of task %s is not wanted: %s", kept.task_id, refused)
            except httpx.HTTPStatusError as error:
                trouble = error
                continue
            file.unlink(missing_ok=True)
        if trouble is not None:
            raise trouble


def deliver(server: MainServerClient, kept: Undelivered, patience_s: float) -> str:
    """Says what came of it. The task's number alone proves nothing: the server's database may be a new one."""
    task = server.pending(kept.task_id, patience_s)
    if task is None or (task.task_type, task.video_id) != (kept.task_type, kept.video_id):
        return "was complete already, or is unknown; the result that waited here is dropped"
    changed = server.complete(kept.task_id, kept.completion, patience_s)
    return "the result that waited here is delivered" if changed else "was complete already"


def deliver_undelivered(device: LocalDevice) -> None:
    """For the worker, now and then: deliver what waits, if anything does and the server answers."""
    spool = Spool(device.settings.scratch)
    if not spool.files():
        return
    server = MainServerClient(device.server_url, device.token)
    try:
        spool.deliver(server)
    except (httpx.HTTPError, ServerRefused) as error:
        log.info("results wait in %s: %s", spool.folder, error)
    finally:
        server.close()
