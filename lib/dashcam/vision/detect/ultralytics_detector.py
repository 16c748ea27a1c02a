"""The plate detector in ultralytics on torch: the GPU's engine. Needs the extra ``gpu``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dashcam.media.images import Image
from dashcam.vision.detect.onnx_detector import MIN_SCORE, input_size, inside
from dashcam.vision.engines import Detection, MissingWeights, hash_of

PLATE = 0


class UltralyticsDetector:
    """The same network from its ``.pt`` file, on CUDA in half precision, else on the CPU in single.

    ``batch`` frames are given at once; frames of one shape make a batch. Boxes are those of `OnnxPlateDetector` within
    two pixels and scores within 0.02 (half precision: 0.05), see tests/torch.
    """

    def __init__(
        self, weights: Path, *, size: int = 640, batch: int = 8, device: str | None = None,
        min_score: float = MIN_SCORE, max_iou: float = 0.5,
    ) -> None:  # fmt: skip
        try:
            import torch
            from ultralytics import YOLO
        except ImportError as error:
            raise MissingWeights(f"The engine ultralytics needs the extra 'gpu' ({error.name} is missing).") from error
        if not weights.is_file():
            raise MissingWeights(
                f"The weights {weights} are not there; name others in the device's gpu.yolo_model_path."
            )
        self.name = weights.stem
        self.sha256 = hash_of(weights, weights.read_bytes())
        self.device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
        self._size, self._batch = size, batch
        self._network: Any = YOLO(weights, task="detect")
        if "plate" not in (first := self._network.names[PLATE]):
            raise MissingWeights(f"The weights {weights} find {first}s first, not plates; name others or none.")
        self._options = {
            "conf": min_score, "iou": max_iou, "classes": [PLATE], "verbose": False, "device": self.device,
            "half": self.device != "cpu",
        }  # fmt: skip

    def side(self, width: int, height: int) -> int:
        return input_size(width, height, self._size)

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        found: list[list[Detection]] = [[] for _ in images]
        for shape in dict.fromkeys(image.shape for image in images):
            alike = [i for i, image in enumerate(images) if image.shape == shape]
            for start in range(0, len(alike), self._batch):
                some = alike[start : start + self._batch]
                height, width = images[some[0]].shape[:2]
                size = side or self.side(width, height)
                answers = self._network.predict([images[i] for i in some], imgsz=size, **self._options)
                for i, answer in zip(some, answers, strict=True):
                    found[i] = _plates(answer, images[i])
        return found


def _plates(answer: Any, image: Image) -> list[Detection]:
    height, width = image.shape[:2]
    boxes, scores = answer.boxes.xyxy.cpu().numpy(), answer.boxes.conf.cpu().numpy()
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = [inside(box, float(score), width, height) for box, score in zip(sized, scores, strict=True)]
    return sorted((d for d in kept if d), key=lambda d: (-d.score, d.box))
