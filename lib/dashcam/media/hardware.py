"""NVDEC and NVENC through FFmpeg where they work, and in a few words why not where they do not."""

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel

ENCODER = "h264_nvenc"
FIRST_PACKETS = 60
"""One of so many must decode, else the card cannot do this kind of video."""


def opened(path: Path, gpu: int | None = None) -> tuple[Any, str]:
    """The clip, decoded by that card if its first frame comes out there, else by the CPU; and why not by the card.

    Frames come back to the CPU's memory either way. Raises what `av.open` raises.
    """
    if gpu is None:
        return av.open(str(path), metadata_errors="replace"), ""
    try:
        with _by_card(path, gpu) as probe:
            stream = probe.streams.video[0]
            if any(packet.decode() for packet in islice(probe.demux(stream), FIRST_PACKETS)):
                return _by_card(path, gpu), ""
        reason = "no frame came out"
    except Exception as error:  # drivers fail in their own ways; whether it is the clip, the CPU will say
        reason = _said(error)
    return av.open(str(path), metadata_errors="replace"), f"card {gpu} does not decode it ({reason})"


def no_encoder(gpu: int) -> str:
    """Why that card does not encode H.264; empty when it does."""
    try:
        context: Any = av.CodecContext.create(ENCODER, "w")
        context.width, context.height, context.pix_fmt = 1280, 720, "yuv420p"
        context.framerate, context.time_base = Fraction(15), Fraction(1, 15)
        context.options = {"gpu": str(gpu)}
        context.open()
    except Exception as error:  # as above
        return f"card {gpu} does not encode ({_said(error)})"
    return ""


def _by_card(path: Path, gpu: int) -> Any:
    card = HWAccel("cuda", device=gpu, allow_software_fallback=False)
    return av.open(str(path), hwaccel=card, metadata_errors="replace")


def _said(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
