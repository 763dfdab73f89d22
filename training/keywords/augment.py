"""What rooms, microphones and networks do to a word; all on batches [batch, samples] at 16 kHz."""

from __future__ import annotations

from math import log, log2, pi

import torch
from torch import Generator, Tensor

from audiopipe.mel import mel_points

from .clips import RATE

SECOND = RATE
TAIL = 6400
"""Samples of a room's impulse response: 0.4 s."""
POINTS = 12
"""Points of a random frequency response, from 50 Hz to 8 kHz."""


def uniform(count: int, low: float, high: float, random: Generator) -> Tensor:
    """Random numbers [count] from low to high."""
    return low + (high - low) * torch.rand(count, generator=random)


def chance(count: int, share: float, random: Generator) -> Tensor:
    """Which of `count` are chosen: bool [count]."""
    return torch.rand(count, generator=random) < share


def place(
    clips: Tensor, start: Tensor, stop: Tensor, speed: Tensor, room: float, random: Generator
) -> Tensor:
    """Put each word somewhere into a second, `speed` times as fast: [batch, samples].

    The word is in the clip from `start` to `stop`; up to `room` seconds of it may be cut off.
    """
    count, length = clips.shape
    heard = SECOND * speed
    slack = room * RATE
    earliest, latest = stop - heard - slack, start + slack
    middle = (earliest + latest) / 2
    earliest, latest = torch.minimum(earliest, middle), torch.maximum(latest, middle)
    first = earliest + (latest - earliest) * torch.rand(count, generator=random)
    at = first[:, None] + speed[:, None] * torch.arange(SECOND)
    whole = at.floor()
    share = at - whole
    index = whole.long()
    inside = (index >= 0) & (index + 1 < length)
    index = index.clamp(0, length - 2)
    placed = clips.gather(1, index) * (1 - share) + clips.gather(1, index + 1) * share
    return placed * inside


SIZE = SECOND + TAIL
"""Of the transforms with which rooms and microphones are applied."""


def rooms(count: int, random: Generator, size: int = SIZE) -> Tensor:
    """Spectra of simulated rooms' impulse responses [count, bins]: reverberation times of 0.1 to
    0.8 s; direct sound, a few reflections, and noise that decays (Polack 1988)."""
    time = torch.arange(TAIL) / RATE
    decay = torch.exp(uniform(count, log(0.1), log(0.8), random))[:, None]
    tail = torch.randn(count, TAIL, generator=random) * torch.exp(-6.9 * time / decay)
    tail = tail * (uniform(count, 0.001, 0.02, random)[:, None] < time)
    ratio = uniform(count, -2, 18, random)[:, None]  # direct to reverberant, dB
    tail = tail / tail.square().sum(1, keepdim=True).sqrt() * 10 ** (-ratio / 20)
    tail[:, 0] = 1
    for _ in range(4):
        delay = (uniform(count, 0.001, 0.015, random) * RATE).long()
        gain = uniform(count, -0.5, 0.5, random) * 10 ** (-ratio[:, 0].clamp_min(0) / 40)
        tail[torch.arange(count), delay] += gain
    return torch.fft.rfft(tail, n=size)


def microphones(count: int, random: Generator, size: int = SIZE) -> Tensor:
    """Frequency responses [count, bins] of microphones, telephones and bad codecs.

    Band limits matter most: of the digits most are band-limited, of the commands none, and a
    network would learn that instead of the words.
    """
    hertz = torch.linspace(0, RATE / 2, size // 2 + 1)
    octave = torch.log2(hertz.clamp_min(50) / 50) / log2(8000 / 50) * (POINTS - 1)
    below = octave.long().clamp_max(POINTS - 2)
    curve = torch.randn(count, POINTS, generator=random) * uniform(count, 0, 5, random)[:, None]
    curve += uniform(count, -1, 1, random)[:, None] * torch.arange(POINTS)
    response = torch.lerp(curve[:, below], curve[:, below + 1], octave - below)
    top = torch.where(
        chance(count, 0.45, random), uniform(count, 2800, 7500, random), torch.full((count,), 1e5)
    )
    bottom = torch.where(
        chance(count, 0.3, random), uniform(count, 80, 400, random), torch.full((count,), 1.0)
    )
    steep = uniform(count, 24, 120, random)[:, None]  # dB an octave
    response -= steep * (hertz / top[:, None]).clamp_min(1).log2()
    response -= 24 * (bottom[:, None] / hertz.clamp_min(1)).clamp_min(1).log2()
    return 10 ** (response.clamp(-100, 40) / 20)


def colour(clips: Tensor, responses: Tensor, random: Generator) -> Tensor:
    """Each clip through one of the responses [n, bins]: [batch, samples]."""
    chosen = torch.randint(len(responses), (len(clips),), generator=random)
    size = 2 * (responses.shape[1] - 1)
    sound = torch.fft.rfft(clips, n=size) * responses[chosen]
    return torch.fft.irfft(sound, n=size)[:, : clips.shape[1]]


def active_level(clips: Tensor) -> Tensor:
    """RMS of the loudest tenth of a second or so, of each clip: [batch, 1]."""
    frames = clips.unfold(1, 1600, 800).square().mean(2)
    return frames.topk(3, dim=1).values.mean(1, keepdim=True).sqrt()


def add_noise(clips: Tensor, noise: Tensor, snr: Tensor) -> Tensor:
    """Add noise [batch, samples] at `snr` [batch] dB below the active level of each clip."""
    power = noise.square().mean(1, keepdim=True).sqrt().clamp_min(1e-6)
    gain = active_level(clips) * 10 ** (-snr[:, None] / 20) / power
    return clips + noise * gain


def coloured_noise(count: int, random: Generator, length: int = SECOND) -> Tensor:
    """Noise from brown to blue, some with hum: [count, length], RMS about 1."""
    bins = length // 2 + 1
    tilt = uniform(count, -2.2, 0.6, random)[:, None]
    hertz = torch.linspace(0, RATE / 2, bins).clamp_min(20)
    shape = (hertz / 1000) ** tilt
    phases = torch.rand(count, bins, generator=random) * 2 * pi
    noise = torch.fft.irfft(torch.polar(shape, phases), n=length)
    noise = noise / noise.square().mean(1, keepdim=True).sqrt()
    time = torch.arange(length) / RATE
    hum = torch.zeros_like(noise)
    base = torch.where(chance(count, 0.5, random), 50.0, 60.0)[:, None]
    for harmonic in range(1, 8):
        hum += torch.sin(2 * pi * base * harmonic * time) / harmonic
    return torch.where(chance(count, 0.15, random)[:, None], noise * 0.3 + hum, noise)


def distort(clips: Tensor, random: Generator) -> Tensor:
    """Some clipped, some in 8 bits of µ-law, as telephones send them (G.711)."""
    peak = clips.abs().amax(1, keepdim=True).clamp_min(1e-6)
    limit = peak * uniform(len(clips), 0.2, 0.8, random)[:, None]
    cut = chance(len(clips), 0.05, random)
    clips[cut] = torch.minimum(torch.maximum(clips[cut], -limit[cut]), limit[cut])
    full = peak / uniform(len(clips), 0.05, 1, random)[:, None]
    coded = chance(len(clips), 0.07, random)
    scaled = clips[coded] / full[coded]
    steps = (127 * scaled.sign() * torch.log1p(255 * scaled.abs()) / log(256)).round() / 127
    clips[coded] = steps.sign() * torch.expm1(steps.abs() * log(256)) / 255 * full[coded]
    return clips


def narrow(decibels: Tensor, random: Generator) -> Tensor:
    """Some as if they had been recorded at 8 or 11 kHz: nothing at all above half of it, not even
    noise. Log-mel [batch, bands, frames] above the floor, of which copies are made."""
    count, bands, _ = decibels.shape
    wide = chance(count, 0.2, random)
    top = torch.where(wide, uniform(count, 4800, 5600, random), uniform(count, 3300, 4100, random))
    centres = mel_points(bands, (60.0, 7600.0), "slaney")[1:-1]
    dead = (centres > top[:, None]) & chance(count, 0.18, random)[:, None]
    return decibels.masked_fill(dead[..., None], 0.0)


def warp_tables(bands: int, count: int) -> Tensor:
    """Matrices [count, bands, bands] that move mel bands, as longer or shorter vocal tracts do."""
    tables = torch.zeros(count, bands, bands)
    for table, stretch in zip(tables, torch.linspace(0.88, 1.13, count), strict=True):
        source = (torch.arange(bands) * stretch).clamp(0, bands - 1)
        below = source.long().clamp_max(bands - 2)
        share = source - below
        rows = torch.arange(bands)
        table[rows, below] += 1 - share
        table[rows, below + 1] += share
    return tables


def spoil(decibels: Tensor, tables: Tensor, random: Generator) -> Tensor:
    """Warp frequencies, then mask bands and times (SpecAugment, Park et al. 2019): log-mel
    [batch, bands, frames]."""
    count, bands, frames = decibels.shape
    chosen = torch.randint(len(tables), (count,), generator=random)
    warped = torch.bmm(tables[chosen], decibels)
    decibels = torch.where(chance(count, 0.5, random)[:, None, None], warped, decibels)
    mean = decibels.mean((1, 2), keepdim=True)
    for size, axis, most in ((bands, 1, 7), (bands, 1, 5), (frames, 2, 14), (frames, 2, 8)):
        width = uniform(count, 0, most, random)
        first = uniform(count, 0, 1, random) * (size - width)
        at = torch.arange(size)
        mask = (at >= first[:, None]) & (at < (first + width)[:, None])
        mask &= chance(count, 0.6, random)[:, None]
        decibels = torch.where(mask.unsqueeze(3 - axis), mean, decibels)
    return decibels
