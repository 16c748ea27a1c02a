"""Whether a file is a whole clip, looked at without decoding; and if not, in plain words, what is wrong with it.

What is wrong is either the end (``fatal``: nobody can see a picture of it) or a loss that leaves something to process.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from dashcam.media import boxes, transport

Container = Literal["mp4", "ts", "avi", "matroska", "mpeg", "flv", "asf", "picture", "archive", "unknown"]
ProblemKind = Literal[
    "empty", "zeros", "not_video", "no_moov", "growing", "broken", "cut", "hole", "wrap", "lost", "wrong_name"
]

_MAGIC: tuple[tuple[int, bytes, Container], ...] = (
    (8, b"AVI ", "avi"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"\0\0\1\xba", "mpeg"),
    (0, b"FLV\1", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"\x89PNG", "picture"),
    (0, b"GIF8", "picture"),
    (0, b"BM", "picture"),
    (0, b"PK\3\4", "archive"),
    (0, b"\x1f\x8b", "archive"),
    (0, b"Rar!", "archive"),
)
_NAMES = {"mp4": "an MP4", "ts": "an MPEG transport stream", "avi": "an AVI", "matroska": "a Matroska video"}
_SUFFIXES = {".mp4": "mp4", ".mov": "mp4", ".ts": "ts", ".avi": "avi", ".mkv": "matroska"}
_CODED = frozenset({b"avc1", b"avc3", b"hvc1", b"hev1"})
"""Frames begin with the length of their first part, which is never zero."""
_LOOKS = 20_000
"""More frames than that are looked at by sample."""
MAX_STEP_S = 3600.0
"""Between two frames of one clip; a longer step is a clock that wrapped or was lost."""
_FRESH_S = 10.0
_WAIT_S = 1.0
COPY_AGAIN = "copy it from the card again"
REPAIR = (
    f"{COPY_AGAIN}; if it is no better there, a repair program (such as untrunc) may save it with the help of a whole "
    "clip of the same camera"
)
"""For what may be a clip: it is never said that it can go."""
_TRACES = (*b"moov mdat trak mdia stbl stsz avcC hvcC movi idx1".split(), b"\x1f\x43\xb6\x75")
"""Words inside of clips: a file without a head that holds some of them was one. The last begins a Matroska cluster."""
_NEAR = 1 << 20


@dataclass(frozen=True)
class Problem:
    """``words`` end the sentence "clip.MP4 …"; for a loss they stand alone, e.g. "first 41 of 60 s: …"."""

    kind: ProblemKind
    words: str
    fatal: bool = False


@dataclass(frozen=True)
class Validity:
    """``frames`` and ``readable_s`` count what is there, ``promised_s`` what the index says; 0 where nobody knows."""

    container: Container
    problems: tuple[Problem, ...] = ()
    frames: int = 0
    readable_s: float = 0.0
    promised_s: float = 0.0

    @property
    def fatal(self) -> Problem | None:
        return next((problem for problem in self.problems if problem.fatal), None)

    @property
    def damage(self) -> str:
        """One sentence about the losses; empty for a whole clip."""
        return "; ".join(problem.words for problem in self.problems if not problem.fatal)


def container(path: Path) -> Container:
    """What a file is by its content, whatever its name says. ``OSError``."""
    with path.open("rb") as file:
        return _container(file.read(transport.HEAD))


def _container(head: bytes) -> Container:
    if len(head) >= 8 and head[4:8] in boxes.TOP_LEVEL:
        return "mp4"
    for place, magic, kind in _MAGIC:
        if head[place : place + len(magic)] == magic:
            return kind
    return "ts" if transport.layout(head) else "unknown"


def look(path: Path, wait: Callable[[float], None] = time.sleep) -> Validity:
    """Look at a file in milliseconds (a transport stream: once through). ``OSError`` when it cannot be read.

    ``wait`` passes the second after which an unfinished file that was written just now is measured again.
    """
    before = path.stat()
    with path.open("rb") as file:
        found = _look(path, file, before.st_size)
    if any(problem.kind in ("no_moov", "cut") for problem in found.problems) and _grows(path, before, wait):
        words = "is still being written: it is taken when it is whole; hand it in again then."
        return Validity(found.container, (Problem("growing", words, fatal=True),))
    return found


def _grows(path: Path, before: os.stat_result, wait: Callable[[float], None]) -> bool:
    if time.time() - before.st_mtime < _FRESH_S:
        wait(_WAIT_S)
    after = path.stat()
    return (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns)


def _look(path: Path, file: BinaryIO, size: int) -> Validity:
    if size == 0:
        return _end("unknown", "empty", f"is empty (0 bytes): {COPY_AGAIN}, or remove it.")
    if _only_zeros(file, size):
        return _end("unknown", "zeros", f"holds {size:,} zero bytes and nothing else: {COPY_AGAIN}, or remove it.")
    file.seek(0)
    kind = _container(file.read(transport.HEAD))
    if kind in ("picture", "archive"):
        what = {"picture": "a picture", "archive": "an archive"}[kind]
        return _end(kind, "not_video", f"is {what}, no video, only its name says so: {COPY_AGAIN}, or remove it.")
    if kind == "unknown" and not _has_traces(file, size):
        return _end(kind, "not_video", f"is not a video file as far as can be seen: {COPY_AGAIN}.")
    found = Validity(kind)
    if kind == "unknown":
        found = Validity(kind, (Problem("broken", "its beginning is damaged; what could be read of it was used"),))
    if kind == "mp4":
        found = _boxed(path, file, size)
    elif kind == "ts":
        found = _streamed(file)
    elif kind == "avi":
        found = _riff(file, size)
    named = _SUFFIXES.get(path.suffix.lower())
    if named is not None and named != kind and found.fatal is None:
        words = f"is {_NAMES.get(kind, 'a video')} file although its name ends in {path.suffix}; read as what it is"
        found = Validity(
            kind, (*found.problems, Problem("wrong_name", words)), found.frames, found.readable_s, found.promised_s
        )
    return found


def _end(kind: Container, problem: ProblemKind, words: str) -> Validity:
    return Validity(kind, (Problem(problem, words, fatal=True),))


def _only_zeros(file: BinaryIO, size: int) -> bool:
    """By sample: a clip has no 64 places evenly over it that are all blank."""
    for place in np.linspace(0, max(0, size - 4096), 64).astype(int).tolist():
        file.seek(place)
        if file.read(4096).strip(b"\0"):
            return False
    return True


def _has_traces(file: BinaryIO, size: int) -> bool:
    for place in {0, max(0, size - _NEAR)}:
        file.seek(place)
        near = file.read(_NEAR)
        if any(trace in near for trace in _TRACES):
            return True
    return False


def _boxed(path: Path, file: BinaryIO, size: int) -> Validity:
    checked = boxes.check(path)
    if checked.state == "no_moov":
        words = (
            "has no index (moov), the camera lost power before it closed the file or the copy stopped "
            f"at {size:,} bytes: {REPAIR}."
        )
        return _end("mp4", "no_moov", words)
    broken = Validity("mp4", (Problem("broken", "its index (moov) is damaged; what could be read of it was used"),))
    if checked.state in ("broken", "not_video", "empty"):
        return broken
    try:
        tracks = boxes.tracks(boxes.read_moov(file, size) or b"")
    except boxes.MalformedBox:
        return broken
    video = next((track for track in tracks if track.handler == b"vide" and track.samples.sizes.size), None)
    if video is None:  # fragments: the frames are listed between them
        *_, last = boxes.walk(file, 0, size)
        return Validity("mp4", (_cut_somewhere(size, None),) if last.cut else ())
    return _frames(file, size, video)


def _frames(file: BinaryIO, size: int, video: boxes.MediaTrack) -> Validity:
    """What of the promised frames is in the file, and not blank."""
    times = video.times_s - video.times_s.min()
    inside = (video.samples.offsets >= 0) & (video.samples.offsets + video.samples.sizes <= size)
    count = int(inside.sum())
    jump = bool((np.abs(np.diff(times)) > MAX_STEP_S).any())
    promised = _length(times)
    if not count:
        words = f"is cut off: none of its {times.size} frames is in the file: {COPY_AGAIN}."
        return _end("mp4", "cut", words)
    problems = []
    readable = promised
    if count < times.size:
        readable = min(float(times[~inside].min()), promised) or _length(times[inside])
        words = (
            f"first {_s(readable)} of {_s(promised)} s: the file is cut off, {count} of {times.size} frames are in it"
        )
        problems.append(Problem("cut", words))
    blank = _blank(file, video, inside) if video.format in _CODED else np.zeros(1, bool)
    if blank.all():
        words = f"holds no picture, its frames are all zeros (a bad card): {COPY_AGAIN}."
        return _end("mp4", "hole", words)
    if blank.any():
        words = f"{_stretches(times, blank, promised)} blank (zeros in the file, a bad spot on the card)"
        problems.append(Problem("hole", words))
    if jump:
        problems.append(_wrapped(1))
    return Validity("mp4", tuple(problems), count, 0.0 if jump else readable, promised)


def _wrapped(times: int) -> Problem:
    how_often = "" if times == 1 else f" {times} times"
    words = f"the clock of its frames jumps{how_often} (PTS wrap); the frames are read in order and their time goes on"
    return Problem("wrap", words)


def _length(times: NDArray[np.float64]) -> float:
    if times.size < 2:
        return 0.0
    return float(np.ptp(times) + np.median(np.diff(np.sort(times))))


def _blank(file: BinaryIO, video: boxes.MediaTrack, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which frames begin with zeros."""
    blank = np.zeros(inside.size, bool)
    whole = np.flatnonzero(inside & (video.samples.sizes >= 8))
    for index in whole[:: max(1, whole.size // _LOOKS)].tolist():
        file.seek(int(video.samples.offsets[index]))
        blank[index] = file.read(4) == b"\0\0\0\0"
    return blank


def _stretches(times: NDArray[np.float64], blank: NDArray[np.bool_], promised: float) -> str:
    """``12 to 14 s of 60 s are``, and how many more there are."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], blank, [False]]).astype(np.int8)))
    pairs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    ends = np.append(times, promised)
    spoken = ", ".join(f"{_s(float(times[a]))} to {_s(float(ends[b]))} s" for a, b in pairs[:3])
    more = f" and {len(pairs) - 3} more stretches" if len(pairs) > 3 else ""
    return f"{spoken}{more} of {_s(promised)} s are"


def _s(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")


def _riff(file: BinaryIO, size: int) -> Validity:
    """An AVI says at its head how long it is; with pieces of 1 GB, how long the first is."""
    file.seek(4)
    promised = int.from_bytes(file.read(4), "little") + 8
    return Validity("avi", (_cut_somewhere(size, promised),) if promised > size else ())


def _cut_somewhere(size: int, promised: int | None) -> Problem:
    of = f" of {promised:,}" if promised else ""
    return Problem("cut", f"the file is cut off, {size:,}{of} bytes are there; what is before the cut is read")


def _streamed(file: BinaryIO) -> Validity:
    stream = transport.Stream()
    times = [pes.pts_s for pes in transport.walk(file, stream) if pes.pts_s is not None]
    problems = []
    if stream.lost:
        words = f"{stream.lost:,} of {stream.packets:,} packets are damaged (zeros or junk in the file) and left out"
        problems.append(Problem("lost", words))
    if stream.wraps:
        problems.append(_wrapped(stream.wraps))
    length = _length(np.array(times)) if times else 0.0
    return Validity("ts", tuple(problems), len(times), length, length)
