"""The pitch of a sound near one that is known: by autocorrelation after Boersma (1993)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import medfilt

from training.pitch.sets import RATE

Floats = NDArray[np.float64]

PERIODS, SHORTEST = 3.5, 0.024
"""The window: so many periods, but at least so many seconds."""
FINE = 1.0
"""Cents between the lags that are looked at."""


@dataclass(frozen=True)
class Measured:
    """What was found at each frame.

    `clarity` is the autocorrelation at the pitch; `above` is by how much it is higher at half or a
    third of the period, `below` at two or three periods. Where the first is not well below 0, an
    octave or a twelfth above may be what sounds; where the second is above 0, one below.

    Shape: [frames] all of them
    """

    hz: Floats
    clarity: Floats
    above: Floats
    below: Floats


def spectra(
    wave: Floats, places: NDArray[np.int64], seconds: float, lowest: float
) -> tuple[Floats, Floats, int]:
    """Power of the windows about each place, that of the window itself, and the transform's size.

    What rumbles below `lowest` Hz is left out. Every bin counts as often as it is there.

    Shape: wave [samples], places [frames] -> [frames, bins], [bins]
    """
    width = 2 * int(seconds * RATE / 2)
    size = 1 << (2 * width - 1).bit_length()
    window = np.hanning(width + 1)[:width]
    padded = np.pad(wave, width)
    frames = padded[places[:, None] + np.arange(width) + width // 2]
    frames = (frames - frames.mean(-1, keepdims=True)) * window
    power = 2 * np.abs(np.fft.rfft(frames, size)) ** 2
    shape = 2 * np.abs(np.fft.rfft(window, size)) ** 2
    power[:, -1] /= 2
    shape[[0, -1]] /= 2
    power[:, : max(1, int(lowest / RATE * size))] = 0
    return power, shape, size


def correlation(power: Floats, window: Floats, lags: Floats, size: int) -> Floats:
    """Normalised autocorrelation at lags that need not be whole samples, or at each frame's own.

    Shape: power [frames, bins], window [bins], lags [lags] or [frames, lags] -> [frames, lags]
    """
    bins = np.arange(len(window)) * (2 * np.pi / size)
    if lags.ndim == 1:
        waves = np.cos(np.outer(bins, lags))
        own, shape = power @ waves, window @ waves
    else:
        own, shape = np.empty(lags.shape), np.empty(lags.shape)
        for column in range(lags.shape[1]):
            waves = np.cos(np.outer(lags[:, column], bins))
            own[:, column] = np.einsum("fb,fb->f", power, waves)
            shape[:, column] = waves @ window
    total = np.maximum(power.sum(-1), 1e-12)[:, None]
    ratio: Floats = own / total / (shape / window.sum())
    return ratio


def measured(wave: Floats, places: NDArray[np.int64], nominal: Floats, span: float) -> Measured:
    """The pitch about each of `places`, not more than `span` cents from `nominal` Hz there.

    Where the best lag is at the edge of that span, clarity is 0.

    Shape: wave [samples], places and nominal [frames]
    """
    middle = float(np.exp(np.log(nominal).mean()))
    away = 1200 * np.log2(nominal / middle)
    reach = span + float(np.abs(away).max())
    seconds = max(PERIODS / middle, SHORTEST)
    power, shape, size = spectra(wave, places, seconds, 0.45 * middle)
    # Several periods are as exact as one long one, as long as their spans do not overlap.
    apart = 0.45 / (2 ** (reach / 1200) - 1)
    count = max(1, int(min(0.3 * seconds * middle, apart)))
    grid = np.arange(-reach - 2 * FINE, reach + 3 * FINE, FINE)
    found = correlation(power, shape, count * RATE / middle * 2 ** (-grid / 1200), size)
    allowed = np.abs(grid - away[:, None]) <= span + FINE
    best = np.where(allowed, found, -2).argmax(-1)
    rows = np.arange(len(best))
    inside = (best > 0) & (best < len(grid) - 1) & (np.abs(grid[best] - away) < span)
    best = np.clip(best, 1, len(grid) - 2)
    left, top, right = (found[rows, best + step] for step in (-1, 0, 1))
    bend = left - 2 * top + right
    offset = np.where(bend < -1e-12, 0.5 * (left - right) / np.minimum(bend, -1e-12), 0)
    cents = grid[best] + FINE * np.clip(offset, -0.5, 0.5)
    smooth = medfilt(cents - away, 3) + away if len(cents) > 2 else cents
    hz = middle * 2 ** (smooth / 1200)
    lags = (RATE / hz)[:, None] * np.array([1, 1 / 2, 1 / 3])
    here = correlation(power, shape, lags, size)
    power, shape, size = spectra(wave, places, 2 * seconds, 0.2 * middle)
    long = correlation(power, shape, (RATE / hz)[:, None] * np.arange(1, 4), size)
    return Measured(
        hz=hz,
        clarity=np.where(inside, top, 0.0),
        above=here[:, 1:].max(-1) - here[:, 0],
        below=long[:, 1:].max(-1) - long[:, 0],
    )
