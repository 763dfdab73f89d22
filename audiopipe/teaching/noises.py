"""Sounds that are no label, made up: silence, and noises of all colours."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from audiopipe.stages.keywords import RATE
from audiopipe.teaching.seconds import SECOND


def made_up_noises(count: int, random: torch.Generator) -> Tensor:
    """Seconds of silence, steady noise, pulsing noise, hum and clicks: [count, 16000]."""
    makers = (_steady, _pulsing, _hum, _clicks)
    made = torch.stack([makers[k % len(makers)](random) for k in range(count)])
    made = made / made.abs().amax(1, keepdim=True).clamp_min(1e-9)
    decibels = -60 + 55 * torch.rand(count, 1, generator=random)
    made = made * amplitude(decibels)
    made[::16] = 0
    return made


def amplitude(decibels: Tensor) -> Tensor:
    """Decibels as factors."""
    factors: Tensor = 10 ** (decibels / 20)
    return factors


def _steady(random: torch.Generator) -> Tensor:
    """Noise whose spectrum falls by -3 to 12 dB an octave: [16000]."""
    spectrum = torch.fft.rfft(torch.randn(SECOND, generator=random))
    hertz = torch.fft.rfftfreq(SECOND, 1 / RATE).clamp_min(50)
    falling = -0.5 + 2.5 * float(torch.rand(1, generator=random))
    coloured: Tensor = torch.fft.irfft(spectrum * (hertz / 1000) ** -falling, SECOND)
    return coloured


def _pulsing(random: torch.Generator) -> Tensor:
    """Steady noise that comes and goes 1 to 8 times a second: [16000]."""
    rate, phase = torch.rand(2, generator=random).tolist()
    time = torch.arange(SECOND) / RATE
    swell = torch.sin(2 * pi * ((1 + 7 * rate) * time + phase)).clamp_min(0)
    return _steady(random) * swell**2


def _hum(random: torch.Generator) -> Tensor:
    """Harmonics of 40 to 400 Hz in a little noise, as of motors: [16000]."""
    lowest = 40 * 10 ** float(torch.rand(1, generator=random))
    orders = torch.arange(1, 9)[:, None]
    strengths = torch.rand(8, 1, generator=random) / orders
    phases = torch.rand(8, 1, generator=random)
    time = torch.arange(SECOND) / RATE
    waves = strengths * torch.sin(2 * pi * (orders * lowest * time + phases))
    noise = _steady(random)
    return waves.sum(0) + 0.1 * noise / noise.abs().max()


def _clicks(random: torch.Generator) -> Tensor:
    """One to six short clicks, as of keys and mice: [16000]."""
    wave = torch.zeros(SECOND)
    for _ in range(int(torch.randint(1, 7, (1,), generator=random))):
        at, length = torch.rand(2, generator=random).tolist()
        count = 20 + int(200 * length)
        fade = torch.exp(-torch.arange(count) / (count / 5))
        start = int(at * (SECOND - count))
        wave[start : start + count] += fade * torch.randn(count, generator=random)
    return wave
