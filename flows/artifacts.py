"""What a run leaves in Prefect for people to see: how far it is, in which clips it has seen plates, what it took.

No plate is written there: Prefect does not hear of one that is deleted or hashed. Each has a key, so that Prefect keeps
one page of it through all runs. Nothing of it is needed: a Prefect that does not take it fails no clip.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from dashcam.records import HeavyResult
from dashcam.tasks.model import Completion, Task, TaskType

SIGHTINGS = "sightings"
INTERVAL_S = 5.0
"""Between two words about how far it is; a run that is over sooner says none."""
MOST_CLIPS = 500
"""In one table."""

log = logging.getLogger(__name__)


def key(what: str) -> str:
    """``heavy-times`` in a run of ``heavy``."""
    return f"{flow_run.flow_name}-{what}"


def leave(make: Callable[..., Any], **given: Any) -> Any:
    """The artifact that was made; None when Prefect did not take it."""
    try:
        return make(**given)
    except Exception as error:
        log.debug("Prefect did not take an artifact: %s", error)
        return None


class ProgressArtifact:
    """How many of a run's clips are through."""

    def __init__(self, clips: int) -> None:
        self.clips, self.through = clips, 0
        self.artifact: UUID | None = None
        self.said = time.monotonic()

    def clip_is_through(self) -> None:
        self.through += 1
        now = time.monotonic()
        if now - self.said < INTERVAL_S and (self.artifact is None or self.through < self.clips):
            return
        self.said = now
        said = {"progress": 100 * self.through / self.clips, "description": f"{self.through} of {self.clips} clips"}
        if self.artifact is None:
            self.artifact = leave(create_progress_artifact, key=key("progress"), **said)
        else:
            leave(update_progress_artifact, artifact_id=self.artifact, **said)


class SightingTable:
    """How many plates a run has seen in each clip, with where they are to be seen."""

    def __init__(self, webui: str) -> None:
        """``webui`` is the main server's address."""
        self.webui = webui
        self.rows: list[str] = []
        self.sightings = 0

    def note(self, todo: Task, clip: str, completion: Completion) -> None:
        if todo.task_type is not TaskType.HEAVY_PROCESS_VIDEO or completion.outcome != "processed":
            return
        found = HeavyResult.model_validate(completion.result).sightings
        if found:
            sure = sum(one.confirmed for one in found)
            self.sightings += len(found)
            link = f"[{plain(clip)}]({self.webui}/videos/{quote(todo.video_id)})"
            self.rows.append(f"| {link} | {sure} | {len(found) - sure} |")

    def publish(self) -> None:
        if self.rows:
            head = ["| clip | sightings | doubtful |", "|---|---|---|"]
            more = len(self.rows) - MOST_CLIPS
            told = f"{self.sightings} sightings in {len(self.rows)} clips"
            told += f", {more} of them not shown here" if more > 0 else ""
            table = "\n".join([*head, *self.rows[:MOST_CLIPS]])
            leave(create_markdown_artifact, markdown=table, key=SIGHTINGS, description=told)


def plain(text: str) -> str:
    """What a file is called, as Markdown that shows it and does nothing else."""
    return re.sub(r"([^\w ])", r"\\\1", " ".join(text.split()))
