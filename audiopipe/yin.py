"""YIN: how periodic is a stretch of sound at every lag, and which lag is its period?

A. de Cheveigné and H. Kawahara, "YIN, a fundamental frequency estimator for speech and
music", J. Acoust. Soc. Am. 111(4), 2002. Plain torch, no knowledge of stages.

    difference       d(τ)  = mean over the window of (x[t] - x[t + τ])²          eq. 1, 6
    normalised       d'(τ) = d(τ) / mean of d(1) … d(τ)                          eq. 8

d' is about 1 where there is nothing periodic and near 0 at the period and its multiples. All
lags use all pairs of samples that the window has, as many as there are, so that every lag
looks at the middle of the window; the mean makes up for the smaller number at longer lags.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil, floor, log2

import torch
from torch import Tensor

SILENCE = 1e-5
"""A window that nowhere deviates by more than this (-100 dB) from its mean holds no sound."""

TAPS = 16
"""Lags from which the difference between two lags is interpolated."""

STEPS = 8
"""Points a lag at which it is looked at, before a parabola is laid through the lowest."""

BANDS = 4
"""Candidates an octave."""


@dataclass(frozen=True)
class Lags:
    """The periods that are looked for, from `shortest` to `longest`, in `window` samples.

    >>> Lags.of(16000, 65.0, 1000.0, 1024)
    Lags(rate=16000, window=1024, shortest=16, longest=247)
    """

    rate: int
    window: int
    shortest: int
    longest: int

    @classmethod
    def of(cls, rate: int, fmin: float, fmax: float, window: int) -> Lags:
        return cls(rate, window, max(1, floor(rate / fmax)), ceil(rate / fmin))

    @property
    def reach(self) -> int:
        """The number of lags from 0 on that are computed: interpolation needs a few more."""
        return self.longest + TAPS // 2 + 2

    @property
    def transform(self) -> int:
        """A length for the Fourier transform that is long enough and quick: 4…7 · 2^n."""
        enough = self.window + self.reach
        step = max(1, (1 << (enough - 1).bit_length()) // 8)
        return ceil(enough / step) * step

    @cached_property
    def bands(self) -> tuple[tuple[int, int], ...]:
        """Stretches of lags, about a quarter of an octave each: (first, one behind the last)."""
        count = max(1, round(BANDS * log2((self.longest + 1) / self.shortest)))
        ratio = ((self.longest + 1) / self.shortest) ** (1 / count)
        edges = sorted({round(self.shortest * ratio**i) for i in range(count + 1)})
        return tuple(pairwise(edges))


@dataclass(frozen=True, eq=False)
class Tables:
    """What depends on the lags only."""

    lags: Lags
    unbias: Tensor
    """[reach]: window / (window - lag) / 2."""
    count: Tensor
    """[reach]: 1, 1, 2, 3 …"""
    fine: Tensor
    """[TAPS, points]: the polynomial through the lags, at points between the middle ones."""
    octaves: Tensor
    """[longest - shortest + 1]: how far below the highest pitch each lag is."""

    @classmethod
    def of(cls, lags: Lags, device: torch.device | str = "cpu") -> Tables:
        lag = torch.arange(lags.reach, dtype=torch.float64)
        points = torch.arange(-STEPS, STEPS + 1, dtype=torch.float64) / STEPS
        taps = torch.arange(1 - TAPS // 2, TAPS // 2 + 1, dtype=torch.float64)
        fine = torch.ones(TAPS, len(points), dtype=torch.float64)
        for i, tap in enumerate(taps):
            for other in (*taps[:i], *taps[i + 1 :]):
                fine[i] *= (points - other) / (tap - other)
        searched = lag[lags.shortest : lags.longest + 1]
        return cls(
            lags,
            (lags.window / (lags.window - lag)).float().to(device),
            lag.clamp_min(1).float().to(device),
            fine.float().to(device),
            (searched / lags.shortest).log2().float().to(device),
        )


def differences(windows: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    """The difference d and its normalised form d' of windows [n, window], both [n, reach].

    A window that is silent, or holds what is no number, has d = 0 and d' = 1. The level of
    the sound and an offset do not matter.
    """
    lags = tables.lags
    x = windows - windows.mean(-1, keepdim=True)
    peak = x.abs().amax(-1, keepdim=True)
    numbers = torch.isfinite(peak)
    if not numbers.all():
        x, peak = torch.where(numbers, x, 0.0), torch.where(numbers, peak, 0.0)
    heard = peak > SILENCE
    x *= torch.where(heard, 1 / peak, 0.0)
    spectrum = torch.fft.rfft(x, lags.transform)
    # Not the product with the conjugate: its rounding depends on the size of the batch.
    power = spectrum.real.square() + spectrum.imag.square()
    product = torch.fft.irfft(power, lags.transform)[:, : lags.reach]
    # What of the energy a lag leaves unpaired at the two ends of the window.
    head, tail = x[:, : lags.reach - 1], x[:, 1 - lags.reach :].flip(-1)
    d = 2 * (product[:, :1] - product)
    d[:, 1:] -= (head.square() + tail.square()).cumsum(-1)
    d = d.mul_(tables.unbias).clamp_min_(0.0)
    total = d.cumsum(-1)
    normalised = (d * tables.count).div_(total.clamp_min(1e-12)).add_(~heard)
    return d, normalised


def troughs(normalised: Tensor, lags: Lags) -> Tensor:
    """Which lags, from the shortest to the longest, are lower than their neighbours."""
    first, stop = lags.shortest, lags.longest + 1
    here = normalised[:, first:stop]
    before, after = normalised[:, first - 1 : stop - 1], normalised[:, first + 1 : stop + 1]
    return (here < before) & (here <= after)


def refine(d: Tensor, normalised: Tensor, lag: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    """The period, and d' there, near the troughs at `lag` [n, k]: to a fraction of a sample.

    A polynomial through 16 lags is followed, for a parabola through three errs by some cents
    where the period is a few samples long, and a windowed sinc ripples where it is many.
    """
    count = lag.shape[0]
    taps = torch.arange(1 - TAPS // 2, TAPS // 2 + 1, device=d.device)
    index = (lag[..., None] + taps).abs()  # d is even
    around = d.gather(1, index.flatten(1)).reshape(-1, TAPS)
    points = around @ tables.fine
    best = points[:, 1:-1].argmin(-1, keepdim=True) + 1
    low, mid, high = (points.gather(1, best + i)[:, 0] for i in (-1, 0, 1))
    bend = low - 2 * mid + high
    shift = torch.where(bend > 0, 0.5 * (low - high) / bend.clamp_min(1e-12), 0.0).clamp(-1, 1)
    lowest = (mid - 0.25 * (low - high) * shift).clamp_min(0.0).reshape(count, -1)
    period = lag + ((best[:, 0] - STEPS + shift) / STEPS).reshape(count, -1)
    coarse, scale = d.gather(1, lag), normalised.gather(1, lag)
    ratio = torch.where(coarse > 0, lowest / coarse.clamp_min(1e-12), 1.0)
    return period, (scale * ratio).clamp(0.0, 1.0)


def first_below(windows: Tensor, tables: Tables, threshold: float) -> tuple[Tensor, Tensor]:
    """YIN's own decision on windows [n, window]: (period in samples, aperiodicity 0…1), [n].

    The first trough below the threshold; where there is none, the lowest point.

    >>> x = torch.sin(torch.arange(300) * (2 * torch.pi / 40.5))
    >>> period, aperiodicity = first_below(x[None], Tables.of(Lags(16000, 300, 16, 100)), 0.1)
    >>> round(float(period), 2), round(float(aperiodicity), 2)
    (40.5, 0.0)
    """
    lags = tables.lags
    d, normalised = differences(windows, tables)
    searched = normalised[:, lags.shortest : lags.longest + 1]
    below = troughs(normalised, lags) & (searched < threshold)
    every = tables.count[lags.shortest : lags.longest + 1]
    first = torch.where(below, every, torch.inf).amin(-1)
    lowest = searched.argmin(-1) + lags.shortest
    lag = torch.where(first < torch.inf, first, lowest).long()
    period, aperiodicity = refine(d, normalised, lag[:, None], tables)
    return period[:, 0], aperiodicity[:, 0]


def candidates(windows: Tensor, tables: Tables, count: int, octave: float) -> tuple[Tensor, Tensor]:
    """The likeliest periods in windows [n, window]: (period, aperiodicity), both [n, count].

    At most one in each quarter of an octave. An octave more in period weighs as much as
    `octave` in aperiodicity: a multiple of the period is no worse a period than it is.
    """
    lags = tables.lags
    d, normalised = differences(windows, tables)
    searched = normalised[:, lags.shortest : lags.longest + 1]
    weighed = torch.where(
        troughs(normalised, lags), searched + octave * tables.octaves, 2.0 + searched
    )
    found = [weighed[:, a - lags.shortest : b - lags.shortest].min(-1) for a, b in lags.bands]
    value = torch.stack([f.values for f in found], -1)
    index = torch.stack([f.indices + a for f, (a, _) in zip(found, lags.bands, strict=True)], -1)
    period, aperiodicity = refine(d, normalised, index, tables)
    aperiodicity = torch.where(value < 2.0, aperiodicity, 1.0)
    # Ranked when refined: between two lags a short period looks worse than its multiples.
    cost = aperiodicity + octave * (period / lags.shortest).log2()
    order = cost.topk(min(count, len(lags.bands)), largest=False).indices
    return period.gather(1, order), aperiodicity.gather(1, order)
