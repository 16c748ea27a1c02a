"""The main job of `dashcam process`: hand clips to the system, follow them to the end, collect what was found."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from dashcam.embedded.report import VideoReport, report_on
from dashcam.stages.scan import HANDED_IN, clips_below, unsayable
from dashcam.storage.roots import Stores
from dashcam.tasks.chain import STAGES
from dashcam.tasks.client import MainServerClient
from dashcam.tasks.model import InputRef, TaskBrief, TaskType

WAIT_S = 1.0
"""The server answers so late at most, when nothing changes."""
LEAST_S = 0.25
"""Between two questions, when much does."""
LOOK_S = 30.0
"""Without a change every clip that is left is looked at."""
LOOK_BATCH = 1000


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
    running: list[TaskBrief]
    waiting: int


@dataclass
class Job:
    server: MainServerClient
    clips: list[Clip] = field(default_factory=list)
    left: dict[str, TaskBrief] = field(default_factory=dict)
    """What is still to do, by clip."""
    given_up: dict[str, TaskBrief] = field(default_factory=dict)
    short: dict[TaskType, str] = field(default_factory=dict)
    """Stages at which clips have had to wait for room, and where there was none."""
    at: Counter[TaskType] = field(default_factory=Counter)
    """How many clips are left at each stage."""

    def hand_in(self, on_batch: Callable[[int], None] = lambda count: None) -> None:
        """Send every readable clip to the system."""
        readable = [clip for clip in self.clips if clip.trouble is None]
        for start in range(0, len(readable), HANDED_IN):
            batch = readable[start : start + HANDED_IN]
            arrivals = self.server.ingest([local_ref(clip.path) for clip in batch], vouched=True)
            for clip, arrival in zip(batch, arrivals, strict=True):
                clip.video_id = arrival["video_id"]
                clip.known = arrival["status"] == "known"
                clip.trouble = arrival["reason"]
            on_batch(len(batch))

    def video_ids(self) -> set[str]:
        return {clip.video_id for clip in self.clips if clip.video_id is not None}

    def look(self, video_ids: Iterable[str], max_failures: int) -> None:
        """Ask what is still to do for these clips."""
        for some in batched(video_ids, LOOK_BATCH):
            found = {task.video_id: task for task in reversed(self.server.pending_of(some))}
            for video_id in some:
                before, now = self.left.pop(video_id, None), found.get(video_id)
                self.given_up.pop(video_id, None)
                if before is not None:
                    self.at[before.task_type] -= 1
                if now is not None:
                    self.at[now.task_type] += 1
                    self.left[video_id] = now
                    if now.waits:
                        self.short.setdefault(now.task_type, now.last_error or "")
                    if now.hold or now.failures >= max_failures:
                        self.given_up[video_id] = now

    def try_again(self) -> bool:
        """Asking for a clip once more is a person's "try again": delays and holds of earlier attempts end.

        Tells whether anything is to be done.
        """
        self.look(self.video_ids(), max_failures=1)
        for task in self.given_up.values():
            self.server.retry(task.task_id)
        return bool(self.left)

    def follow(self, max_failures: int, tick: Callable[[Standing], None]) -> None:
        """Until every clip is through, or given up after ``max_failures`` (its task stays pending).

        The server says whose tasks have changed, and only these are asked for; all of them now and then, in case
        something was missed.
        """
        mine = self.video_ids()
        changes, looked = self.server.changes(), time.monotonic()
        self.look(mine, max_failures)
        while True:
            tick(standing(len(mine), self.at, [task for task in changes.running if task.video_id in mine]))
            if len(self.given_up) == len(self.left):
                break
            began = time.monotonic()
            changes = self.server.changes(changes, WAIT_S)
            news = changes.video_ids
            if news is None or (not news and began - looked > LOOK_S):
                news = list(mine if news is None else self.left)
            if news:
                looked = began
                self.look([video_id for video_id in news if video_id in mine], max_failures)
            time.sleep(max(0.0, began + LEAST_S - time.monotonic()))
        for clip in self.clips:
            if clip.video_id in self.given_up:
                clip.trouble = why(self.given_up[clip.video_id])

    def reports(self, stores: Stores) -> list[VideoReport]:
        answers = {video_id: self.server.video(video_id) for video_id in sorted(self.video_ids())}
        return [report_on(clip.path, answers.get(clip.video_id or ""), clip.trouble, stores) for clip in self.clips]


def why(task: TaskBrief) -> str:
    return task.hold or f"{task.task_type} failed {task.failures} times: {task.last_error}"


def standing(clips: int, at: Mapping[TaskType, int], running: list[TaskBrief]) -> Standing:
    """``at`` says how many of the clips are left at each stage."""
    done, not_yet = {}, 0
    for task_type in STAGES:
        not_yet += at.get(task_type, 0)
        fractions = sum(task.progress or 0.0 for task in running if task.task_type is task_type)
        done[task_type] = clips - not_yet + fractions
    return Standing(clips, done, running, not_yet - len(running))


def batched(video_ids: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(video_ids)
    while some := list(islice(rest, size)):
        yield some


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
