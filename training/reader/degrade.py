"""What cameras, weather and codecs do to a plate, on grey images."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.reader.shapes import HEIGHT, WIDTH

Grey = NDArray[np.uint8]
Random = np.random.Generator


def degraded(image: Grey, rng: Random, height: float, harm: float) -> Grey:
    """``image`` as seen ``height`` pixels high through blur, light, noise and JPEG; ``harm``, 0 to 1, scales them."""
    if rng.random() < 0.35 * harm:
        image = _smeared(image, rng, harm)
    if rng.random() < 0.5 * harm:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 0.4 + 2.2 * harm)) * image.shape[0] / 64)
    rows = max(8, min(round(height), image.shape[0]))
    columns = max(16, round(image.shape[1] * rows / image.shape[0]))
    seen = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    seen = _lit(seen, rng, harm)
    if rng.random() < 0.7:
        seen += np.float32(rng.uniform(1, 2 + 12 * harm)) * rng.standard_normal(seen.shape, np.float32)
    out: Grey = np.clip(seen, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.uniform(95 - 65 * harm, 96))
        out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    return out


def fitted(image: Grey) -> Grey:
    """The network's input, stretched exactly as the engine does it."""
    interpolation = cv2.INTER_AREA if image.shape[0] > HEIGHT else cv2.INTER_CUBIC
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=interpolation)


def _smeared(image: Grey, rng: Random, harm: float) -> Grey:
    length = max(2, round(rng.uniform(2, 3 + 9 * harm) * image.shape[0] / 64))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    # mostly sideways, as a moving car smears
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(rng.normal(0, 25)), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-3))


def _lit(seen: NDArray[np.float32], rng: Random, harm: float) -> NDArray[np.float32]:
    """Exposure and contrast, a shadow's or the sun's gradient, a lamp's glare."""
    rows, columns = seen.shape
    low, high = float(seen.min()), float(seen.max())
    seen = ((seen - low) / max(high - low, 1)) ** float(np.exp(rng.normal(0, 0.35 * harm)))
    contrast = rng.uniform(255 - 225 * harm, 255)
    seen = seen * np.float32(contrast) + np.float32(rng.uniform(0, 255 - contrast))
    if rng.random() < 0.3:
        across = np.linspace(-1, 1, columns, dtype=np.float32) * rng.normal(0, 50 * harm)
        seen += across + (np.linspace(-1, 1, rows, dtype=np.float32) * rng.normal(0, 50 * harm))[:, None]
    if rng.random() < 0.12 * harm:
        x, y = rng.uniform(0, columns), rng.uniform(0, rows)
        near = ((np.arange(columns) - x)[None] ** 2 + (np.arange(rows) - y)[:, None] ** 2) / rows**2
        seen += np.float32(rng.uniform(60, 240)) * np.exp(-near * rng.uniform(1, 20)).astype(np.float32)
    return seen
