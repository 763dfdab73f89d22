"""Log-mel frames as another throat, microphone or room would have made them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from audiopipe.mel import mel_points
from audiopipe.nets.frames import MelConfig

FLOOR = math.log(MelConfig.floor)


class Warp:
    """Moves all that is on the frequency axis, formants and partials together, by interpolation."""

    def __init__(self, config: MelConfig) -> None:
        points = mel_points(config.bins, (config.low, config.high), "htk")
        mels = 2595 * torch.log10(1 + torch.as_tensor(points) / 700)
        self.centres, self.step = torch.as_tensor(points)[1:-1], mels[1] - mels[0]

    def __call__(self, mel: Tensor, factor: Tensor, bands: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, frames, bins] with frequencies times `factor` [batch], of recordings that fill so
        many `bands` [batch]; and which bins are known of the result, [batch, bins]."""
        bins = mel.shape[2]
        places = 2595 * torch.log10(1 + self.centres / factor[:, None] / 700) / self.step - 1
        known = places <= bands[:, None] - 0.99  # rounding
        places = places.clamp(min=0).minimum(bands[:, None] - 1).float()[:, :bins]
        below = places.floor().long()
        share = (places - below)[:, None]
        shape = (-1, mel.shape[1], -1)
        low = mel.gather(2, below[:, None].expand(*shape))
        above = (below + 1).minimum((bands - 1)[:, None])
        high = mel.gather(2, above[:, None].expand(*shape))
        return low + share * (high - low), known[:, :bins]


def coloured(shape: tuple[int, int], depth: float, generator: torch.Generator) -> Tensor:
    """Smooth random curves over the mel bins, [batch, bins]: `depth` is the deviation of each of
    five cosines."""
    batch, bins = shape
    waves = torch.cos(math.pi * torch.arange(1, 6)[:, None] * (torch.arange(bins) + 0.5) / bins)
    heights = depth * torch.randn(batch, 5, generator=generator)
    return heights / torch.arange(1, 6).sqrt() @ waves


def disturbed(
    mel: Tensor, bands: Tensor, warp: Warp, generator: torch.Generator, noisy: float = 0.5
) -> Tensor:
    """Frames [batch, frames, bins] by another throat (0.8 to 1.25 as large), through another
    microphone, louder or quieter, and a share `noisy` of them with a steady noise behind."""
    batch, _, bins = mel.shape
    factor = 2 ** torch.empty(batch).uniform_(-0.32, 0.32, generator=generator)
    moved, _ = warp(mel, factor, bands)
    level = torch.empty(batch, 1).uniform_(-0.9, 0.5, generator=generator)
    moved = moved + (level + coloured((batch, bins), 0.35, generator))[:, None]
    noise = torch.empty(batch, 1).uniform_(-7.0, -3.0, generator=generator)
    noise = noise + coloured((batch, bins), 0.7, generator)
    quiet = torch.rand(batch, 1, generator=generator) >= noisy
    noise = noise.masked_fill(quiet, FLOOR)
    return torch.logaddexp(moved, noise[:, None].expand_as(moved)).clamp(min=FLOOR)
