"""GPS fixes of Novatek cameras that record MPEG transport streams (Viofo A119V3 and others).

One private packet (PES 0xBF) a second on a PID that no table lists; its payload is the record itself, or has it behind
164 bytes (Blueskysea B4K). The clock is the camera's local time.
"""

from dataclasses import replace
from pathlib import Path

from dashcam.gps.novatek import parse_record
from dashcam.gps.reading import Reading
from dashcam.media import transport

_BASES = (0, 164)


def read(path: Path) -> list[Reading]:
    """All fixes in media time: each belongs to the video frame that begins behind it. ``OSError``."""
    frames: list[float] = []
    found: list[tuple[int, Reading]] = []
    with path.open("rb") as file:
        for pes in transport.walk(file, transport.Stream()):
            if pes.pts_s is not None:
                frames.append(pes.pts_s)
            elif (one := next(filter(None, (parse_record(pes.payload, base) for base in _BASES)), None)) is not None:
                found.append((len(frames), one))
    if not frames:
        return [replace(one, t_s=float(number)) for number, (_, one) in enumerate(found)]
    first = min(frames)
    return [replace(one, t_s=frames[min(place, len(frames) - 1)] - first) for place, one in found]
