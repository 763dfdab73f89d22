"""Looking for the mark: is the pattern in a recording, or is it chance?

Speech itself changes by many times the depth of the mark. So each cell of frame and band is
compared with its neighbours in time and frequency, which tells most of what the speech is and
nothing of the pattern, whose signs are independent; and where speech is not to be foretold, or
there is none, a cell counts for less. What remains is multiplied with the signs and added up:
chance adds up as a random walk does, the mark in a straight line.

Where the pattern began is not known, so that all 512 places within its period are tried, by a
Fourier transform. How far the sum stands above what chance gives, is measured in standard
deviations, by theory and by the places where the pattern is not; from that follows how
likely so much is by chance, and this is multiplied by the number of places tried (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import ceil, erfc, sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.framing import Framing, Windows, cut
from audiopipe.signals import Audio
from audiopipe.watermark.pattern import (
    BANDS,
    FRAMES,
    FRAMES_A_SECOND,
    KINDS,
    LOWEST,
    WIDTH,
    Kind,
    signs,
)

FALSE_ALARMS = 1e-6
"""Of how many recordings without a mark one is found in, at the most."""
RATE = 16000
"""Hz: enough for the bands of the pattern, at any rate of the recording."""
STEPS = 4
"""Places that are tried within a frame of 20 ms."""
HOP = RATE // (FRAMES_A_SECOND * STEPS)
WINDOW = 2 * STEPS * HOP
PERIOD = FRAMES * STEPS
"""Places within a period of the pattern."""
HALO = 32
"""Spectra on either side of what is judged: as many as the neighbours of a cell need."""
AT_ONCE = 2
"""Periods that are judged together: what is quiet in 5 s is taken for the room."""

# A cell less what its neighbours in the spectra 30 ms before and after, and in two bands on either
# side, tell of it: least squares over the speech of one woman, rounded so that it sums to zero.
_APART = 6
_BESIDE = (0.07, 0.0, -0.18, 0.0, 0.07)
_HERE = (-0.17, -0.29, 1.0, -0.29, -0.17)
_SPREAD = (17, 5)
"""Spectra and bands around a cell which say how far speech is from being foretold there."""
_OUTLIER = 2.0
"""Standard deviations beyond which a cell counts for no more."""
_NORMAL = 0.6745
"""The median of the absolute value of a normal variable of standard deviation 1."""


@dataclass(frozen=True)
class Detection:
    """What was found: `found` where `p_value` is below the rate of false alarms.

    `p_value` is the probability, at the most, that a recording without a mark looks like one as
    much as this does. `start` and `stop` in s are where the pattern is clearest, to some seconds.
    Without a mark found, `kind`, `start` and `stop` are None.
    """

    found: bool
    p_value: float
    kind: Kind | None = None
    start: float | None = None
    stop: float | None = None


class Detector:
    """Looks for the mark in a recording that comes block after block, of a rate in Hz.

    Memory grows by 2 kB for every second.
    """

    def __init__(self, rate: int) -> None:
        import soxr

        self._resample: Any = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
        self._windows = Windows()
        self._frames = 0
        self._sums: list[Tensor] = []
        self._powers: list[Tensor] = []

    def push(self, block: Audio, last: bool = False) -> None:
        """Take the next block in; the channels are added up."""
        mono = np.ascontiguousarray(block.samples.mean(0).cpu().numpy())
        samples = torch.from_numpy(self._resample.resample_chunk(mono, last=last))
        piece = AT_ONCE * PERIOD
        size = (piece + 2 * HALO) * HOP + WINDOW - HOP
        before = HALO * HOP + WINDOW // 2
        framing = Framing(size, piece * HOP, before, after=size - before - 1)
        with torch.inference_mode():
            windows = cut(framing, self._windows, samples, last)
            for window in windows:  # one by one: together they would fill the cache
                residual = residuals(window)
                sums, powers = correlate(residual.view(AT_ONCE, PERIOD, BANDS))
                self._sums.append(sums)
                self._powers.append(powers)

    def finish(self) -> Detection:
        """Say what was found in all that was pushed, of which the last block was the last."""
        periods = ceil(self._windows.received / (PERIOD * HOP))
        if not periods:
            return Detection(False, 1.0)
        found = judge(torch.cat(self._sums)[:periods], torch.cat(self._powers)[:periods])
        if found.stop is None:
            return found
        return replace(found, stop=min(found.stop, self._windows.received / RATE))


def detect(audio: Audio) -> Detection:
    """Look for the mark in a recording.

    >>> detect(Audio(torch.randn(1, 48000), rate=16000)).found
    False
    """
    detector = Detector(audio.rate)
    detector.push(audio, last=True)
    return detector.finish()


def residuals(samples: Tensor) -> Tensor:
    """What cells [spectra, bands] have that their neighbours do not tell, weighted by how much
    that says, of samples [time] with a halo on either side."""
    spectra = torch.fft.rfft(samples.unfold(-1, WINDOW, HOP) * torch.hann_window(WINDOW))
    spacing = RATE // WINDOW
    first, wide = LOWEST // spacing, WIDTH // spacing
    parts = torch.view_as_real(spectra[:, first : first + BANDS * wide].contiguous())
    power = parts.square().view(-1, BANDS, 2 * wide).mean(-1)
    levels = (power + 1e-8 * power.mean() + 1e-12).log()

    # Shifts go round at the ends: what is wrong by that lies in the halo.
    beside = levels @ _bands(_BESIDE)
    rest = levels @ _bands(_HERE) + beside.roll(_APART, 0) + beside.roll(-_APART, 0)
    usual = _mean(rest.square(), *_SPREAD).clamp_min(0)
    rest = (rest / (usual + 1e-3).sqrt()).clamp(-_OUTLIER, _OUTLIER) / (usual + 0.1).sqrt()

    # What is hardly above the quietest of these seconds is the noise of the room.
    heard = levels[power.sum(1) > 0]  # beyond the recording's ends is no room
    if len(heard):
        room = heard.kthvalue(ceil(len(heard) / 20), 0, keepdim=True).values @ _bands((0.2,) * 5)
        rest = rest * (1 - (room - _mean(levels, 9, 3)).exp()).clamp(0, 1)
    return rest[HALO:-HALO]


@cache
def _bands(weights: tuple[float, ...]) -> Tensor:
    """A matrix [bands, bands] that weights the bands around each; the last stand for those beyond
    the ends."""
    matrix = torch.zeros(BANDS, BANDS)
    here = torch.arange(BANDS)
    for offset, weight in enumerate(weights, -(len(weights) // 2)):
        there = (here + offset).clamp(0, BANDS - 1)
        matrix.index_put_((there, here), torch.tensor(weight), accumulate=True)
    return matrix


def _mean(values: Tensor, spectra: int, bands: int) -> Tensor:
    """The mean of so many spectra and bands around each of values [spectra, bands]."""
    sums = (values @ _bands((1 / bands,) * bands)).double().cumsum(0)
    half = spectra // 2
    return ((sums.roll(-half, 0) - sums.roll(half + 1, 0)) / spectra).float()


@cache
def _combs() -> Tensor:
    """Spectra of the tables of signs, one place in a frame each [kinds, frequencies, bands]."""
    combs = torch.zeros(len(KINDS), PERIOD, BANDS)
    combs[:, ::STEPS] = torch.stack([signs(kind) for kind in KINDS])
    spectra: Tensor = torch.fft.rfft(combs, dim=1).conj()
    return spectra


def correlate(residual: Tensor) -> tuple[Tensor, Tensor]:
    """Sums [periods, kinds, places] of residuals [periods, places, bands] with the signs of the
    pattern begun at each place, and their variance [periods, places of a frame] by chance."""
    product = torch.fft.rfft(residual, dim=1)[:, None] * _combs()
    sums = torch.fft.irfft(product.sum(-1), n=PERIOD)
    powers = residual.square().sum(-1).view(-1, FRAMES, STEPS).sum(1)
    return sums, powers


def judge(sums: Tensor, powers: Tensor) -> Detection:
    """The clearest of all kinds and places, in stretches of 1, 2, 4, … periods.

    The mark may be in a part of the recording only, or begin anew in it, as where something was
    cut out. Stretches overlap by half.
    """
    sums, powers = _running(sums), _running(powers.repeat(1, FRAMES)[:, None])
    count = len(sums) - 1
    clearest, where, tried = 0.0, (0, 0, 0), 0
    length = 1
    while True:
        starts = torch.arange(0, max(1, count - length // 2), max(1, length // 2))
        stops = (starts + length).clamp_max(count)
        scores = (sums[stops] - sums[starts]) / (powers[stops] - powers[starts] + 1e-9).sqrt()
        # Where the pattern is not, sums of sound that repeats itself vary by more than by chance.
        wrong = scores.flatten(1).abs().median(1).values / _NORMAL
        scores = scores / wrong.clamp_min(1)[:, None, None]
        tried += scores.numel()
        top = int(scores.argmax())
        if float(scores.flatten()[top]) > clearest:
            clearest = float(scores.flatten()[top])
            stretch, kind = divmod(top // PERIOD, len(KINDS))
            where = int(starts[stretch]), int(stops[stretch]), kind
        if length >= count:
            break
        length *= 2
    p_value = min(1.0, tried * erfc(clearest / sqrt(2)) / 2)
    if p_value >= FALSE_ALARMS:
        return Detection(False, p_value)
    start, stop = (period * PERIOD * HOP / RATE for period in where[:2])
    return Detection(True, p_value, KINDS[where[2]], start, stop)


def _running(values: Tensor) -> Tensor:
    """The sums of the first 0, 1, 2, … of values [n, …]."""
    return functional.pad(values.double().cumsum(0), (0, 0) * (values.ndim - 1) + (1, 0))
