"""Still images: the one array form the project uses, and JPEG files of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H x W x 3 (BGR) or H x W (gray), 8 bits."""


def jpeg(image: Image, quality: int = 92) -> bytes:
    """The image as a JPEG file; ``quality`` in percent. The same image gives the same bytes."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as JPEG")
    return bytes(data.tobytes())


def at_most(image: Image, width: int) -> Image:
    """The image, made smaller to that width if it is wider, its shape kept."""
    height, own = image.shape[:2]
    if own <= width:
        return image
    size = (width, max(1, round(height * width / own)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
