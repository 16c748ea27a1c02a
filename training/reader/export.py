"""Weights to ONNX with a calibrated legibility, checked against torch on the same inputs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from training.reader.network import Reader
from training.reader.plates import Sample
from training.reader.shapes import ALPHABET, HEIGHT, WIDTH


class Exported(nn.Module):
    """``grey`` N x 48 x 144 uint8 to ``slots`` N x 10 x 37 (softmax, blank last) and ``legibility`` N in 0..1."""

    def __init__(self, reader: Reader, scale: float, shift: float) -> None:
        super().__init__()
        self.reader, self.scale, self.shift = reader, scale, shift

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        slots, legible, _ = self.reader(grey.unsqueeze(1).float())
        return slots.softmax(2), (self.scale * legible + self.shift).sigmoid()


@torch.no_grad()
def judged(reader: Reader, samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
    """Legibility logits and whether the whole text was right, of samples the network has not learnt from."""
    said, right = [], []
    for i in range(0, len(samples), 128):
        some = samples[i : i + 128]
        images = torch.from_numpy(np.stack([sample.image for sample in some])[:, None])
        logits, legible, _ = reader(images.float())
        texts = ["".join((ALPHABET + "_")[c] for c in row).replace("_", "") for row in logits.argmax(2).tolist()]
        said.append(legible)
        right.append(torch.tensor([float(a == sample.text) for a, sample in zip(texts, some, strict=True)]))
    return torch.cat(said), torch.cat(right)


def calibration(said: Tensor, right: Tensor) -> tuple[float, float]:
    """Scale and shift of the logits under which the shares that come true are most likely (Platt 1999)."""
    fit = torch.tensor([1.0, 0.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([fit], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(fit[0] * said + fit[1], right)
        loss.backward()
        return loss

    optimizer.step(closure)
    return float(fit[0]), float(fit[1])


def export(reader: Reader, out: Path, scale: float = 1.0, shift: float = 0.0) -> float:
    """Writes ``out``; the largest difference between torch and ONNX Runtime over 16 noisy inputs, at most 1e-3."""
    module = Exported(reader, scale, shift).eval()
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
