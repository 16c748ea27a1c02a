"""The passes over a clip that are measured, for `alone`: each loads what it needs and returns the pass itself."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from dashcam.bench.direct import one_stage, task_of
from dashcam.config import DeviceSettings
from dashcam.media.decode import FrameReader
from dashcam.media.encode import LowResEncoder
from dashcam.media.identity import video_id
from dashcam.media.images import Image, jpeg
from dashcam.records import Box, HeavyResult
from dashcam.stages.common import StageFunction, StageOutput
from dashcam.stages.heavy import Heavy
from dashcam.stages.preprocess import Preprocess
from dashcam.storage.roots import Stores
from dashcam.tasks.model import InputRef, NewTask, TaskType
from dashcam.vision.detect.onnx_detector import OnnxPlateDetector, default_weights
from dashcam.vision.engines import PlateReader
from dashcam.vision.factory import beside, reader_of
from dashcam.vision.read import quality
from dashcam.vision.track.pipeline import READ_MARGIN, Evidence, Tracklet, as_read, grown
from dashcam.vision.track.sightings import sightings
from dashcam.vision.track.tracker import PlateTracker

FPS = 30.0


class Findings(BaseModel):
    frames: int
    """Decoded."""
    looked_at: int = 0
    plates: list[str] = []


def decode(folder: Path, clip: Path, device: DeviceSettings) -> Callable[[], Findings]:
    """Every frame decoded and dropped: the floor."""

    def run() -> Findings:
        with FrameReader(clip, threads=device.threads) as reader:
            for _ in reader:
                pass
            return Findings(frames=reader.decoded)

    return run


def heavy(folder: Path, clip: Path, device: DeviceSettings) -> Callable[[], Findings]:
    """The stage as a worker runs it, after the cheap look, which is not counted."""
    stage = Heavy(device)
    PlateTracker(device.sample_fps)  # its import
    stores = Stores({"indoor_nas": folder / "nas", "local": clip.parent})
    (folder / "nas").mkdir()

    def output(stage: StageFunction, new: NewTask) -> StageOutput:
        return one_stage(stage, task_of(new, None), stores, device.model_copy(update={"scratch": folder}))

    video = InputRef(device="local", path=clip.name, type="video")
    first = NewTask(task_type=TaskType.PREPROCESS_VIDEO, video_id=video_id(clip), inputs=[video])
    (then,) = output(Preprocess(device).run, first).publish

    def run() -> Findings:
        result = output(stage.run, then).result
        assert isinstance(result, HeavyResult)
        found = sorted({s.text for s in result.sightings if s.confirmed})
        return Findings(frames=result.frames_decoded, looked_at=result.frames_looked_at, plates=found)

    return run


def naive(folder: Path, clip: Path, device: DeviceSettings) -> Callable[[], Findings]:
    """What one writes first: every frame converted whole and through the network as it was trained, every plate in it
    read, every frame copied; followed, voted and encoded as the stage does. No pictures but the crops."""
    weights = device.detector_weights or default_weights()
    detector = OnnxPlateDetector(weights, size=device.detector_size, threads=device.threads)
    reader, tracker = reader_of(device), PlateTracker(FPS)

    def run() -> Findings:
        tracks: list[Tracklet] = []
        followed: dict[int, Tracklet] = {}
        with (
            FrameReader(clip, threads=device.threads) as frames,
            LowResEncoder(folder / "low.mp4", frames, threads=beside(device.threads)) as encoder,
        ):
            frames.on_audio = encoder.write_audio
            for frame in frames:
                image = frame.bgr()
                encoder.write(frame)
                detections = detector.detect([image])[0]
                for detection, number in zip(detections, tracker.update(frame.t_s, detections), strict=True):
                    track = followed.get(number) if number is not None else None
                    if track is None:
                        tracks.append(track := Tracklet())
                    if number is not None:
                        followed[number] = track
                    track.seen.append((frame.t_s, detection.box))
                    track.evidence += _read(reader, frame.pts, frame.t_s, image, detection.box)
            plates = sorted({seen.vote.text for seen in sightings(tracks) if seen.confirmed})
            return Findings(frames=frames.decoded, looked_at=frames.decoded, plates=plates)

    return run


def _read(reader: PlateReader, pts: int, t_s: float, image: Image, box: Box) -> list[Evidence]:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = grown(box, READ_MARGIN, width, height)
    crop = image[y0:y1, x0:x1]
    (found,) = reader.read([crop])
    if not found.text:
        return []
    cut = quality.touches_border(box, width, height)
    read = as_read(found, box, quality.sharpness(crop), cut, pts, t_s)
    return [Evidence(read, cut, jpeg(crop))]
