"""``benchmarks/gpu.sh``: decoding, encoding and the heavy stage with and without the card, as rows for JOURNAL.md."""

import argparse
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from benchmarks.clips import made
from dashcam.bench.heavy import measure
from dashcam.config import DeviceSettings
from dashcam.config.model import GpuSettings
from dashcam.media.decode import FrameReader
from dashcam.media.encode import LowResEncoder

JOURNAL = Path(__file__).with_name("JOURNAL.md")
CLIP = "drive-4k-hevc.mp4"
HEADER = "| clip | what | on | frames a second | times real time | note |\n|---|---|---|---|---|---|"


def rows(clip: Path, card: int, batch: int) -> Iterator[str]:
    """One line a step; a step that fell back to the CPU says so."""
    for gpu in (None, card):
        with FrameReader(clip, gpu=gpu) as reader:
            began = time.perf_counter()
            count = sum(1 for _ in reader)
            yield row(clip, "decode", gpu, count, reader.fps, time.perf_counter() - began, reader.no_gpu)
    for gpu in (None, card):
        yield encoded(clip, gpu)
    for settings in (DeviceSettings(), DeviceSettings(gpu=GpuSettings(device_id=card, max_batch_size=batch))):
        cost = measure(clip, settings, naive=False)
        wall_s, gpu = cost.passes["heavy"].wall_s, settings.gpu and card
        note = f"{cost.plates} plates, {cost.peak_rss_mb:.0f} MB, {cost.heavy_over_decode:.2f} of decoding's CPU time"
        with FrameReader(clip) as reader:
            yield row(clip, "heavy stage", gpu, cost.frames, reader.fps, wall_s, note)


def encoded(clip: Path, gpu: int | None) -> str:
    """The copy alone, of as many frames as fit into memory beforehand."""
    with TemporaryDirectory() as folder, FrameReader(clip) as reader:
        some = [frame for frame, _ in zip(reader, range(120), strict=False)]
        began = time.perf_counter()
        with LowResEncoder(Path(folder) / "low.mp4", reader, gpu=gpu) as encoder:
            for frame in some:
                encoder.write(frame)
        return row(clip, "720p copy", gpu, len(some), reader.fps, time.perf_counter() - began, encoder.no_gpu)


def row(clip: Path, what: str, gpu: int | None, frames: int, fps: float, seconds: float, note: str) -> str:
    rate = frames / seconds
    place = "CPU" if gpu is None else f"card {gpu}"
    return f"| {clip.stem} | {what} | {place} | {rate:.0f} | {rate / fps:.1f} | {note} |"


def machine() -> str:
    cards = os.environ.get("CARDS", "no card").replace("\n", "; ")  # gpu.sh asks nvidia-smi
    return f"{cards}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="*", help="without any a 4K one is made of the London street")
    parser.add_argument("--card", type=int, default=0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--journal", type=Path, default=JOURNAL)
    args = parser.parse_args()
    shared = Path(os.environ.get("DASHCAM_SHARED") or "../shared")
    clips = args.clips or [made(CLIP, shared / "data", Path(gettempdir()) / "dashcam-bench-clips")]
    lines = [f"\n## With a card: {machine()}\n", "`benchmarks/gpu.sh`\n", *HEADER.splitlines()]
    for clip in clips:
        for line in rows(clip, args.card, args.batch):
            print(line, flush=True)
            lines.append(line)
    with args.journal.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
