"""What a detector and a reader of plates are, whatever runs underneath, and how ONNX weights become one."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dashcam import Explained
from dashcam.media.images import Image
from dashcam.records import Box, CharacterProbabilities

if TYPE_CHECKING:
    import onnxruntime


SUMS = "SHA256SUMS"
"""As the program sha256sum writes it, in the folder of the weights; a folder of other weights need have none."""


class MissingWeights(Explained):
    """An engine has nothing to run with. A failure of the device, never "no plates"."""


class EngineLost(Exception):
    """An engine that was there stopped answering. A failure of the device, never "no plates"."""


@dataclass(frozen=True)
class Detection:
    """``box`` in pixels of the image that was given, inside it; ``score`` from 0 to 1."""

    box: Box
    score: float

    def moved(self, x: float, y: float) -> "Detection":
        """The same in a picture of which the one that was looked at is the part that begins at ``x``, ``y``."""
        x0, y0, x1, y1 = self.box
        return Detection((x0 + x, y0 + y, x1 + x, y1 + y), self.score)


@dataclass(frozen=True)
class PlateText:
    """What a reader sees on one crop. ``confidence`` is the engine's own, 0 to 1; ``probabilities`` has one entry per
    character of ``text``, whose most likely character it is."""

    text: str
    confidence: float
    probabilities: CharacterProbabilities


class Detector(Protocol):
    """Finds plates in whole frames. ``name`` and ``sha256`` say which weights did it."""

    name: str
    sha256: str

    def side(self, width: int, height: int) -> int:
        """Longer side at which it looks at frames of that size: more than that need not be given to it."""
        ...

    def detect(self, images: Sequence[Image], side: int | None = None) -> list[list[Detection]]:
        """One list for each image, best first. ``side`` is that of the frames these images are small copies of."""
        ...


class PlateReader(Protocol):
    """Reads crops of plates; text is A-Z and 0-9 only, empty when nothing was read."""

    name: str
    sha256: str

    def read(self, crops: Sequence[Image]) -> list[PlateText]:
        """One result for each crop."""
        ...


def iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, width) * max(0.0, height)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0.0


def shipped_weights(name: str, otherwise: str) -> Path:
    """``models/<name>`` of the checkout, or of the installed package. Raises `MissingWeights`, which says what to do
    ``otherwise``."""
    for folder in (Path(__file__).parents[3] / "models", Path(str(files("dashcam"))) / "models"):
        if (folder / name).is_file():
            return folder / name
    raise MissingWeights(f"models/{name} is missing; {otherwise}.")


def hash_of(weights: Path, content: bytes) -> str:
    """The SHA-256 of weights as hex. Raises `MissingWeights` where ``SHA256SUMS`` beside them says otherwise: with a
    few flipped bits they are a network like any other, which finds other plates."""
    found = hashlib.sha256(content).hexdigest()
    with suppress(OSError):
        for line in (weights.parent / SUMS).read_text(encoding="utf-8").splitlines():
            wanted, _, name = line.partition("  ")
            if name == weights.name and wanted != found:
                raise MissingWeights(
                    f"The weights {weights} are not those that {SUMS} beside them tells of: restore the file, or "
                    "correct its line there if they are meant to be others."
                )
    return found


def load_onnx(weights: Path, threads: int) -> tuple["onnxruntime.InferenceSession", str]:
    """An ONNX Runtime session on the CPU and the SHA-256 of its weights; ``threads`` 0 means all cores.

    Raises `MissingWeights` when the file is not there or is not a network.
    """
    import onnxruntime  # 0.2 s that a stage without it saves

    onnxruntime.disable_telemetry_events()  # Windows knows no variable for it
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise MissingWeights(
            f"The weights {weights} cannot be read ({error.strerror}); "
            "restore the file or name another in the device's settings."
        ) from error
    sha256 = hash_of(weights, content)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0])
    options.inter_op_num_threads = 1
    # spinning threads would take the cores from the decoder and the encoder that run beside
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exception classes are not public
        raise MissingWeights(f"The weights {weights} are damaged or no ONNX network; restore the file.") from error
    return session, sha256
