"""What a clip's file name and folders say: local start time, which camera, what kind of recording.

Viofo writes four layouts, under ``Movie/``, ``Movie/RO/`` (locked) and ``Movie/Parking/``:
``2026_0628_133416_000001PF.MP4``; without the first ``_`` (A129 Pro); without a counter, ``2026_0628_133416_F.MP4``;
and ``20260628133416_000123.MP4`` (A119 Mini, DDPai too), where other Novatek cameras add ``A`` (front) or ``B`` (rear).
BlackVue, Nextbase, 70mai and Thinkware have one each. Any other name (Garmin's ``GRMN0001.MP4``) says nothing here:
the container says when such a clip began, the folder what it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import NamedTuple

EXTENSIONS = frozenset({".mp4", ".mov", ".ts", ".avi"})
_CAMERAS = {"F": "front", "R": "rear", "I": "interior", "T": "telephoto", "A": "front", "B": "rear", "C": "interior"}
_KIND_FOLDERS = {
    "emr": "event", "event": "event", "ro": "event", "evt_rec": "event", "manual_rec": "event",
    "parking": "parking", "lapse": "parking", "parking_rec": "parking", "motion_timelapse_rec": "parking",
}  # fmt: skip
_LOCKED_FOLDERS = frozenset({"ro", "emr"})
_CAMERA_FOLDERS = {
    "front": "front", "rear": "rear", "back": "rear", "interior": "interior", "cabin": "interior",
}  # fmt: skip


class _Layout(NamedTuple):
    """``kinds`` gives the meaning of what the name has for it; for what is not in it the folder counts."""

    name: re.Pattern[str]
    kinds: Mapping[str, str]


def _layout(pattern: str, kinds: Mapping[str, str]) -> _Layout:
    for part, digits in (("YYYY", 4), ("YY", 2), ("MM", 2), ("DD", 2), ("hh", 2), ("mm", 2), ("ss", 2)):
        pattern = pattern.replace(f"<{part}>", rf"(?P<{part}>\d{{{digits}}})")
    return _Layout(re.compile(pattern, re.ASCII | re.IGNORECASE), kinds)


_AFTER_YEAR = ("MM", "DD", "hh", "mm", "ss")
_LAYOUTS = (
    _layout(  # Viofo and other Novatek
        r"<YYYY>_?<MM><DD>_?<hh><mm><ss>(?:_(?:\d{1,8})?(?P<kind>[PE]?)(?P<camera>[FRITAB]?))?",
        {"P": "parking", "E": "event"},
    ),
    _layout(  # BlackVue: https://support.blackvue.com.au/hc/en-us/articles/13301776266895-Video-File-Naming
        r"<YYYY><MM><DD>_<hh><mm><ss>_(?P<kind>[NEPMIOATBRXGDLYF])(?P<camera>[FRIO])[LS]?",
        {"N": "normal", "P": "parking", "I": "parking"} | dict.fromkeys("EMOAB", "event"),
    ),
    _layout(  # Nextbase: https://support.nextbase.com/hc/en-nz/articles/21362518328349-File-Names
        r"<YY><MM><DD>_<hh><mm><ss>_\d{3}_(?P<camera>[FR])[HL]", {}
    ),
    _layout(  # 70mai
        r"(?P<kind>NO|EV|VL|LA|PA)<YYYY><MM><DD>-<hh><mm><ss>(?:-\d{1,8})?(?P<camera>[FBRIC]?)",
        {"NO": "normal", "EV": "event", "VL": "event", "LA": "parking", "PA": "parking"},
    ),
    _layout(  # Thinkware
        r"(?P<kind>REC|EVT|MAN|PARK|MOT)_<YYYY>_<MM>_<DD>_<hh>_<mm>_<ss>(?:_(?P<camera>[FRI]))?",
        {"EVT": "event", "MAN": "event", "PARK": "parking", "MOT": "parking"},
    ),
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
    for layout in _LAYOUTS:
        if match := layout.name.fullmatch(path.stem):
            said = match.groupdict(default="")
            start = _moment(said)
            if start is not None:
                camera = _CAMERAS.get(said.get("camera", "").upper(), camera)
                return ClipName(start, camera, layout.kinds.get(said.get("kind", "").upper(), kind), locked)
    return ClipName(None, camera, kind, locked)


def _moment(said: Mapping[str, str]) -> datetime | None:
    """The time in a name; None for what the calendar has not, and for a year that no camera's clock can say."""
    year = said.get("YYYY") or f"20{said['YY']}"
    try:
        moment = datetime.strptime(year + "".join(said[part] for part in _AFTER_YEAR), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return moment if 1970 <= moment.year < 2100 else None


def _last(folders: list[str], meanings: dict[str, str]) -> str:
    """The meaning of the innermost folder that has one; empty when none has."""
    return next((meanings[name] for name in reversed(folders) if name in meanings), "")


def is_clip(path: PurePath | str) -> bool:
    """A video by its name, neither hidden nor a partial download."""
    path = PurePath(path)
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith((".", "~"))


def printable(name: str) -> str:
    """A file's name for people, logs and XML: what cannot be printed (a line's end, half a character) becomes a ?."""
    return "".join(character if character.isprintable() else "?" for character in name)
