"""The plate reader's network: a small residual CNN, one transformer layer, and one attention map per character slot.

Every slot looks at its own place of the crop (slot attention as in attention OCR, Wojna et al. 2017), so one line
and two lines are the same task, and nothing has to be cut into characters. Drawn plates tell where each character
is, and their attention is taught directly; on photographs only the text is known.
"""

import torch
from torch import Tensor, nn

from training.reader.shapes import GRID, SLOTS


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Reader(nn.Module):
    """``N x 1 x 48 x 144`` grey in 0..255 to slot logits ``N x 10 x 37`` and attention logits ``N x 10 x 108``."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(1, 16, 2),
            convolution(16, 32, 2),
            Residual(32),
            convolution(32, width, 2),
            Residual(width),
            Residual(width),
        )
        self.place = nn.Parameter(torch.randn(1, GRID[0] * GRID[1], width) * 0.02)
        self.context = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.where = nn.Linear(width, SLOTS)
        self.what = nn.Linear(width, width)
        self.slot = nn.Parameter(torch.randn(1, SLOTS, width) * 0.02)
        self.character = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 37))

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        mean = grey.mean((1, 2, 3), keepdim=True)
        spread = (grey - mean).pow(2).mean((1, 2, 3), keepdim=True).sqrt()
        features = self.body((grey - mean) / (spread + 4.0)).flatten(2).transpose(1, 2)
        context = self.context(features + self.place)
        attention = self.where(context).transpose(1, 2)
        glimpses = attention.softmax(2) @ (context + self.what(features))
        return self.character(glimpses + self.slot), attention
