"""One device of `dashcam bench load`: its clips' tasks over REST as flows do them, with made-up results."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from dashcam import records
from dashcam.storage import layout
from dashcam.tasks.client import MainServerClient, ServerRefused
from dashcam.tasks.model import Completion, InputRef, NewTask, Task, TaskType

FIXES, SIGHTINGS, READS = 60, 5, 6
"""Of a clip of a minute; the reads are of each sighting."""
A_DRIVE = 40
"""Clips, one after the other; the next drive is on the next day."""
AGAIN = 10
"""Each so many-th completion is sent twice."""
BEGAN = datetime(2026, 1, 1, 8, tzinfo=UTC)
PATIENCE_S = 60.0


@dataclass
class Told:
    """What one process saw; ``seconds`` are of each answer, by what was asked."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    changed_again: int = 0
    updates: int = 0
    """Messages that pages were sent by themselves."""

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds.setdefault(what, []).append(time.monotonic() - began)

    def note(self, answer: httpx.Response) -> None:
        if answer.is_server_error:
            self.errors[f"HTTP {answer.status_code}"] += 1


def work(url: str, token: str, name: str, clips: Sequence[tuple[int, str]]) -> Told:
    """Take these clips, (number, video_id), through all stages."""
    told = Told()
    server = MainServerClient(url, token, patience_s=PATIENCE_S)
    server.http.event_hooks["response"] = [told.note]
    numbers = {video_id: number for number, video_id in clips}
    try:
        while True:
            with told.timing("what is pending"):
                pending = server.pending_of(list(numbers))
            if not pending:
                return told
            for task in pending:
                one_task(server, told, task.task_id, name, numbers[task.video_id])
    except (httpx.HTTPError, ServerRefused) as error:
        told.errors[f"{type(error).__name__}: {error}"] += 1
        return told
    finally:
        server.close()


def one_task(server: MainServerClient, told: Told, task_id: int, name: str, number: int) -> None:
    with told.timing("task"):
        task = server.pending(task_id)
    if task is None:
        told.errors["a pending task was complete"] += 1
        return
    with told.timing("progress"):
        server.progress(task_id, 0.5, name)
    completion = completed(task, number)
    with told.timing(f"complete {task.task_type}"):
        told.changed += server.complete(task_id, completion)
    if task_id % AGAIN == 0:
        with told.timing("complete again"):
            told.changed_again += server.complete(task_id, completion)


def completed(task: Task, number: int) -> Completion:
    result, following = result_of(task, number)
    inputs = [InputRef.of(f"indoor_nas:{task.video_id}", "video")]
    publish = [NewTask(task_type=one, video_id=task.video_id, inputs=inputs) for one in following]
    return Completion(result=result.model_dump(mode="json"), publish=publish)


def result_of(task: Task, number: int) -> tuple[records.Record, list[TaskType]]:
    """The stage's result, and what comes after it."""
    video_id = task.video_id
    match task.task_type:
        case TaskType.INGEST_VIDEO:
            return facts(number), [TaskType.PREPROCESS_VIDEO]
        case TaskType.PREPROCESS_VIDEO:
            spans = [records.Span(start_s=at, end_s=at + 5, keep=at % 2 == 0, reason="dark") for at in range(0, 60, 5)]
            known: dict[str, Any] = {
                "keyframes": 60,
                "kept_s": 30,
                "rejected_s": 30,
                "brightness": 0.5,
                "sharpness": 0.5,
            }
            found = records.PreprocessResult(candidates=f"indoor_nas:preproc/{video_id}", spans=spans, **known)
            return found, [TaskType.HEAVY_PROCESS_VIDEO]
        case TaskType.HEAVY_PROCESS_VIDEO:
            seen = [sighting(number, at) for at in range(SIGHTINGS)]
            known = {"frames_decoded": 1800, "frames_looked_at": 300, "models": {"plates": "0" * 64}}
            bundle = f"indoor_nas:heavy_output/{video_id}"
            return records.HeavyResult(bundle=bundle, sightings=seen, **known), [TaskType.ARCHIVE_VIDEO]
        case TaskType.ARCHIVE_VIDEO:
            kept = records.ArchiveResult(archive=layout.archive(video_id), manifest_sha256="0" * 64, files=20, bytes=9)
            return kept, [TaskType.FINALIZE_VIDEO]
        case TaskType.FINALIZE_VIDEO:
            return records.FinalizeResult(archive=layout.archive(video_id), removed=[]), []


def facts(number: int) -> records.VideoFacts:
    day, place = divmod(number, A_DRIVE)
    start = BEGAN + timedelta(days=day, minutes=place)
    fixes = [
        records.Fix(
            t_s=float(at),
            utc=start + timedelta(seconds=at),
            lat=52 + (60 * place + at) * 1e-4,
            lon=4.9,
            speed_mps=11.1,
            heading_deg=0.0,
        )
        for at in range(FIXES)
    ]
    name = f"{start:%Y_%m%d_%H%M%S}_{number:06d}F.MP4"
    known: dict[str, Any] = {"size": 150_000_000, "trip": f"{start:%Y-%m-%d}", "duration_s": 60.0, "camera": "front"}
    known |= {"width": 2560, "height": 1440, "fps": 30.0, "codec": "hevc", "frames": 1800}
    clock: dict[str, Any] = {"start_utc": start, "clock": "gps", "clock_kind": "utc", "time_zone": "Europe/Amsterdam"}
    return records.VideoFacts(name=name, sha256=f"{number:064x}", fixes=fixes, **known, **clock)


def sighting(number: int, place: int) -> records.Sighting:
    """Every fifth plate is met again and again."""
    count = place if place == 0 else number * SIGHTINGS + place
    text, at = f"A{count:06d}", 60 / SIGHTINGS * place
    box = (812.0, 601.5, 934.0, 640.25)
    slots = [{character: 0.97} for character in text]
    reads = [
        records.Read(pts=90 * at, t_s=at, box=box, text=text, confidence=0.9, legibility=0.9, slots=slots)
        for at in range(READS)
    ]
    span = {"first_s": at, "last_s": at + 2, "best_s": at + 1, "best_pts": round(at * 90_000)}
    files = {"crop": layout.crop(f"{text}-{place}"), "frame": layout.frame(f"{text}-{place}")}
    found = {"confidence": 0.95, "confirmed": True, "box": box, "slots": slots, "reads": reads}
    return records.Sighting(text=text, **found, **span, **files)
