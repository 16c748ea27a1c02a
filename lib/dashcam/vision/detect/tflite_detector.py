"""The plate detector as an integer TFLite network: the Jetson stage's engine, on an Edge TPU or on the CPU."""

import ctypes
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashcam.config.model import CoralSettings, DeviceSettings
from dashcam.media.images import Image
from dashcam.vision.detect.onnx_detector import default_weights, letterbox, plates_of
from dashcam.vision.engines import Detection, EngineLost, MissingWeights, hash_of

CPU_WEIGHTS = "plate-detector-int8.tflite"
EDGE_WEIGHTS = "plate-detector-int8_edgetpu.tflite"
"""As Google's compiler names what it makes of the other."""
EDGE_TPU = "libedgetpu.so.1"
COMPILED = b"edgetpu-custom-op"
"""The operation that Google's compiler puts in the place of those the Edge TPU does."""


NO_DRIVER = (
    f"The Edge TPU's driver {EDGE_TPU} is not installed: install libedgetpu, or let the device's 'proposals' or "
    "'detector_engine' name another engine."
)


class TfliteNetwork:
    """``1 x 3 x S x S`` RGB bytes to boxes ``4 x N`` in pixels of the input and scores ``classes x N``
    (training/detector/export.py).

    With ``edge_tpu`` the operations that were compiled for it run there (LiteRT with Google's delegate), else all run
    on the CPU. Integers round: scores lie within 0.1 of the ONNX ones. Raises `MissingWeights`; `EngineLost` when a
    Coral that was there is gone.
    """

    def __init__(
        self, weights: Path, *, edge_tpu: bool = False, coral: CoralSettings | None = None, threads: int = 1
    ) -> None:
        if edge_tpu and not has_driver():
            raise MissingWeights(NO_DRIVER)
        content = bytes_of(weights, edge_tpu)
        self.edge_tpu = edge_tpu
        self.sha256 = hash_of(weights, content)
        device = coral.delegate_device if coral else None
        self._network = edge_tpu_interpreter(weights, device) if edge_tpu else cpu_interpreter(weights, threads)
        (self._given,) = self._network.get_input_details()
        self._boxes, self._scores = sorted(self._network.get_output_details(), key=lambda part: part["shape"][1] != 4)
        self.size = int(self._given["shape"][2])
        self._table = _quantized(np.arange(256, dtype=np.float32) / np.float32(255), self._given)

    def answers(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (cx, cy, w, h) and scores of one picture."""
        try:
            self._network.set_tensor(self._given["index"], self._table[pixels])
            self._network.invoke()
        except (RuntimeError, ValueError) as error:
            where = "The Coral does not answer any more: plug it in again" if self.edge_tpu else "LiteRT failed"
            raise EngineLost(f"{where} ({error}).") from error
        boxes, scores = (
            _real(self._network.get_tensor(part["index"]), part)[0] for part in (self._boxes, self._scores)
        )
        return boxes * self.size, scores


class TfliteDetector:
    """`TfliteNetwork` as a detector of plates in whole frames. Raises as it does."""

    def __init__(
        self,
        weights: Path,
        *,
        edge_tpu: bool = False,
        coral: CoralSettings | None = None,
        threads: int = 1,
        min_score: float = 0.25,
        max_iou: float = 0.5,
    ) -> None:
        self.name = weights.stem
        self._network = TfliteNetwork(weights, edge_tpu=edge_tpu, coral=coral, threads=threads)
        self.sha256 = self._network.sha256
        self._min_score, self._max_iou = min_score, max_iou

    def side(self, width: int, height: int) -> int:
        return self._network.size

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> list[Detection]:
        tensor, frame = letterbox(image, self._network.size, square=True)
        boxes, scores = self._network.answers(np.rint(tensor * 255).astype(np.uint8))
        return plates_of(np.concatenate([boxes, scores]), frame, self._min_score, self._max_iou)


def weights_for(named: Path | None, edge_tpu: bool) -> Path:
    """The file that was named, if it is for TFLite; else ours, compiled or not."""
    if named is not None and named.suffix == ".tflite":
        return named
    return default_weights().with_name(EDGE_WEIGHTS if edge_tpu else CPU_WEIGHTS)


def cpu_interpreter(weights: Path, threads: int) -> Any:
    litert = _litert()
    try:
        network = litert.Interpreter(str(weights), num_threads=threads)
        network.allocate_tensors()
    except (OSError, ValueError, RuntimeError) as error:
        raise MissingWeights(f"{weights} is damaged or no TFLite network ({error}); restore the file.") from error
    return network


def edge_tpu_interpreter(weights: Path, device: str | None = None) -> Any:
    """By Google's pycoral where it is installed, because it comes with the runtime that fits its driver; else by
    LiteRT. ``device`` is `CoralSettings.delegate_device`. Raises `MissingWeights`."""
    make = _pycoral() or _delegating
    try:
        network = make(str(weights), device)
        network.allocate_tensors()
    except (OSError, ValueError, RuntimeError) as error:
        raise MissingWeights(f"The Coral does not answer: plug it in, and pass its USB bus on ({error}).") from error
    return network


def _delegating(weights: str, device: str | None) -> Any:
    litert = _litert()
    options = {} if device is None else {"device": device}
    return litert.Interpreter(weights, experimental_delegates=[litert.load_delegate(EDGE_TPU, options)])


def _litert() -> Any:
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise MissingWeights("The engine tflite needs the extra 'jetson' (ai-edge-litert is missing).") from error
    return interpreter


def _pycoral() -> Any:
    """Google's `make_interpreter`; None without it. The `pycoral` of the package index is another program."""
    try:
        from pycoral.utils.edgetpu import make_interpreter
    except ImportError:
        return None
    return make_interpreter


def has_driver() -> bool:
    try:
        ctypes.CDLL(EDGE_TPU)
    except OSError:
        return False
    return True


def no_coral(device: DeviceSettings) -> str | None:
    """What the Coral that the device's settings ask for lacks, the stick aside: one sentence; None where nothing is
    missing or none is asked for."""
    asked = device.proposals == "edgetpu" or (device.proposals == "auto" and device.coral is not None)
    asked = asked or (device.detector_engine == "tflite" and device.coral is not None)
    if not asked:
        return None
    if find_spec("ai_edge_litert") is None:
        return "LiteRT, which runs networks on the Coral, is not installed: install the extra jetson."
    if not has_driver():
        return NO_DRIVER
    if not (weights := weights_for(device.detector_weights, edge_tpu=True)).is_file():
        return f"The network for the Coral, {weights}, is not there: make it with deploy/compile_edgetpu.sh."
    return None


def bytes_of(weights: Path, edge_tpu: bool) -> bytes:
    """The network's file, which must be compiled for the Edge TPU or not. Raises `MissingWeights`."""
    try:
        content = weights.read_bytes()
    except OSError as error:
        how = "deploy/compile_edgetpu.sh" if edge_tpu else "make train-detector"
        raise MissingWeights(
            f"The weights {weights} cannot be read ({error.strerror}); make them with {how}."
        ) from error
    if edge_tpu and COMPILED not in content:
        raise MissingWeights(f"{weights} is not compiled for the Edge TPU: deploy/compile_edgetpu.sh does it.")
    if not edge_tpu and COMPILED in content:
        raise MissingWeights(f"{weights} is compiled for the Edge TPU and runs on nothing else; name another file.")
    return content


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
