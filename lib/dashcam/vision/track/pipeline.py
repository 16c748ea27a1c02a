"""From sampled frames to read tracklets: detect, follow, keep the best few crops, read them when the track ends."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import thread_time

import numpy as np

from dashcam.media.images import Image, jpeg
from dashcam.media.picture import Picture
from dashcam.records import Box, Read
from dashcam.vision.engines import Detection, Detector, PlateReader, PlateText
from dashcam.vision.read import quality
from dashcam.vision.read.fusing import PlateLook, fused
from dashcam.vision.read.voting import vote
from dashcam.vision.track.tracker import PlateTracker

KEPT_CROPS = 8
"""Crops read per track."""
DOUBT = 0.9
"""A track is doubtful when no two of its reads agree or their vote is less sure than this."""
SECOND_READS = 3
"""Crops of a doubtful track that the second reader is asked about; of a single glimpse it is not, because two readings
of one picture confirm nothing."""
ONE_LINE = 1.5
"""Width to height from which a crop may hold one line of characters: second readers read lines, and of two they read
one (held-out two-line crops: 63.0 % without, 60.5 % with their vote)."""
SMALL = 32
"""Pixels of height under which a plate that is nowhere higher is read from its crops as one picture too."""
FUSED_FROM = 3
"""Crops of which such a picture is made at least; it counts as often as it has crops."""
NEW = 5
"""A plate that was seen fewer times is worth more looks."""
REACH = 2.0
"""Plate widths, of the widest, that a plate may have moved to any side between two ticks, its own width included."""
MOST_OF_FRAME = 0.5
"""A part of the picture larger than this is not worth cutting out."""
READ_MARGIN = (0.0, 0.0)
"""Found boxes hold a little more than the plate already: of 321 held-out plates 82.2 % are read as they are, 81.6 %
with 3 and 5 % more, 80.1 % with twice that."""
SHOWN_MARGIN = (0.15, 0.25)
"""Shares of the box's width and height added on every side for showing; `READ_MARGIN` for reading."""


@dataclass(frozen=True)
class Crop:
    """A candidate for reading; ``shown`` has the wider margin, ``inner`` is the part of it that is read."""

    pts: int
    t_s: float
    box: Box
    cut: bool
    sharpness: float
    quality: float
    shown: Image
    inner: tuple[int, int, int, int]

    def to_read(self) -> Image:
        x0, y0, x1, y1 = self.inner
        return self.shown[y0:y1, x0:x1]


@dataclass(frozen=True)
class Evidence:
    """A read with the JPEG of the crop it was made from."""

    read: Read
    cut: bool
    jpeg: bytes


@dataclass
class Tracklet:
    """One plate followed without interruption. ``seen`` is (t_s, box) of every detection; evidence comes last."""

    seen: list[tuple[float, Box]] = field(default_factory=list)
    crops: list[Crop] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def first_s(self) -> float:
        return self.seen[0][0]

    @property
    def last_s(self) -> float:
        return self.seen[-1][0]

    def offer(self, crop: Crop, limit: int = KEPT_CROPS) -> bool:
        """Takes the crop if it is among the best, with some spread in time; whether it was taken."""
        self.crops.append(crop)
        if len(self.crops) <= limit:
            return True
        times = [c.t_s for c in self.crops]

        def worth(i: int) -> tuple[float, int]:
            nearest = min(abs(times[i] - t) for j, t in enumerate(times) if j != i)
            return self.crops[i].quality * (0.5 + min(1.0, nearest)), -self.crops[i].pts

        dropped = self.crops.pop(min(range(len(self.crops)), key=worth))
        return dropped is not crop


class TrackingPipeline:
    """Looks at sampled frames in order and gives the tracklets of one clip, each with its reads.

    ``second`` reads small plates' crops as one picture, and the best crops of tracks that are doubtful before or after
    that; its reads vote beside the others.
    ``keep_frame(picture)`` is called for each frame from which a crop was kept. ``seconds`` sums the CPU time of
    "detect" and "read" in the calling thread. At most ``KEPT_CROPS`` crops per live track are in memory.
    """

    def __init__(
        self, detector: Detector, reader: PlateReader, sample_fps: float, keep_frame: Callable[[Picture], None],
        second: PlateReader | None = None,
    ) -> None:  # fmt: skip
        self._detector = detector
        self._reader = reader
        self._second = second
        self._tracker = PlateTracker(sample_fps)
        self._keep_frame = keep_frame
        self._live: dict[int, Tracklet] = {}
        self._done: list[Tracklet] = []
        self._new: list[Box] = []
        self._patience_s = 2.5
        self.seconds = {"detect": 0.0, "read": 0.0}

    def side(self, width: int, height: int) -> int:
        """Longer side that a picture's small copy needs for frames of that size."""
        return self._detector.side(width, height)

    def full_frame(self, pictures: Sequence[Picture]) -> list[bool]:
        """Sampled frames of one size, in order of time; for each whether a plate in it was seen fewer than ``NEW``
        times."""
        side = self.side(pictures[0].width, pictures[0].height)
        found = self._detect([picture.small for picture in pictures], side)
        return [
            self._follow(picture, [in_frame(one, picture) for one in of_it])
            for picture, of_it in zip(pictures, found, strict=True)
        ]

    def region(self, picture: Picture) -> bool:
        """As `full_frame`, but only around the plates that were new at the last one, where that is a small part."""
        height, width = picture.small.shape[:2]
        part = around(self._new, picture) if self._new else (0, 0, width, height)
        x0, y0, x1, y1 = part
        if (x1 - x0) * (y1 - y0) > MOST_OF_FRAME * width * height:
            return self.full_frame([picture])[0]
        (found,) = self._detect([np.ascontiguousarray(picture.small[y0:y1, x0:x1])], max(x1 - x0, y1 - y0))
        moved = [one.moved(x0, y0) for one in found]
        whole = [one for one in moved if not _cut(one.box, part, (width, height))]
        return self._follow(picture, [in_frame(one, picture) for one in whole])

    def _detect(self, images: Sequence[Image], side: int) -> list[list[Detection]]:
        began = thread_time()
        found = self._detector.detect(images, side)
        self.seconds["detect"] += thread_time() - began
        return found

    def _follow(self, picture: Picture, detections: Sequence[Detection]) -> bool:
        kept = False
        self._new = []
        t_s = picture.t_s
        for detection, number in zip(detections, self._tracker.update(t_s, detections), strict=True):
            tracklet = Tracklet() if number is None else self._live.setdefault(number, Tracklet())
            tracklet.seen.append((t_s, detection.box))
            kept |= tracklet.offer(cut_out(picture, detection.box, detection.score))
            if len(tracklet.seen) < NEW:
                self._new.append(detection.box)
            if number is None:
                self._close(tracklet)
        if kept:
            self._keep_frame(picture)
        for number in [n for n, tracklet in self._live.items() if t_s - tracklet.last_s > self._patience_s]:
            self._close(self._live.pop(number))
        return bool(self._new)

    def finish(self) -> list[Tracklet]:
        """All tracklets, by first appearance."""
        for number in sorted(self._live):
            self._close(self._live.pop(number))
        return sorted(self._done, key=lambda t: (t.first_s, t.seen[0][1]))

    def _close(self, tracklet: Tracklet) -> None:
        began = thread_time()
        tracklet.evidence = reads_of(self._reader, sorted(tracklet.crops, key=lambda crop: crop.pts))
        if self._second and len(tracklet.crops) > 1:
            lines = [crop for crop in tracklet.crops if one_line(crop.to_read())]
            best = sorted(lines, key=lambda crop: (-crop.quality, crop.pts))
            doubted = doubtful([e.read for e in tracklet.evidence])
            if tracklet.evidence:
                tracklet.evidence += _fused_read(self._second, best)
            if doubted or doubtful([e.read for e in tracklet.evidence]):
                tracklet.evidence += reads_of(self._second, best[:SECOND_READS], self._second.name)
        tracklet.crops.clear()
        self._done.append(tracklet)
        self.seconds["read"] += thread_time() - began


def doubtful(reads: Sequence[Read]) -> bool:
    """Whether another reader should be asked."""
    texts = Counter(read.text for read in reads)
    return max(texts.values(), default=0) < 2 or vote(reads).confidence < DOUBT


def one_line(crop: Image) -> bool:
    """Whether a reader of lines can make something of it."""
    height, width = crop.shape[:2]
    return bool(width >= ONE_LINE * height)


def reads_of(reader: PlateReader, crops: Sequence[Crop], name: str | None = None) -> list[Evidence]:
    """What the reader makes of each crop; nothing of those where it sees no text."""
    evidence = []
    for crop, found in zip(crops, reader.read([crop.to_read() for crop in crops]), strict=True):
        if found.text:
            read = as_read(found, crop.box, crop.sharpness, crop.cut, crop.pts, crop.t_s, name)
            evidence.append(Evidence(read, crop.cut, jpeg(crop.shown)))
    return evidence


def _fused_read(reader: PlateReader, crops: Sequence[Crop]) -> list[Evidence]:
    """What the reader makes of all of a small plate's crops as one picture, the best crop first; shown by that crop."""
    whole = [crop for crop in crops if not crop.cut]
    if len(whole) < FUSED_FROM or max(crop.box[3] - crop.box[1] for crop in whole) >= SMALL:
        return []
    best = whole[0]
    picture, looks = fused([PlateLook(crop.shown, crop.inner) for crop in whole])
    (found,) = reader.read([picture])
    if looks < FUSED_FROM or not found.text:
        return []
    read = as_read(found, best.box, quality.sharpness(picture), False, best.pts, best.t_s, reader.name)
    return [Evidence(read.model_copy(update={"looks": looks}), False, jpeg(best.shown))]


def as_read(
    found: PlateText, box: Box, sharpness: float, cut: bool, pts: int = 0, t_s: float = 0, reader: str | None = None
) -> Read:
    """What a reader made of one crop, weighed as voting wants it. ``box`` in pixels of the frame."""
    return Read(
        pts=pts,
        t_s=round(t_s, 3),
        box=rounded(box),
        text=found.text,
        confidence=round(found.confidence, 4),
        legibility=quality.legibility(box, sharpness, found.confidence, cut),
        slots=found.probabilities,
        reader=reader,
    )


def around(boxes: Sequence[Box], picture: Picture) -> tuple[int, int, int, int]:
    """The part of the small copy in which plates that were in these boxes of the frame can be a moment later."""
    height, width = picture.small.shape[:2]
    x, y = width / picture.width, height / picture.height
    reach = max(box[2] - box[0] for box in boxes) * REACH * x
    x0 = max(0, int(min(box[0] for box in boxes) * x - reach))
    y0 = max(0, int(min(box[1] for box in boxes) * y - reach))
    x1 = min(width, int(max(box[2] for box in boxes) * x + reach) + 1)
    y1 = min(height, int(max(box[3] for box in boxes) * y + reach) + 1)
    return x0, y0, x1, y1


def _cut(box: Box, part: tuple[int, int, int, int], size: tuple[int, int]) -> bool:
    """Whether an edge of that part, which is no edge of the picture, cuts the box."""
    return (
        (part[0] > 0 and box[0] <= part[0] + 2)
        or (part[1] > 0 and box[1] <= part[1] + 2)
        or (part[2] < size[0] and box[2] >= part[2] - 2)
        or (part[3] < size[1] and box[3] >= part[3] - 2)
    )


def in_frame(detection: Detection, picture: Picture) -> Detection:
    """What was found in a picture's small copy, in pixels of the whole."""
    height, width = picture.small.shape[:2]
    x, y = picture.width / width, picture.height / height
    x0, y0, x1, y1 = detection.box
    return Detection((x0 * x, y0 * y, x1 * x, y1 * y), detection.score)


def cut_out(picture: Picture, box: Box, score: float) -> Crop:
    """A copy of the box with its margins, so that the frame itself can go."""
    width, height = picture.width, picture.height
    ox0, oy0, ox1, oy1 = grown(box, SHOWN_MARGIN, width, height)
    ix0, iy0, ix1, iy1 = grown(box, READ_MARGIN, width, height)
    shown = picture.cut(ox0, oy0, ox1, oy1)
    inner = (ix0 - ox0, iy0 - oy0, ix1 - ox0, iy1 - oy0)
    sharp = quality.sharpness(shown[inner[1] : inner[3], inner[0] : inner[2]])
    cut = quality.touches_border(box, width, height)
    rank = quality.crop_quality(box, sharp, score) * (0.2 if cut else 1)
    return Crop(picture.pts, picture.t_s, box, cut, sharp, rank, shown, inner)


def rounded(box: Box) -> Box:
    """To a tenth of a pixel, so that records are the same on every run and short."""
    x0, y0, x1, y1 = (round(float(v), 1) for v in box)
    return x0, y0, x1, y1


def grown(box: Box, margin: tuple[float, float], width: int, height: int) -> tuple[int, int, int, int]:
    dx, dy = (box[2] - box[0]) * margin[0], (box[3] - box[1]) * margin[1]
    x0, y0 = int(max(0, np.floor(box[0] - dx))), int(max(0, np.floor(box[1] - dy)))
    x1, y1 = int(min(width, np.ceil(box[2] + dx))), int(min(height, np.ceil(box[3] + dy)))
    return x0, y0, x1, y1
