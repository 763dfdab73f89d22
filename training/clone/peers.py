"""What a converter has to be better than: pitch, formants and colour moved by rule, with WORLD."""

from __future__ import annotations

import numpy as np
import pyworld
import torch
from torch import Tensor

RATE = 24_000
Analysis = tuple[np.ndarray, np.ndarray, np.ndarray]


def analysed(audio: Tensor, pitch: tuple[float, float] = (60.0, 500.0)) -> Analysis:
    """f0, looked for within `pitch`, envelope and aperiodicity of samples [time]."""
    samples, (low, high) = audio.double().numpy(), pitch
    f0, times = pyworld.dio(samples, RATE, f0_floor=low, f0_ceil=high, speed=4)
    f0 = pyworld.stonemask(samples, f0, times, RATE)
    envelope = pyworld.cheaptrick(samples, f0, times, RATE)
    return f0, envelope, pyworld.d4c(samples, f0, times, RATE)


def shifted(source: Analysis, reference: Analysis) -> Tensor:
    """The source with the reference's median f0, with its formants where the mean spectra fit best,
    and with its mean spectrum: samples [time]."""
    f0, envelope, noise = source
    ratio = np.median(reference[0][reference[0] > 0]) / np.median(f0[f0 > 0])
    wanted = long_term(reference)
    factors = np.linspace(0.8, 1.25, 19)
    misfits = [np.std((wanted - warped(long_term(source), factor))[8:320]) for factor in factors]
    factor = factors[int(np.argmin(misfits))]
    moved = np.stack([warped(row, factor) for row in np.log(envelope)])
    colour = smooth(wanted - warped(long_term(source), factor))
    colour[320:] = colour[319]  # 7.5 kHz: above, recordings of 16 kHz have nothing
    made = pyworld.synthesize(f0 * ratio, np.exp(moved + colour), noise, RATE)
    return torch.from_numpy(made).float()


def long_term(found: Analysis) -> np.ndarray:
    """Mean of the voiced frames' log-envelopes, [bins]."""
    return np.log(found[1][found[0] > 0]).mean(axis=0)


def warped(row: np.ndarray, factor: float) -> np.ndarray:
    """A spectrum with all frequencies times `factor`."""
    places = np.arange(len(row))
    return np.interp(places / factor, places, row)


def smooth(row: np.ndarray, width: int = 17) -> np.ndarray:
    """Mean over `width` bins around each."""
    around = np.pad(row, width // 2, mode="edge")
    return np.convolve(around, np.ones(width) / width, mode="valid")
