"""Catalogue rows for tests, with everything that a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from dashcam.catalog import apply
from dashcam.catalog.models import PositionRow, SightingRow, Video
from dashcam.catalog.plates import plate_id
from dashcam.config import Site
from dashcam.tasks.model import Completion, TaskType
from dashcam.tasks.row import TaskRow

NOON = datetime(2026, 6, 28, 12, 0, tzinfo=UTC)


def add_video(session: Session, number: int, start: datetime | None = NOON, **fields: Any) -> Video:
    """A processed clip of ten seconds; with ``start=None`` one that nobody has looked at yet."""
    name = fields.pop("name", f"2026_0628_{number:06d}_{number:04d}F.MP4")
    facts = None
    if start is not None:
        facts = {
            "name": name,
            "sha256": f"{number:064x}",
            "size": 12_345_678,
            "camera": "front",
            "trip": "2026-06-28 12:00",
            "start_utc": start.isoformat(),
            "clock": "gps",
            "duration_s": 10.0,
            "width": 1280,
            "height": 720,
            "fps": 30.0,
            "codec": "hevc",
            "frames": 300,
        }
        known = {
            "outcome": "processed",
            "clock": "utc",
            "media": f"shed_nas:{number:016x}",
            "poster": "frames/poster.jpg",
        }
        known |= {"frames_decoded": 300, "frames_looked_at": 60, "trip": facts["trip"], "camera": "front"}
        fields = known | {"duration_s": 10.0} | fields
    found = {"video_id": f"{number:016x}", "created_at": NOON, "source": f"indoor_nas:raw/{name}"} | fields
    video = Video(name=name, facts=facts, start_utc=start, **found)
    session.add(video)
    session.flush()
    return video


def add_sighting(session: Session, video: Video, text: str, best_s: float = 2.0, **fields: Any) -> SightingRow:
    sighting = SightingRow(plate_id=plate_id(session, text), **seen(video, text, best_s, **fields))
    session.add(sighting)
    session.flush()
    return sighting


def seen(video: Video, text: str, best_s: float, **fields: Any) -> dict[str, Any]:
    """The columns of a sighting but its plate's number."""
    number = fields.pop("number", round(best_s * 1000))
    box = fields.pop("box", [320.0, 360.0, 480.0, 400.0])
    read = {"pts": 0, "t_s": best_s, "box": box, "text": text, "confidence": 0.9, "legibility": 0.9, "slots": []}
    known = {
        "video_id": video.video_id,
        "best_s": best_s,
        "best_pts": 0,
        "box": box,
        "confidence": 0.95,
        "confirmed": True,
        "first_s": best_s - 0.5,
        "last_s": best_s + 0.5,
        "reads": [read | {"t_s": best_s - 0.5}, read, read | {"t_s": best_s + 0.5}],
        "slots": [],
        "crop": f"plates/{number}_best_crop.jpg",
        "frame": f"frames/{number}_best_frame.jpg",
        "seen_utc": video.start_utc and video.start_utc + timedelta(seconds=best_s),
    }
    return known | fields


def add_task(session: Session, video: Video, task_type: str = "HEAVY_PROCESS_VIDEO", **fields: Any) -> TaskRow:
    known = {"device_type": "gpu", "revision": 1, "inputs": [], "created_at": NOON, "state": "pending"}
    known["footage_s"] = video.duration_s
    task = TaskRow(task_type=task_type, video_id=video.video_id, **(known | fields))
    session.add(task)
    session.flush()
    return task


def add_route(session: Session, video: Video, seconds: int = 10) -> None:
    """A straight drive north that gets faster."""
    for t_s in range(seconds):
        at = (video.start_utc or NOON) + timedelta(seconds=t_s)
        fix = {"utc": at, "lat": 44.43 + t_s * 2e-4, "lon": 26.1, "speed_mps": 5.0 + t_s, "heading_deg": 0.0}
        session.add(PositionRow(video_id=video.video_id, t_s=float(t_s), source="novatek", **fix))
    session.flush()


def applied(session: Session, task_type: TaskType, video_id: str, completion: Completion) -> None:
    """What the main server does with a completed task's result, with the settings left as they come."""
    apply.apply(session, task_type, video_id, completion, Site())
