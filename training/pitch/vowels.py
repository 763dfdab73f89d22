"""Sung and spoken vowels: Klatt's glottal pulses through formants that move, with breath."""

from __future__ import annotations

import numpy as np

from training.pitch.contours import Floats, between
from training.pitch.timbres import Complexes, Play, Played, breath, shaken, summed, unit

FORMANTS = np.array(
    [
        [730, 1090, 2440, 3400, 4500],
        [570, 840, 2410, 3300, 4400],
        [300, 870, 2240, 3300, 4400],
        [270, 2290, 3010, 3600, 4600],
        [390, 1990, 2550, 3500, 4500],
        [530, 1840, 2480, 3500, 4500],
        [660, 1720, 2410, 3500, 4500],
        [490, 1350, 1690, 3300, 4400],
        [500, 1500, 2500, 3500, 4500],
    ],
    float,
)
"""Hz; Peterson and Barney's men, and a neutral vowel."""


def glottal(open_share: float) -> Complexes:
    """The partials of the derived flow: a parabola while the glottis is open, then a sharp end."""
    period = 4096
    time = np.arange(period) / (period * open_share)
    flow = np.where(time < 1, 2 * time - 3 * time**2, 0.0)
    partials: Complexes = np.fft.rfft(flow)[:300] / period
    return partials


def vowel(rng: np.random.Generator) -> Play:
    """A singer or speaker, whose every note moves from one vowel to another."""
    pulses = glottal(rng.uniform(0.35, 0.9))
    tract, dark = between(rng, 0.85, 1.4), between(rng, 600, 5000)
    jitter, shimmer = between(rng, 0.0005, 0.012), rng.uniform(0, 0.12)
    narrow = rng.uniform(0.6, 1.8)
    airy = rng.uniform(-35, -10)

    def play(hz: Floats) -> Played:
        ends = FORMANTS[rng.integers(len(FORMANTS), size=2)] * tract * np.exp(rng.normal(0, 0.04))

        def spectrum(h: int, at: Floats) -> Complexes:
            way = np.linspace(0, 1, len(at))[:, None]
            centres = ends[0] + (ends[1] - ends[0]) * way
            centres[:, 0] = np.maximum(centres[:, 0], at)  # sopranos open their mouths
            widths = narrow * (50 + centres / 30)
            place = h * at[:, None]
            tube = centres**2 / (centres**2 - place**2 + 1j * place * widths)
            size: Complexes = tube.prod(-1) * pulses[h % 300] / (1 + 1j * h * at / dark)
            return size

        loose, gain = shaken(rng, hz, jitter, shimmer)
        return Played(unit(summed(loose, spectrum)) * gain + breath(rng, hz, airy), hz)

    return play
