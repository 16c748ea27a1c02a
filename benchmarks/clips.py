"""``python -m benchmarks.clips FOLDER``: the clips that the heavy stage is measured on, made from real footage.

The London street's lower half (the road, 16:9) and a standing view of it, at the sizes and bit rates that cameras
write: no B-frames, a keyframe each second. What is there already is not made again; ``CLIPS`` says what can be had.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from dashcam.media.decode import frames
from dashcam.media.images import Image

LONDON = "clips/london-street-hevc.mp4"
FPS = 30
ROAD = slice(790, 1564)
"""Rows of the portrait picture where cars are."""
NOISE = 3.0
"""Standard deviation of what a sensor adds to a picture that stands still."""


def london(data: Path) -> list[Image]:
    """The road, 1376 x 774 BGR, 146 pictures."""
    return [frame.bgr()[ROAD] for frame in frames(data / LONDON)]


def drive(data: Path, seconds: float) -> Iterator[Image]:
    """The street forwards, then backwards, and again."""
    street = london(data)
    there_and_back = [*street, *street[::-1]]
    for index in range(round(seconds * FPS)):
        yield there_and_back[index % len(there_and_back)]


def parking(data: Path, seconds: float, active: float = 0.02) -> Iterator[Image]:
    """The street's end as a parked car sees it, with a stretch in the middle where the traffic goes by."""
    street = london(data)
    rng = np.random.default_rng(1)
    grain = [rng.normal(0, NOISE, street[0].shape).astype(np.int16) for _ in range(4)]
    count, moving = round(seconds * FPS), round(seconds * FPS * active)
    for index in range(count):
        passed = index - (count - moving) // 2
        picture = street[passed % len(street)] if 0 <= passed < moving else street[-1]
        yield np.clip(picture + grain[index % len(grain)], 0, 255).astype(np.uint8)


def write(path: Path, pictures: Iterator[Image], size: tuple[int, int], codec: str, mbit: float) -> Path:
    """Whole or not at all, under its name."""
    part = path.with_name(f".{os.getpid()}-{path.name}")
    params = "keyint=30:min-keyint=30:bframes=0:scenecut=0:log-level=error"
    preset = {"preset": "superfast"}
    options = preset | ({"x265-params": params} if codec == "libx265" else {"x264-params": params})
    with av.open(str(part), "w", format="mp4") as out:
        stream: Any = out.add_stream(codec, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = round(mbit * 1e6)
        for index, picture in enumerate(pictures):
            scaled = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
            frame = av.VideoFrame.from_ndarray(scaled, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    part.replace(path)
    return path


CLIPS: dict[str, Callable[[Path, Path], Path]] = {
    "drive-4k-hevc.mp4": lambda data, to: write(to, drive(data, 9.7), (3840, 2160), "libx265", 24),
    "drive-1080p-h264.mp4": lambda data, to: write(to, drive(data, 19.4), (1920, 1080), "libx264", 15),
    "parking-720p-h264.mp4": lambda data, to: write(to, parking(data, 100), (1280, 720), "libx264", 4),
}


def made(name: str, data: Path, folder: Path) -> Path:
    """The clip in ``folder``, made now if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name if (folder / name).exists() else CLIPS[name](data, folder / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(CLIPS))
    shared = Path(os.environ.get("DASHCAM_SHARED") or "../shared")
    parser.add_argument("--data", type=Path, default=shared / "data")
    args = parser.parse_args()
    for name in args.names:
        print(made(name, args.data, args.folder), flush=True)


if __name__ == "__main__":
    main()
