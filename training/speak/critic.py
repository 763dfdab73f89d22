"""The critic of frames, against speech that is the mean of all the ways to say it. Used in training
only."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1
CROP = 96
"""Frames (1 s) that it looks at."""


class MelCritic(nn.Module):
    """Tells real frames from made ones, a patch at a time.

    Input: log-mels, each band with mean 0 and deviation 1, [batch, frames, bands]. It is told which
    band it looks at, as voices differ from noise by that. Output: scores of any shape (higher: more
    real), and the activations that led to them.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = [2, width, 2 * width, 4 * width, 4 * width]
        strides = [2, 2, 2, 1]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, 3 if stride == 1 else 4, stride, padding=1))
            for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, mel: Tensor) -> tuple[Tensor, list[Tensor]]:
        band = torch.linspace(-1.0, 1.0, mel.shape[2]).expand_as(mel)
        x = torch.stack([mel, band], dim=1)
        activations = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), SLOPE)
            activations.append(x)
        return self.score(x), activations


def crops(
    made: Tensor, real: Tensor, lengths: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The same random CROP frames of made and real mels, [batch, CROP, bands] each; sentences that
    are shorter are followed by their padding."""
    size = min(CROP, made.shape[1])
    room = (lengths - size).clamp(min=0)
    first = (torch.rand(len(made), generator=generator) * (room + 1)).long()
    rows = (first[:, None] + torch.arange(size))[..., None].expand(-1, -1, made.shape[2])
    return made.gather(1, rows), real.gather(1, rows)
