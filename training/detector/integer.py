"""``python -m training.detector.integer``: ``models/plate-detector-int8.onnx`` from the float ``plate-detector.onnx``.

For x86 processors with VNNI: 0.4 of the float network's time. What puts boxes and scores together stays in floats.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from dashcam.vision.detect.onnx_detector import INTEGER, default_weights, letterbox
from training.detector.pictures import pictures

HEAD = "/model.22/"
"""Ultralytics' name of YOLOv8's last block."""
IN_INTEGERS = tuple(
    f"{HEAD}cv{branch}.{scale}/cv{branch}.{scale}.{layer}/" for branch in (2, 3)
    for scale in (0, 1, 2) for layer in (0, 1)
)  # fmt: skip
"""Of the head only the first two convolutions of each branch; their sums, shares and boxes need more than 8 bits."""
SAMPLES = 64


class CalibrationSamples(CalibrationDataReader):
    """The detector's input for each picture."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._tensors: Iterator[NDArray[np.float32]] = (letterbox(cv2.imread(str(file)), 640)[0] for file in files)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        tensor = next(self._tensors, None)
        return None if tensor is None else {"images": tensor}


def integer_of(weights: Path, out: Path, files: Sequence[Path]) -> None:
    """Weights per channel and activations in 8 bits, calibrated on the pictures ``files``."""
    with TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(str(weights), str(plain), skip_symbolic_shape=True)
        head = [node.name for node in onnx.load(plain).graph.node if node.name.startswith(HEAD)]
        quantize_static(
            str(plain), str(out), CalibrationSamples(files), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            nodes_to_exclude=[name for name in head if not name.startswith(IN_INTEGERS)],
        )  # fmt: skip


def learnt(data: Path) -> list[Path]:
    """A few, from all sets, of the pictures that the detector learnt from."""
    known = sorted((picture for picture in pictures(data) if not picture.held_out), key=lambda picture: picture.name)
    return [picture.image for picture in known[::20][:SAMPLES]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("DASHCAM_SHARED") or "../shared")
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--weights", type=Path, default=default_weights())
    args = parser.parse_args()
    integer_of(args.weights, args.weights.with_name(INTEGER), learnt(args.data))


if __name__ == "__main__":
    main()
