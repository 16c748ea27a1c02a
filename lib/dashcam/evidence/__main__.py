"""``python -m dashcam.evidence ORDER TARGET``: makes one bundle in a process of its own, which may take minutes and
lets everything else go first. Prints the share that is through, a line each time; one sentence and 1 when it cannot."""

import os
import sys
import tempfile
from pathlib import Path

from dashcam import Explained
from dashcam.evidence.bundle import make
from dashcam.evidence.order import Order
from dashcam.media.encode import EncodeError
from dashcam.vision.engines import Detector

NICE = 10


def plate_detector() -> Detector:
    """The CPU's, from a lower score on than where plates are looked for: one too many is blurred rather than one
    too few."""
    from dashcam.vision.detect.onnx_detector import OnnxPlateDetector, quickest_weights

    return OnnxPlateDetector(quickest_weights(), min_score=BLUR_FROM)


BLUR_FROM = 0.15


def main(order_file: Path, target: Path) -> int:
    if hasattr(os, "nice"):
        os.nice(NICE)
    order = Order.model_validate_json(order_file.read_bytes())
    told = -1

    def tell(share: float) -> None:
        nonlocal told
        if (percent := int(100 * share)) > told:
            told = percent
            print(percent, flush=True)

    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            make(order, target, Path(scratch), plate_detector, tell)
    except (Explained, EncodeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
