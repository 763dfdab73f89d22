"""Laying the mark on: the gains of the pattern, and windows with these gains.

The mark is a gain, so that it lies where the speech is, at its level, and nowhere else: in a
pause there is none. At 1 dB it is about 23 dB below the speech in the same band, which masks it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audiopipe.framing import Framing, OverlapAdd
from audiopipe.watermark.pattern import BANDS, FRAMES, FRAMES_A_SECOND, LOWEST, WIDTH, Kind, signs

DEPTH = 1.0
"""How much louder or softer a band is, in dB."""
SPACING = FRAMES_A_SECOND // 2
"""Hz from one bin to the next: windows are two frames long."""


def framing(rate: int) -> Framing:
    """Windows of 40 ms every 20 ms at a rate in Hz; the first begins a frame before the sound."""
    hop = rate // FRAMES_A_SECOND
    hann = torch.hann_window(2 * hop)
    join = OverlapAdd(hop, before=hop, weight=hann.sqrt(), norm=hann)
    return Framing(window=2 * hop, hop=hop, before=hop, after=2 * hop - 1, join=join)


def gains(kind: Kind, rate: int) -> Tensor:
    """What each bin of each frame is multiplied by [frames, bins]."""
    bins = rate // (2 * SPACING) + 1
    table = torch.ones(FRAMES, max(bins, (LOWEST + BANDS * WIDTH) // SPACING))
    first, wide = LOWEST // SPACING, WIDTH // SPACING
    decibels = DEPTH * signs(kind).repeat_interleave(wide, dim=1)
    table[:, first : first + BANDS * wide] = 10 ** (decibels / 20)
    return table[:, :bins]


def mark(windows: Tensor, first: int, gains: Tensor) -> Tensor:
    """Windows [n, ..., time] with the mark, of which frame `first` is the first, and a window of
    `framing` for overlap-add still to come."""
    if not len(windows):
        return windows  # MKL transforms nothing to an error
    size = windows.shape[-1]
    spectra = torch.fft.rfft(windows * torch.hann_window(size, device=windows.device).sqrt())
    frames = (first + torch.arange(len(windows), device=windows.device)) % len(gains)
    louder = gains[frames].view(len(windows), *(1,) * (windows.ndim - 2), -1)
    marked: Tensor = torch.fft.irfft(spectra * louder, n=size)
    return marked
