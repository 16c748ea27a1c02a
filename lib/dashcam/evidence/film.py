"""The pictures of a bundle: the stretch with time, speed and place in it, and the camera's own packets untouched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from dashcam import Explained
from dashcam.evidence.order import Order
from dashcam.gps.clock import known_zone
from dashcam.gps.track import Track, TrackPoint
from dashcam.media.decode import FrameReader
from dashcam.media.images import Image, jpeg
from dashcam.records import Box
from dashcam.vision.detect.face_detector import FaceDetector
from dashcam.vision.engines import Detector, iou

LINE = 0.035
"""Height of the burned line, of the picture's."""
HELD = 4
"""Frames that a blurred place stays blurred for after it was seen last."""
FACES_EVERY = 3
"""Frames: to look for faces takes several times as long as to look for plates."""
WIDER = 0.35
"""Of a plate's box, that is blurred around it on each side."""
FASTSTART = {"movflags": "+faststart"}
GAP_S, AROUND_S = 1.5, 0.3
"""Between reads that far apart, and so long before the first and after the last one, the plate may still be read."""
SAME_PLATE = 0.2
"""Overlap (IoU) from which a found plate is the one that may be read."""

Through = Callable[[float], None]
"""Takes the share of the stretch that is through."""


@dataclass
class Blur:
    """Makes plates unreadable but those of ``allowed``, and faces; what is missed in a few frames stays so."""

    plates: Detector | None
    """None: plates may be read."""
    faces: FaceDetector | None
    allowed: Sequence[tuple[float, Box]]
    """(media time, box) of the plate that may be read, in pixels of a picture of that ``size``."""
    size: tuple[int, int]
    _held: list[tuple[int, Box]] = field(default_factory=list)
    _frames: int = 0

    def __call__(self, image: Image, t_s: float) -> None:
        """In place; the frames of a film one after the other."""
        self._held = [(left - 1, box) for left, box in self._held if left > 1]
        if self.plates is not None:
            self._held += [(HELD, box) for box in self._plates(self.plates, image, t_s)]
        if self.faces is not None and self._frames % FACES_EVERY == 0:
            self._held += [(FACES_EVERY + HELD, one.box) for one in self.faces.detect(image)]
        self._frames += 1
        for _, box in self._held:
            smear(image, box)

    def still(self, image: Image, t_s: float) -> None:
        """In place, a picture of its own."""
        Blur(self.plates, self.faces, self.allowed, self.size)(image, t_s)

    def _plates(self, detector: Detector, image: Image, t_s: float) -> list[Box]:
        (found,) = detector.detect([image])
        wide, high = image.shape[1] / self.size[0], image.shape[0] / self.size[1]
        spared = [(x0 * wide, y0 * high, x1 * wide, y1 * high) for x0, y0, x1, y1 in self._spared(t_s)]
        return [one.box for one in found if not any(iou(one.box, box) > SAME_PLATE for box in spared)]

    def _spared(self, t_s: float) -> list[Box]:
        """Where the allowed plate is then, between the moments at which it was read; nowhere long before or after."""
        before = max((one for one in self.allowed if one[0] <= t_s), default=None)
        after = min((one for one in self.allowed if one[0] >= t_s), default=None)
        if before is None or after is None or after[0] == before[0]:
            return [box for at, box in filter(None, (before, after)) if abs(at - t_s) < AROUND_S]
        if after[0] - before[0] > GAP_S:
            return [box for at, box in (before, after) if abs(at - t_s) < AROUND_S]
        part = (t_s - before[0]) / (after[0] - before[0])
        x0, y0, x1, y1 = (a + part * (b - a) for a, b in zip(before[1], after[1], strict=True))
        return [(x0, y0, x1, y1)]


def smear(image: Image, box: Box) -> None:
    """To a few blocks of colour: less is left of it than could be sharpened again."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    dx, dy = (x1 - x0) * WIDER, (y1 - y0) * WIDER
    left, top = max(0, int(x0 - dx)), max(0, int(y0 - dy))
    right, bottom = min(width, int(x1 + dx) + 1), min(height, int(y1 + dy) + 1)
    if right > left and bottom > top:
        few = cv2.resize(image[top:bottom, left:right], (4, 2), interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(few, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)


def film(order: Order, target: Path, blur: Blur | None, tell: Through) -> None:
    """The stretch as H.264 in which every picture says when, where and how fast. Raises `DecodeError`, `OSError`."""
    track, zone = Track(order.fixes), known_zone(order.time_zone)
    outside = [(0.0, order.first_s), (order.last_s, float("inf"))]
    with FrameReader(order.film, skip=outside) as reader, av.open(str(target), "w", options=FASTSTART) as output:
        stream: Any = None
        first_pts = 0
        for frame in reader:
            if frame.t_s > order.last_s:
                break
            if frame.t_s < order.first_s:
                continue
            image = frame.bgr()
            if blur is not None:
                blur(image, frame.t_s)
            burn(image, said(order, frame.t_s, track.at(frame.t_s), zone))
            if stream is None:
                stream, first_pts = stream_for(output, image, reader), frame.pts
            picture = av.VideoFrame.from_ndarray(image[: stream.height, : stream.width], "bgr24")
            picture.pts, picture.time_base = frame.pts - first_pts, reader.time_base
            output.mux(stream.encode(picture))
            tell((frame.t_s - order.first_s) / (order.last_s - order.first_s))
        if stream is None:
            raise Explained(f"{order.name} has no picture between {order.first_s:g} and {order.last_s:g} s.")
        output.mux(stream.encode(None))


def stream_for(output: Any, image: Image, reader: FrameReader) -> Any:
    rate = Fraction(reader.fps).limit_denominator(1001)
    stream = output.add_stream("libx264", rate=rate, options={"preset": "fast", "crf": "23"})
    stream.width, stream.height = image.shape[1] // 2 * 2, image.shape[0] // 2 * 2
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = reader.time_base
    return stream


def said(order: Order, t_s: float, at: TrackPoint | None, zone: tzinfo | None) -> list[str]:
    """The burned lines: when, and where and how fast as far as the positions tell."""
    when = order.at(t_s).astimezone(zone or UTC)
    lines = [f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 100_000} {when:%z}  {order.name}  {t_s:.2f} s"]
    if at is not None:
        speed = "" if at.speed_mps is None else f"  {at.speed_mps * 3.6:.0f} km/h"
        lines.append(f"{at.lat:.6f} {at.lon:.6f}{speed}")
    return lines


def burn(image: Image, lines: Sequence[str]) -> None:
    """Into a dark strip at the picture's foot; OpenCV's letters are ASCII."""
    height, width = image.shape[:2]
    line = max(12, round(height * LINE))
    strip = image[height - line * len(lines) - line // 2 :]
    strip //= 4
    for number, text in enumerate(lines):
        foot = height - line * (len(lines) - 1 - number) - line // 2
        known = text.encode("ascii", "replace").decode()
        scale = min(line / 32, width / (18 * max(1, len(known))))
        cv2.putText(image, known, (line // 2, foot), cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)


def untouched(order: Order, target: Path) -> None:
    """The camera's own packets of the stretch, from the keyframe before it on, none of them coded anew."""
    assert order.original is not None
    with av.open(str(order.original)) as source, av.open(str(target), "w") as output:
        wanted: list[Any] = [*source.streams.video[:1], *source.streams.audio[:1]]
        kept = {stream.index: output.add_stream_from_template(stream) for stream in wanted}
        video = wanted[0]
        start = video.start_time or 0
        base = Fraction(video.time_base or 1)
        source.seek(int(order.first_s / base) + start, stream=video, backward=True)
        for packet in source.demux(wanted):
            at = packet.pts if packet.pts is not None else packet.dts
            if packet.dts is None or at is None:
                continue
            if float((at - int(start * base / packet.time_base)) * packet.time_base) > order.last_s:
                if packet.stream is video and packet.is_keyframe:
                    break
                continue
            packet.stream = kept[packet.stream.index]
            output.mux(packet)


def picture_of(file: Path, blur: Blur | None, t_s: float) -> bytes:
    """A picture of the clip's folder as it is, or with what may not be read made unreadable. Raises ``OSError``."""
    content = file.read_bytes()
    if blur is None:
        return content
    image = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    blur.still(image, t_s)
    return jpeg(image)
