"""Tones whose pitch is known because they were made from it, 40 Hz to 2 kHz."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Random = np.random.Generator

SECONDS = 10
"""Of a recording."""
RATES = (16000, 44100)
"""In Hz, in turn."""
LOW, HIGH = 40.0, 2000.0
EDGE = 0.015
"""Seconds at either end of a note that do not count."""
HISS = -70.0
"""What is always there, in dB of full scale."""
STEP = 0.005
"""From a value of the truth to the next, in s."""


class Tone(NamedTuple):
    """A recording [time] at `rate` Hz; its truth at `seconds` is `hz`, 0 for none."""

    sound: Floats
    rate: int
    seconds: Floats
    hz: Floats


Voice = Callable[[Floats, int, Random], Floats]
"""Makes the sound [time] of a pitch in Hz [time] at a rate."""


def additive(hz: Floats, rate: int, random: Random) -> Floats:
    """Harmonics that get weaker, some of them missing, swelling and with tremolo."""
    fall, time = random.uniform(0.5, 2.0), np.arange(len(hz)) / rate
    count = random.integers(3, 25)
    strengths = np.arange(1, count + 1) ** -fall * random.uniform(0.2, 1, count)
    strengths[random.random(count) < 0.1] *= 0.1
    tremolo = 1 + random.uniform(0, 0.4) * np.sin(2 * np.pi * random.uniform(3, 7) * time)
    return _harmonics(hz, rate, dict(enumerate(strengths, 1)), random) * tremolo


def sines(hz: Floats, rate: int, random: Random) -> Floats:
    """Nothing but the fundamental."""
    return _harmonics(hz, rate, {1: 1.0}, random)


def plucked(hz: Floats, rate: int, random: Random) -> Floats:
    """Harmonics as of a string that is plucked somewhere; the high ones fade first."""
    time, place = np.arange(len(hz)) / rate, random.uniform(0.08, 0.4)
    half = random.uniform(0.5, 1.0) * time[-1]
    wave = np.zeros(len(hz))
    for k in range(1, 25):
        strength = abs(np.sin(np.pi * k * place)) / k
        fading = 0.5 ** (time / half * (1 + 0.2 * (k - 1)))
        wave += fading * _harmonics(hz, rate, {k: strength}, random)
    return wave


def missing_fundamental(hz: Floats, rate: int, random: Random) -> Floats:
    """Neighbouring harmonics from the second, third or fourth on, of pitches below 500 Hz."""
    first = int(random.integers(2, 5))
    strengths = {k: random.uniform(0.5, 1) for k in range(first, first + random.integers(4, 10))}
    return _harmonics(hz, rate, strengths, random)


KINDS: dict[str, tuple[Voice, float]] = {
    "additive": (additive, HIGH),
    "sines": (sines, HIGH),
    "plucked": (plucked, HIGH),
    "missing fundamental": (missing_fundamental, 500.0),
}
"""Each with its highest pitch."""


@cache
def make(kind: str, number: int) -> Tone:
    """Notes with pauses, some of which are filled with noise; always the same of a number."""
    random = np.random.default_rng([number, *kind.encode()])
    voice, highest = KINDS[kind]
    rate = RATES[number % len(RATES)]
    sound = np.zeros(SECONDS * rate)
    seconds = np.arange(0, SECONDS, STEP)
    truth, known = np.zeros(len(seconds)), np.ones(len(seconds), bool)
    at = random.uniform(0.1, 0.4)
    while at + (length := random.uniform(0.3, 1.2)) < SECONDS - 0.1:
        hz = _contour(length, rate, highest, random)
        note = voice(hz, rate, random) * _envelope(len(hz), rate)
        start = round(at * rate)
        note *= random.uniform(0.15, 0.5) / np.abs(note).max()
        sound[start : start + len(hz)] += note
        places = np.round((seconds - at) * rate).astype(int)
        inside = (places >= 0) & (places < len(hz))
        truth[inside] = hz[places[inside]]
        for end in (at, at + length):
            known &= np.abs(seconds - end) > EDGE
        pause = random.uniform(0.1, 0.5)
        if random.random() < 0.3:
            burst = round((at + length + 0.03) * rate)
            noise = random.standard_normal(round(max(0, pause - 0.06) * rate))
            noise *= _envelope(len(noise), rate) * random.uniform(0.01, 0.1)
            sound[burst : burst + len(noise)] += noise[: len(sound) - burst]
        at += length + pause
    sound += 10 ** (HISS / 20) * random.standard_normal(len(sound))
    return Tone(sound, rate, seconds[known], truth[known])


def glide(rate: int = 16000, seconds: float = 20.0) -> Tone:
    """A voice-like pitch that rises and falls fast and evenly: it tells where frames lie."""
    time = np.arange(round(seconds * rate)) / rate
    hz = 220 * 2 ** (0.4 * np.sin(2 * np.pi * 1.3 * time))
    random = np.random.default_rng(0)
    wave = _harmonics(hz, rate, {k: 1 / k for k in range(1, 20)}, random)
    sound = 0.2 * wave / np.abs(wave).max() + 1e-4 * random.standard_normal(len(time))
    times = np.arange(0.2, seconds - 0.2, STEP)
    return Tone(sound, rate, times, np.interp(times, time, hz))


def _contour(length: float, rate: int, highest: float, random: Random) -> Floats:
    """A pitch in Hz [time] within the range: steady, gliding, or with vibrato."""
    time = np.arange(round(length * rate)) / rate
    octaves = np.zeros(len(time))
    if random.random() < 0.4:
        octaves += random.uniform(-0.5, 0.5) * time / length
    if random.random() < 0.4:
        deep = random.uniform(0.01, 0.06)
        octaves += deep * np.sin(2 * np.pi * random.uniform(4, 7) * time)
    low, high = LOW * 1.02 / 2 ** octaves.min(), highest * 0.98 / 2 ** octaves.max()
    hz: Floats = low * (high / low) ** random.random() * 2**octaves
    return hz


def _harmonics(hz: Floats, rate: int, strengths: dict[int, float], random: Random) -> Floats:
    """A sum of harmonics, each with its strength and any phase, below the Nyquist frequency."""
    phase, wave = 2 * np.pi * np.cumsum(hz) / rate, np.zeros(len(hz))
    for k, strength in strengths.items():
        if k == 1 or k * hz.max() < 0.45 * rate:
            wave += strength * np.sin(k * phase + random.uniform(0, 2 * np.pi))
    return wave


def _envelope(count: int, rate: int) -> Floats:
    """1 with ends of 10 ms."""
    place = np.arange(count)
    ends: Floats = np.minimum(1.0, np.minimum(place + 1, count - place) / (0.01 * rate))
    return ends
