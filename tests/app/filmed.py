"""A short drive with real clips of two cameras: what the trip player is tried on.

On the trip's axis: front and rear from 0 and from 6 s, then twenty seconds that nobody filmed, and both from 32 s. The
rear camera begins a second later each time. Each frame is a grey of its own, so that a picture tells its second.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
from sqlalchemy.orm import Session

from dashcam.catalog.apply import apply_facts
from dashcam.catalog.models import Video
from tests.catalog.car import SITE, Car
from tests.catalog.rows import NOON, add_sighting

BEGINS = NOON - timedelta(days=30)
CLIP_S = 6.0
STARTS_S = (0.0, 6.0, 32.0)
FPS = 10
FIRST_ID = 0xF11F0


def video_id(number: int) -> str:
    """Front and rear in turn, in order of time."""
    return f"{FIRST_ID + number:016x}"


def film(path: Path, seconds: float, dark: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": "10", "preset": "ultrafast"})
        stream.width, stream.height = 320, 180
        stream.pix_fmt = "yuv420p"
        for number in range(round(seconds * FPS)):
            shade = number + (40 if dark else 120)
            picture = np.full((180, 320, 3), shade, np.uint8)
            picture[:, : 5 * number] += 20  # something that moves
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())


def film_a_drive(session: Session, archive: Path) -> None:
    car = Car(lat=51.9, lon=4.4, counter=700)
    for start_s in STARTS_S:
        at = BEGINS + timedelta(seconds=start_s)
        car.record(at, CLIP_S, 15.0, at + timedelta(seconds=CLIP_S))
    videos = []
    for number, facts in enumerate(car.clips):
        video = Video(video_id=video_id(number), name=facts.name, source="a:b", created_at=NOON)
        session.add(video)
        session.flush()
        apply_facts(session, video, facts, SITE)
        video.outcome, video.media, video.poster = "processed", f"shed_nas:{video.video_id}", None
        video.frames_decoded = video.frames_looked_at = round(CLIP_S * FPS)
        film(archive / video.video_id / "video_lowres.mp4", CLIP_S, dark=facts.camera == "rear")
        videos.append(video)
    seen(session, videos[0], "AB12CDE", [1.0, 1.5, 2.0, 2.5], last_s=4.0)
    seen(session, videos[2], "KL34MNO", [3.0, 3.4], last_s=3.5)
    seen(session, videos[3], "AB12CDE", [2.0, 2.4], last_s=2.5)
    seen(session, videos[4], "PQ56RST", [1.0, 1.4], last_s=1.5)


def there_and_back(session: Session) -> None:
    """Another trip, half a day later: 600 m northward, and back on the same road. Nothing of it is filmed."""
    car = Car(lat=51.95, lon=4.4, counter=800)
    for number, mps in enumerate((15.0, -15.0)):
        at = BEGINS + timedelta(hours=12, seconds=40 * number)
        car.record(at, 40.0, mps, at + timedelta(seconds=40), rear=False)
    for number, facts in enumerate(car.clips):
        heading = {"speed_mps": 15.0, "heading_deg": 180.0 * number}
        told = facts.model_copy(update={"fixes": [fix.model_copy(update=heading) for fix in facts.fixes]})
        video = Video(video_id=video_id(10 + number), name=facts.name, source="a:b", created_at=NOON)
        session.add(video)
        session.flush()
        apply_facts(session, video, told, SITE)
        video.outcome = "processed"


def seen(session: Session, video: Video, text: str, times_s: list[float], last_s: float) -> None:
    """A plate that moves 100 pixels a second to the right, read at these times, and in sight a while longer."""
    boxes = {t_s: [200.0 + 100 * t_s, 360.0, 300.0 + 100 * t_s, 400.0] for t_s in times_s}
    read: dict[str, Any] = {"pts": 0, "text": text, "confidence": 0.9, "legibility": 0.9, "slots": []}
    reads = [read | {"t_s": t_s, "box": box} for t_s, box in boxes.items()]
    span = {"first_s": times_s[0], "last_s": last_s}
    add_sighting(session, video, text, times_s[0], reads=reads, box=boxes[times_s[0]], **span)
