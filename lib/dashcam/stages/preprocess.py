"""PREPROCESS_VIDEO: a cheap look at the keyframes that tells the heavy stage where plates may be."""

from dataclasses import dataclass, field
from statistics import fmean

from dashcam.media.decode import DecodeError, FrameReader
from dashcam.media.images import at_most, jpeg
from dashcam.records import Candidates, PreprocessResult
from dashcam.stages.common import Rejected, StageContext, StageOutput
from dashcam.storage.bundle import new_folder
from dashcam.tasks.model import InputRef, NewTask, Task, TaskType
from dashcam.vision import motion

STORE = "indoor_nas"
THUMBS = 12
THUMB_WIDTH = 320


@dataclass
class _Thumbs:
    """At most ``THUMBS`` pictures, evenly over a clip whose length is not known beforehand."""

    every: int = 1
    kept: dict[int, bytes] = field(default_factory=dict)

    def wants(self, index: int) -> bool:
        return index % self.every == 0

    def add(self, index: int, picture: bytes) -> None:
        self.kept[index] = picture
        if len(self.kept) > THUMBS:
            self.every *= 2
            self.kept = {i: p for i, p in self.kept.items() if i % self.every == 0}


def run(task: Task, ctx: StageContext) -> StageOutput:
    """Writes ``preproc/<video_id>/`` and publishes HEAVY_PROCESS_VIDEO. Raises `Rejected` when no frame decodes."""
    video = task.input("video")
    uri = f"{STORE}:preproc/{task.video_id}"
    try:
        looks, thumbs, duration_s = _look(task, ctx)
    except DecodeError as error:
        raise Rejected(str(error)) from error
    found = Candidates(
        video_id=task.video_id,
        duration_s=round(duration_s, 3),
        keyframes=len(looks),
        spans=motion.spans(looks, duration_s),
    )
    with new_folder(ctx.stores.path(uri)) as folder:
        (folder / "candidates.json").write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (folder / "thumbs").mkdir()
        for index, picture in thumbs.kept.items():
            (folder / "thumbs" / f"{index:04d}.jpg").write_bytes(picture)
    ctx.progress(1.0)
    result = _result(f"{uri}/candidates.json", found, looks)
    ctx.log.info(
        "%s: %d keyframes, %.1f s kept, %.1f s rejected",
        task.video_id, result.keyframes, result.kept_s, result.rejected_s,
    )  # fmt: skip
    inputs = [video, InputRef.of(result.candidates, "candidates")]
    heavy = NewTask(task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id=task.video_id, inputs=inputs)
    return StageOutput(result, [heavy])


def _look(task: Task, ctx: StageContext) -> tuple[list[motion.Look], _Thumbs, float]:
    path = ctx.stores.path(task.input("video").uri)
    looks: list[motion.Look] = []
    thumbs = _Thumbs()
    before = None
    with FrameReader(path, keyframes_only=True, threads=ctx.device.threads) as reader:
        promised_s = task.video.duration_s if task.video else reader.duration_s
        for frame in reader:
            gray = frame.gray(motion.WIDTH)
            looks.append(motion.look(frame.t_s, gray, before))
            before = gray
            if thumbs.wants(frame.index):
                thumbs.add(frame.index, jpeg(at_most(frame.bgr(), THUMB_WIDTH), 80))
            ctx.progress(min(0.95, frame.t_s / promised_s) if promised_s else 0.0)
    return looks, thumbs, max(promised_s, looks[-1].t_s)


def _result(uri: str, found: Candidates, looks: list[motion.Look]) -> PreprocessResult:
    return PreprocessResult(
        candidates=uri,
        keyframes=len(looks),
        kept_s=round(sum(s.end_s - s.start_s for s in found.spans if s.keep), 3),
        rejected_s=round(sum(s.end_s - s.start_s for s in found.spans if not s.keep), 3),
        brightness=round(fmean(x.brightness for x in looks), 4),
        sharpness=round(fmean(x.sharpness for x in looks), 4),
    )
