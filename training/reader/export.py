"""Weights to ONNX with calibrated probabilities, checked against torch on the same inputs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from dashcam.vision.read.fixed_slot_reader import SCALE_KEY, SHIFT_KEY, FixedSlotReader, augmented
from training.reader.degrade import Grey, fitted
from training.reader.network import Reader
from training.reader.shapes import ALPHABET, BLANK, GRID, HEIGHT, SLOTS, WIDTH


class Exported(nn.Module):
    """``grey`` N x 48 x 144 uint8 to ``slots`` N x 10 x 37 (softmax of the logits over ``temperature``, blank last) and
    ``places`` N x 10 x 2, the middle of each slot's attention as shares of width and height."""

    def __init__(self, reader: Reader, temperature: float) -> None:
        super().__init__()
        self.reader, self.temperature = reader, temperature
        rows, columns = torch.meshgrid(*((torch.arange(cells) + 0.5) / cells for cells in GRID), indexing="ij")
        self.cells = nn.Parameter(torch.stack([columns, rows], 2).reshape(-1, 2), requires_grad=False)

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        slots, attention = self.reader(grey.unsqueeze(1).float())
        return (slots / self.temperature).softmax(2), attention.softmax(2) @ self.cells


@torch.no_grad()
def told(reader: Reader, crops: Sequence[Grey]) -> Tensor:
    """Slot logits ``N x 3 x 10 x 37`` of the three augmented that the engine takes at each crop."""
    images = torch.from_numpy(np.stack([fitted(np.asarray(one)) for crop in crops for one in augmented(crop)])[:, None])
    logits = torch.cat([reader(some.float())[0] for some in images.split(192)])
    return logits.reshape(len(crops), 3, SLOTS, BLANK + 1)


def temperature(logits: Tensor, texts: Sequence[str]) -> float:
    """The temperature under which the mean of the augmented finds the true characters likeliest (Guo 2017)."""
    signs = [[ALPHABET.index(c) for c in text] + [BLANK] * (SLOTS - len(text)) for text in texts]
    true = torch.tensor(signs)[:, :, None]

    def loss(heat: float) -> float:
        chances = (logits / heat).softmax(3).mean(1).gather(2, true)
        return float(-chances.clamp(min=1e-6).log().mean())

    return min((round(0.3 + 0.02 * i, 2) for i in range(86)), key=loss)


def calibration(chances: Tensor, right: Tensor) -> tuple[float, float]:
    """Scale and shift of the chances' log-odds under which the shares that come true are most likely (Platt 1999)."""
    fit = torch.tensor([1.0, 0.0], requires_grad=True)
    said = torch.logit(chances.float(), eps=1e-4)
    optimizer = torch.optim.LBFGS([fit], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(fit[0] * said + fit[1], right)
        loss.backward()
        return loss

    optimizer.step(closure)
    scale, shift = (round(float(value), 3) for value in fit.detach())
    return scale, shift


def calibrated_export(reader: Reader, out: Path, crops: Sequence[Grey], texts: Sequence[str]) -> None:
    """Writes ``out`` with the temperature and the read's calibration that fit these crops, which the network has not
    learnt from."""
    heat = temperature(told(reader.eval(), crops), texts)
    export(reader, out, heat)
    found = FixedSlotReader(out).read(crops)
    right = torch.tensor([float(f.text == text) for f, text in zip(found, texts, strict=True)])
    scale, shift = calibration(torch.tensor([f.confidence for f in found]), right)
    describe(out, scale, shift)
    print(f"{len(texts)} held-out crops, {float(right.mean()):.3f} right; temperature {heat}, {scale=}, {shift=}")


def describe(out: Path, scale: float, shift: float) -> None:
    """Writes the calibration into the weights."""
    network = onnx.load(out)
    onnx.helper.set_model_props(network, {SCALE_KEY: str(scale), SHIFT_KEY: str(shift)})
    onnx.save(network, out)


def export(reader: Reader, out: Path, heat: float = 1.0) -> float:
    """Writes ``out``; the largest difference between torch and ONNX Runtime over 16 noisy inputs, at most 1e-3."""
    module = Exported(reader, heat).eval()
    # the fused inference path of nn.TransformerEncoderLayer has no ONNX counterpart
    torch.backends.mha.set_fastpath_enabled(False)
    given = torch.randint(0, 256, (16, HEIGHT, WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    torch.onnx.export(
        module, (given,), str(out), input_names=["grey"], output_names=["slots", "places"],
        dynamic_axes={name: {0: "n"} for name in ("grey", "slots", "places")}, opset_version=17, dynamo=False,
    )  # fmt: skip
    describe(out, 1.0, 0.0)
    with torch.no_grad():
        wanted = module(given)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    got = session.run(None, {"grey": given.numpy()})
    apart = max(float(np.abs(g - w.numpy()).max()) for g, w in zip(got, wanted, strict=True))
    if apart > 1e-3:
        raise SystemExit(f"{out} answers otherwise than torch (by {apart:.2g}).")
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB, torch and ONNX Runtime apart by {apart:.1e}")
    return apart
