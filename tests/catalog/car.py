"""A car with a two-channel camera that drives for tests: what INGEST_VIDEO would find in its clips."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from dashcam.catalog import apply
from dashcam.catalog.models import Video
from dashcam.config import Site
from dashcam.gps import clock
from dashcam.gps.plane import Plane
from dashcam.media import names
from dashcam.records import Fix, VideoFacts

ZONE = ZoneInfo("Europe/Amsterdam")
CLIP_S = 180.0
SITE = Site()


@dataclass
class Car:
    """Writes the clips of a two-channel camera as it drives: the front one with GPS, the rear one without."""

    lat: float = 52.37
    lon: float = 4.90
    counter: int = 100
    clips: list[VideoFacts] = field(default_factory=list)

    def drive(self, start: datetime, minutes: float, mps: float = 15.0, *, stand_s: float = 0.0) -> None:
        """Northward for so long, standing still in the last ``stand_s``; ``start`` is local time with its zone."""
        begin, end = start.astimezone(UTC), start.astimezone(UTC) + timedelta(minutes=minutes)
        halt, moment = end - timedelta(seconds=stand_s), begin
        while moment < end:
            self.record(moment, min(CLIP_S, (end - moment).total_seconds()), mps, halt)
            moment += timedelta(seconds=CLIP_S)

    def park(self, start: datetime, clips: int, every: timedelta) -> None:
        """Something moves around the parked car now and then."""
        for number in range(clips):
            self.record(start.astimezone(UTC) + number * every, 30.0, 0.0, start, kind="P", rear=False)

    def record(
        self,
        start: datetime,
        duration_s: float,
        mps: float,
        halt: datetime,
        *,
        kind: str = "",
        rear: bool = True,
        gps: bool = True,
        said: datetime | None = None,
    ) -> None:
        fixes = list(self.fixes(start, duration_s, mps, halt)) if gps else []
        local = said or start.astimezone(ZONE).replace(tzinfo=None)
        for camera in "FR" if rear else "F":
            self.counter += 1
            late = timedelta(seconds=0 if camera == "F" else 1)
            self.write(local + late, start + late, duration_s, kind + camera, fixes if camera == "F" else [])

    def fixes(self, start: datetime, duration_s: float, mps: float, halt: datetime) -> Iterator[Fix]:
        """A fix every other second."""
        for t_s in range(0, int(duration_s), 2):
            at = start + timedelta(seconds=t_s)
            speed = mps if at < halt else 0.0
            yield Fix(t_s=float(t_s), utc=at, lat=self.lat, lon=self.lon, speed_mps=speed, heading_deg=0.0)
            self.lat, self.lon = Plane(self.lat, self.lon).to_degrees(0.0, 2 * speed)

    def write(self, local: datetime, start: datetime, duration_s: float, tail: str, fixes: list[Fix]) -> None:
        """As INGEST_VIDEO finds it: the start comes from the GPS, else from the name and the file's date."""
        name = f"{local:%Y_%m%d_%H%M%S}_{self.counter:06d}{tail}.MP4"
        parsed = names.parse(name)
        closed = start + timedelta(seconds=duration_s)
        began = clock.decide(fixes, parsed.start_local, "Europe/Amsterdam", None, closed)
        facts = {"sha256": "0" * 64, "size": 1, "width": 1280, "height": 720, "fps": 30.0, "codec": "h264"}
        self.clips.append(
            VideoFacts(
                **facts,  # type: ignore[arg-type]
                name=name,
                camera=parsed.camera,
                kind=parsed.kind,
                trip="",
                start_utc=began.start_utc,
                clock=began.source,
                clock_kind=began.kind,
                camera_ahead_s=began.camera_ahead_s,
                time_zone=began.zone,
                duration_s=duration_s,
                frames=round(duration_s * 30),
                fixes=fixes,
            )
        )


def video_id(facts: VideoFacts) -> str:
    return f"{names.parse(facts.name).camera}-{facts.name}"


def arrive(session: Session, facts: VideoFacts) -> None:
    found = session.get(Video, video_id(facts))
    if found is None:
        found = Video(video_id=video_id(facts), name=facts.name, source="a:b", created_at=datetime.now(UTC))
        session.add(found)
        session.flush()
    apply.apply_facts(session, found, facts, SITE)
