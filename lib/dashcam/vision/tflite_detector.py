"""The plate detector as an integer TFLite network: the Jetson stage's engine, on an Edge TPU or on the CPU."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashcam.media.images import Image
from dashcam.vision.engines import Detection, MissingWeights
from dashcam.vision.plate_detector import letterbox, plates_of

EDGE_TPU = "libedgetpu.so.1"


class TfliteDetector:
    """``1 x 3 x S x S`` RGB in 0..1 to boxes ``1 x 4 x N`` in shares of the input and scores ``1 x classes x N``, as
    8-bit integers where the file has them so (training/detector/export.py).

    With ``edge_tpu`` the operations that were compiled for it run there (LiteRT with Google's delegate; a Coral that is
    not there raises `MissingWeights`), else all run on the CPU. Integers round: scores lie within 0.1 of the ONNX ones.
    """

    def __init__(
        self, weights: Path, *, edge_tpu: bool = False, threads: int = 1, min_score: float = 0.25, max_iou: float = 0.5
    ) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter, load_delegate
        except ImportError as error:
            raise MissingWeights("The engine tflite needs the extra 'jetson' (ai-edge-litert is missing).") from error
        if not weights.is_file():
            raise MissingWeights(f"The weights {weights} are not there; make them with 'make train-detector'.")
        self.name = weights.stem
        self.sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
        self._min_score, self._max_iou = min_score, max_iou
        try:
            delegates = [load_delegate(EDGE_TPU)] if edge_tpu else []
            self._network: Any = Interpreter(str(weights), num_threads=threads, experimental_delegates=delegates)
            self._network.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            where = "the Coral does not answer" if edge_tpu else "the file is damaged or no TFLite network"
            raise MissingWeights(f"{weights} cannot be loaded: {where} ({error}).") from error
        (self._given,) = self._network.get_input_details()
        self._boxes, self._scores = sorted(self._network.get_output_details(), key=lambda part: part["shape"][1] != 4)
        self._size = int(self._given["shape"][2])

    def side(self, width: int, height: int) -> int:
        return self._size

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> list[Detection]:
        tensor, frame = letterbox(image, self._size, square=True)
        self._network.set_tensor(self._given["index"], _quantized(tensor, self._given))
        self._network.invoke()
        boxes, scores = (
            _real(self._network.get_tensor(part["index"]), part)[0] for part in (self._boxes, self._scores)
        )
        return plates_of(np.concatenate([boxes * self._size, scores]), frame, self._min_score, self._max_iou)


def _quantized(values: NDArray[np.float32], tensor: Any) -> NDArray[Any]:
    if tensor["dtype"] == np.float32:
        return values
    scale, zero = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    rounded: NDArray[Any] = np.clip(np.round(values / scale + zero), limits.min, limits.max).astype(tensor["dtype"])
    return rounded


def _real(values: NDArray[Any], tensor: Any) -> NDArray[np.float32]:
    if values.dtype == np.float32:
        return values
    scale, zero = tensor["quantization"]
    return (values.astype(np.float32) - np.float32(zero)) * np.float32(scale)
