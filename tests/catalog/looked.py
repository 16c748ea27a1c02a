"""What the heavy stage finds in a clip, applied as the main server applies it; and a clip that is done again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashcam.catalog import apply
from dashcam.catalog.models import Plate, SightingRow, Video
from dashcam.config import Site
from dashcam.records import HeavyResult, Read, Sighting
from dashcam.tasks.model import Completion, TaskType
from dashcam.tasks.row import TaskRow
from tests.catalog.rows import NOON, add_task

HEAVY = TaskType.HEAVY_PROCESS_VIDEO


def seen(text: str, first_s: float, last_s: float, x: float = 300.0, **fields: Any) -> Sighting:
    """A plate 100 pixels wide that moves to the right by 40 a second, read twice a second."""
    times = [first_s + number * (last_s - first_s) / 4 for number in range(5)]
    boxes = [(x + 40 * t_s, 400.0, x + 100 + 40 * t_s, 425.0) for t_s in times]
    slots = [{character: 0.9} for character in text]
    reads = [
        Read(pts=round(t_s * 30), t_s=t_s, box=box, text=text, confidence=0.9, legibility=0.8, slots=slots)
        for t_s, box in zip(times, boxes, strict=True)
    ]
    known = {"confidence": 0.9, "confirmed": True, "slots": slots, "reads": reads, "best_s": times[2], "box": boxes[2]}
    name = f"{text}-{first_s:g}-{x:g}"
    known |= {"crop": f"plates/{name}_best_crop.jpg", "frame": f"frames/{name}_best_frame.jpg"}
    known |= {"best_pts": round(times[2] * 30), "first_s": first_s, "last_s": last_s, "text": text}
    return Sighting.model_validate(known | fields)


def look(session: Session, video: Video, found: Sequence[Sighting], site: Site = Site()) -> None:
    """The clip's heavy stage is complete, with a new revision where it was before."""
    revision = 1 + (session.scalar(select(func.max(TaskRow.revision)).where(TaskRow.video_id == video.video_id)) or 0)
    result = HeavyResult(
        bundle=f"indoor_nas:heavy_output/{video.video_id}",
        frames_decoded=300,
        frames_looked_at=60,
        models={"fixed": "0" * 64},
        sightings=list(found),
    ).model_dump(mode="json")
    done = {"revision": revision, "state": "complete", "completed_at": NOON, "outcome": "processed", "result": result}
    add_task(session, video, HEAVY.value, **done)
    apply.apply(session, HEAVY, video.video_id, Completion(result=result), site)
    session.flush()


def table_of(session: Session) -> list[tuple[Any, ...]]:
    """What the catalogue says of all sightings, but for the numbers of rows."""
    columns = (Plate.text, SightingRow.video_id, SightingRow.first_s, SightingRow.confidence, SightingRow.confirmed)
    query = select(*columns, SightingRow.crop, SightingRow.machine, SightingRow.seen_utc)
    return sorted(map(tuple, session.execute(query.join(SightingRow.plate))), key=str)


def numbers(session: Session, text: str) -> list[int]:
    """Of the sightings that are shown under this plate."""
    mine = select(SightingRow.sighting_id).join(SightingRow.plate).where(Plate.text == text)
    return list(session.scalars(mine.order_by(SightingRow.video_id, SightingRow.first_s)))
