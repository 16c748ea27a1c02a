"""``dashcam bench preprocess``: the cheap look at a clip beside decoding all of it, in CPU seconds of one run."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from rich.table import Table

from dashcam.bench.direct import one_stage, task_of
from dashcam.config import DeviceSettings
from dashcam.media.decode import FrameReader
from dashcam.records import PreprocessResult, Proposals
from dashcam.stages.preprocess import LOOK_EVERY_S, Preprocess
from dashcam.storage.roots import Stores
from dashcam.tasks.model import InputRef, NewTask, TaskType

T = TypeVar("T")


class PreprocessCost(BaseModel):
    """CPU seconds of all threads, each measured in a process of its own after its libraries were loaded; of several
    rounds the quickest."""

    clip: str
    width: int
    height: int
    codec: str
    duration_s: float
    frames: int
    keyframes: int
    """How many were decoded and looked at."""
    decode_cpu_s: float
    """Decoding every frame, and nothing else."""
    keyframes_cpu_s: float
    """Decoding the keyframes that are looked at, and nothing else."""
    preprocess_cpu_s: float
    preprocess_over_decode: float
    kept_s: float
    rejected_s: float
    audit_s: float
    proposals: Proposals


def measure(
    clip: Path, device: DeviceSettings, rounds: int = 1, say: Callable[[str], None] = lambda text: None
) -> PreprocessCost:
    """As on a device without the clip's GPS, so nothing is passed over because the car drives.

    Raises what the stage raises: `Rejected`, `StageError`, `DecodeError`, `ClipUnreadable`.
    """
    say("decoding every frame")
    decode_s, (frames, width, height, codec) = alone(rounds, decoded, clip, device.threads)
    say("decoding keyframes")
    keyframes_s, _ = alone(rounds, keyframes, clip, device.threads)
    say("preprocessing")
    stage_s, (result, duration_s) = alone(rounds, preprocessed, clip, device)
    return PreprocessCost(
        clip=clip.name,
        width=width,
        height=height,
        codec=codec,
        duration_s=round(duration_s, 3),
        frames=frames,
        keyframes=result.keyframes,
        decode_cpu_s=round(decode_s, 3),
        keyframes_cpu_s=round(keyframes_s, 3),
        preprocess_cpu_s=round(stage_s, 3),
        preprocess_over_decode=round(stage_s / decode_s, 4),
        kept_s=result.kept_s,
        rejected_s=result.rejected_s,
        audit_s=round(sum(span.end_s - span.start_s for span in result.spans if span.audit), 3),
        proposals=result.proposals,
    )


def table_of(cost: PreprocessCost) -> Table:
    title = f"{cost.clip}: {cost.width} x {cost.height} {cost.codec}, {cost.duration_s:.1f} s, {cost.frames:,} frames"
    table = Table(title=title, title_justify="left")
    for heading in ("", "CPU s", "of pure decoding"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, spent_s in (
        ("decoding every frame", cost.decode_cpu_s),
        (f"decoding {cost.keyframes} keyframes", cost.keyframes_cpu_s),
        (f"preprocessing, regions by {cost.proposals}", cost.preprocess_cpu_s),
    ):
        table.add_row(name, f"{spent_s:.2f}", f"{spent_s / cost.decode_cpu_s:.3f}")
    table.caption = f"{cost.kept_s:.1f} s kept, {cost.rejected_s:.1f} s rejected, {cost.audit_s:.1f} s of that audited"
    return table


def alone(rounds: int, work: Callable[..., tuple[float, T]], *arguments: object) -> tuple[float, T]:
    """``work`` in a new process, so that no threads or caches of ours are in its figure."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        answers = [child.submit(work, *arguments).result() for _ in range(rounds)]
    return min(answers, key=lambda answer: answer[0])


def decoded(clip: Path, threads: int) -> tuple[float, tuple[int, int, int, str]]:
    started = time.process_time()
    with FrameReader(clip, threads=threads) as reader:
        for _ in reader:
            pass
        return time.process_time() - started, (reader.decoded, reader.width, reader.height, reader.stream.name)


def keyframes(clip: Path, threads: int) -> tuple[float, int]:
    started, last_s = time.process_time(), 0.0

    def wants(t_s: float) -> bool:
        nonlocal last_s
        due = t_s - last_s >= LOOK_EVERY_S
        last_s = t_s if due else last_s
        return due

    with FrameReader(clip, keyframes_only=True, threads=threads) as reader:
        reader.wants = wants
        for _ in reader:
            pass
        return time.process_time() - started, reader.decoded


def preprocessed(clip: Path, device: DeviceSettings) -> tuple[float, tuple[PreprocessResult, float]]:
    stage = Preprocess(device)
    stage.load()
    new = NewTask(
        task_type=TaskType.PREPROCESS_VIDEO, video_id="bench", inputs=[InputRef(device="local", path=clip.name)]
    )
    with tempfile.TemporaryDirectory(prefix="dashcam-bench-") as folder:
        stores = Stores({"indoor_nas": Path(folder), "local": clip.absolute().parent})
        here = device.model_copy(update={"scratch": Path(folder)})
        started = time.process_time()
        result = one_stage(stage.run, task_of(new, None), stores, here).result
        spent_s = time.process_time() - started
    assert isinstance(result, PreprocessResult)
    return spent_s, (result, max(span.end_s for span in result.spans))
