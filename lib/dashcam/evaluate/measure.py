"""Runs a detector and a reader over labelled pictures and counts what is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from dashcam.evaluate.engines import Engines, engines
from dashcam.evaluate.layouts import Labelled, LabelledPicture, Unusable, labelled
from dashcam.evaluate.report import HeightBand, PlatesReport, SureBand
from dashcam.media.images import Image
from dashcam.records import Box, alike
from dashcam.vision.engines import Detection, PlateText, iou
from dashcam.vision.read import quality
from dashcam.vision.read.voting import vote
from dashcam.vision.track.pipeline import DOUBT, as_read, grown, one_line

IOU = 0.5
HEIGHTS = (0, 16, 24, 32, 48, 0)
BANDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.01)


@dataclass
class PictureScore:
    """One picture. ``found`` tells for each true box whether it was; ``spurious`` counts boxes where none is."""

    truth: LabelledPicture
    heights: list[float]
    found: list[bool] = field(default_factory=list)
    spurious: int = 0
    read: PlateText | None = None
    true_box_read: PlateText | None = None
    seconds: float = 0.0


def evaluate_plates(
    data: Path,
    engine: str = "auto",
    limit: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PlatesReport:
    """Measures ``engine`` on the labelled pictures in ``data``, on the first ``limit`` of them if given.

    Raises `Unusable` and `MissingWeights`.
    """
    known = labelled(data)
    used = engines(engine)
    pictures = known.pictures[:limit]
    outcomes = []
    for done, truth in enumerate(pictures):
        progress(done, len(pictures))
        outcomes.append(look(truth, known, used))
    progress(len(pictures), len(pictures))
    return summed(outcomes, known, used, data, engine)


def look(truth: LabelledPicture, known: Labelled, used: Engines) -> PictureScore:
    """One picture through the engines."""
    image = cv2.imread(str(truth.file))
    if image is None:
        raise Unusable(f"{truth.file} is no picture that can be read: restore it or take its label away.")
    if known.layout == "crops":
        began = perf_counter()
        read = opinion(image, used)
        return PictureScore(truth, [float(image.shape[0])], read=read, seconds=perf_counter() - began)
    boxes = [scaled(box, image) for box in truth.boxes] if truth.relative else list(truth.boxes)
    outcome = PictureScore(truth, [box[3] - box[1] for box in boxes])
    began = perf_counter()
    detections = used.detector.detect([image])[0]
    if known.layout == "plates":
        outcome.read = _read(detections[0].box, image, used, used.margin) if detections else PlateText("", 0.0, [])
    outcome.seconds = perf_counter() - began
    outcome.found, outcome.spurious = matched(boxes, detections)
    if known.layout == "plates":
        outcome.true_box_read = _read(boxes[0], image, used, (0, 0))
    return outcome


def matched(boxes: Sequence[Box], detections: Sequence[Detection]) -> tuple[list[bool], int]:
    """Which boxes were found at IoU 0.5, each detection (best first) taking one; and how many took none."""
    found = [False] * len(boxes)
    spurious = 0
    for detection in sorted(detections, key=lambda d: -d.score):
        overlaps = [0.0 if found[i] else iou(box, detection.box) for i, box in enumerate(boxes)]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] >= IOU:
            found[best] = True
        else:
            spurious += 1
    return found, spurious


def edits(a: str, b: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def scaled(box: Box, image: Image) -> Box:
    height, width = image.shape[:2]
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def summed(outcomes: Sequence[PictureScore], known: Labelled, used: Engines, data: Path, engine: str) -> PlatesReport:
    """The rates over all pictures."""
    with_text = [o for o in outcomes if o.read is not None]
    at_box = [o for o in outcomes if o.true_box_read is not None]
    found = [hit for o in outcomes for hit in o.found]
    bands = reliability([(o.read.confidence, _wrong(o) == 0) for o in with_text if o.read])
    looked = known.layout != "crops"
    return PlatesReport(
        data=str(data),
        layout=known.layout,
        engine=engine,
        detector=used.detector.name if looked else None,
        reader=used.reader.name if with_text else None,
        second_reader=used.second.name if with_text and used.second else None,
        images=len(outcomes),
        plates=sum(len(o.heights) for o in outcomes),
        recall=_share(found),
        precision=sum(found) / max(1, sum(found) + sum(o.spurious for o in outcomes)) if looked else None,
        exact=_share([_wrong(o) == 0 for o in with_text]),
        exact_alike=_share([alike(o.truth.text or "") == alike(o.read.text) for o in with_text if o.read]),
        within_one=_share([_wrong(o) <= 1 for o in with_text]),
        true_box_exact=_share([_wrong(o, at_box=True) == 0 for o in at_box]),
        true_box_within_one=_share([_wrong(o, at_box=True) <= 1 for o in at_box]),
        ms_per_image=round(1000 * sum(o.seconds for o in outcomes) / len(outcomes), 2),
        calibration_error=calibration_error(bands),
        by_height=by_height(outcomes),
        reliability=bands,
        wrong=[(o.truth.file.name, o.truth.text or "", o.read.text) for o in with_text if o.read and _wrong(o)],
    )


def by_height(outcomes: Sequence[PictureScore]) -> list[HeightBand]:
    """The rates for plates of about one height; bands without a plate are left out."""
    bands = []
    for low, high in pairwise(HEIGHTS):
        plates = [(o, i) for o in outcomes for i, h in enumerate(o.heights) if low <= h < (high or np.inf)]
        read = [o for o, _ in plates if o.read is not None]
        if plates:
            bands.append(
                HeightBand(
                    from_px=low,
                    to_px=high,
                    plates=len(plates),
                    recall=_share([o.found[i] for o, i in plates if o.found]),
                    read=len(read),
                    exact=_share([_wrong(o) == 0 for o in read]),
                    within_one=_share([_wrong(o) <= 1 for o in read]),
                )
            )
    return bands


def reliability(answers: Sequence[tuple[float, bool]]) -> list[SureBand]:
    """Of the texts given as so sure, how many are right; ``answers`` are (confidence, right)."""
    bands = []
    for low, high in pairwise(BANDS):
        given = [answer for answer in answers if low <= answer[0] < high]
        if given:
            mean, right = (float(v) for v in np.mean(given, axis=0))
            bands.append(SureBand(from_confidence=low, reads=len(given), confidence=mean, exact=right))
    return bands


def calibration_error(bands: Sequence[SureBand]) -> float | None:
    """Mean distance between confidence and what came true over the bands (Naeini 2015); None without an answer."""
    reads = sum(band.reads for band in bands)
    return sum(b.reads * abs(b.confidence - b.exact) for b in bands) / reads if reads else None


def _read(box: Box, image: Image, used: Engines, margin: tuple[float, float]) -> PlateText:
    x0, y0, x1, y1 = grown(box, margin, image.shape[1], image.shape[0])
    return opinion(image[y0:y1, x0:x1], used)


def opinion(crop: Image, used: Engines) -> PlateText:
    """What the reader says, and where that is doubtful the vote with the second one, as of a doubtful track."""
    (found,) = used.reader.read([crop])
    if used.second is None or found.confidence >= DOUBT or not one_line(crop):
        return found
    (other,) = used.second.read([crop])
    if not (found.text and other.text):
        return found if found.text else other
    box = (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0]))
    voted = vote([as_read(one, box, quality.sharpness(crop), False) for one in (found, other)])
    return PlateText(voted.text, voted.confidence, voted.probabilities)


def _wrong(outcome: PictureScore, at_box: bool = False) -> int:
    read = outcome.true_box_read if at_box else outcome.read
    return edits(outcome.truth.text or "", read.text if read else "")


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
