"""Vehicles seen from straight behind or straight ahead, drawn as sprites with their plate on."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from dashcam.sample.plates import Bgr, Drawing, PlateStyle, draw_plate

PX_PER_M = 240
_HALF_WIDTH_M, _TOP_M, _GROUND_M = 1.35, 2.25, 0.2
"""Room around a vehicle: to each side of its middle, above the road, and below it (for the shadow)."""

Outline = list[tuple[float, float]]


@dataclass(frozen=True)
class Body:
    """Outline in metres: half width, height of the waist, of the roof, and half width of the roof."""

    half: float
    waist: float
    roof: float
    roof_half: float


BODIES = {
    "hatchback": Body(0.89, 0.96, 1.47, 0.60),
    "saloon": Body(0.92, 0.93, 1.42, 0.58),
    "suv": Body(0.95, 1.10, 1.68, 0.70),
    "van": Body(0.97, 1.12, 1.98, 0.84),
}


class _Canvas:
    """Metres to pixels, mirrored drawing, on a picture twice the size of the sprite."""

    def __init__(self) -> None:
        self.scale = PX_PER_M * 2
        size = (round(2 * _HALF_WIDTH_M * self.scale), round((_TOP_M + _GROUND_M) * self.scale))
        self.image = Image.new("RGBA", size)
        self.draw = ImageDraw.Draw(self.image)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (x + _HALF_WIDTH_M) * self.scale, (_TOP_M - y) * self.scale

    def both(self, points: Outline, fill: Bgr | tuple[int, int, int, int]) -> None:
        """A polygon and its mirror image."""
        for side in (1, -1):
            self.draw.polygon([self.at(side * x, y) for x, y in points], fill=fill)

    def whole(self, right: Outline, fill: Bgr | tuple[int, int, int, int]) -> None:
        """A symmetrical polygon, given by its right-hand points from bottom to top."""
        points = [*right, *[(-x, y) for x, y in reversed(right)]]
        self.draw.polygon([self.at(x, y) for x, y in points], fill=fill)

    def bar(self, half: float, y0: float, y1: float, fill: Bgr, radius: float = 0.02) -> None:
        """A rounded bar across the middle."""
        (left, top), (right, bottom) = self.at(-half, y1), self.at(half, y0)
        self.draw.rounded_rectangle((left, top, right, bottom), radius * self.scale, fill=fill)


def _shadow(canvas: _Canvas, body: Body) -> None:
    (left, top), (right, bottom) = canvas.at(-body.half - 0.12, 0.14), canvas.at(body.half + 0.12, -0.12)
    canvas.draw.ellipse((left, top, right, bottom), fill=(5, 5, 8, 200))
    canvas.image = canvas.image.filter(ImageFilter.GaussianBlur(0.045 * canvas.scale))
    canvas.draw = ImageDraw.Draw(canvas.image)


def _shade(canvas: _Canvas, body: Body, colour: Bgr) -> None:
    """Paint the body: darker to the sides and below, a light line along the waist, sky on the roof."""
    mask = Image.new("L", canvas.image.size)
    lower = [(body.half - 0.05, 0.24), (body.half, 0.42), (body.half, body.waist - 0.2), (body.half - 0.05, body.waist)]
    upper = [(body.roof_half + 0.04, body.roof - 0.1), (body.roof_half - 0.06, body.roof)]
    outline = [*lower, *upper, *[(-x, y) for x, y in reversed(lower + upper)]]
    ImageDraw.Draw(mask).polygon([canvas.at(x, y) for x, y in outline], fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(0.012 * canvas.scale)).point(lambda v: max(0, min(255, (v - 96) * 4)))
    width, height = canvas.image.size
    x = np.linspace(-_HALF_WIDTH_M, _HALF_WIDTH_M, width, dtype=np.float32)[None, :]
    y = np.linspace(_TOP_M, -_GROUND_M, height, dtype=np.float32)[:, None]
    light = 1.0 - 0.38 * (np.abs(x) / body.half) ** 3 - 0.25 * np.clip((0.55 - y) / 0.5, 0, 1)
    light = (
        light
        + 0.35 * np.exp(-(((y - body.waist + 0.03) / 0.035) ** 2))
        + 0.3 * np.clip((y - body.roof + 0.1) * 9, 0, 1)
    )
    red, green, blue = colour[::-1]
    paint = np.stack([np.clip(light * part, 0, 255) for part in (red, green, blue)], -1).astype(np.uint8)
    canvas.image.paste(Image.fromarray(paint), (0, 0), mask)
    canvas.draw = ImageDraw.Draw(canvas.image)


def _window(canvas: _Canvas, body: Body, rear: bool) -> None:
    low, high = body.waist + (0.04 if rear else 0.01), body.roof - 0.1
    wide, narrow = body.half - (0.2 if rear else 0.12), body.roof_half - 0.04
    glass = [(wide, low), (narrow, high)]
    canvas.whole(glass, (30, 34, 38, 255))
    for index in range(10):  # the sky mirrored in the upper part
        part = index / 10
        edge = narrow + (wide - narrow) * part * 0.75
        y = high - (high - low) * part * 0.75
        canvas.whole(
            [(edge, y - (high - low) * 0.08), (edge, y)], (118 - index * 9, 130 - index * 10, 142 - index * 11, 255)
        )
    for side in (-1, 1):  # head restraints
        x, y = canvas.at(side * wide * 0.48, low)
        canvas.draw.rounded_rectangle(
            (x - 0.125 * canvas.scale, y - 0.6 * (high - low) * canvas.scale, x + 0.125 * canvas.scale, y),
            0.083 * canvas.scale,
            fill=(24, 27, 30, 255),
        )
    x0, y0 = canvas.at(-0.05, low + 0.02)
    x1, y1 = canvas.at(wide * 0.72, low + 0.10)
    canvas.draw.line((x0, y0, x1, y1), fill=(12, 12, 12, 255), width=round(0.02 * canvas.scale))


def _wheels(canvas: _Canvas, body: Body) -> None:
    canvas.bar(body.half - 0.12, 0.17, 0.4, (13, 13, 14), 0.05)
    for side in (-1, 1):
        inner, outer = sorted((side * (body.half - 0.27), side * (body.half - 0.04)))
        (left, top), (right, bottom) = canvas.at(inner, 0.5), canvas.at(outer, 0.0)
        canvas.draw.rounded_rectangle((left, top, right, bottom), 0.067 * canvas.scale, fill=(17, 17, 18, 255))


def _lights(canvas: _Canvas, body: Body, rear: bool) -> None:
    out, top = body.half - 0.015, body.waist - 0.06
    if rear:
        shape = [
            (out, top),
            (out - 0.01, top - 0.22),
            (out - 0.17, top - 0.22),
            (out - 0.3, top - 0.04),
            (out - 0.3, top),
        ]
        canvas.both(shape, (120, 12, 14, 255))
        canvas.both(
            [(x * 0.985, y * 0.985 + 0.008) for x, y in shape[:1] + shape[3:]] + [(out - 0.04, top - 0.09)],
            (214, 28, 24, 255),
        )
        canvas.both(
            [(out - 0.03, top - 0.15), (out - 0.03, top - 0.2), (out - 0.14, top - 0.2), (out - 0.16, top - 0.15)],
            (228, 200, 190, 255),
        )
        canvas.bar(0.14, body.roof - 0.075, body.roof - 0.055, (170, 18, 16))
        return
    shape = [(out, top - 0.1), (out - 0.03, top - 0.24), (out - 0.28, top - 0.26), (out - 0.36, top - 0.14)]
    canvas.both(shape, (70, 76, 82, 255))
    canvas.both(
        [(out - 0.05, top - 0.13), (out - 0.07, top - 0.22), (out - 0.2, top - 0.23), (out - 0.24, top - 0.15)],
        (238, 240, 235, 255),
    )
    canvas.bar(body.half - 0.42, top - 0.28, top - 0.13, (24, 25, 27), 0.03)
    for index in range(4):
        canvas.bar(body.half - 0.45, top - 0.26 + index * 0.033, top - 0.252 + index * 0.033, (95, 98, 102), 0.0)


def _bumper(canvas: _Canvas, body: Body, rear: bool) -> None:
    canvas.whole([(body.half - 0.08, 0.24), (body.half - 0.02, 0.36), (body.half - 0.2, 0.40)], (28, 29, 31, 255))
    if rear:
        canvas.both(
            [(body.half - 0.1, 0.42), (body.half - 0.1, 0.45), (body.half - 0.3, 0.45), (body.half - 0.3, 0.42)],
            (150, 16, 14, 255),
        )
        canvas.bar(body.half - 0.06, 0.515, 0.522, (40, 40, 42), 0.0)
        canvas.bar(0.42, body.waist - 0.008, body.waist, (36, 36, 38), 0.0)
        canvas.both([(0.62, 0.26), (0.62, 0.31), (0.5, 0.31), (0.5, 0.26)], (120, 122, 125, 255))
    else:
        canvas.bar(body.half - 0.3, 0.29, 0.37, (14, 14, 15), 0.03)
        canvas.both(
            [(body.half - 0.1, 0.37), (body.half - 0.1, 0.43), (body.half - 0.2, 0.43), (body.half - 0.2, 0.37)],
            (215, 216, 205, 255),
        )
        canvas.both(
            [
                (body.half + 0.15, body.waist + 0.17),
                (body.half + 0.15, body.waist + 0.06),
                (body.half - 0.12, body.waist + 0.02),
                (body.half - 0.09, body.waist + 0.14),
            ],
            (38, 40, 43, 255),
        )
    canvas.draw.ellipse(
        (*canvas.at(-0.05, body.waist - 0.09), *canvas.at(0.05, body.waist - 0.19)), fill=(188, 190, 193, 255)
    )


@dataclass(frozen=True)
class VehicleLook:
    kind: str
    colour: Bgr
    plate: str
    style: PlateStyle

    def plate_y_m(self, rear: bool) -> float:
        """Height of the plate's middle above the road."""
        if not rear:
            return 0.47
        return BODIES[self.kind].waist - 0.34

    @property
    def half_width_m(self) -> float:
        return BODIES[self.kind].half

    @property
    def roof_m(self) -> float:
        return BODIES[self.kind].roof

    def sprite(self, rear: bool) -> Drawing:
        """Premultiplied BGRA at ``PX_PER_M``; its origin (middle, road level) is ``ORIGIN``."""
        body = BODIES[self.kind]
        canvas = _Canvas()
        _shadow(canvas, body)
        _wheels(canvas, body)
        _shade(canvas, body, self.colour)
        _window(canvas, body, rear)
        _bumper(canvas, body, rear)
        _lights(canvas, body, rear)
        middle = self.plate_y_m(rear)
        half, tall = self.style.width_m / 2 + 0.012, self.style.height_m / 2
        canvas.bar(half, middle - tall - 0.016, middle + tall + 0.01, (20, 21, 22), 0.01)
        picture = np.array(canvas.image.reduce(2))[..., [2, 1, 0, 3]]
        self._mount(picture, middle)
        alpha = picture[..., 3:].astype(np.float32) / 255
        picture[..., :3] = (picture[..., :3] * alpha).astype(np.uint8)
        return picture

    def _mount(self, picture: Drawing, middle: float) -> None:
        plate = draw_plate(self.plate, self.style, PX_PER_M)
        height, width = plate.shape[:2]
        x = round(ORIGIN[0] - width / 2)
        y = round(ORIGIN[1] - middle * PX_PER_M - height / 2)
        picture[y : y + height, x : x + width, :3] = plate


ORIGIN = (_HALF_WIDTH_M * PX_PER_M, _TOP_M * PX_PER_M)
