"""What a clip's file name and folders say: local start time, which camera, what kind of recording.

Viofo writes four layouts, under ``Movie/``, ``Movie/RO/`` (locked) and ``Movie/Parking/``:
``2026_0628_133416_000001PF.MP4``; without the first ``_`` (A129 Pro); without a counter, ``2026_0628_133416_F.MP4``;
and ``20260628133416_000123.MP4`` (A119 Mini, DDPai too), where other Novatek cameras add ``A`` (front) or ``B`` (rear).
Any other name says nothing here: the container says when such a clip began, the folder what it is.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

EXTENSIONS = frozenset({".mp4", ".mov", ".ts", ".avi"})
_CAMERAS = {"F": "front", "R": "rear", "I": "interior", "T": "telephoto", "A": "front", "B": "rear"}
_KINDS = {"P": "parking", "E": "event"}
_KIND_FOLDERS = {"emr": "event", "event": "event", "ro": "event", "parking": "parking"}
_LOCKED_FOLDERS = frozenset({"ro", "emr"})
_CAMERA_FOLDERS = {
    "front": "front", "rear": "rear", "back": "rear", "interior": "interior", "cabin": "interior",
}  # fmt: skip
_NAME = re.compile(
    r"(?P<year>\d{4})_?(?P<month>\d{2})(?P<day>\d{2})_?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})"
    r"(?:_(?P<counter>\d{1,8})?(?P<kind>[PE]?)(?P<camera>[FRITAB]?))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class ClipName:
    """``start_local`` is the camera's clock, without a zone; None when the name holds no valid time."""

    start_local: datetime | None = None
    camera: str = ""
    kind: str = "normal"
    """``normal``, ``parking`` or ``event``."""
    locked: bool = False
    """The camera keeps it from being overwritten: it lies in the folder for such clips."""


def parse(path: PurePath | str) -> ClipName:
    """Read a clip's path; anything that is no dashcam's name gives an empty ``ClipName``."""
    path = PurePath(path)
    folders = [part.lower() for part in path.parts[-4:-1]]  # further up, a folder's name is chance
    locked = not _LOCKED_FOLDERS.isdisjoint(folders)
    kind, camera = _last(folders, _KIND_FOLDERS) or "normal", _last(folders, _CAMERA_FOLDERS)
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return ClipName(None, camera, kind, locked)
    try:
        parts = [int(match[name]) for name in ("year", "month", "day", "hour", "minute", "second")]
        start = datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return ClipName(None, camera, kind, locked)
    camera = _CAMERAS.get((match["camera"] or "").upper(), camera)
    return ClipName(start, camera, _KINDS.get((match["kind"] or "").upper(), kind), locked)


def _last(folders: list[str], meanings: dict[str, str]) -> str:
    """The meaning of the innermost folder that has one; empty when none has."""
    return next((meanings[name] for name in reversed(folders) if name in meanings), "")


def is_clip(path: PurePath | str) -> bool:
    """A video by its name, neither hidden nor a partial download."""
    path = PurePath(path)
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith((".", "~"))
