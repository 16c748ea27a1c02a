"""Clips of half a second with a plate, a position and a picture, as many different ones as are wanted."""

import struct
from pathlib import Path

from dashcam.sample.drive import FPS, SIZE, Director, Take, encode
from dashcam.sample.mux import GpsRecord, add_gps
from dashcam.sample.route import Route
from dashcam.sample.scene import Camera
from dashcam.sample.traffic import Traffic

SEED = 7
DURATION_S = 0.5
SCENES = ((5.0, False), (6.5, False), (6.5, True))
"""Second of the drive, and whether the rear camera looks."""
BROKEN = "2026_0628_140000_000009F.MP4"
"""The name of the clip that nobody can read."""


def base_clips(folder: Path) -> list[Path]:
    """Draws the scenes, and beside them one file that is no clip; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    route, traffic = Route(24), Traffic(24, SEED)
    clips = []
    for number, (second, rear) in enumerate(SCENES, 1):
        take = Take(number, rear, second, DURATION_S)
        director = Director(take, route, traffic, Camera(SIZE, rear, SEED))
        video = encode(director.frames(lambda part: None), SIZE, FPS, take.start_local)
        pose = route.at(second)
        here = GpsRecord(director.start_utc, pose.lat, pose.lon, pose.speed_mps, pose.heading_deg % 360)
        clips.append(folder / take.name)
        clips[-1].write_bytes(add_gps(video, [here], FPS, "B"))
    clips.append(folder / BROKEN)
    clips[-1].write_bytes(b"no clip at all " * 1000)
    return clips


def variant(clip: Path, number: int) -> bytes:
    """The clip with a trailing ``free`` box: the same pictures and positions, another content."""
    return clip.read_bytes() + struct.pack(">I4sQ", 16, b"free", number)
