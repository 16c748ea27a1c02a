"""HEAVY_PROCESS_VIDEO: one decode that feeds the plate watch and the 720p encoder, then reads, votes and bundles."""

import math
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dashcam.config import DeviceSettings
from dashcam.media.decode import Frame, FrameReader
from dashcam.media.encode import LowResEncoder
from dashcam.media.images import Image, at_most, jpeg
from dashcam.records import Candidates, HeavyResult, Sighting, Span
from dashcam.stages.common import StageContext, StageOutput
from dashcam.storage.bundle import new_folder
from dashcam.tasks.model import InputRef, NewTask, Task, TaskType
from dashcam.vision.chosen import detector_of, reader_of, second_reader_of
from dashcam.vision.engines import Detector, PlateReader
from dashcam.vision.sightings import Seen, sightings
from dashcam.vision.watch import PlateWatch, rounded

STORE = "indoor_nas"
FRAME_WIDTH = 1280
REJECTED_EVERY_S = 2.0
"""Also what the cheap look rejected is looked at, this rarely, so that its misses are seen."""


class Heavy:
    """The stage with its engines loaded; made once per flow run. Raises `MissingWeights`."""

    def __init__(
        self, device: DeviceSettings, *, detector: Detector | None = None, reader: PlateReader | None = None
    ) -> None:
        self._device = device
        self.detector = detector or detector_of(device)
        self.reader = reader or reader_of(device)
        self.second = second_reader_of(device)

    def run(self, task: Task, ctx: StageContext) -> StageOutput:
        """Writes the bundle ``heavy_output/<video_id>/`` and publishes ARCHIVE_VIDEO.

        Raises `DecodeError` when no frame decodes, `ClipUnreadable`, `EncodeError`, `StorageError`.
        """
        bundle = f"{STORE}:heavy_output/{task.video_id}"
        work = ctx.scratch / "bundle"
        for name in ("plates", "frames"):
            (work / name).mkdir(parents=True)
        shelf = _Shelf(ctx.scratch / "seen")
        watch = PlateWatch(self.detector, self.reader, self._device.sample_fps, shelf.keep, self.second)
        sampler = Sampler(_spans(task, ctx), self._device.sample_fps)
        decoded, damaged = self._decode(task, ctx, work, sampler, watch, shelf)
        found = sightings(watch.finish())
        result = HeavyResult(
            bundle=bundle,
            frames_decoded=decoded,
            frames_looked_at=sampler.taken,
            models={e.name: e.sha256 for e in (self.detector, self.reader, self.second)},
            sightings=_write_sightings(found, shelf, work),
            poster=_write_poster(shelf, work),
            damaged=damaged,
        )
        (work / "detections.json").write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
        with new_folder(ctx.stores.path(bundle)) as folder:
            shutil.copytree(work, folder, dirs_exist_ok=True)
        ctx.progress(1.0)
        _report(task, ctx, result, watch, sampler)
        inputs = [task.input("video"), InputRef.of(bundle, "bundle")]
        archive = NewTask(task_type=TaskType.ARCHIVE_VIDEO, video_id=task.video_id, inputs=inputs)
        return StageOutput(result, [archive])

    def _decode(
        self, task: Task, ctx: StageContext, work: Path, sampler: "Sampler", watch: PlateWatch, shelf: "_Shelf"
    ) -> tuple[int, int]:
        """The one pass over the clip; the number of frames decoded, and of damaged places."""
        path = ctx.stores.path(task.input("video").uri)
        threads = self._device.threads
        with FrameReader(path, threads=threads) as reader:
            duration_s = task.video.duration_s if task.video else reader.duration_s
            with LowResEncoder(work / "video_lowres.mp4", reader, threads=threads) as encoder:
                reader.on_audio = encoder.write_audio
                for frame in reader:
                    image = frame.bgr() if sampler.wants(frame) else None
                    encoder.write(frame)
                    if image is not None:
                        shelf.offer_poster(frame.t_s, image, duration_s)
                        watch.look(frame.pts, frame.t_s, image)
                        ctx.progress(min(0.95, 0.95 * frame.t_s / duration_s) if duration_s else 0.0)
            if reader.corrupt:
                ctx.log.warning("%s: %d damaged packets or frames skipped", task.video_id, reader.corrupt)
            return reader.decoded, reader.corrupt


class Sampler:
    """Which frames are looked at: the first, then ``sample_fps`` a second where a span is kept, few where rejected."""

    def __init__(self, spans: Sequence[Span], sample_fps: float) -> None:
        self._rejected = [(span.start_s, span.end_s) for span in spans if not span.keep]
        self._sample_fps = sample_fps
        self._last_s = -math.inf
        self.taken = 0

    def rejected(self, t_s: float) -> bool:
        """Whether the cheap look saw nothing worth looking at there."""
        return any(start <= t_s < end for start, end in self._rejected)

    def wants(self, frame: Frame) -> bool:
        """Asked once per frame, in order."""
        every_s = REJECTED_EVERY_S if self.rejected(frame.t_s) else 1 / self._sample_fps
        # on a grid, not "so long after the last": else 30 fps sampled at 5 a second drifts to every seventh frame
        if math.floor(frame.t_s / every_s + 1e-6) <= math.floor(self._last_s / every_s + 1e-6 if self.taken else -1):
            return False
        self._last_s = frame.t_s
        self.taken += 1
        return True


class _Shelf:
    """Frames that may be shown later, as JPEG files in the scratch folder, by pts; and one for the poster."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._poster: Image | None = None
        self._settled = False

    def keep(self, pts: int, image: Image) -> None:
        self.path(pts).write_bytes(jpeg(at_most(image, FRAME_WIDTH), 88))

    def path(self, pts: int) -> Path:
        return self._folder / f"{pts}.jpg"

    def offer_poster(self, t_s: float, image: Image, duration_s: float) -> None:
        """The first frame looked at in the clip's second half, else the last."""
        if not self._settled:
            self._poster = image
            self._settled = t_s >= duration_s / 2

    def poster(self) -> bytes | None:
        return None if self._poster is None else jpeg(at_most(self._poster, FRAME_WIDTH), 85)


def _spans(task: Task, ctx: StageContext) -> Sequence[Span]:
    """What preprocessing found; without it (published by hand, or by an older version) everything is looked at."""
    if not any(ref.type == "candidates" for ref in task.inputs):
        return []
    path = ctx.stores.path(task.input("candidates").uri)
    return Candidates.model_validate_json(path.read_bytes()).spans


def _write_sightings(found: Sequence[Seen], shelf: _Shelf, work: Path) -> list[Sighting]:
    written = []
    times: Counter[str] = Counter()
    for seen in found:
        text = seen.vote.text
        times[text] += 1
        plate_id = text if times[text] == 1 else f"{text}-{times[text]}"
        read = seen.best.read
        crop, frame = f"plates/{plate_id}_best_crop.jpg", f"frames/{plate_id}_best_frame.jpg"
        (work / crop).write_bytes(seen.best.jpeg)
        shutil.copyfile(shelf.path(read.pts), work / frame)
        written.append(
            Sighting(
                text=text,
                confidence=seen.vote.confidence,
                confirmed=seen.confirmed,
                first_s=round(seen.first_s, 3),
                last_s=round(seen.last_s, 3),
                best_s=read.t_s,
                best_pts=read.pts,
                box=rounded(read.box),
                slots=seen.vote.slots,
                reads=[e.read for e in seen.evidence],
                crop=crop,
                frame=frame,
            )
        )
    return written


def _write_poster(shelf: _Shelf, work: Path) -> str:
    picture = shelf.poster()
    if picture is None:
        return ""
    (work / "frames" / "poster.jpg").write_bytes(picture)
    return "frames/poster.jpg"


def _report(task: Task, ctx: StageContext, result: HeavyResult, watch: PlateWatch, sampler: Sampler) -> None:
    confirmed = [s.text for s in result.sightings if s.confirmed]
    ctx.log.info(
        "%s: %d frames decoded, %d looked at (detect %.1f s, read %.1f s), plates: %s",
        task.video_id, result.frames_decoded, result.frames_looked_at,
        watch.seconds["detect"], watch.seconds["read"], ", ".join(confirmed) or "none",
    )  # fmt: skip
    missed = [s.text for s in result.sightings if s.confirmed and sampler.rejected(s.best_s)]
    if missed:
        ctx.log.warning("%s: preprocessing had rejected where these plates are: %s", task.video_id, ", ".join(missed))
