"""``dashcam bench preprocess``: the cheap look at a clip beside decoding all of it, in CPU seconds of one run."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from rich.table import Table

from dashcam.bench.alone import alone
from dashcam.bench.direct import one_stage, task_of
from dashcam.bench.passes import decode
from dashcam.config import DeviceSettings
from dashcam.media.decode import FrameReader
from dashcam.records import PreprocessResult, Proposals
from dashcam.stages.preprocess import Preprocess
from dashcam.storage.roots import Stores
from dashcam.tasks.model import InputRef, NewTask, TaskType


class PreprocessCost(BaseModel):
    """CPU seconds as `alone` measures them."""

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

    Raises what the stage raises: `Rejected`, `StageError`, `DecodeError`, `ClipUnreadable`; and `PassKilled`.
    """
    with FrameReader(clip) as reader:
        codec, width, height = reader.stream.codec_context.name, reader.width, reader.height
    say("decoding every frame")
    every, seen = alone(rounds, decode, clip, device)
    say("decoding keyframes")
    few, _ = alone(rounds, keyframes, clip, device)
    say("preprocessing")
    stage, result = alone(rounds, preprocess, clip, device)
    return PreprocessCost(
        clip=clip.name,
        width=width,
        height=height,
        codec=codec,
        duration_s=round(max(span.end_s for span in result.spans), 3),
        frames=seen.frames,
        keyframes=result.keyframes,
        decode_cpu_s=every.cpu_s,
        keyframes_cpu_s=few.cpu_s,
        preprocess_cpu_s=stage.cpu_s,
        preprocess_over_decode=round(stage.cpu_s / every.cpu_s, 4),
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


def keyframes(folder: Path, clip: Path, device: DeviceSettings) -> Callable[[], int]:
    last_s = 0.0

    def wants(t_s: float) -> bool:
        nonlocal last_s
        due = t_s - last_s >= device.preprocess.keyframe_every_s
        last_s = t_s if due else last_s
        return due

    def run() -> int:
        with FrameReader(clip, keyframes_only=True, threads=device.threads) as reader:
            reader.wants = wants
            for _ in reader:
                pass
            return reader.decoded

    return run


def preprocess(folder: Path, clip: Path, device: DeviceSettings) -> Callable[[], PreprocessResult]:
    stage = Preprocess(device)
    stage.load()
    new = NewTask(
        task_type=TaskType.PREPROCESS_VIDEO, video_id="bench", inputs=[InputRef(device="local", path=clip.name)]
    )
    stores = Stores({"indoor_nas": folder, "local": clip.absolute().parent})
    here = device.model_copy(update={"scratch": folder})

    def run() -> PreprocessResult:
        result = one_stage(stage.run, task_of(new, None), stores, here).result
        assert isinstance(result, PreprocessResult)
        return result

    return run
