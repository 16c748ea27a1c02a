"""Takes out of text what nobody else is to see: secrets, plates, places, names of clips. Rather too much than too
little."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from dashcam.tasks.model import TaskType

WORDS = frozenset(
    str.split("""
    API ASCII AVI BEGIN BUSY CANTOPEN CIFS CORAL CORRUPT CPU CRITICAL CSRF CUDA DASHCAM DEBUG DELETE DNS DOCTYPE
    EACCES EDGETPU EIO ENOENT ENOSPC ERROR EXCLUSIVE FAILED FATAL FAULT FFMPEG FOREIGN FROM FULL GB GPS GPU HEAD
    HEVC HTML HTTP HTTPS IMMEDIATE INFO INSERT INTO IOERR JPEG JSON KB KEY KILL LIMIT LITERT LOCKED MB MOV NAS NFS
    NONE NULL NVDEC NVENC NVIDIA NVML OFFLINE OFFSET ONLINE ONNX ORDER PATCH POST PRAGMA PREFECT PRIMARY PRODID
    PUT QUERY READONLY RERUN REST ROLLBACK SELECT SIGINT SIGKILL SIGTERM SMB SQL SQLITE SSL START STATE STOP TABLE
    TB TEST TLS TORCH TRACE TRUE UNIQUE UPDATE USB UTC UTF VACUUM VALUES VIDEO VRAM WAL WARN WARNING WHERE YOLO
    """)
)
"""Of capitals, and no plates."""
UUID = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
MOMENT = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"
KEPT = re.compile(rf"{UUID}|{MOMENT}|\b\d\d:\d\d:\d\d\b")
"""Of runs, and of times: neither says who was where."""
PATTERNS = (
    (re.compile(r"(?<=://)[^/\s@]+@"), "<login>@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 <secret>"),
    (re.compile(r"(?i)((?:password|passwd|token|secret|auth|authorization|api.?key|cookie)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"),
     r"\1<secret>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "<mail>"),
    (re.compile(r"(?i)[^\s/\\\"'=(\[]+\.(?:mp4|mov|ts|avi|gpx|nmea|srt)\b"), "<clip>"),
    (re.compile(r"(?<=/plates/)[^\s\"'?]+|(?<=[?&]q=)[^\s\"'&]+|(?<=/search\?)\S+"), "<plate>"),
    (re.compile(r"(?<=/home/)[^/\s\"']+|(?<=\\Users\\)[^\\\s\"']+"), "<user>"),
    (re.compile(r"[-+]?\d{1,3}\.\d+\s*[,;/ ]\s*[-+]?\d{1,3}\.\d+(?![.\d])"), "<place>"),
    (re.compile(r"(?<![\d.])[-+]?\d{1,5}\.\d{3,}(?!\.?\d)"), "<number>"),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])(?=[\w-]*[A-Z_-])[A-Za-z0-9_-]{24,}\b"), "<secret>"),
)  # fmt: skip
CAPITALS = re.compile(r"(?<!\w)[A-Z0-9]{1,10}(?:[ \-·][A-Z0-9]{1,6}){0,2}(?!\w)")


def scrubber(secrets: Iterable[str]) -> Callable[[str], str]:
    """``secrets`` are taken out wherever they stand, what looks like one, a plate or a place by its form."""
    known = sorted({one for one in secrets if len(one) > 3}, key=len, reverse=True)

    def scrub(text: str) -> str:
        for secret in known:
            text = text.replace(secret, "<secret>")
        parts, at = [], 0
        for kept in KEPT.finditer(text):
            parts += [without_form(text[at : kept.start()]), kept[0]]
            at = kept.end()
        return "".join([*parts, without_form(text[at:])])

    return scrub


def without_form(text: str) -> str:
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return CAPITALS.sub(lambda found: "<plate>" if may_be_plate(found[0]) else found[0], text)


def may_be_plate(text: str) -> bool:
    groups = [group for group in re.split(r"[ \-·]", text) if group not in WORDS]
    letters = "".join(groups)
    if len(letters) < 4 or letters in TaskType.__members__:
        return False
    has_letter = any(character.isalpha() for character in letters)
    return has_letter and (any(character.isdigit() for character in letters) or len(letters) > 3)


def scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    """What JSON can hold, with each text scrubbed; a number that could be a coordinate is one too."""
    if isinstance(value, dict):
        return {scrub(str(key)): scrubbed(one, scrub) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(one, scrub) for one in value]
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, float) and scrub(repr(value)) != repr(value):
        return "<number>"
    return value
