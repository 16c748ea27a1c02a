"""What a clip's file name and folders say: local start time, which camera, what kind of recording.

Viofo: ``YYYY_MMDD_HHMMSS_NNNNNN[P|E]{F|R|I|T}.MP4`` under ``Movie/``, ``Movie/RO/`` (locked) and ``Movie/Parking/``;
the A119 Mini and DDPai write ``YYYYMMDDHHMMSS_NNNNNN.MP4``.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

EXTENSIONS = frozenset({".mp4", ".mov", ".ts", ".avi"})
_CAMERAS = {"F": "front", "R": "rear", "I": "interior", "T": "telephoto"}
_KINDS = {"P": "parking", "E": "event"}
_FOLDERS = {"ro": "event", "emr": "event", "event": "event", "parking": "parking"}
_NAME = re.compile(
    r"(?P<year>\d{4})_?(?P<month>\d{2})(?P<day>\d{2})_?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})"
    r"(?:_(?P<counter>\d{1,8})?(?P<kind>[PE]?)(?P<camera>[FRIT]?))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class ClipName:
    """``start_local`` is the camera's clock, without a zone; None when the name holds no valid time."""

    start_local: datetime | None = None
    camera: str = ""
    kind: str = "normal"


def parse(path: PurePath | str) -> ClipName:
    """Read a clip's path; anything that is no dashcam's name gives an empty ``ClipName``."""
    path = PurePath(path)
    folders = [_FOLDERS[part.lower()] for part in path.parts[:-1] if part.lower() in _FOLDERS]
    kind = folders[-1] if folders else "normal"
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return ClipName(kind=kind)
    try:
        parts = [int(match[name]) for name in ("year", "month", "day", "hour", "minute", "second")]
        start = datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return ClipName(kind=kind)
    camera = _CAMERAS.get((match["camera"] or "").upper(), "")
    return ClipName(start, camera, _KINDS.get((match["kind"] or "").upper(), kind))


def is_clip(path: PurePath | str) -> bool:
    """A video by its name, neither hidden nor a partial download."""
    path = PurePath(path)
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith((".", "~"))
