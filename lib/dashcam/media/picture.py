"""A frame's pixels for any thread: one small copy to look at, and the whole, from which only what is wanted is cut."""

from dataclasses import dataclass
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from dashcam.media.images import Image, at_most

PLANAR, SEMIPLANAR = ("yuv420p", "yuvj420p"), ("nv12",)
"""Pixel formats whose planes are cut as they are; others are converted whole."""
Planes = tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Picture:
    """``small`` is the whole frame in BGR, made smaller for a detector; `cut` and `whole` give full resolution.

    Holds the decoder's buffers but not its frame object, which only one thread may convert.
    """

    pts: int
    t_s: float
    width: int
    height: int
    small: Image
    _planes: Planes
    _format: str
    _colour: tuple[int, int] = (2, 0)

    @classmethod
    def of(cls, pts: int, t_s: float, image: Image) -> Self:
        """From a BGR image that is looked at as it is."""
        return cls(pts, t_s, image.shape[1], image.shape[0], image, (image,), "bgr24")

    def cut(self, x0: int, y0: int, x1: int, y1: int) -> Image:
        """A copy of that part, BGR; the corners lie inside the frame."""
        if self._format == "bgr24":
            return self._planes[0][y0:y1, x0:x1].copy()
        left, top = x0 // 2 * 2, y0 // 2 * 2  # 4:2:0: colours are shared by two by two pixels
        right, bottom = x1 + x1 % 2, y1 + y1 % 2
        halves = [plane[top // 2 : bottom // 2, left // 2 : right // 2] for plane in self._planes[1:]]
        part = _frame((self._planes[0][top:bottom, left:right], *halves), self._format, self._colour)
        image: Image = part.to_ndarray(format="bgr24")
        return np.ascontiguousarray(image[y0 - top : y1 - top, x0 - left : x1 - left])

    def at_most(self, width: int) -> Image:
        """The whole frame in BGR, made smaller to that width if it is wider."""
        if self._format == "bgr24" or self.width <= width:
            return at_most(self.cut(0, 0, self.width, self.height), width)
        height = max(1, round(self.height * width / self.width))
        whole = _frame(self._planes, self._format, self._colour)
        small = VideoReformatter().reformat(whole, width, height, format="yuv420p", interpolation="AREA", threads=1)
        return np.asarray(small.to_ndarray(format="bgr24"))


def planes_of(frame: Any) -> Planes:
    """Views of a decoded 4:2:0 frame's planes, without the padding of their lines."""
    views = []
    for index, plane in enumerate(frame.planes):
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height]
        paired = index == 1 and frame.format.name in SEMIPLANAR
        width = (frame.width + 1) // 2 * 2 if paired else plane.width
        views.append(lines[:, :width].reshape(plane.height, -1, 2) if paired else lines[:, :width])
    return tuple(views)


def _frame(planes: Planes, format: str, colour: tuple[int, int]) -> Any:
    """A frame of its own with a copy of these planes."""
    height, width = planes[0].shape
    frame: Any = av.VideoFrame(width, height, format)
    frame.colorspace, frame.color_range = colour
    for plane, pixels in zip(frame.planes, planes, strict=True):
        lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        lines[: pixels.shape[0], : pixels[0].size] = pixels.reshape(pixels.shape[0], -1)
    return frame
