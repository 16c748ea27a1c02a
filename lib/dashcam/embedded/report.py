"""What `dashcam process` tells at the end: the table for people, the JSON for scripts."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from rich.table import Table
from rich.text import Text

from dashcam.records import Box
from dashcam.storage.roots import Stores


class PlateReport(BaseModel):
    text: str
    confidence: float
    first_s: float
    last_s: float
    best_s: float
    reads: int
    box: Box
    """Source pixels at ``best_s``."""
    crop: str
    """Absolute path."""


class VideoReport(BaseModel):
    """One file's part of ``--json``; the keys are stable, scripts depend on them."""

    video_id: str | None
    file: str
    outcome: Literal["processed", "rejected", "vanished", "failed"]
    reason: str | None
    start_utc: datetime | None
    duration_s: float | None
    frames_decoded: int
    positions: int
    plates: list[PlateReport]
    archive: str | None


class JobReport(BaseModel):
    videos: list[VideoReport]
    wall_s: float

    @property
    def all_processed(self) -> bool:
        return all(video.outcome == "processed" for video in self.videos)


def report_on(file: Path, answer: dict[str, Any] | None, trouble: str | None, stores: Stores) -> VideoReport:
    """``answer`` is what ``GET /videos/{id}`` said, None for a file that never became a video."""
    answer = answer or {}
    outcome = answer.get("outcome")
    media = answer.get("media")
    return VideoReport(
        video_id=answer.get("video_id"),
        file=os.fsencode(file.absolute()).decode(errors="backslashreplace"),  # a name may be any bytes, JSON may not
        outcome=outcome if outcome is not None else "failed" if answer else "rejected",
        reason=answer.get("reason") or trouble,
        start_utc=answer.get("start_utc"),
        duration_s=answer.get("duration_s"),
        frames_decoded=answer.get("frames_decoded") or 0,
        positions=answer.get("positions", 0),
        plates=[plate_report(one, stores) for one in answer.get("sightings", []) if one["confirmed"]],
        archive=str(stores.path(media)) if outcome == "processed" and media else None,
    )


def plate_report(sighting: dict[str, Any], stores: Stores) -> PlateReport:
    fields = {key: sighting[key] for key in PlateReport.model_fields}
    return PlateReport.model_validate(fields | {"crop": str(stores.path(sighting["crop"]))})


def table_of(report: JobReport) -> Table:
    """The plates found, by clip; clips without any have one line that says so."""
    table = Table(title="Plates found", title_justify="left", header_style="bold", expand=False)
    for heading, justify in (("Clip", "left"), ("Plate", "left"), ("Sure", "right"), ("Seen at", "right")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    table.add_column("Reads", justify="right")
    for video in report.videos:
        name = Text(Path(video.file).name)
        if video.outcome != "processed":
            table.add_row(name, Text(video.outcome, style="red"), "", "", "")
        elif not video.plates:
            table.add_row(name, Text(f"no plates in {video.frames_decoded} frames", style="dim"), "", "", "")
        for plate in video.plates:
            seen = f"{clock(plate.first_s)}–{clock(plate.last_s)}"
            table.add_row(name, Text(plate.text, style="bold"), f"{plate.confidence:.0%}", seen, str(plate.reads))
            name = Text("")
    return table


def clock(seconds: float) -> str:
    """``m:ss.t``"""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
