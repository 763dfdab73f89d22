"""What the views of a frame are computed with: windows, and products from power to views."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from audiopipe.evidence.layout import (
    BANDS,
    BEFORE,
    FFT,
    HIGHEST,
    LOW,
    LOWEST,
    MEL,
    OCTAVE,
    PITCHES,
    RATE,
    USUAL,
)
from audiopipe.mel import mel_bank, mel_points

LOWER, UPPER, TOP = 120, 104, 904
"""Bins of the transform: the lower bands end before the first, the upper ones lie from the second
to before the third."""
LOW_BINS = 256
"""Those that the correlation of the long window is made of: up to 2 kHz."""
FAST_FFT = 1024
_BRIEF, BRIEF_TOP, BRIEF_BINS = 512, 452, 257
"""Samples of the brief window, bins of its transform for all bands, and up to 4 kHz."""
_SHORT = 400
"""Samples that the mel spectrum is of."""
_SLOPES = (1408, 640)
"""Samples over which the long window rises and falls."""
_ENVELOPE = 19
"""Bins over which the spectrum's envelope is smoothed."""


@dataclass(frozen=True, eq=False)
class Tables:
    """What the views are computed with.

    Products that are divided by the sum of what they are made of have it in their last column.
    """

    slow: Tensor
    """[2, 1, FFT]: the window of 64 ms and the long one."""
    fast: Tensor
    """[2, 1, FAST_FFT]: the brief window and the short one."""
    low: Tensor
    """[LOWER, LOW]: power to the lower bands."""
    high: Tensor
    """[TOP - UPPER, BANDS - LOW]: power to the upper bands."""
    contrast: Tensor
    contrast_low: Tensor
    """[BANDS, BANDS] and [LOW, LOW]: take the envelope away."""
    cosines: Tensor
    """[HIGHEST, PITCHES + 1]: power to the correlation at the period of each pitch."""
    compressed: Tensor
    """The same for compressed power."""
    cosines_low: Tensor
    """[LOW_BINS, LOW + 1]: the same for the long window."""
    cosines_brief: Tensor
    """[BRIEF_BINS, PITCHES + 1]: the same for the brief one."""
    bands_brief: Tensor
    """[BRIEF_TOP, BANDS]: power to bands of the brief window."""
    mel: Tensor

    @classmethod
    def usual(cls, device: torch.device | str = "cpu") -> Tables:
        rise, fall = (torch.hann_window(2 * n, dtype=torch.float64) for n in _SLOPES)
        long = _normal(torch.cat([rise[: _SLOPES[0]], fall[_SLOPES[1] :]]))
        usual, brief, short = (
            _normal(torch.hann_window(n, dtype=torch.float64)) for n in (USUAL, _BRIEF, _SHORT)
        )
        bands, cosines, cosines_brief = _bands(FFT), _cosines(FFT), _cosines(FAST_FFT)
        compressed = 10 * (cosines[:HIGHEST] - cosines[:HIGHEST].mean(0))
        tables = (
            torch.stack([pad(usual, (BEFORE - USUAL // 2, 0)), long])[:, None],
            torch.stack([pad(w, ((FAST_FFT - len(w)) // 2,) * 2) for w in (brief, short)])[:, None],
            bands[:LOWER, :LOW],
            bands[UPPER:TOP, LOW:],
            _contrast(BANDS),
            _contrast(LOW),
            _with_sum(cosines[:HIGHEST] * _unbias(usual, cosines)),
            _with_sum(compressed),
            _with_sum(cosines[:LOW_BINS, :LOW] * _unbias(long, cosines[:, :LOW])),
            _with_sum(cosines_brief[:BRIEF_BINS] * _unbias(brief, cosines_brief)),
            _bands(FAST_FFT)[:BRIEF_TOP],
            _mel_bands(),
        )
        return cls(*(t.float().contiguous().to(device) for t in tables))


def pitches(count: int) -> Tensor:
    """The pitch of each bin in Hz: float64 [count].

    >>> round(float(pitches(PITCHES)[4 * OCTAVE]))
    440
    """
    return LOWEST * 2 ** (torch.arange(count, dtype=torch.float64) / OCTAVE)


def _normal(window: Tensor) -> Tensor:
    return window / window.square().sum().sqrt()


def _with_sum(table: Tensor) -> Tensor:
    return torch.cat([table, table.new_ones(len(table), 1)], 1)


def _cosines(size: int) -> Tensor:
    """[bins, PITCHES]: from power of a transform to the correlation at the period of each pitch."""
    bins = torch.arange(size // 2 + 1, dtype=torch.float64)
    return torch.cos(2 * torch.pi / size * bins[:, None] * (RATE / pitches(PITCHES)))


def _unbias(window: Tensor, cosines: Tensor) -> Tensor:
    """[pitches]: 1 over the window's own correlation, as far as there is any."""
    own = torch.fft.rfft(window, 2 * (len(cosines) - 1)).abs().square()
    shape: Tensor = own @ cosines / own.sum()
    return 1 / shape.clamp_min(0.15)


def _bands(size: int) -> Tensor:
    """[bins, BANDS]: each band is the mean of the power about its frequency."""
    centre = pitches(BANDS)
    hertz = torch.arange(size // 2 + 1, dtype=torch.float64) * (RATE / size)
    half = (centre * (2 ** (1 / OCTAVE) - 1)).clamp_min(RATE / size)
    weight = (1 - (hertz[:, None] - centre).abs() / half).clamp_min(0)
    return weight / weight.sum(0)


def _contrast(bands: int) -> Tensor:
    """[bands, bands]: each band less the mean of those about it, fewer of them at the edges."""
    at = torch.arange(bands)
    near = ((at[:, None] - at).abs() <= _ENVELOPE // 2).double()
    return torch.eye(bands, dtype=torch.float64) - near / near.sum(0)


def _mel_bands() -> Tensor:
    """[bins, MEL]: the mean power in bands from 60 Hz to 7.6 kHz."""
    points = mel_points(MEL, (60.0, 7600.0), "slaney")
    # Of every other bin, as of a transform of 512.
    bank = mel_bank(points, RATE, FAST_FFT // 2, "slaney").double()
    every = bank.new_zeros(FAST_FFT // 2 + 1, MEL)
    every[::2] = bank / bank.sum(0)
    return every
