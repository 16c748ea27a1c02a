"""The main job of `dashcam process`: hand clips to the system, follow them to the end, collect what was found."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dashcam.embedded.report import VideoReport, report_on
from dashcam.stages.scan import clips_below, unsayable
from dashcam.storage.roots import Stores
from dashcam.tasks.chain import STAGES
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import InputRef, Task, TaskType

POLL_S = 0.5
INGEST_BATCH = 50


@dataclass
class Clip:
    """One file named by the user, and what became of it."""

    path: Path
    video_id: str | None = None
    known: bool = False
    trouble: str | None = None
    """Why it cannot be taken in, or why it was given up."""


@dataclass(frozen=True)
class Standing:
    """How far the clips are: per stage how many are done, running ones counted by their fraction."""

    clips: int
    done: dict[TaskType, float]
    running: list[Task]
    waiting: int


@dataclass
class Job:
    server: MainServerClient
    clips: list[Clip] = field(default_factory=list)

    def hand_in(self, on_batch: Callable[[int], None] = lambda count: None) -> None:
        """Send every readable clip to the system."""
        readable = [clip for clip in self.clips if clip.trouble is None]
        for start in range(0, len(readable), INGEST_BATCH):
            batch = readable[start : start + INGEST_BATCH]
            arrivals = self.server.ingest([local_ref(clip.path) for clip in batch], vouched=True)
            for clip, arrival in zip(batch, arrivals, strict=True):
                clip.video_id = arrival["video_id"]
                clip.known = arrival["status"] == "known"
                clip.trouble = arrival["reason"]
            on_batch(len(batch))

    def video_ids(self) -> set[str]:
        return {clip.video_id for clip in self.clips if clip.video_id is not None}

    def pending(self) -> list[Task]:
        """The pending tasks of these clips."""
        mine = self.video_ids()
        return [task for task in self.server.all_pending() if task.video_id in mine]

    def try_again(self) -> None:
        """Asking for a clip once more is a person's "try again": delays and holds of earlier attempts end."""
        for task in self.pending():
            if task.failures or task.hold:
                self.server.retry(task.task_id)

    def follow(self, max_failures: int, tick: Callable[[Standing], None]) -> None:
        """Until every clip is through, or given up after ``max_failures`` (its task stays pending)."""
        while True:
            pending = self.pending()
            given_up = {task.video_id: task for task in pending if task.hold or task.failures >= max_failures}
            for clip in self.clips:
                if clip.video_id in given_up:
                    clip.trouble = why(given_up[clip.video_id])
            tick(standing(len(self.video_ids()), pending))
            if all(task.video_id in given_up for task in pending):
                return
            time.sleep(POLL_S)

    def reports(self, stores: Stores) -> list[VideoReport]:
        answers = {video_id: self.server.video(video_id) for video_id in sorted(self.video_ids())}
        return [report_on(clip.path, answers.get(clip.video_id or ""), clip.trouble, stores) for clip in self.clips]


def why(task: Task) -> str:
    return task.hold or f"{task.task_type} failed {task.failures} times: {task.last_error}"


def standing(clips: int, pending: Sequence[Task]) -> Standing:
    order = list(STAGES)
    at = Counter(order.index(task.task_type) for task in pending)
    done = {}
    for index, task_type in enumerate(order):
        not_yet = sum(count for stage, count in at.items() if stage <= index)
        fractions = sum(task.progress or 0.0 for task in pending if task.task_type is task_type)
        done[task_type] = clips - not_yet + fractions
    running = [task for task in pending if task.progress is not None]
    return Standing(clips, done, running, len(pending) - len(running))


def local_ref(path: Path) -> InputRef:
    """A file of this machine as the embedded system's store ``local`` names it."""
    return InputRef(device="local", path=whole(path).as_posix().lstrip("/"))


def whole(path: Path) -> Path:
    """The absolute path. One that goes up (``../clips``) is followed, links included, because a store refuses to."""
    return Path(os.path.realpath(path)) if ".." in path.parts else path.absolute()


def find_clips(paths: Iterable[Path]) -> list[Clip]:
    """The clips under the given files and folders, each once, in order of name.

    A file that was named itself is taken whatever it is called; what cannot be looked into becomes a clip with
    trouble, so that it shows in the result.
    """
    found: dict[Path, Clip] = {}
    for path in paths:
        for clip in clips_under(path):
            found.setdefault(whole(clip.path), clip)
    return list(found.values())


def clips_under(path: Path) -> list[Clip]:
    try:
        if path.is_dir():
            return clips_in(path)
        path.stat()
    except FileNotFoundError:
        return [Clip(path, trouble=f"{path} does not exist: check the path.")]
    except OSError as error:
        return [Clip(path, trouble=f"{path} cannot be read ({error.strerror}): check its rights.")]
    return [Clip(path, trouble=unsayable(path))]


def clips_in(folder: Path) -> list[Clip]:
    """In order of name; what cannot be looked into is a clip with trouble, at the end."""
    lost: list[Clip] = []
    found = clips_below(folder, lambda place, why: lost.append(Clip(Path(place), trouble=why)))
    return [Clip(Path(path)) for path in sorted(entry.path for entry in found)] + lost
