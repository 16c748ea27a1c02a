"""PREPROCESS_VIDEO: a cheap look at the keyframes that tells the heavy stage where plates may be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean

import cv2
import numpy as np

from dashcam.config import DeviceSettings, PreprocessSettings
from dashcam.gps.place import roughly_m
from dashcam.gps.track import MOVING_MPS, Track
from dashcam.media.coding import NoDecoder
from dashcam.media.decode import DecodeError, Frame, FrameReader
from dashcam.media.images import Image, at_most, jpeg
from dashcam.records import Candidates, Fix, PreprocessResult, ProposedRegion
from dashcam.stages.common import StageContext, StageError, StageOutput, ensure_all_came, new_folder, settings_of
from dashcam.stages.decoding import verdict
from dashcam.storage import layout
from dashcam.tasks.model import InputRef, NewTask, Task, TaskType
from dashcam.vision.engines import EngineLost, MissingWeights
from dashcam.vision.triage.audit import drawn
from dashcam.vision.triage.keyframes import Triage
from dashcam.vision.triage.proposals import PlateProposer, proposer_of

THUMBS = 12
THUMB_WIDTH = 320


class Preprocess:
    """The stage with its engine, which is loaded with the first clip, and anew after it was lost."""

    def __init__(self, device: DeviceSettings) -> None:
        self._device = device
        self._proposer: PlateProposer | None = None
        self._loaded = False

    def run(self, task: Task, ctx: StageContext) -> StageOutput:
        """Writes ``preproc/<video_id>/`` and publishes HEAVY_PROCESS_VIDEO.

        Raises `Rejected` when no frame decodes, `StageError` when the engine that was asked for, or a decoder, is not
        there.
        """
        settings = settings_of(task, self._device)
        try:
            self.load()
            seen, duration_s, packets = self._look(task, ctx, settings)
        except (DecodeError, NoDecoder) as error:
            raise verdict(task, error) from error
        except (MissingWeights, EngineLost) as error:
            self._proposer, self._loaded = None, False
            raise StageError(str(error)) from error
        ensure_all_came(task, packets, lambda: self._counted(task, ctx), ctx)
        looks = seen.triage.looks
        spans = seen.triage.spans(duration_s)
        found = Candidates(
            video_id=task.video_id,
            duration_s=round(duration_s, 3),
            keyframes=len(looks),
            spans=drawn(spans, [look.t_s for look in looks], task.video_id, settings.audit_share),
            proposals=self._proposer.engine if self._proposer else "none",
            weights=self._proposer.sha256 if self._proposer else "",
            parameters=settings.model_dump(),
            looks=looks,
        )
        with new_folder(ctx.stores, layout.preproc(task.video_id)) as folder:
            (folder / layout.CANDIDATES).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
            (folder / layout.THUMBS).mkdir()
            for index, picture in seen.thumbs.kept.items():
                (folder / layout.thumb(index)).write_bytes(picture)
        ctx.progress(1.0)
        result = _result(layout.candidates(task.video_id), found)
        ctx.log.info(
            "%s: %d keyframes looked at, %.1f s kept, %.1f s rejected, regions by %s",
            task.video_id, result.keyframes, result.kept_s, result.rejected_s, found.proposals,
        )  # fmt: skip
        inputs = [task.input("video"), InputRef.of(result.candidates, "candidates")]
        heavy = NewTask(task_type=TaskType.HEAVY_PROCESS_VIDEO, video_id=task.video_id, inputs=inputs)
        return StageOutput(result, [heavy])

    def _placed(self, region: ProposedRegion, width: int, camera: str) -> ProposedRegion:
        away = roughly_m(region.kind, region.box, width, camera, self._device.place)
        return region.model_copy(update={"distance_m": away})

    def load(self) -> None:
        """Raises `MissingWeights`."""
        if not self._loaded:
            self._proposer = proposer_of(self._device)
            self._loaded = True

    def _look(self, task: Task, ctx: StageContext, settings: PreprocessSettings) -> tuple["_KeyframeScan", float, int]:
        """The one pass over the clip's keyframes; what was seen, how long the clip is, and how many frames it has."""
        seen = _KeyframeScan(_speeds(task.video.fixes if task.video else []), settings)
        camera = task.video.camera if task.video else ""
        with self._reader(task, ctx) as reader:
            reader.wants = seen.wants
            promised_s = task.video.duration_s if task.video else reader.duration_s
            for frame in reader:
                picture = small(frame, settings.side)
                scale = picture.shape[1] / frame.av.width
                regions = self._proposer.regions(picture, scale) if self._proposer else []
                regions = [self._placed(region, frame.av.width, camera) for region in regions]
                gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
                seen.triage.look(frame.t_s, gray, regions, seen.drives(frame.t_s))
                if seen.thumbs.wants(frame.index):
                    bgr = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), dtype=np.uint8)
                    seen.thumbs.add(frame.index, jpeg(at_most(bgr, THUMB_WIDTH), 80))
                ctx.progress(min(0.95, frame.t_s / promised_s) if promised_s else 0.0)
        return seen, max(promised_s, seen.triage.looks[-1].t_s), reader.packets

    def _reader(self, task: Task, ctx: StageContext) -> FrameReader:
        path = ctx.stores.path(task.input("video").uri)
        return FrameReader(path, keyframes_only=True, threads=self._device.threads)

    def _counted(self, task: Task, ctx: StageContext) -> int:
        """How many frames the clip has when it is read once more; only its first is decoded."""
        with self._reader(task, ctx) as reader:
            reader.wants = lambda t_s: False
            for _ in reader:
                pass
        return reader.packets


def small(frame: Frame, side: int) -> Image:
    """The frame in RGB, its shorter side ``side`` pixels or its own if that is less: one swscale call for all that
    looks at it."""
    width, height = frame.av.width, frame.av.height
    shrink = min(1.0, side / min(width, height))
    size = {"width": max(1, round(width * shrink)), "height": max(1, round(height * shrink))}
    shrunk = frame.av.reformat(**size, format="rgb24", interpolation="AREA", threads=1)
    return np.ascontiguousarray(shrunk.to_ndarray())


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


class _KeyframeScan:
    """What one clip shows, and which of its keyframes are worth decoding."""

    def __init__(self, speed: Callable[[float], float | None], settings: PreprocessSettings) -> None:
        self.triage = Triage(settings)
        self._settings = settings
        self.thumbs = _Thumbs()
        self._speed = speed
        self._last_s = 0.0

    def drives(self, t_s: float) -> bool:
        return (self._speed(t_s) or 0.0) >= MOVING_MPS

    def wants(self, t_s: float) -> bool:
        """Asked for every keyframe but the first, in order."""
        drives = self.drives(t_s)
        if t_s - self._last_s >= (self._settings.driving_every_s if drives else self._settings.keyframe_every_s):
            self._last_s = t_s
            return True
        if drives:
            self.triage.passed_over(t_s)
        return False


def _speeds(fixes: list[Fix]) -> Callable[[float], float | None]:
    """The car's speed at a second of the clip; None where nobody knows."""
    track = Track(fixes)

    def speed(t_s: float) -> float | None:
        here = track.at(t_s)
        return here.speed_mps if here else None

    return speed


def _result(uri: str, found: Candidates) -> PreprocessResult:
    return PreprocessResult(
        candidates=uri,
        keyframes=found.keyframes,
        kept_s=round(sum(s.end_s - s.start_s for s in found.spans if s.keep), 3),
        rejected_s=round(sum(s.end_s - s.start_s for s in found.spans if not s.keep), 3),
        brightness=round(fmean(x.brightness for x in found.looks), 4),
        sharpness=round(fmean(x.sharpness for x in found.looks), 5),
        proposals=found.proposals,
        spans=found.spans,
    )
