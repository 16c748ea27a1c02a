"""Write a drive as a Viofo records it, and beside it ``truth.json``: what is really in there."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashcam.records import Box, Fix, Record
from dashcam.sample.mux import GpsRecord, Layout, add_gps
from dashcam.sample.plates import Drawing, TextMaker, make_text, plain
from dashcam.sample.route import Route
from dashcam.sample.scene import NEAREST_M, Camera, Placed
from dashcam.sample.street import View
from dashcam.sample.traffic import Traffic

FPS = 30
SIZE = (1280, 720)
TIME_ZONE = "Europe/Amsterdam"
START_LOCAL = datetime(2026, 6, 28, 13, 34, 16)
READABLE_PX = 14.0
"""A plate counts as visible from this height on."""


class PlateBox(Record):
    """Where a plate is drawn at one moment of the clip."""

    t_s: float
    box: Box


class TruePlate(Record):
    """``first_s`` to ``last_s``: the plate is whole, in front of everything, and at least ``READABLE_PX`` high."""

    text: str
    country: str
    first_s: float
    last_s: float
    boxes: list[PlateBox]


class TrueClip(Record):
    file: str
    camera: str
    start_utc: datetime
    duration_s: float
    plates: list[TruePlate]
    fixes: list[Fix]


class Truth(Record):
    """``truth.json``."""

    seed: int
    time_zone: str
    width: int
    height: int
    clips: list[TrueClip]


@dataclass(frozen=True)
class Take:
    """One clip of the drive: its part of the drive's time and which camera."""

    counter: int
    rear: bool
    start_s: float
    duration_s: float

    @property
    def start_local(self) -> datetime:
        return START_LOCAL + timedelta(seconds=self.start_s)

    @property
    def name(self) -> str:
        return f"{self.start_local:%Y_%m%d_%H%M%S}_{self.counter:06d}{'R' if self.rear else 'F'}.MP4"


def takes(duration_s: float) -> list[Take]:
    """The clips of a drive."""
    return [
        Take(1, False, 0, duration_s),
        Take(2, False, duration_s, duration_s),
        Take(3, True, duration_s, duration_s),
    ]


def write_drive(
    out_dir: Path,
    *,
    seed: int = 7,
    duration_s: int = 10,
    layout: Layout = "B",
    text: TextMaker = make_text,
    progress: Callable[[float], None] | None = None,
) -> Truth:
    """Write two front clips of ``duration_s`` each, the rear clip beside the second, and ``truth.json``.

    The same seed gives the same plates, positions and pictures. ``text`` draws a plate's; ``progress`` takes a
    fraction from 0 to 1.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    route, traffic = Route(2 * duration_s), Traffic(2 * duration_s, seed, text)
    cameras = {rear: Camera(SIZE, rear, seed) for rear in (False, True)}
    clips = []
    script = takes(duration_s)
    for index, take in enumerate(script):
        director = Director(take, route, traffic, cameras[take.rear])

        def report(part: float, index: int = index) -> None:
            if progress is not None:
                progress((index + part) / len(script))

        video = encode(director.frames(report), SIZE, FPS, take.start_local)
        records = director.gps()
        _write(out_dir / take.name, add_gps(video, records, FPS, layout))
        clips.append(director.truth(records))
    truth = Truth(seed=seed, time_zone=TIME_ZONE, width=SIZE[0], height=SIZE[1], clips=clips)
    _write(out_dir / "truth.json", truth.model_dump_json(indent=1).encode())
    return truth


def short_clips(out_dir: Path, n: int, seconds: float) -> list[Path]:
    """``n`` different very short clips of 320x180 without plates or GPS, named as if recorded minute by minute."""
    out_dir.mkdir(parents=True, exist_ok=True)
    size, paths = (320, 180), []
    backdrop = np.add.outer(np.arange(size[1]), np.arange(size[0] * 2)) % 200
    for index in range(n):
        start = START_LOCAL + timedelta(minutes=index)

        def frames(index: int = index) -> Iterator[Drawing]:
            for step in range(round(seconds * FPS)):
                shift = (step * 4 + index * 7) % size[0]
                grey = backdrop[:, shift : shift + size[0]].astype(np.uint8)
                yield np.dstack([grey, np.roll(grey, index, 0), np.full_like(grey, 40 + index * 5 % 180)])

        path = out_dir / f"{start:%Y_%m%d_%H%M%S}_{index + 1:06d}F.MP4"
        _write(path, encode(frames(), size, FPS, start))
        paths.append(path)
    return paths


def encode(frames: Iterator[Drawing], size: tuple[int, int], fps: int, created: datetime) -> bytes:
    """H.264 as dashcams write it: one keyframe a second, no B-frames, moov at the end; the same bytes every time."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        container.metadata["creation_time"] = f"{created:%Y-%m-%dT%H:%M:%S}Z"  # Novatek: local time, labelled UTC
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, fps)
        stream.options = {"preset": "superfast", "crf": "24", "g": str(fps), "bf": "0", "threads": "2"}
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)


class Director:
    """Plays one take and keeps the books."""

    def __init__(self, take: Take, route: Route, traffic: Traffic, camera: Camera) -> None:
        self.take, self.route, self.traffic, self.camera = take, route, traffic, camera
        self.start_utc = take.start_local.replace(tzinfo=ZoneInfo(TIME_ZONE)).astimezone(ZoneInfo("UTC"))
        self.seen: dict[str, list[PlateBox]] = {}
        self.countries: dict[str, str] = {}

    def frames(self, report: Callable[[float], None]) -> Iterator[Drawing]:
        """Draw the clip, frame by frame."""
        count = round(self.take.duration_s * FPS)
        for index in range(count):
            t_s = index / FPS
            view, placed = self.moment(t_s)
            picture = self.camera.render(view, placed)
            self._stamp(picture, t_s)
            self.note(t_s, view, placed)
            report((index + 1) / count)
            yield picture

    def moment(self, t_s: float) -> tuple[View, list[Placed]]:
        """Where the camera and the others are ``t_s`` seconds into the clip."""
        moment = self.take.start_s + t_s
        pose = self.route.at(moment)
        bounce = min(pose.speed_mps / 6, 1) * 0.0012 * np.sin(2 * np.pi * 1.3 * moment)
        view = View(pose.s_m, pose.curvature, pose.heading_deg, round(float(bounce), 6))
        return view, self.traffic.at(moment)

    def note(self, t_s: float, view: View, placed: list[Placed]) -> None:
        """Remember each plate that can be read ``t_s`` seconds into the clip."""
        nearer: list[Box] = []
        for vehicle in sorted(placed, key=self.camera.distance_m):
            if self.camera.distance_m(vehicle) <= NEAREST_M:
                continue
            box = self.camera.plate_box(vehicle, view)
            if (
                box[3] - box[1] >= READABLE_PX
                and self.camera.holds(box)
                and not any(_touch(box, other) for other in nearer)
            ):
                text = plain(vehicle.look.plate)
                self.countries[text] = vehicle.look.style.country
                rounded = (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))
                self.seen.setdefault(text, []).append(PlateBox(t_s=round(t_s, 4), box=rounded))
            nearer.append(self.camera.body_box(vehicle, view))

    def _stamp(self, picture: Drawing, t_s: float) -> None:
        """Time and speed in the corner, as cameras burn them in."""
        now = self.take.start_local + timedelta(seconds=int(t_s))
        speed = self.route.at(self.take.start_s + int(t_s)).speed_mps * 3.6
        mask = _stamp_mask(f"{now:%Y-%m-%d %H:%M:%S}   {speed:.0f} km/h   SAMPLE DRIVE")
        region = picture[-mask.shape[0] - 8 : -8, 16 : 16 + mask.shape[1]]
        region[mask > 90] = (225, 232, 235)

    def gps(self) -> list[GpsRecord]:
        """One record a second; the drive's first one is void, as after a cold start."""
        records = []
        for second in range(round(self.take.duration_s)):
            pose = self.route.at(self.take.start_s + second)
            utc = self.start_utc + timedelta(seconds=second)
            fix = not (self.take.start_s == 0 and second == 0)
            records.append(GpsRecord(utc, pose.lat, pose.lon, pose.speed_mps, pose.heading_deg % 360, fix))
        return records

    def truth(self, records: list[GpsRecord]) -> TrueClip:
        plates = [
            TruePlate(
                text=text,
                country=self.countries[text],
                first_s=boxes[0].t_s,
                last_s=boxes[-1].t_s,
                boxes=[place for place in boxes if abs(place.t_s * 2 - round(place.t_s * 2)) < 1e-3] or boxes[:1],
            )
            for text, boxes in self.seen.items()
        ]
        fixes = [
            Fix(t_s=float(second), utc=record.utc, lat=record.lat, lon=record.lon,
                speed_mps=record.speed_mps, heading_deg=record.heading_deg)
            for second, record in enumerate(records)
            if record.fix
        ]  # fmt: skip
        return TrueClip(
            file=self.take.name,
            camera="rear" if self.take.rear else "front",
            start_utc=self.start_utc,
            duration_s=self.take.duration_s,
            plates=plates,
            fixes=fixes,
        )


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@lru_cache(maxsize=4)
def _stamp_mask(text: str) -> Drawing:
    font = ImageFont.load_default(20)
    image = Image.new("L", (round(font.getlength(text)) + 4, 26))
    ImageDraw.Draw(image).text((2, 1), text, fill=255, font=font)
    return np.asarray(image)
