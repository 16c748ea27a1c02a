"""What the heavy stage costs on one clip, beside decoding alone and the pipeline that looks at every frame."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from rich.table import Table

from dashcam.bench import passes
from dashcam.bench.alone import PassCost, alone
from dashcam.bench.passes import Findings
from dashcam.config import DeviceSettings
from dashcam.evaluate.layouts import Unusable
from dashcam.media.decode import FrameReader
from dashcam.sample import Truth

TRUTH = "truth.json"


class Pass(PassCost, Findings):
    """What one pass over the clip saw and what that cost."""


class HeavyCost(BaseModel):
    """Ratios are of CPU seconds, because the clock of a shared machine says nothing about a program.

    ``plates`` and ``naive_plates`` count the plates that are right where the truth is known, else those confirmed.
    """

    clip: str
    codec: str
    width: int
    height: int
    frames: int
    passes: dict[str, Pass]
    heavy_over_decode: float
    naive_over_heavy: float | None
    frames_decoded_share: float
    frames_looked_at: int
    plates: int
    naive_plates: int | None
    true_plates: int | None
    peak_rss_mb: float


def measure(
    clip: Path,
    device: DeviceSettings,
    *,
    truth: Path | None = None,
    naive: bool = True,
    rounds: int = 1,
    progress: Callable[[str], None] = lambda what: None,
) -> HeavyCost:
    """Each pass in a process of its own, one after the other; of several rounds of all but the naive one the quickest
    counts. Raises `DecodeError`, `ClipUnreadable`, `Unusable`, `PassKilled`."""
    with FrameReader(clip) as reader:
        codec, width, height = reader.stream.codec_context.name, reader.width, reader.height
    right = plates_of(clip, truth)
    measured: dict[str, Pass] = {}
    for one, times in ((passes.decode, rounds), (passes.heavy, rounds), (passes.naive, int(naive))):
        if times:
            progress(f"{clip.name}: {one.__name__}")
            spent, seen = alone(times, one, clip.absolute(), device)
            measured[one.__name__] = Pass(**spent.model_dump(), **seen.model_dump())
    floor, ours, every = measured["decode"], measured["heavy"], measured.get("naive")
    return HeavyCost(
        clip=clip.name,
        codec=codec,
        width=width,
        height=height,
        frames=floor.frames,
        passes=measured,
        heavy_over_decode=round(ours.cpu_s / floor.cpu_s, 2),
        naive_over_heavy=round(every.cpu_s / ours.cpu_s, 2) if every else None,
        frames_decoded_share=round(ours.frames / floor.frames, 4),
        frames_looked_at=ours.looked_at,
        plates=_count(ours.plates, right),
        naive_plates=_count(every.plates, right) if every else None,
        true_plates=None if right is None else len(right),
        peak_rss_mb=ours.peak_rss_mb,
    )


def plates_of(clip: Path, truth: Path | None) -> set[str] | None:
    """What a sample drive's ``truth.json``, named or beside the clip, says is in the clip; None when nobody knows."""
    file = truth or clip.with_name(TRUTH)
    if truth is None and not file.is_file():
        return None
    try:
        known = Truth.model_validate_json(file.read_text())
    except (OSError, ValidationError) as error:
        raise Unusable(f"{file} is no truth of a sample drive: make one with 'dashcam sample FOLDER'.") from error
    of_clip = [one for one in known.clips if one.file == clip.name]
    if truth is not None and not of_clip:
        raise Unusable(f"{file} says nothing about {clip.name}: name the file that belongs to it.")
    return {plate.text for one in of_clip for plate in one.plates} if of_clip else None


def _count(found: Sequence[str], right: set[str] | None) -> int:
    return len(set(found)) if right is None else len(right & set(found))


def table_of(cost: HeavyCost) -> Table:
    title = f"{cost.clip}: {cost.width} x {cost.height} {cost.codec}, {cost.frames:,} frames"
    table = Table(title=title, title_justify="left")
    table.add_column("pass")
    for heading in ("CPU s", "CPU ms a frame", "by the clock s", "of decoding", "MB at most", "decoded", "looked at"):
        table.add_column(heading, justify="right")
    floor = cost.passes["decode"].cpu_s
    for name, one in cost.passes.items():
        seconds = (f"{one.cpu_s:.1f}", f"{1000 * one.cpu_s / cost.frames:.1f}", f"{one.wall_s:.1f}")
        ratio = f"{one.cpu_s / floor:.2f}x"
        table.add_row(name, *seconds, ratio, f"{one.peak_rss_mb:.0f}", f"{one.frames:,}", f"{one.looked_at:,}")
    of = "" if cost.true_plates is None else f" of {cost.true_plates}"
    what = "confirmed" if cost.true_plates is None else "right"
    table.caption = f"plates {what}: {cost.plates}{of}"
    if cost.naive_over_heavy is not None:
        table.caption += f"; at every frame {cost.naive_plates}{of}, for {cost.naive_over_heavy:.1f} times the CPU time"
    return table
