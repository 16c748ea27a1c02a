"""Clips made to order: exact timestamps, sizes, sound, and what is painted on them."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
TIME_BASE = Fraction(1, 90_000)
SOUND_HZ = 16_000


def noise(index: int, width: int, height: int) -> Picture:
    """A picture with edges everywhere, another one for every index."""
    blocks = np.random.default_rng(index).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]


def write_clip(
    path: Path,
    pts: Sequence[int],
    *,
    size: tuple[int, int] = (128, 96),
    paint: Callable[[int, int, int], Picture] = noise,
    gop: int = 10,
    sound: str | None = None,
    b_frames: int = 0,
) -> Path:
    """H.264 with these pts in 1/90000 s; ``sound`` names an audio codec for a tone beside it."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"preset": "ultrafast", "bf": str(b_frames)})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = TIME_BASE
        stream.codec_context.gop_size = gop
        audio = out.add_stream(sound, rate=SOUND_HZ, layout="mono") if sound else None
        for index, at in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(paint(index, *size), format="rgb24")
            frame.pts, frame.time_base = at, TIME_BASE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if audio:
            for start in range(0, int((pts[-1] - pts[0]) * TIME_BASE * SOUND_HZ), 1024):
                tone = np.sin(np.arange(start, start + 1024) / 20).astype(np.float32)[None] * 0.3
                heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                heard.sample_rate, heard.pts, heard.time_base = SOUND_HZ, start, Fraction(1, SOUND_HZ)
                out.mux(audio.encode(heard))
            out.mux(audio.encode(None))
    return path


def regular(seconds: float, fps: int = 10) -> list[int]:
    return [round(i * 90_000 / fps) for i in range(round(seconds * fps))]
