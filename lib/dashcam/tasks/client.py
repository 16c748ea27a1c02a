"""The REST client that flows and the command line use. Waits out a restarting server instead of failing."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from dashcam import Explained, config
from dashcam.tasks.model import BEGINS, Changes, Completion, InputRef, Task, TaskBrief, TaskType
from dashcam.tasks.silence import explanation, why_refused, why_silent

log = logging.getLogger(__name__)

PATIENCE_S = 300.0
KEYLESS = (401, 403)
NO_ROOM = 507
"""Of the server's own errors the one that a person has to mend: it is not tried again."""


class ServerRefused(Explained):
    """The server answered, and said no; the message is its plain sentence, ``status`` HTTP's number for it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServerAway(Explained, httpx.HTTPError):
    """It has not answered for as long as its client is patient; the message says why, and what to do."""


class ServerTroubled(Explained, httpx.HTTPStatusError):
    """It has answered with an error of its own for as long; the message says which."""


class MainServerClient:
    """The main server's task table and catalogue, over ``/api/v1``.

    Every call is safe to repeat: completing and publishing are guarded on the server.
    """

    def __init__(self, url: str, token: str, patience_s: float | None = None) -> None:
        self.http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            verify=config.certificates(url),
        )
        self.url = url.rstrip("/")
        self.patience_s = PATIENCE_S if patience_s is None else patience_s

    def close(self) -> None:
        self.http.close()

    def pending(self, task_id: int, patience_s: float | None = None, device: str | None = None) -> Task | None:
        """The task, or None when it is complete or unknown by now; with ``device`` it is the one that begins it."""
        said = {} if device is None else {BEGINS: quote(device)}
        response = self.call("GET", f"/tasks/{task_id}", missing_ok=True, patience_s=patience_s, headers=said)
        task = None if response is None else Task.model_validate(response)
        return task if task is not None and task.state == "pending" else None

    def all_pending(self) -> list[Task]:
        answer = self.call("GET", "/tasks/pending", params={"limit": 100_000})
        return [Task.model_validate(task) for task in answer or []]

    def pending_of(self, video_ids: Sequence[str]) -> list[TaskBrief]:
        """What is still to do for at most a thousand clips."""
        answer = self.call("POST", "/tasks/pending", json={"video_ids": list(video_ids)})
        return [TaskBrief.model_validate(task) for task in answer]

    def changes(self, since: Changes | None = None, wait_s: float = 0) -> Changes:
        """Which clips have changed since that answer; the server waits so long for one."""
        known = {} if since is None else {"epoch": since.epoch, "number": since.number, "wait_s": wait_s}
        return Changes.model_validate(self.call("GET", "/tasks/changes", params=known))

    def complete(self, task_id: int, completion: Completion, patience_s: float | None = None) -> bool:
        """False when the task was complete already: the result has been dropped."""
        body = completion.model_dump(mode="json")
        answer = self.call("POST", f"/tasks/{task_id}/complete", patience_s=patience_s, json=body)
        return bool(answer and answer["changed"])

    def failed(self, task_id: int, error: str, flow_run_id: str | None = None) -> None:
        """``flow_run_id`` is the run that failed: if another one has the task by now, that is not its failure."""
        self.call("POST", f"/tasks/{task_id}/failed", json={"error": error[:4000], "flow_run_id": flow_run_id})

    def waits(self, task_id: int, reason: str, flow_run_id: str | None = None) -> None:
        """There is no room for what the task would write."""
        self.call("POST", f"/tasks/{task_id}/waits", json={"reason": reason[:4000], "flow_run_id": flow_run_id})

    def retry(self, task_id: int) -> None:
        """Offer the task again at once, whatever held it back."""
        self.call("POST", f"/tasks/{task_id}/retry")

    def again(self, video_id: str, stage: TaskType) -> bool:
        """Do the clip again from that stage on; whether its archive's crops are read, for the clip itself is gone."""
        return bool(self.call("POST", f"/videos/{video_id}/again", json={"stage": stage})["by_crops"])

    def progress(self, task_id: int, fraction: float, device: str) -> None:
        """Best effort: a lost report is overtaken by the next one."""
        try:
            self.http.post(f"/tasks/{task_id}/progress", json={"fraction": fraction, "device": device}, timeout=2)
        except httpx.HTTPError as error:
            log.debug("progress of task %s not reported: %s", task_id, error)

    def devices(self) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self.call("GET", "/devices")
        return answer

    def pause(self, hostname: str, for_s: float | None) -> None:
        """The device is to give back what it works on, and take nothing for so long; None is until resumed."""
        self.call("PUT", f"/devices/{quote(hostname, safe='')}/pause", json={"for_s": for_s})

    def resume(self, hostname: str) -> None:
        self.call("DELETE", f"/devices/{quote(hostname, safe='')}/pause")

    def invite(self, hostname: str | None, device_type: str | None) -> dict[str, Any]:
        """``code``, ``expires_at`` and the ``url`` to join."""
        body = {"hostname": hostname, "device_type": device_type}
        answer: dict[str, Any] = self.call("POST", "/devices/invitations", json=body)
        return answer

    def revoke(self, hostname: str) -> None:
        """The device gets nothing more, from the next call on."""
        self.call("DELETE", f"/devices/{quote(hostname, safe='')}/token")

    def ingest(self, files: Sequence[InputRef], *, vouched: bool = False) -> list[dict[str, Any]]:
        """Hand files in; those that are not ``vouched`` for wait until they have settled."""
        body = {"files": [ref.model_dump() for ref in files], "vouched": vouched}
        answer = self.call("POST", "/ingest", json=body, timeout=600)
        return answer or []

    def scan(self, store: str, files: Sequence[tuple[str, int, int]]) -> dict[str, Any]:
        """Show a listing of (path, size, mtime_ns); ``{"wanted": [path, ...], "waiting": n}`` says what to hand in."""
        answer: dict[str, Any] = self.call("POST", "/scan", json={"store": store, "files": files}, timeout=120)
        return answer

    def scan_paused(self, store: str, reason: str) -> None:
        """Nothing is taken in from the store for want of room."""
        self.call("POST", "/scan/paused", json={"store": store, "reason": reason})

    def video(self, video_id: str) -> dict[str, Any] | None:
        answer: dict[str, Any] | None = self.call("GET", f"/videos/{video_id}", missing_ok=True)
        return answer

    def call(
        self, method: str, path: str, *, missing_ok: bool = False, patience_s: float | None = None, **request: Any
    ) -> Any:
        """Raises `ServerRefused` where it says no, `ServerAway` and `ServerTroubled` when patience has run out."""
        patience_s = self.patience_s if patience_s is None else patience_s
        with self.in_words():
            response = patiently(lambda: self.http.request(method, path, **request), patience_s)
        if missing_ok and response.status_code == 404:
            return None
        self.ensure_taken(response, f"{method} {path}: ")
        try:
            return response.json()
        except ValueError:
            raise ServerAway(f"What answers at {self.url} is not the main server: correct server.url.") from None

    @contextmanager
    def in_words(self) -> Iterator[None]:
        try:
            yield
        except (Explained, httpx.ResponseNotRead):
            raise
        except httpx.HTTPStatusError as error:
            said = why_silent(error, self.url)
            raise ServerTroubled(said, request=error.request, response=error.response) from error
        except httpx.HTTPError as error:
            raise ServerAway(why_silent(error, self.url)) from error

    def ensure_taken(self, response: httpx.Response, what: str = "") -> None:
        """Raises `ServerRefused`."""
        if response.status_code in KEYLESS:
            raise ServerRefused(why_refused(response, self.url), response.status_code)
        if response.is_client_error or response.status_code == NO_ROOM:
            raise ServerRefused(f"{what}{explanation(response)}", response.status_code)

    def download(self, path: str, params: dict[str, Any]) -> Iterator[bytes]:
        """The body of an answer in pieces, as they come; a long export is never wholly in memory."""
        with self.in_words(), self.http.stream("GET", path, params=params, timeout=600) as response:
            if not response.is_success:
                response.read()
            self.ensure_taken(response)
            response.raise_for_status()
            yield from response.iter_bytes()


def patiently(send: Callable[[], httpx.Response], patience_s: float) -> httpx.Response:
    """Repeat on a broken connection or a 5xx answer until patience runs out, then raise `httpx.HTTPError`."""

    def attempt() -> httpx.Response:
        response = send()
        if response.is_server_error and response.status_code != NO_ROOM:
            response.raise_for_status()
        return response

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, httpx.HTTPError)),
        stop=stop_after_delay(patience_s),
        wait=wait_exponential(multiplier=0.25, max=15),
        reraise=True,
    )
    return retrying(attempt)
