"""The pitch to a fraction of a cent, where a sound is periodic enough to have one.

A network tells pitches apart to a few cents. The autocorrelation of the sound, taken at any lag as
the sum of its power spectrum times cosines, and divided by the window's own (P. Boersma, "Accurate
short-term analysis of the fundamental frequency", IFA Proceedings 17, 1993), has its maximum at
the period exactly. From a guess so close, one step of Newton's method leads there.
"""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from audiopipe.evidence import FFT, RATE, USUAL

PERIODIC = 0.95
"""How much a sound must be like itself one period later. In what is less so, a voice that glides
or a tone in noise, the network's estimate is the better one: measured on laryngograph data."""

MOST = 35.0
"""Cents by which a pitch is moved at most."""


def sharpened(hz: Tensor, power: Tensor) -> Tensor:
    """Pitches [frames] in Hz, from guesses and the power spectra [frames, bins] of their sound.

    >>> from audiopipe.evidence import POWER, WINDOW, Tables, evidence
    >>> tone = torch.sin(torch.arange(WINDOW) * (2 * torch.pi * 221.5 / RATE))[None]
    >>> power = evidence(tone, Tables.usual())[:, POWER]
    >>> round(float(sharpened(torch.tensor([220.0]), power)), 1)
    221.5
    """
    period = RATE / hz
    step = torch.arange(power.shape[1], device=power.device) * (2 * pi / FFT)
    turn = period[:, None] * step
    real, slant = turn.cos().mul_(power), turn.sin_().mul_(power)
    like, slope, bend = real.sum(1), -(slant @ step), -(real @ step.square())
    own, own_slope = _window(period)
    change = -(slope - like * own_slope / own) / bend
    found = RATE / (period + change)
    periodic = like > PERIODIC * own * power.sum(1)
    close = (1200 * (found / hz).log2()).abs() < MOST
    return torch.where(periodic & (bend < 0) & close, found, hz)


def _window(lag: Tensor) -> tuple[Tensor, Tensor]:
    """The correlation of Hann's window with itself at a lag in samples, and its slope there."""
    part = lag / USUAL
    sine, cosine = (2 * pi * part).sin(), (2 * pi * part).cos()
    bow = 2 / 3 + cosine / 3
    value = (1 - part) * bow + sine / (2 * pi)
    slope = (cosine - bow - (1 - part) * (2 * pi / 3) * sine) / USUAL
    return value.clamp_min(0.05), slope
