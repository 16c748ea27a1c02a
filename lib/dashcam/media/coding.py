"""What a clip's picture is coded in, also where this device has no decoder for it."""

import re
from typing import Any

import av
import av.logging

from dashcam import Explained


class NoDecoder(Explained):
    """This device has no decoder for the clip's coding: a failure of the device, never of the clip."""

    def __init__(self, clip: str, coding: str) -> None:
        super().__init__(
            f"{clip} is coded as {coding}, which this device cannot decode: let another device take it, or give this "
            "one an FFmpeg that can."
        )


def of_the_medium(error: Exception) -> bool:
    """Whether it is the disk or the mount that failed, and not what is in the file. FFmpeg's "try again" comes from a
    reader of containers that lost its way; no file says that."""
    return isinstance(error, OSError) and not isinstance(error, BlockingIOError)


def coding_of(container: Any) -> str:
    """FFmpeg's name for the coding of the first video stream, e.g. ``hevc``; empty where it knows none.

    A stream without a decoder has no codec in PyAV, so this asks for the description that FFmpeg writes to its log.
    """
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        described = re.search(r"Video: (\w+)", container.dumps_format())
    finally:
        av.logging.set_level(level)
    name = described[1] if described else ""
    return "" if name in ("none", "unknown_codec") else name
