"""Keep peaks below a ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from audiopipe.framing import Concatenate, Framing
from audiopipe.signals import Audio
from audiopipe.stage import GRID, Fidelity, Stage, Windowed
from audiopipe.units import Decibels, Span

PHASES, TAPS = 4, 24
"""Peaks are looked for at four times the rate (ITU-R BS.1770-4, annex 2), with so many samples for
each value between two samples."""
GRID_STEP = 32
"""Samples that have one gain, before they are joined by straight lines."""
MARGIN = 0.2
"""dB below the ceiling: of white noise, four times the rate misses as much of a peak."""
TOUCHED = 1 - 1e-6
"""Gains above are 1, but for rounding."""
PIECE = 1 << 12
"""Samples that are computed together."""


class Limit(Windowed):
    """Lower what would pass a ceiling, for a moment, so that nothing is clipped.

    Audio [channels, time] in and out. What counts is the true peak: that of the wave between the
    samples too, at four times the rate. The gain, one for all channels, falls before a peak and
    rises behind it over `attack` each, in a smooth curve; where there is no peak, nothing is
    changed. Put it behind `normalize` with `over: leave`.
    """

    name = "limit"

    ceiling: Annotated[Decibels, Field(ge=-60, le=0)] = -1.0
    """The true peak that is not passed, in dB of full scale (dBTP)."""
    attack: Span = Field(default=Span.parse("10 ms"))
    """How long before a peak the gain begins to fall, and behind it is back."""

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def output(self, source: Audio) -> Audio:
        return source.format

    def framing(self, source: Audio) -> Framing:
        halo = self._halo(source.rate)
        return Framing(PIECE + 2 * halo, PIECE, halo, PIECE + halo - 1, Concatenate(PIECE))

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> _Limiter:
        count = self._steps(source.rate)
        window = torch.hann_window(2 * count + 3, periodic=False)[1:-1]
        return _Limiter(
            ceiling=10 ** ((self.ceiling - MARGIN) / 20),
            halo=self._halo(source.rate),
            between=_between().to(device),
            smooth=(window / window.sum()).to(device),
        )

    def compute(self, model: _Limiter, windows: Tensor) -> Tensor:
        steps = len(model.smooth) // 2
        peaks = _true_peaks(windows, model.between)
        # The loudest of each step and of both its neighbours: lines lead from step to step.
        loudest = functional.max_pool1d(peaks, GRID_STEP, GRID_STEP)
        gains = (model.ceiling / loudest).clamp_max(1.0)
        lowest = -functional.max_pool1d(-gains, 2 * steps + 3, 1)
        smooth = functional.conv1d(lowest, model.smooth[None, None])
        first = (windows.shape[-1] - smooth.shape[-1] * GRID_STEP) // 2
        lines = functional.interpolate(
            smooth, scale_factor=float(GRID_STEP), mode="linear", align_corners=False
        )
        cut = model.halo - first
        gain = lines[..., cut : cut + PIECE]
        sound = windows[..., model.halo : model.halo + PIECE]
        # Where nothing is too loud, nothing is touched.
        return torch.where(gain < TOUCHED, sound * gain, sound)

    def _steps(self, rate: int) -> int:
        return max(1, ceil(self.attack.samples(rate) / GRID_STEP))

    def _halo(self, rate: int) -> int:
        """Samples on either side that a gain depends on, in whole steps."""
        return (2 * self._steps(rate) + 4) * GRID_STEP

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(ceiling=-12.0, attack=Span.parse("2 ms")))


@dataclass(frozen=True, eq=False)
class _Limiter:
    """`between` [PHASES, 1, TAPS] makes values between samples; `smooth` weighs steps."""

    ceiling: float
    halo: int
    between: Tensor
    smooth: Tensor


def _between() -> Tensor:
    """Windowed sines: a filter for each place between two samples."""
    time = torch.arange(TAPS, dtype=torch.float64) - (TAPS // 2 - 1)
    shifts = torch.arange(PHASES, dtype=torch.float64)[:, None] / PHASES
    away = time - shifts
    window = torch.cos(torch.pi * away / (TAPS + 1)).square()
    filters = torch.sinc(away) * window
    return (filters / filters.sum(1, keepdim=True)).float()[:, None]


def _true_peaks(windows: Tensor, between: Tensor) -> Tensor:
    """The largest magnitude [batch, 1, time] at and behind each sample, of all channels."""
    batch, channels, size = windows.shape
    known = torch.nan_to_num(windows, 0.0, 1e6, -1e6).reshape(batch * channels, 1, size)
    around = functional.pad(known, (TAPS // 2 - 1, TAPS // 2))
    found = functional.conv1d(around, between).abs().amax(1)
    return found.reshape(batch, channels, size).amax(1, keepdim=True)
