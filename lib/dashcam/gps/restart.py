"""Clips without a fix of their own, named by a clock that had started again on 1 January, as after an empty battery.

The camera's own file numbers say between which clips they belong; the next clip with GPS says when that was.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from pathlib import PurePath

from dashcam.media import names
from dashcam.records import ClockKind

NEAR = 20
"""Numbers further apart are not neighbours."""
_NUMBER = re.compile(r"\d{4}_?\d{4}_?\d{6}_(\d{1,8})[A-Z]{0,2}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Numbered:
    video_id: str
    name: str
    counter: int
    start_utc: datetime
    duration_s: float
    clock: ClockKind

    @property
    def local(self) -> datetime | None:
        """What the file name says, as if it were UTC."""
        named = names.parse(self.name).start_local
        return named and named.replace(tzinfo=UTC)

    @property
    def end_utc(self) -> datetime:
        return self.start_utc + timedelta(seconds=self.duration_s)


def counter_of(name: str) -> int | None:
    """The camera's number of a file, ``2026_0628_133416_000123PF.MP4`` → 123."""
    match = _NUMBER.fullmatch(PurePath(name).stem)
    return int(match[1]) if match else None


def mended(clips: Sequence[Numbered]) -> dict[str, datetime]:
    """The true start of each clip whose clock had started again; nothing for a clip where that is not evident.

    Evident is: named on 1 or 2 January, no GPS, numbered after a clip that is later than its name, and before one with
    GPS that is later still.
    """
    ordered = sorted(clips, key=lambda clip: (clip.counter, clip.video_id))
    starts: dict[str, datetime] = {}
    for index, before in enumerate(ordered):
        lost = list(takewhile(partial(_restarted, before), ordered[index + 1 :]))
        after = next(iter(ordered[index + 1 + len(lost) :]), None)
        if not lost or after is None or after.clock == "camera" or not before.start_utc <= after.start_utc:
            continue
        if after.counter - before.counter <= NEAR:
            found = _placed(lost, before, after)
            if min(found.values()) >= before.start_utc:
                starts = found | starts
    return starts


def _restarted(before: Numbered, clip: Numbered) -> bool:
    local = clip.local
    return (
        clip.clock == "camera" and local is not None and (local.month, local.day) <= (1, 2) and local < before.start_utc
    )


def _placed(lost: Sequence[Numbered], before: Numbered, after: Numbered) -> dict[str, datetime]:
    """By a neighbour with GPS that was named by the same clock, else the last one ends where the next clip begins."""
    locals_ = {clip.video_id: clip.local or clip.start_utc for clip in lost}
    ahead = after.start_utc - max(locals_[clip.video_id] + timedelta(seconds=clip.duration_s) for clip in lost)
    for neighbour in (before, after):
        same = neighbour.local is not None and abs(neighbour.local - min(locals_.values())) < timedelta(days=1)
        if same and neighbour.local is not None and neighbour.clock != "camera":
            ahead = neighbour.start_utc - neighbour.local
    return {video_id: local + ahead for video_id, local in locals_.items()}
