"""Melodies without a sound: when notes begin, and the f0 of each of their samples.

A note may be a whole phrase, played without a break: a glide, a trill, a sentence's melody. Pitches
are in cents above 1 Hz while they are made, for there intervals are sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from training.pitch.sets import RATE

Floats = NDArray[np.float64]

CLIP = 4.0
"""Seconds of sound in a clip, on average."""


@dataclass(frozen=True)
class Note:
    """The f0 of each of its samples in Hz; the first one is sample `start` of the clip.

    Shape: hz [samples]
    """

    start: int
    hz: Floats

    @property
    def end(self) -> int:
        return self.start + len(self.hz)


def cents(hz: float) -> float:
    """Cents above 1 Hz."""
    return 1200 * float(np.log2(hz))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Any factor between two as likely as any other."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def smooth_noise(rng: np.random.Generator, samples: int, rate: float) -> Floats:
    """Slow noise of variance 1 or a little less: `rate` new values a second, joined by lines."""
    knots = rng.normal(size=int(samples / RATE * rate) + 3)
    places = np.arange(samples) * (rate / RATE) + rng.uniform()
    values: Floats = np.interp(places, np.arange(len(knots)), knots)
    return values


def vibrato(rng: np.random.Generator, samples: int) -> Floats:
    """4 to 8 Hz, 10 to 150 cents to each side, often only after a while, never quite regular."""
    rate = rng.uniform(4, 8) * (1 + 0.05 * smooth_noise(rng, samples, 3))
    depth = np.full(samples, between(rng, 10, 150))
    time = np.arange(samples) / RATE
    if rng.uniform() < 0.5:
        swell = np.clip((time - rng.uniform(0, 0.4)) / rng.uniform(0.1, 0.5), 0, 1)
        depth = depth * swell
    return depth * np.sin(2 * np.pi * (rng.uniform() + np.cumsum(rate) / RATE))


def stepped(rng: np.random.Generator, pitches: Floats, each: float, slur: float) -> Floats:
    """One pitch after the other, `each` seconds, with slides of `slur` seconds between."""
    lengths = np.maximum(160, each * RATE * np.exp(rng.normal(0, 0.1, len(pitches)))).astype(int)
    line = np.repeat(pitches, lengths)
    width = int(slur * RATE)
    if width > 1:
        padded = np.pad(line, (width // 2, width - 1 - width // 2), mode="edge")
        line = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    return line


def held(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    """One pitch."""
    return np.full(int(between(rng, 0.15, 2.5) * RATE), centre + rng.integers(-12, 13) * 100)


def scale(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    """Up, down, or both, by half and whole tones, thirds at times."""
    steps = rng.choice([100, 200, 200, 300], rng.integers(4, 14))
    line = np.concatenate([[0], np.cumsum(steps)])
    line = line - line.mean()
    if rng.uniform() < 0.5:
        line = line[::-1]
    if rng.uniform() < 0.4:
        line = np.concatenate([line, line[-2::-1]])
    return stepped(rng, centre + line, between(rng, 0.06, 0.35), slur)


def trill(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    width = rng.choice([100, 200, 300, 400])
    turns = rng.integers(4, 20)
    line = centre + width * (np.arange(turns) % 2)
    return stepped(rng, line, 0.5 / rng.uniform(4, 9), slur)


def jumps(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    """Any interval up to two octaves; octaves and twelfths often."""
    line = rng.uniform(-1200, 1200, rng.integers(3, 9))
    for index in range(1, len(line)):
        if rng.uniform() < 0.5:
            interval = rng.choice([1200, 1200, 1902, 2400, 702])
            line[index] = line[index - 1] - np.sign(line[index - 1]) * interval
    return stepped(rng, centre + line, between(rng, 0.08, 0.5), slur)


def glide(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    """From one pitch to another, in cents or in Hz evenly, with rests of the pitch at its ends."""
    samples = int(between(rng, 0.15, 2.0) * RATE)
    ends = centre + rng.uniform(-1, 1, 2) * rng.choice([300, 1200, 2400])
    ramp = np.linspace(0, 1, samples)
    if rng.uniform() < 0.5:
        ramp = 0.5 - 0.5 * np.cos(np.pi * ramp)
    if rng.uniform() < 0.3:
        low, high = 2 ** (ends / 1200)
        line = 1200 * np.log2(low + (high - low) * ramp)
    else:
        line = ends[0] + (ends[1] - ends[0]) * ramp
    hold = int(rng.uniform(0, 0.2) * RATE)
    return np.pad(line, (hold, hold), mode="edge")


def spoken(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    """A sentence's melody: smooth, falling, some semitones to each side."""
    samples = int(between(rng, 0.2, 1.8) * RATE)
    knots = max(3, int(samples / RATE * rng.uniform(3, 7)))
    values = rng.normal(0, rng.uniform(80, 450), knots) - np.linspace(0, rng.uniform(0, 500), knots)
    curve = PchipInterpolator(np.linspace(0, samples - 1, knots), values)
    return centre + np.asarray(curve(np.arange(samples)))


def sweep(rng: np.random.Generator, centre: float, slur: float) -> Floats:
    """Through octaves at a stretch."""
    samples = int(rng.uniform(1.0, 4.0) * RATE)
    span = float(rng.uniform(2400, 6000) * rng.choice([-0.5, 0.5]))
    return centre + span * np.linspace(-1, 1, samples)


Style = Callable[[np.random.Generator, float, float], Floats]
STYLES: dict[Style, float] = {
    held: 3.0,
    scale: 1.5,
    trill: 0.7,
    jumps: 1.5,
    glide: 1.5,
    spoken: 1.3,
    sweep: 0.4,
}


def ornamented(rng: np.random.Generator, line: Floats) -> Floats:
    """With vibrato, with a slow drift, or as it is."""
    if rng.uniform() < 0.4:
        line = line + vibrato(rng, len(line))
    if rng.uniform() < 0.3:
        line = line + rng.uniform(2, 15) * smooth_noise(rng, len(line), rng.uniform(2, 20))
    return line


def mirrored(line: Floats, bottom: float, top: float) -> Floats:
    """Folded into the range: clipped, it would rest at the edges too often."""
    width = top - bottom
    return top - np.abs((line - bottom) % (2 * width) - width)


def melody(
    rng: np.random.Generator, samples: int, low: float, high: float, steady: bool
) -> list[Note]:
    """Notes that follow each other, with rests or without, between `low` and `high` Hz.

    `steady` ones keep one pitch each: what is plucked by the pitch it begins with.
    """
    styles = [held, scale, jumps] if steady else list(STYLES)
    weights = np.array([STYLES[style] for style in styles])
    centre = rng.uniform(cents(low), cents(high))
    broken = steady or rng.uniform() < 0.3  # into the notes of its phrases
    at = int(rng.uniform(-0.3, 0.6) * RATE)
    notes: list[Note] = []
    while (at := max(at, 0)) < samples - 1600:
        make = styles[rng.choice(len(styles), p=weights / weights.sum())]
        slur = 0.0 if broken else rng.uniform(0, 0.04)
        line = make(rng, centre + rng.uniform(-300, 300), slur)
        line = line if steady else ornamented(rng, line)
        line = mirrored(line, cents(low), cents(high))[: samples - at]
        cuts = np.flatnonzero(broken & (np.abs(np.diff(line)) > 60)) + 1
        for part in np.split(2 ** (line / 1200), cuts):
            if len(part) >= 320:
                notes.append(Note(at, part))
            at += len(part)
        at += int(
            rng.choice([0.0, rng.uniform(0, 0.1), between(rng, 0.1, 1), between(rng, 0.1, 1)])
            * RATE
        )
    return notes
