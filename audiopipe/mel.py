"""The mel scale: bands that are as wide as they sound."""

from __future__ import annotations

from math import log
from typing import Literal

import torch
from torch import Tensor

MelKind = Literal["slaney", "htk"]


def to_mel(hertz: Tensor, kind: MelKind) -> Tensor:
    """Hz on the mel scale: O'Shaughnessy's (`htk`), or linear to 1 kHz and then logarithmic."""
    if kind == "htk":
        return 2595 * torch.log10(1 + hertz / 700)
    above = 15 + 27 * torch.log(hertz.clamp_min(1000) / 1000) / log(6.4)
    return torch.where(hertz < 1000, hertz * 3 / 200, above)


def from_mel(mels: Tensor, kind: MelKind) -> Tensor:
    """The inverse of `to_mel`."""
    if kind == "htk":
        return 700 * (10 ** (mels / 2595) - 1)
    above = 1000 * torch.exp((mels.clamp_min(15) - 15) / 27 * log(6.4))
    return torch.where(mels < 15, mels * 200 / 3, above)


def mel_points(bands: int, limits: tuple[float, float], kind: MelKind) -> Tensor:
    """The lower edge of the first band, the middle of each, and the upper edge of the last, in Hz.

    >>> mel_points(3, (0, 8000), "htk").round()
    tensor([   0.,  614., 1768., 3934., 8000.], dtype=torch.float64)
    """
    low, high = to_mel(torch.tensor(limits, dtype=torch.float64), kind).tolist()
    return from_mel(torch.linspace(low, high, bands + 2, dtype=torch.float64), kind)


def mel_bank(points: Tensor, rate: int, window: int, kind: MelKind) -> Tensor:
    """The triangles [bins, bands] over `points` [bands + 2] that sum power to mel bands.

    The same as `torchaudio.functional.melscale_fbanks`, which holds for even windows only.
    """
    bins = torch.arange(window // 2 + 1, dtype=torch.float64)[:, None] * (rate / window)
    low, middle, high = points[:-2], points[1:-1], points[2:]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    bank = torch.minimum(rising, falling).clamp_min(0)
    return (bank * (2 / (high - low)) if kind == "slaney" else bank).float()
