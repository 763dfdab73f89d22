"""Sounds that are no words, made up: each one in another room, by another hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RATE = 16000
Samples = np.ndarray[Any, np.dtype[np.float64]]
Random = np.random.Generator


def _decay(seconds: float, half: float) -> Samples:
    """A fading envelope that halves every `half` seconds."""
    return 0.5 ** (np.arange(round(seconds * RATE)) / RATE / half)


def _filtered(wave: Samples, low: float, high: float) -> Samples:
    """What is between two frequencies in Hz, with soft edges."""
    spectrum = np.fft.rfft(wave)
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    return np.fft.irfft(spectrum / (1 + (low / (hertz + 1)) ** 4 + (hertz / high) ** 4), len(wave))


def _put(parts: list[tuple[float, Samples]], seconds: float = 0.9) -> Samples:
    wave = np.zeros(round((seconds + 0.3) * RATE))
    for at, part in parts:
        start = round(at * RATE)
        wave[start : start + len(part)] += part[: len(wave) - start]
    return wave


def clap(random: Random) -> Samples:
    """Two hands: three or four bursts within 20 ms."""
    low, high = random.uniform(500, 1000), random.uniform(2500, 5000)
    half = random.uniform(0.004, 0.012)
    bursts = [
        (0.1 + k * random.uniform(0.003, 0.007), random.standard_normal(4000) * _decay(0.25, half))
        for k in range(random.integers(2, 5))
    ]
    return _filtered(_put(bursts), low, high)


def whistle(random: Random) -> Samples:
    """A tone of 0.3 to 0.6 s that rises or falls."""
    seconds, hz = random.uniform(0.3, 0.6), random.uniform(1000, 2200)
    time = np.arange(round(seconds * RATE)) / RATE
    bent = hz * (1 + random.uniform(-0.3, 0.5) * time / seconds)
    bent *= 1 + random.uniform(0, 0.02) * np.sin(2 * np.pi * random.uniform(4, 7) * time)
    breath = 0.05 * random.standard_normal(len(time))
    return _put(
        [(0.1, np.sin(2 * np.pi * np.cumsum(bent) / RATE) * np.hanning(len(time)) + breath)]
    )


def doorbell(random: Random) -> Samples:
    """Ding, dong: two bells, a third apart."""
    first, ratio = random.uniform(600, 900), random.uniform(0.75, 0.85)
    gap, half = random.uniform(0.25, 0.4), random.uniform(0.08, 0.2)
    time = np.arange(round(0.6 * RATE)) / RATE
    strengths = random.uniform(0.05, 0.5, 4)
    parts = []
    for at, hz in ((0.05, first), (0.05 + gap, first * ratio)):
        rows = (
            s * np.sin(2 * np.pi * hz * m * time)
            for s, m in zip(strengths, (1, 2, 3, 4.2), strict=True)
        )
        parts.append((at, sum(rows) * _decay(0.6, half)))
    return _put(parts)


def knock(random: Random) -> Samples:
    """Two or three knocks on wood."""
    pause, hz = random.uniform(0.12, 0.22), random.uniform(90, 250)
    time = np.arange(round(0.1 * RATE)) / RATE
    parts = []
    for k in range(random.integers(2, 4)):
        thump = np.sin(2 * np.pi * hz * time + random.uniform(0, 6)) + 0.4 * random.standard_normal(
            len(time)
        )
        parts.append((0.1 + k * pause * random.uniform(0.9, 1.1), thump * _decay(0.1, 0.012)))
    return _filtered(_put(parts), 60, random.uniform(800, 2000))


def snap(random: Random) -> Samples:
    """Two fingers: one short, bright click, with its echo."""
    half = random.uniform(0.003, 0.007)
    click = random.standard_normal(2400) * _decay(0.15, half)
    return _filtered(_put([(0.1, click)]), random.uniform(1200, 2000), random.uniform(3500, 6500))


SOUNDS: dict[str, Callable[[Random], Samples]] = {
    "clap": clap,
    "whistle": whistle,
    "doorbell": doorbell,
    "knock": knock,
    "snap": snap,
}


def recorded(name: str, seed: int) -> Samples:
    """A sound [time] as a microphone in a room hears it: with echo and noise, at some level."""
    random = np.random.default_rng([seed, *name.encode()])
    wave = SOUNDS[name](random)
    half, wet = random.uniform(0.02, 0.08), random.uniform(0.05, 0.4)
    echo = random.standard_normal(4800) * _decay(0.3, half) * wet / 10
    echo[0] = 1
    wave = np.convolve(wave, echo)[: len(wave)]
    wave *= random.uniform(0.05, 0.6) / np.abs(wave).max()
    noise = _filtered(random.standard_normal(len(wave)), 50, random.uniform(500, 4000))
    return wave + noise / noise.std() * 10 ** (random.uniform(-70, -50) / 20)
