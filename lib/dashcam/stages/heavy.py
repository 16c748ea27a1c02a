"""HEAVY_PROCESS_VIDEO: one decode feeds the tracking pipeline and the 720p encoder; then votes and a bundle."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dashcam.config import DeviceSettings
from dashcam.media.coding import NoDecoder
from dashcam.media.decode import DecodeError, FrameReader
from dashcam.media.encode import LowResEncoder
from dashcam.media.images import jpeg
from dashcam.media.picture import Picture
from dashcam.records import Candidates, HeavyResult, Manifest, ManifestEntry, Sighting, Span
from dashcam.stages import kept_crops
from dashcam.stages.common import BUNDLE, HASHES, StageContext, StageOutput, ensure_all_came, new_folder
from dashcam.stages.decoding import verdict
from dashcam.storage import layout
from dashcam.storage.bundle import copy_file, manifest_bytes, tree
from dashcam.tasks.chain import reads_clip
from dashcam.tasks.model import InputRef, NewTask, Task, TaskType
from dashcam.vision.engines import Detector, PlateReader
from dashcam.vision.factory import batch_of, beside, detector_of, no_gpu_detector, reader_of, second_reader_of
from dashcam.vision.track.pipeline import TrackingPipeline, Tracklet, rounded
from dashcam.vision.track.sightings import MergedTrack, sightings
from dashcam.vision.track.thread import TrackingThread

FRAME_WIDTH = 1280

Stretches = Sequence[tuple[float, float]]
"""Of media time, in seconds."""


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
        """Writes the bundle ``heavy_output/<video_id>/`` and publishes ARCHIVE_VIDEO; of a clip that is gone its
        archive's crops are read instead, and no bundle is written.

        Raises `Rejected` when no frame decodes, `StageError` when this device lacks a decoder, `ClipUnreadable`,
        `EncodeError`, `StorageError`.
        """
        if not reads_clip(task):
            return kept_crops.run(task, ctx, self.reader, self.second)
        bundle = layout.bundle(task.video_id)
        work = ctx.scratch / "bundle"
        for name in (layout.PLATE_CROPS, layout.FRAMES):
            (work / name).mkdir(parents=True)
        shelf = _Shelf(ctx.scratch / "seen")
        pipeline = TrackingPipeline(self.detector, self.reader, self._device.sample_fps, shelf.keep, self.second)
        spans = _spans(task, ctx)
        rejected = [(span.start_s, span.end_s) for span in spans if not (span.keep or span.audit)]
        skip = rejected + [(span.start_s, span.end_s) for span in spans if span.still]
        batch = batch_of(self._device)
        try:
            with TrackingThread(pipeline, self._device.sample_fps, batch=batch, rejected=rejected) as tracking:
                reader, tracklets = self._decode(task, ctx, work, tracking, skip, shelf)
        except (DecodeError, NoDecoder) as error:
            raise verdict(task, error) from error
        ensure_all_came(task, reader.came, lambda: self._counted(task, ctx, skip), ctx)
        found = sightings(tracklets)
        result = HeavyResult(
            bundle=bundle,
            frames_decoded=reader.decoded,
            frames_looked_at=tracking.sampler.taken,
            models={e.name: e.sha256 for e in (self.detector, self.reader, self.second)},
            sightings=_write_sightings(found, shelf, work),
            poster=_write_poster(shelf, work),
            damaged=reader.corrupt,
        )
        (work / layout.DETECTIONS).write_text(_detections(result) + "\n", encoding="utf-8")
        with new_folder(ctx.stores, bundle) as folder:
            (folder / layout.PLATE_CROPS).mkdir()
            written = [copy_file(path, folder, name) for name, path in tree(work).items()]
            (folder / layout.MANIFEST).write_bytes(manifest_bytes(_manifest(task, written)))
        ctx.progress(1.0)
        _report(task, ctx, result, tracking)
        hashes = InputRef.of(f"{bundle}/{layout.MANIFEST}", HASHES)
        inputs = [task.input("video"), InputRef.of(bundle, BUNDLE), hashes]
        archive = NewTask(task_type=TaskType.ARCHIVE_VIDEO, video_id=task.video_id, inputs=inputs)
        return StageOutput(result, [archive])

    def _decode(
        self, task: Task, ctx: StageContext, work: Path, tracking: TrackingThread, skip: Stretches, shelf: "_Shelf"
    ) -> tuple[FrameReader, list[Tracklet]]:
        """The one pass over the clip, of the stretches ``skip`` its keyframes alone."""
        device = self._device
        gpu = None if device.gpu is None else device.gpu.device_id
        with self._reader(task, ctx, skip) as reader:
            duration_s = task.video.duration_s if task.video else reader.duration_s
            low = work / layout.LOWRES
            with LowResEncoder(low, reader, threads=beside(device.threads), fps=device.lowres_fps, gpu=gpu) as encoder:
                for reason in filter(None, (no_gpu_detector(device), reader.no_gpu, encoder.no_gpu)):
                    ctx.log.info("%s: on the CPU, because %s", task.video_id, reason)
                reader.on_audio = encoder.write_audio
                times_s = []
                for frame in reader:
                    times_s.append(frame.t_s)
                    picture = tracking.offer(frame)
                    encoder.write(frame)
                    if picture is not None:
                        shelf.offer_poster(picture, duration_s)
                        ctx.progress(min(0.95, 0.95 * frame.t_s / duration_s) if duration_s else 0.0)
            tracklets = tracking.finish()
            _write_times(work / layout.TIMES, times_s + reader.passed_over_s)
            if reader.corrupt:
                ctx.log.warning("%s: %d damaged packets or frames skipped", task.video_id, reader.corrupt)
            return reader, tracklets

    def _reader(self, task: Task, ctx: StageContext, skip: Stretches) -> FrameReader:
        path = ctx.stores.path(task.input("video").uri)
        gpu = None if self._device.gpu is None else self._device.gpu.device_id
        return FrameReader(path, threads=self._device.threads, skip=skip, gpu=gpu)

    def _counted(self, task: Task, ctx: StageContext, skip: Stretches) -> int:
        """How many frames come out when the clip is read once more, for nothing else."""
        with self._reader(task, ctx, skip) as reader:
            for _ in reader:
                pass
        return reader.came


class _Shelf:
    """Frames that may be shown later, as JPEG files in the scratch folder, by pts; and one for the poster."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._poster: Picture | None = None
        self._settled = False

    def keep(self, picture: Picture) -> None:
        self.path(picture.pts).write_bytes(jpeg(picture.at_most(FRAME_WIDTH), 88))

    def path(self, pts: int) -> Path:
        return self._folder / f"{pts}.jpg"

    def offer_poster(self, picture: Picture, duration_s: float) -> None:
        """The first frame looked at in the clip's second half, else the last."""
        if not self._settled:
            self._poster = picture
            self._settled = picture.t_s >= duration_s / 2

    def poster(self) -> bytes | None:
        return None if self._poster is None else jpeg(self._poster.at_most(FRAME_WIDTH), 85)


def _spans(task: Task, ctx: StageContext) -> Sequence[Span]:
    """What preprocessing found; without it (published by hand, by an older version, or it was removed since) everything
    is looked at."""
    if not any(ref.type == "candidates" for ref in task.inputs):
        return []
    path = ctx.stores.path(task.input("candidates").uri)
    try:
        return Candidates.model_validate_json(path.read_bytes()).spans
    except FileNotFoundError:
        ctx.log.warning("%s: %s is gone; all of the clip is looked at", task.video_id, path.name)
        return []


def _write_sightings(found: Sequence[MergedTrack], shelf: _Shelf, work: Path) -> list[Sighting]:
    written = []
    times: Counter[str] = Counter()
    for seen in found:
        text = seen.vote.text
        times[text] += 1
        plate_id = text if times[text] == 1 else f"{text}-{times[text]}"
        read = seen.best.read
        crop, frame = layout.crop(plate_id), layout.frame(plate_id)
        (work / layout.bundled(crop)).write_bytes(seen.best.jpeg)
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
                slots=seen.vote.probabilities,
                reads=[e.read for e in seen.evidence],
                crop=crop,
                frame=frame,
            )
        )
    return written


def _detections(result: HeavyResult) -> str:
    """The result with the crops' paths in the bundle, for who reads it there."""
    here = [one.model_copy(update={"crop": layout.bundled(one.crop)}) for one in result.sightings]
    return result.model_copy(update={"sightings": here}).model_dump_json(indent=1)


def _manifest(task: Task, written: list[ManifestEntry]) -> Manifest:
    """What was written, hashed on its way out of scratch: the archive stage holds what it reads against it."""
    name, sha256 = (task.video.name, task.video.sha256) if task.video else (task.input("video").path, "")
    return Manifest(video_id=task.video_id, source=name, source_sha256=sha256, files=written)


def _write_times(file: Path, times_s: list[float]) -> None:
    """When each frame of the clip is, also those that the copy leaves out: positions are asked for at all of them."""
    file.write_text(json.dumps({"t_s": [round(t_s, 4) for t_s in sorted(times_s)]}) + "\n", encoding="utf-8")


def _write_poster(shelf: _Shelf, work: Path) -> str:
    picture = shelf.poster()
    if picture is None:
        return ""
    (work / layout.POSTER).write_bytes(picture)
    return layout.POSTER


def _report(task: Task, ctx: StageContext, result: HeavyResult, tracking: TrackingThread) -> None:
    """How many plates, and not which: a log keeps what has been deleted."""
    seconds = tracking.pipeline.seconds
    ctx.log.info(
        "%s: %d frames decoded, %d looked at (detect %.1f s, read %.1f s), %d plates",
        task.video_id, result.frames_decoded, result.frames_looked_at,
        seconds["detect"], seconds["read"],
        sum(one.confirmed for one in result.sightings),
    )  # fmt: skip
