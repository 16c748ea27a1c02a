"""How well the plates of whole clips are found, read and placed, where ``truth.json`` says what is in them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from dashcam.evaluate.engines import Engines, engines
from dashcam.evaluate.layouts import Unusable
from dashcam.evaluate.measure import calibration_error, reliability
from dashcam.evaluate.report import ClipsReport
from dashcam.gps import sources
from dashcam.gps.track import Track
from dashcam.media.decode import FrameReader
from dashcam.records import Box, Fix
from dashcam.sample import TrueClip, TruePlate, Truth
from dashcam.vision.track.pipeline import TrackingPipeline
from dashcam.vision.track.sightings import MergedTrack, sightings
from dashcam.vision.track.thread import TrackingThread

SAMPLE_FPS = 5.0
NEAR_S = 0.3
"""The truth has a box every half second."""
METRES_A_DEGREE = 111_195


@dataclass(frozen=True)
class PlateScore:
    clip: str
    truth: str
    voted: str = ""
    single: str = ""
    confirmed: bool = False
    confidence: float = 0.0
    time_error_s: float | None = None
    place_error_m: float | None = None


def evaluate_clips(
    data: Path, engine: str = "auto", progress: Callable[[int, int], None] = lambda done, total: None
) -> ClipsReport:
    """Measures ``engine`` on the clips that ``data/truth.json`` describes (`dashcam sample` writes such folders).

    Raises `Unusable`, `MissingWeights`, `DecodeError`, `ClipUnreadable`.
    """
    truth = _truth(data)
    used = engines(engine)
    outcomes: list[PlateScore] = []
    strangers = 0
    drivers = {plate.text for clip in truth.clips for plate in clip.plates}
    for done, clip in enumerate(truth.clips):
        progress(done, len(truth.clips))
        seen = tracked(data / clip.file, used)
        track = Track(_fixes(data / clip.file, clip))
        outcomes += [judged(clip, plate, seen, track) for plate in clip.plates]
        strangers += sum(s.confirmed and s.vote.text not in drivers for s in seen)
    progress(len(truth.clips), len(truth.clips))
    return _summed(data, engine, len(truth.clips), outcomes, strangers)


def tracked(path: Path, used: Engines) -> list[MergedTrack]:
    """The sightings of one clip, as the heavy stage makes them, looking at most ``SAMPLE_FPS`` times a second."""
    pipeline = TrackingPipeline(used.detector, used.reader, SAMPLE_FPS, lambda picture: None, used.second)
    with FrameReader(path) as reader, TrackingThread(pipeline, SAMPLE_FPS) as tracking:
        for frame in reader:
            tracking.offer(frame)
        return sightings(tracking.finish())


def judged(clip: TrueClip, plate: TruePlate, seen: Sequence[MergedTrack], track: Track) -> PlateScore:
    """What became of one true plate: the sighting most of whose reads lie on it."""
    on_it = [sum(_lies_on(plate, e.read.t_s, e.read.box) for e in s.evidence) for s in seen]
    if not any(on_it):
        return PlateScore(clip.file, plate.text)
    sighting = seen[int(np.argmax(on_it))]
    read = sighting.best.read
    single = max(sighting.evidence, key=lambda e: (e.read.legibility, -e.read.pts)).read.text
    here, there = track.at(read.t_s), true_place(clip.fixes, read.t_s)
    place = None if here is None or there is None else apart_m((here.lat, here.lon), there)
    outside = max(0.0, plate.first_s - read.t_s, read.t_s - plate.last_s)
    voted = sighting.vote
    return PlateScore(clip.file, plate.text, voted.text, single, sighting.confirmed, voted.confidence, outside, place)


def true_place(fixes: Sequence[Fix], t_s: float) -> tuple[float, float] | None:
    """Between the fixes of the truth, which are exact and a second apart."""
    for a, b in pairwise(fixes):
        if a.t_s <= t_s <= b.t_s:
            share = (t_s - a.t_s) / (b.t_s - a.t_s)
            return a.lat + share * (b.lat - a.lat), a.lon + share * (b.lon - a.lon)
    return None


def apart_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two near places."""
    east = (a[1] - b[1]) * math.cos(math.radians(a[0]))
    return math.hypot(a[0] - b[0], east) * METRES_A_DEGREE


def _truth(data: Path) -> Truth:
    file = data / "truth.json"
    try:
        return Truth.model_validate_json(file.read_text())
    except OSError as error:
        raise Unusable(
            f"{file} cannot be read ({error.strerror}): make a drive with 'dashcam sample {data}'."
        ) from error
    except ValidationError as error:
        raise Unusable(f"{file} is no truth of a sample drive: make one with 'dashcam sample FOLDER'.") from error


def _fixes(path: Path, clip: TrueClip) -> list[Fix]:
    return sources.read(path, lambda: sources.Recorded(clip.start_utc, clip.duration_s)).fixes


def _lies_on(plate: TruePlate, t_s: float, box: Box) -> bool:
    nearest = min(plate.boxes, key=lambda true: abs(true.t_s - t_s))
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    x0, y0, x1, y1 = nearest.box
    reach = (x1 - x0) / 2  # what a car moves in the picture in a quarter of a second
    within = x0 - reach <= middle[0] <= x1 + reach and y0 - reach <= middle[1] <= y1 + reach
    return within and abs(nearest.t_s - t_s) <= NEAR_S


def _summed(data: Path, engine: str, clips: int, outcomes: Sequence[PlateScore], strangers: int) -> ClipsReport:
    if not outcomes:
        raise Unusable(f"{data}/truth.json names no plate: there is nothing to measure.")
    found = [o for o in outcomes if o.voted]
    times = [o.time_error_s for o in found if o.time_error_s is not None]
    places = [o.place_error_m for o in found if o.place_error_m is not None]
    bands = reliability([(o.confidence, o.voted == o.truth) for o in found])

    def share(hits: Sequence[bool]) -> float:
        return sum(hits) / len(outcomes)

    return ClipsReport(
        data=str(data),
        engine=engine,
        clips=clips,
        plates=len(outcomes),
        found=share([bool(o.voted) for o in outcomes]),
        confirmed=share([o.confirmed for o in outcomes]),
        exact_single=share([o.single == o.truth for o in outcomes]),
        exact_voted=share([o.voted == o.truth for o in outcomes]),
        wrong_confirmed=strangers,
        time_error_s=float(np.mean(times)) if times else None,
        time_error_s_max=max(times, default=None),
        place_error_m=float(np.mean(places)) if places else None,
        place_error_m_max=max(places, default=None),
        calibration_error=calibration_error(bands),
        reliability=bands,
        wrong=[(o.clip, o.truth, o.voted) for o in outcomes if o.voted != o.truth],
    )
