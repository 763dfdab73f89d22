"""Sounds of a given f0, exact by construction and without aliasing.

A timbre is drawn once, `timbre(rng)`, and gives a function that plays a contour of f0 [samples] in
Hz. What it plays carries its own truth: that is the contour itself, another octave of it, or NaN
where people would not agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import lfilter

from training.pitch.contours import Floats, between
from training.pitch.sets import RATE

FADE, TOP = 7200.0, 7800.0
"""Hz; partials fade out between them, so that none folds at 8 kHz."""
GRID = 80
"""Samples between amplitudes of a partial."""

Complexes = NDArray[np.complex128]
Gain = Callable[[int, Floats], Floats]
Spectrum = Callable[[int, Floats], Complexes] | Gain
"""The amplitudes of partial h where f0 is so many Hz: (h, hz [points]) -> [points]"""


@dataclass(frozen=True)
class Played:
    """Shape: wave [samples], hz [samples]: the truth, NaN where there is none."""

    wave: Floats
    hz: Floats


Play = Callable[[Floats], Played]


def phase(hz: Floats) -> Floats:
    """Radians."""
    return np.cumsum(hz) * (2 * np.pi / RATE)


def summed(hz: Floats, spectrum: Spectrum, phases: Floats | None = None) -> Floats:
    """All partials of f0 below TOP.

    Shape: hz [samples], phases [partials] or fewer, repeated -> [samples]
    """
    samples = len(hz)
    points = np.arange(0, samples + GRID, GRID)
    coarse = hz[np.minimum(points, samples - 1)]
    turn = np.exp(1j * phase(hz))
    partial = np.ones(samples, complex)
    wave = np.zeros(samples)
    for h in range(1, int(TOP / hz.min()) + 1):
        partial *= turn
        size = np.asarray(spectrum(h, coarse), complex)
        if phases is not None:
            size = size * np.exp(1j * phases[h % len(phases)])
        largest = np.abs(size).max()
        if largest < 1e-5:
            continue
        if np.ptp(size.real) + np.ptp(size.imag) < 1e-6 * largest:
            one = size[0].real * partial.real - size[0].imag * partial.imag
        else:
            at = np.arange(samples)
            one = np.interp(at, points, size.real) * partial.real
            one -= np.interp(at, points, size.imag) * partial.imag
        if h * hz.max() > FADE:
            one *= np.clip((TOP - h * hz) / (TOP - FADE), 0, 1)
        wave += one
    return wave


def noise(rng: np.random.Generator, samples: int, slope: float | None = None) -> Floats:
    """Of root mean square 1, with a slope in dB an octave."""
    slope = rng.uniform(-6, 3) if slope is None else slope
    bins = np.arange(1, samples // 2 + 2) * (RATE / samples)
    shape = np.maximum(bins, 60.0) ** (slope / 6.02)
    return unit(irfft(rfft(rng.normal(size=samples)) * shape[: samples // 2 + 1], samples))


def unit(wave: Floats) -> Floats:
    """With a root mean square of 1."""
    return wave / max(float(np.sqrt(np.mean(wave**2))), 1e-9)


def resonances(rng: np.random.Generator, count: int, low: float, high: float) -> Gain:
    """Gains of up to 20 dB about `count` random frequencies."""
    places = np.exp(rng.uniform(np.log(low), np.log(high), count))
    widths = places * rng.uniform(0.05, 0.3, count)
    gains = 10 ** (rng.uniform(0, 20, count) / 20)

    def gain(h: int, hz: Floats) -> Floats:
        apart = (h * hz[:, None] - places) / widths
        total: Floats = 1 + (gains / (1 + apart**2)).sum(-1)
        return total

    return gain


def phases_of(rng: np.random.Generator) -> Floats | None:
    """Random ones, or all alike."""
    return rng.uniform(0, 2 * np.pi, 64) if rng.uniform() < 0.5 else None


def breath(rng: np.random.Generator, hz: Floats, loudest: float) -> Floats:
    """Noise at -45 to `loudest` dB, at times in pulses of the pitch."""
    sound = noise(rng, len(hz), rng.uniform(-4, 4)) * 10 ** (rng.uniform(-45, loudest) / 20)
    pulses: Floats = 1 + rng.uniform(0, 1) * np.cos(phase(hz))
    return sound * pulses


def shaken(
    rng: np.random.Generator, hz: Floats, jitter: float, shimmer: float
) -> tuple[Floats, Floats]:
    """f0 and gain, both a little different in each period: [samples] and [samples]."""
    period = np.cumsum(hz) / RATE
    knots = rng.normal(size=(2, int(period[-1]) + 3))
    wow, flutter = (np.interp(period, np.arange(knots.shape[1]), row) for row in knots)
    return hz * (1 + jitter * np.clip(wow, -3, 3)), 1 + shimmer * np.clip(flutter, -3, 3)


def sine(rng: np.random.Generator) -> Play:
    return lambda hz: Played(np.sin(phase(hz)), hz)


def additive(rng: np.random.Generator) -> Play:
    """A slope, and every partial somewhat louder or softer than that; formants at times."""
    slope, spread = rng.uniform(0, 2.5), rng.uniform(0, 8)
    own = 10 ** (rng.normal(0, spread, 300) / 20)
    colour = resonances(rng, int(rng.integers(1, 5)), 200, 5000)
    coloured, phases = rng.uniform() < 0.5, phases_of(rng)
    highest = rng.integers(2, 8) if rng.uniform() < 0.25 else 300

    def spectrum(h: int, hz: Floats) -> Floats:
        size = float(own[h % 300] * h**-slope * (h <= highest))
        return size * (colour(h, hz) if coloured else np.ones(len(hz)))

    return lambda hz: Played(summed(hz, spectrum, phases), hz)


def classic(rng: np.random.Generator) -> Play:
    """Sawtooth, square, triangle, or pulses of any width."""
    duty = rng.choice([rng.uniform(0.03, 0.45), 0.5])
    kind = rng.integers(4)

    def spectrum(h: int, hz: Floats) -> Complexes:
        odd = h % 2
        sizes = [-1j / h, -1j * odd / h, odd / h**2, np.sin(np.pi * h * duty) / h]
        return np.full(len(hz), sizes[kind], complex)

    return lambda hz: Played(summed(hz, spectrum), hz)


def odd_only(rng: np.random.Generator) -> Play:
    """As clarinets and stopped pipes: even partials 15 dB down or absent, and breath."""
    slope, even = rng.uniform(0.5, 2), 10 ** (rng.uniform(-40, -15) / 20)
    phases = phases_of(rng)

    def play(hz: Floats) -> Played:
        wave = summed(
            hz, lambda h, at: np.full(len(at), h**-slope * (1 if h % 2 else even)), phases
        )
        return Played(unit(wave) + breath(rng, hz, -20), hz)

    return play


def missing(rng: np.random.Generator) -> Play:
    """Without the first one to four partials."""
    absent, slope, phases = rng.integers(1, 5), rng.uniform(0, 1.2), phases_of(rng)
    own = 10 ** (rng.normal(0, 3, 64) / 20)
    highest = absent + rng.integers(4, 30)

    def spectrum(h: int, hz: Floats) -> Floats:
        return np.full(len(hz), own[h % 64] * h**-slope * (absent < h <= highest))

    return lambda hz: Played(summed(hz, spectrum, phases), hz)


def octave_trap(rng: np.random.Generator) -> Play:
    """Odd partials weaker than even ones, as in periods that alternate.

    Down to 12 dB the whole period is heard, from 28 dB on half of it; between them nobody knows.
    """
    weaker = rng.choice([rng.uniform(2, 12), rng.uniform(2, 12), rng.uniform(12, 40)])
    odd = 10 ** (-weaker / 20)
    slope, phases = rng.uniform(0, 1.5), phases_of(rng)
    ratio = 1.0 if weaker <= 12 else 2.0 if weaker >= 28 else np.nan

    def spectrum(h: int, hz: Floats) -> Floats:
        return np.full(len(hz), (odd if h % 2 else 1) * ((h + 1) // 2) ** -slope)

    return lambda hz: Played(summed(hz, spectrum, phases), hz * ratio)


def fm(rng: np.random.Generator) -> Play:
    """Ratios of small whole numbers; the index swells or fades, within the band."""
    carrier, modulator = ((1, 1), (1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2))[rng.integers(7)]
    index, fade = rng.uniform(0.8, 6), rng.uniform(-2, 2)

    def play(hz: Floats) -> Played:
        c, m = (carrier, modulator) if (carrier + 4 * modulator) * hz.max() < TOP else (1, 1)
        strength = np.maximum(index * np.exp(fade * np.arange(len(hz)) / RATE), 0.8)
        # Sidebands more than three beyond the index are 40 dB down.
        strength = np.clip((TOP / hz - c) / m - 3, 0, np.minimum(strength, 8))
        turn = phase(hz)
        return Played(np.sin(c * turn + strength * np.sin(m * turn)), hz)

    return play


def plucked(rng: np.random.Generator) -> Play:
    """Karplus and Strong's string, tuned by a fractional delay: its loop is one period long."""
    damping, ring, place = rng.uniform(0.01, 0.25), between(rng, 0.3, 8), rng.uniform(0.1, 0.5)

    def play(hz: Floats) -> Played:
        f0 = float(hz[0])
        period = RATE / f0
        taps = 12
        whole = int(period) - taps // 2  # so that the rest is near the middle of the taps
        rest = period - 1 - whole
        k = np.arange(taps)
        gaps = k[:, None] - k
        np.fill_diagonal(gaps, 1)
        parts = np.where(np.eye(taps, dtype=bool), 1, (rest - k) / gaps)
        fraction = parts.prod(1)  # Lagrange's interpolation
        loop = np.convolve(fraction, [damping, 1 - 2 * damping, damping])
        loop *= 10 ** (-3 / (f0 * ring))
        burst = np.zeros(len(hz))
        length = min(int(period) + 1, len(hz))
        burst[:length] = rng.normal(size=length)
        back = max(1, int(place * period))
        burst[back:] -= 0.9 * burst[:-back].copy()
        wave = lfilter([1.0], np.concatenate([[1.0], np.zeros(whole - 1), -loop]), burst)
        return Played(np.asarray(wave), np.full(len(hz), f0))

    return play


def stiff(rng: np.random.Generator) -> Play:
    """Struck strings, whose partials are a little wide; heard is what the lower ones agree on."""
    stiffness, place = 10 ** rng.uniform(-5, -3.4), rng.uniform(0.08, 0.3)
    slope, ring = rng.uniform(0.5, 1.8), between(rng, 0.5, 6)

    def play(hz: Floats) -> Played:
        time, turn = np.arange(len(hz)) / RATE, phase(hz)
        wave, total, shift = np.zeros(len(hz)), 0.0, 0.0
        for h in range(1, 80):
            wide = np.sqrt(1 + stiffness * h**2)
            if h * wide * hz.max() > TOP:
                break
            size = np.sin(np.pi * h * place) * h**-slope
            decay = np.exp(-time * 6.9 / ring * (1 + 0.02 * h**2))
            wave += size * decay * np.sin(h * wide * turn + rng.uniform(0, 0.5))
            if h <= 6:
                total, shift = total + size**2, shift + size**2 * np.log(wide)
        return Played(wave, hz * np.exp(shift / max(total, 1e-12)))

    return play


def bowed(rng: np.random.Generator) -> Play:
    """A sawtooth through a body, so that vibrato colours it; noise of the bow."""
    body = resonances(rng, int(rng.integers(5, 12)), 180, 5000)

    def play(hz: Floats) -> Played:
        loose, gain = shaken(rng, hz, rng.uniform(0, 0.003), rng.uniform(0, 0.05))
        wave = unit(summed(loose, lambda h, at: body(h, at) * (-1j / h))) * gain
        return Played(wave + breath(rng, hz, -25), hz)

    return play


def blown(rng: np.random.Generator) -> Play:
    """Few partials and much breath."""
    sizes = 10 ** (-np.arange(12) * rng.uniform(3, 14) / 20 + rng.normal(0, 4, 12) / 20)

    def play(hz: Floats) -> Played:
        loose, gain = shaken(rng, hz, rng.uniform(0, 0.002), rng.uniform(0, 0.08))
        wave = summed(loose, lambda h, at: np.full(len(at), sizes[h - 1] if h <= 12 else 0.0))
        return Played(unit(wave) * gain + breath(rng, hz, -10), hz)

    return play
