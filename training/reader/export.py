"""Weights to ONNX, checked against torch on the same inputs."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from training.reader.network import Reader
from training.reader.shapes import HEIGHT, WIDTH


class Exported(nn.Module):
    """``grey`` N x 48 x 144 uint8 to ``slots`` N x 10 x 37 (softmax, blank last) and ``legibility`` N in 0..1."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        slots, legible, _ = self.reader(grey.unsqueeze(1).float())
        return slots.softmax(2), legible.sigmoid()


def export(reader: Reader, out: Path) -> float:
    """Writes ``out``; the largest difference between torch and ONNX Runtime over 16 noisy inputs, at most 1e-3."""
    module = Exported(reader).eval()
    # the fused inference path of nn.TransformerEncoderLayer has no ONNX counterpart
    torch.backends.mha.set_fastpath_enabled(False)
    given = torch.randint(0, 256, (16, HEIGHT, WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    torch.onnx.export(
        module, (given,), str(out), input_names=["grey"], output_names=["slots", "legibility"],
        dynamic_axes={name: {0: "n"} for name in ("grey", "slots", "legibility")}, opset_version=17, dynamo=False,
    )  # fmt: skip
    with torch.no_grad():
        wanted = module(given)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    got = session.run(None, {"grey": given.numpy()})
    apart = max(float(np.abs(np.asarray(g) - w.numpy()).max()) for g, w in zip(got, wanted, strict=True))
    if apart > 1e-3:
        raise SystemExit(f"{out} answers otherwise than torch (by {apart:.2g}).")
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB, torch and ONNX Runtime apart by {apart:.1e}")
    return apart
