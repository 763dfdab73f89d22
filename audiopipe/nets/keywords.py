"""A network that tells which word a second of sound holds."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

RANGE = 80.0
"""Decibels below the loudest point of a window that are still looked at."""


class KeywordNet(nn.Module):
    """Log-mel spectra to one score a label.

    Two convolutions over time and frequency, which forgive a voice its formants, then residual
    blocks of separable convolutions over time alone (Majumdar & Ginsburg 2020, MatchboxNet),
    which are several times faster on a CPU than convolutions that keep the frequency axis
    (BC-ResNet, Kim et al. 2021). Loudness is taken out of a window before all else.

    Input [batch, bands, frames] in dB; output [batch, labels], logits.

    >>> net = KeywordNet(labels=20).eval()
    >>> net(torch.zeros(3, 40, 100)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, labels: int, bands: int = 40, channels: int = 96, blocks: int = 6, kernel: int = 9
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=(2, 1), padding=2, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 24, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
        )
        self.project = nn.Sequential(
            nn.Conv1d(24 * (-(-bands // 4)), channels, 1, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(Block(channels, kernel) for _ in range(blocks)))
        self.head = nn.Linear(2 * channels, labels)

    def features(self, decibels: Tensor) -> Tensor:
        """What the network heard [batch, 2 * channels]: its last layer, averaged and at its
        most, over time."""
        loudest = decibels.amax((1, 2), keepdim=True)
        levels = torch.maximum(decibels, loudest - RANGE)
        levels = (levels - levels.mean((1, 2), keepdim=True)) / 20
        hidden: Tensor = self.stem(levels[:, None])
        hidden = self.blocks(self.project(hidden.flatten(1, 2)))
        return torch.cat([hidden.mean(-1), hidden.amax(-1)], dim=1)

    def forward(self, decibels: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(decibels))
        return scores


class Block(nn.Module):
    """Two separable convolutions over time around which the input is added: [batch, channels,
    frames] to the same."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.first = separable(channels, kernel)
        self.second = separable(channels, kernel)

    def forward(self, hidden: Tensor) -> Tensor:
        return functional.relu(hidden + self.second(functional.relu(self.first(hidden))))


def separable(channels: int, kernel: int) -> nn.Sequential:
    """A convolution of each channel over time, then of all channels at each time."""
    return nn.Sequential(
        nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False),
        nn.Conv1d(channels, channels, 1, bias=False),
        nn.BatchNorm1d(channels),
    )


def folded(net: KeywordNet) -> KeywordNet:
    """A copy for use: each batch norm is part of the convolution before it, which saves a fifth
    of the time. Its weights are no longer those of a `KeywordNet`.

    >>> net = KeywordNet(labels=20).eval()
    >>> decibels = torch.rand(2, 40, 100) * 60
    >>> bool(torch.allclose(folded(net)(decibels), net(decibels), atol=1e-5))
    True
    """
    net = copy.deepcopy(net).eval()
    for row in [module for module in net.modules() if isinstance(module, nn.Sequential)]:
        for k, layer in enumerate(row):
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                before = row[k - 1]
                assert isinstance(before, nn.Conv1d | nn.Conv2d)
                row[k - 1] = fuse_conv_bn_eval(before, layer)
                row[k] = nn.Identity()
    return net
