"""Pictures of a street's surfaces, seen flat: the road from above, the house fronts, the sky, trees and lamp posts.

One period of the street is ``PERIOD_M`` long; everything that stands in it repeats after that.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dashcam.sample.plates import Bgr, Drawing

PERIOD_M = 120.0
ROAD_PX_PER_M = 28
WALL_PX_PER_M = 22
WALL_HEIGHT_M = 15.0
LEFT_M, RIGHT_M = -11.0, 8.0
"""Where the house fronts stand, in metres from the middle of our own lane; x points to the right."""
ROAD_LEFT_M = LEFT_M - 4
CENTRE_LINE_M, LEFT_KERB_M, RIGHT_KERB_M, PAVEMENT_M = -1.65, -5.0, 1.75, 4.0
TREES: tuple[tuple[float, float], ...] = tuple(
    [(6.0, s) for s in (6, 25, 41, 62, 83, 101)] + [(-8.4, s) for s in (12, 31, 52, 72, 90, 112)]
)
LAMPS: tuple[tuple[float, float], ...] = ((4.6, 16.0), (4.6, 74.0), (-7.4, 46.0), (-7.4, 104.0))
BRICKS: tuple[Bgr, ...] = (
    (58, 72, 128),
    (70, 92, 150),
    (52, 58, 96),
    (96, 120, 160),
    (150, 172, 190),
    (66, 62, 74),
    (84, 104, 122),
    (128, 150, 176),
)


def _noise(rng: np.random.Generator, shape: tuple[int, int], grain: int, strength: float) -> NDArray[np.float32]:
    """Smooth noise with features about ``grain`` pixels wide."""
    small = rng.normal(0, strength, (max(2, shape[0] // grain), max(2, shape[1] // grain))).astype(np.float32)
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _textured(rng: np.random.Generator, picture: Drawing, strength: float) -> Drawing:
    shape = picture.shape[:2]
    noise = (
        _noise(rng, shape, 1, strength)
        + _noise(rng, shape, 24, strength * 0.8)
        + _noise(rng, shape, 90, strength * 0.7)
    )
    return np.asarray(np.clip(picture + noise[..., None], 0, 255), np.uint8)


def road(rng: np.random.Generator) -> Drawing:
    """From above: rows run along the street, columns from ``ROAD_LEFT_M`` to ``RIGHT_M`` + 4."""
    left = ROAD_LEFT_M
    size = (round(PERIOD_M * ROAD_PX_PER_M), round((RIGHT_M + 4 - left) * ROAD_PX_PER_M))
    picture = np.full((*size, 3), (86, 84, 82), np.uint8)

    def strip(x0: float, x1: float, colour: Bgr, s0: float = 0, s1: float = PERIOD_M) -> None:
        a, b = round((x0 - left) * ROAD_PX_PER_M), round((x1 - left) * ROAD_PX_PER_M)
        picture[round(s0 * ROAD_PX_PER_M) : round(s1 * ROAD_PX_PER_M), a:b] = colour

    strip(left, LEFT_KERB_M - 2.0, (128, 134, 138))
    strip(LEFT_KERB_M - 2.0, LEFT_KERB_M - 0.15, (72, 78, 132))
    strip(LEFT_KERB_M - 0.15, LEFT_KERB_M, (168, 172, 174))
    strip(RIGHT_KERB_M, PAVEMENT_M, (104, 100, 104))
    strip(PAVEMENT_M, PAVEMENT_M + 0.15, (168, 172, 174))
    strip(PAVEMENT_M + 0.15, RIGHT_M + 4, (130, 136, 140))
    for s in np.arange(0, PERIOD_M, 0.6):  # paving joints
        strip(PAVEMENT_M + 0.15, RIGHT_M + 4, (112, 117, 121), s, s + 0.04)
        strip(left, LEFT_KERB_M - 2.0, (110, 116, 120), s, s + 0.04)
    picture = _textured(rng, picture, 7.0)
    for s in np.arange(0, PERIOD_M, 6.0):
        strip(CENTRE_LINE_M - 0.06, CENTRE_LINE_M + 0.06, (222, 224, 224), s, s + 2.6)
        strip(RIGHT_KERB_M + 0.02, PAVEMENT_M, (210, 212, 212), s, s + 0.1)
    strip(RIGHT_KERB_M - 0.05, RIGHT_KERB_M + 0.05, (205, 207, 207))
    return _shaded(rng, picture)


def _shaded(rng: np.random.Generator, picture: Drawing) -> Drawing:
    """Tyre tracks, patches and the trees' shadows."""
    light, left = np.ones(picture.shape[:2], np.float32), ROAD_LEFT_M
    for x in (-0.75, 0.75, -4.1, -2.6):
        column = round((x - left) * ROAD_PX_PER_M)
        light[:, column - 8 : column + 8] *= 0.92
    for _ in range(14):
        x, s = rng.uniform(-5, 1.2), rng.uniform(2, PERIOD_M - 6)
        a, b = round((x - left) * ROAD_PX_PER_M), round(s * ROAD_PX_PER_M)
        light[b : b + int(rng.integers(20, 140)), a : a + int(rng.integers(15, 60))] *= rng.uniform(0.8, 1.12)
    for x, s in TREES:
        for _ in range(26):
            centre = (
                round((x - 1.6 + rng.normal(0, 1.0) - left) * ROAD_PX_PER_M),
                round((s + rng.normal(0, 1.1)) * ROAD_PX_PER_M),
            )
            cv2.circle(light, centre, int(rng.integers(6, 22)), 0.62, -1)
    light = cv2.GaussianBlur(light, (0, 0), 3)
    return np.asarray(np.clip(picture * light[..., None], 0, 255), np.uint8)


def _window(picture: Drawing, x: int, y: int, width: int, height: int, rng: np.random.Generator) -> None:
    cv2.rectangle(picture, (x - 2, y - 2), (x + width + 1, y + height + 1), (214, 220, 222, 255), -1)
    top = np.array([150, 140, 128]) * rng.uniform(0.5, 1.1)
    glass = np.linspace(1, 0.35, height)[:, None, None] * top
    picture[y : y + height, x : x + width, :3] = np.clip(glass, 0, 255).astype(np.uint8)
    cv2.line(picture, (x + width // 2, y), (x + width // 2, y + height), (205, 212, 214, 255), 1)
    cv2.line(picture, (x, y + height // 3), (x + width, y + height // 3), (205, 212, 214, 255), 1)


def _house(picture: Drawing, x0: int, x1: int, top: int, rng: np.random.Generator) -> None:
    """One front between columns ``x0`` and ``x1``, its eaves at row ``top``; alpha marks what is house."""
    bottom = picture.shape[0]
    brick = np.array(BRICKS[int(rng.integers(len(BRICKS)))]) * rng.uniform(0.85, 1.2)
    picture[top:, x0:x1, :3] = np.clip(brick, 0, 255)
    picture[top:, x0:x1, 3] = 255
    middle, gable = (x0 + x1) // 2, int(rng.integers(15, 45))
    roof = np.array([[x0, top], [middle - 14, top - gable], [middle + 14, top - gable], [x1, top]], np.int32)
    colour = tuple(float(v) for v in np.clip(brick * 0.8, 0, 255))
    cv2.fillPoly(picture, [roof], (*colour[:3], 255.0))
    picture[top : top + 4, x0:x1, :3] = (200, 206, 208)
    picture[top:, x0 : x0 + 2, :3] = np.clip(brick * 0.55, 0, 255)
    step = WALL_PX_PER_M * 3
    columns = max(2, (x1 - x0) // 40)
    for row in range(top + 14, bottom - step, step):
        for column in range(columns):
            x = x0 + round((column + 0.5) * (x1 - x0) / columns) - 11
            _window(picture, x, row, 22, 40, rng)
    door = x0 + 14
    cv2.rectangle(
        picture, (door, bottom - 52), (door + 22, bottom), (*[float(v) for v in rng.integers(20, 90, 3)], 255.0), -1
    )
    shop = (door + 34, bottom - 46, max(20, x1 - door - 48), 34)
    _window(picture, *shop, rng)
    if rng.random() < 0.45:
        awning = tuple(float(v) for v in rng.integers(40, 190, 3))
        cv2.rectangle(picture, (shop[0] - 4, shop[1] - 12), (shop[0] + shop[2] + 4, shop[1] - 2), (*awning, 255.0), -1)


def facade(rng: np.random.Generator) -> Drawing:
    """A row of house fronts: BGRA, columns run along the street, the last row is the pavement."""
    size = (round(WALL_HEIGHT_M * WALL_PX_PER_M), round(PERIOD_M * WALL_PX_PER_M))
    picture = np.zeros((*size, 4), np.uint8)
    x = 0
    while x < size[1]:
        width = min(int(rng.integers(105, 190)), size[1] - x)
        if size[1] - x - width < 100:
            width = size[1] - x
        _house(picture, x, x + width, int(rng.integers(50, 130)), rng)
        x += width
    picture[..., :3] = _textured(rng, np.ascontiguousarray(picture[..., :3]), 6.0)
    return picture


def sky(rng: np.random.Generator, height: int, width: int) -> Drawing:
    """The sky down to the horizon with clouds and a line of far roofs and trees; left and right edges meet."""
    part = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture = np.array([214, 158, 108], np.float32) * (1 - part) + np.array([232, 222, 212], np.float32) * part
    picture = np.repeat(picture, width, 1)
    clouds = sum(_noise(rng, (height, width), grain, grain / 160) for grain in (160, 80, 40, 20))
    cover = np.clip(np.asarray(clouds) * 0.6 - 0.1, 0, 0.85)[..., None] * (1 - part * 0.5)
    picture = picture * (1 - cover) + 246 * cover
    for colour, lift in (((176, 168, 158), 34), ((128, 134, 120), 20)):
        edge = height - lift - np.abs(np.cumsum(rng.normal(0, 2.0, width)) % 40 - 20)
        picture[np.arange(height)[:, None] > edge[None, :]] = colour
    seam = np.linspace(0, 1, 120, dtype=np.float32)[None, :, None]
    picture[:, -120:] = picture[:, -120:] * (1 - seam) + picture[:, :1] * seam
    return np.asarray(picture, np.uint8)


def tree(rng: np.random.Generator, px_per_m: int = 60) -> Drawing:
    """Premultiplied BGRA, 5 m wide and 7.5 m high; the trunk stands in the middle of the last row."""
    height, width = round(7.5 * px_per_m), 5 * px_per_m
    picture = np.zeros((height, width, 4), np.uint8)
    trunk = np.array(
        [
            [width // 2 - 11, height],
            [width // 2 - 5, height // 2],
            [width // 2 + 5, height // 2],
            [width // 2 + 11, height],
        ]
    )
    cv2.fillPoly(picture, [trunk.astype(np.int32)], (42, 52, 66, 255), cv2.LINE_AA)
    for index in range(420):
        angle, radius = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        x = width / 2 + np.cos(angle) * radius * width * 0.42
        y = height * 0.36 + np.sin(angle) * radius * height * 0.31
        light = 0.55 + 0.5 * (1 - y / (height * 0.7)) + rng.normal(0, 0.09) + 0.12 * index / 420
        colour = [float(np.clip(part * light, 0, 255)) for part in (46, 128, 96)]
        cv2.circle(picture, (round(x), round(y)), int(rng.integers(7, 22)), (*colour, 255), -1, cv2.LINE_AA)
    return picture


def lamp(px_per_m: int = 60) -> Drawing:
    """Premultiplied BGRA, 2 m wide and 6 m high, the post in the middle."""
    picture = np.zeros((6 * px_per_m, 2 * px_per_m, 4), np.uint8)
    x = px_per_m
    cv2.line(picture, (x, 6 * px_per_m), (x, 24), (70, 74, 74, 255), 6, cv2.LINE_AA)
    cv2.rectangle(picture, (x - 34, 8), (x + 8, 22), (88, 92, 94, 255), -1)
    cv2.rectangle(picture, (x - 30, 20), (x - 6, 25), (205, 225, 232, 255), -1)
    return picture
