"""The detector's weights for ultralytics (GPU), as ONNX (CPU) and as full-integer TFLite (Jetson, Edge TPU)."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import MethodType
from typing import Any

import cv2
import torch
from torch import Tensor
from ultralytics import YOLO
from ultralytics.nn.tasks import DetectionModel

from dashcam.vision.detect.onnx_detector import letterbox

INT8_SIZE = 320


def plain_of(weights: Path, out: Path) -> None:
    """What training left, without its optimizer and of ultralytics' own class, so that ultralytics alone loads it.

    Without this machine's paths too, which ultralytics would write into every export.
    """
    kept = torch.load(weights, map_location="cpu", weights_only=False)
    model = kept.get("ema") or kept["model"]
    model.__class__ = DetectionModel
    told = {name: value for name, value in kept["train_args"].items() if "/" not in str(value)}
    model.args, model.pt_path = told, None
    torch.save({"model": model.half(), "train_args": told, "date": None, "version": kept["version"]}, out)


class Distances(torch.nn.Module):
    """The mean of each side's bins, weighed by softmax, as ultralytics' ``DFL`` gives it (``N x 4*bins x anchors`` to
    ``N x 4 x anchors``): both of its sums in one convolution.

    A softmax over an axis that is not the last takes ONNX Runtime an eighth of the integer network's time.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.sums = torch.nn.Conv1d(4 * bins, 8, 1, groups=4, bias=False)
        sums = torch.stack([torch.arange(bins, dtype=torch.float32), torch.ones(bins)])
        self.sums.weight = torch.nn.Parameter(sums.repeat(4, 1)[:, :, None], requires_grad=False)

    def forward(self, bins: Tensor) -> Tensor:
        sums = self.sums(bins.exp()).view(bins.shape[0], 4, 2, -1)
        return sums[:, :, 0] / sums[:, :, 1]


def onnx_of(weights: Path, out: Path) -> None:
    """Any input that is a multiple of 32; see `dashcam.vision.detect.onnx_detector.plates_of` for what comes out."""
    network = YOLO(weights)
    head = network.model.model[-1]
    head.dfl = Distances(head.reg_max)
    made = Path(network.export(format="onnx", dynamic=True, simplify=True, opset=17))
    if made.resolve() != out.resolve():
        shutil.move(made, out)


def int8_of(weights: Path, out: Path, pictures: Sequence[Path], size: int = INT8_SIZE) -> None:
    """Weights, activations, input and outputs in 8 bits, calibrated on ``pictures``.

    Boxes (1 x 4 x N, shares of the input) and scores (1 x classes x N) are two outputs: ultralytics' own export joins
    them before it divides by the size, and one scale for both leaves scores no value between 0 and 0.5.
    """
    import litert_torch
    from ai_edge_quantizer import quantizer, recipe

    network: Any = YOLO(weights).model.float().fuse().eval()
    head = network.model[-1]
    head.export, head.format = True, "tflite"

    def apart(self: Any, x: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        return self._get_decode_boxes(x) / size, x["scores"].sigmoid()

    head._inference = MethodType(apart, head)
    samples = [letterbox(cv2.imread(str(picture)), size, square=True)[0] for picture in pictures]
    with torch.no_grad():
        network(torch.from_numpy(samples[0]))  # anchors are made at the first look
        litert_torch.convert(network, (torch.from_numpy(samples[0]),)).export(str(out))
    integers = quantizer.Quantizer(str(out))
    integers.load_quantization_recipe(recipe.static_wi8_ai8())
    seen = integers.calibrate({"serving_default": [{"args_0": sample} for sample in samples]})
    integers.quantize(calibration_result=seen).export_model(str(out), overwrite=True)
