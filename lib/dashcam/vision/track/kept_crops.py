"""A sighting of which only its crop is left is read again: that crop's read is replaced, and all reads vote anew."""

import cv2
import numpy as np

from dashcam.media.images import Image
from dashcam.records import Read, Sighting
from dashcam.vision.engines import PlateReader
from dashcam.vision.read import quality
from dashcam.vision.read.voting import as_told, vote
from dashcam.vision.track.pipeline import READ_MARGIN, SHOWN_MARGIN, Crop, Evidence, grown, one_line, reads_of
from dashcam.vision.track.sightings import is_confirmed

Size = tuple[int, int]
"""Width and height of the clip's frames."""
OFF = 2
"""Pixels by which a kept crop's size may differ from its box's: that was rounded when it was written down."""


def decoded(jpeg: bytes) -> Image | None:
    """None for what is no picture (any more)."""
    if not jpeg:
        return None
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, dtype=np.uint8)


def read_again(seen: Sighting, shown: Image, size: Size, reader: PlateReader, second: PlateReader) -> Sighting:
    """The sighting with what the readers make of its crop now; where it was seen, and all its other reads, stay. The
    sighting itself where they see no text, or the picture is not of its box.

    The second reader is asked where it had read this crop alone.
    """
    crop = crop_of(seen, shown, size)
    if crop is None:
        return seen
    reads = list(seen.reads)
    now = [one.read for one in reads_of(reader, [crop])]
    was = [one for one in reads if is_of(one, seen)]
    if any(one.reader is not None for one in was) and one_line(crop.to_read()):
        now += [one.read for one in reads_of(second, [crop], second.name)]
    if not now:
        return seen
    said_anew = {one.reader is None for one in now}
    stay = [one for one in reads if not (one in was and (one.reader is None) in said_anew)]
    together = sorted([*stay, *now], key=lambda one: (one.pts, one.box))
    result = vote(together)
    cut = [quality.touches_border(one.box, *size) for one in together]
    evidence = [Evidence(one, is_cut, b"") for one, is_cut in zip(together, cut, strict=True)]
    return seen.model_copy(
        update={
            "text": result.text,
            "confidence": as_told(result, together).confidence,
            "confirmed": is_confirmed(result, evidence),
            "slots": result.probabilities,
            "reads": together,
        }
    )


def is_of(read: Read, seen: Sighting) -> bool:
    """Whether it is of the sighting's crop, and of that alone."""
    return (read.pts, read.box, read.looks) == (seen.best_pts, seen.box, 1)


def crop_of(seen: Sighting, shown: Image, size: Size) -> Crop | None:
    """As `pipeline.cut_out` made it of the frame."""
    ox0, oy0, ox1, oy1 = grown(seen.box, SHOWN_MARGIN, *size)
    height, width = shown.shape[:2]
    if abs(ox1 - ox0 - width) > OFF or abs(oy1 - oy0 - height) > OFF:
        return None
    ix0, iy0, ix1, iy1 = grown(seen.box, READ_MARGIN, *size)
    inner = (ix0 - ox0, iy0 - oy0, min(width, ix1 - ox0), min(height, iy1 - oy0))
    sharp = quality.sharpness(shown[inner[1] : inner[3], inner[0] : inner[2]])
    cut = quality.touches_border(seen.box, *size)
    return Crop(seen.best_pts, seen.best_s, seen.box, cut, sharp, 0.0, shown, inner)
