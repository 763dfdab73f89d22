"""What a stretch of sound says about its pitch, for a network to weigh.

Views on a scale of log frequency, so that a higher pitch is the same picture moved up. Of the
64 ms about a frame:

    spectrum      level of bands half a semitone wide: where partials are
    contrast      the same without its envelope: peaks, whatever the timbre
    correlation   the window's autocorrelation at the period of every pitch, of its power (after
                  P. Boersma, "Accurate short-term analysis of the fundamental frequency", IFA
                  Proceedings 17, 1993)
    compressed    the same of its compressed power, which counts weak partials too (T. Tolonen &
                  M. Karjalainen, IEEE Trans. Speech Audio Process. 8(6), 2000)

the contrast and the correlation of the power of the 128 ms of which 96 lie before it, for low
pitches, whose partials lie close and whose periods are long, and of the 32 ms about it, for voices
that glide; of the 25 ms about it the mel spectrum, which tells a voice from a noise, and how loud
they are; and the power of the 64 ms, with which a pitch is sharpened afterwards.
Plain torch, no knowledge of stages.
"""

from __future__ import annotations

from math import isfinite

import torch
from torch import Tensor

from audiopipe.evidence.layout import (
    BANDS,
    BEFORE,
    FFT,
    HIGHEST,
    HOP,
    LEVEL,
    LOW,
    LOWEST,
    MEL,
    OCTAVE,
    PITCHES,
    POWER,
    RATE,
    SCALE,
    SIZE,
    TONE,
    USUAL,
    VIEWS,
    WINDOW,
)
from audiopipe.evidence.tables import (
    BRIEF_BINS,
    BRIEF_TOP,
    FAST_FFT,
    LOW_BINS,
    LOWER,
    TOP,
    UPPER,
    Tables,
)

__all__ = [
    "BEFORE",
    "FFT",
    "HIGHEST",
    "HOP",
    "LEVEL",
    "LOWEST",
    "MEL",
    "OCTAVE",
    "PITCHES",
    "POWER",
    "RATE",
    "SCALE",
    "SIZE",
    "TONE",
    "USUAL",
    "VIEWS",
    "WINDOW",
    "Tables",
    "evidence",
    "level",
]

_FLOOR = 1e-9
"""Power that is nothing: far below the noise of 16 bits."""
_RANGE = 6.0
"""Of the spectrum in bels, below its loudest band."""
_AT_ONCE = 256
"""Windows that are looked at together on a CPU: fewer cost calls, more fall out of its cache."""


def evidence(windows: Tensor, tables: Tables) -> Tensor:
    """Windows [n, WINDOW] at 16 kHz to what they say [n, SIZE]: views on the scale of pitch and
    zeros around them, the mel spectrum, the level, the power. What is no number is silence, and an
    offset does not matter.

    >>> tone = torch.sin(torch.arange(WINDOW) * (2 * torch.pi * 220 / RATE))
    >>> (found,) = evidence(tone[None], Tables.usual())
    >>> int(found[VIEWS["correlation"].columns][2 * OCTAVE : 5 * OCTAVE].argmax()) == OCTAVE
    True
    """
    found = windows.new_zeros(len(windows), SIZE)
    size = _AT_ONCE if windows.device.type == "cpu" else max(1, len(windows))
    for part, out in zip(torch.split(windows, size), torch.split(found, size), strict=True):
        _look(_centred(part), tables, out)
    return found


def level(windows: Tensor, tables: Tables) -> Tensor:
    """The level alone of windows [n, WINDOW], as in the column LEVEL of their evidence: [n].

    >>> tables, noise = Tables.usual(), torch.randn(1, WINDOW)
    >>> torch.allclose(level(noise, tables), evidence(noise, tables)[:, LEVEL])
    True
    """
    return _mel(_fast(_centred(windows), tables)[1], tables).amax(1)


def _look(windows: Tensor, tables: Tables, out: Tensor) -> None:
    """Fill `out` [n, SIZE], which is zero."""
    at = {name: out[:, view.columns] for name, view in VIEWS.items()}
    usual, long = torch.fft.rfft(windows * tables.slow)
    power, long = _power(usual[:, :TOP]), _power(long[:, :LOW_BINS])
    brief, short = _fast(windows, tables)

    levels = power.new_full((3, len(out), BANDS), _FLOOR)
    torch.mm(power[:, :LOWER], tables.low, out=levels[0, :, :LOW])
    torch.mm(power[:, UPPER:], tables.high, out=levels[0, :, LOW:])
    torch.mm(brief[:, :BRIEF_TOP], tables.bands_brief, out=levels[1])
    torch.mm(long[:, :LOWER], tables.low, out=levels[2, :, :LOW])
    levels = _below_loudest(levels.log10_())
    at["spectrum"].copy_(levels[0])
    torch.mm(levels[0], tables.contrast, out=at["contrast"])
    torch.mm(levels[1], tables.contrast, out=at["brief_contrast"])
    torch.mm(levels[2, :, :LOW], tables.contrast_low, out=at["low_contrast"])

    usual = power[:, :HIGHEST]
    _divided(usual, tables.cosines, at["correlation"]).clamp_(-1.5, 1.5)
    _divided(usual.sqrt().sqrt_(), tables.compressed, at["compressed"])
    _divided(long, tables.cosines_low, at["low_correlation"]).clamp_(-1.5, 1.5)
    _divided(brief[:, :BRIEF_BINS], tables.cosines_brief, at["brief_correlation"]).clamp_(-1.5, 1.5)

    mel = _mel(short, tables)
    torch.amax(mel, 1, keepdim=True, out=out[:, LEVEL : LEVEL + 1])
    out[:, TONE] = _below_loudest(mel)
    out[:, POWER] = usual


def _centred(windows: Tensor) -> Tensor:
    """Without their mean, and without what is no number."""
    mean = windows.mean(1, keepdim=True)
    if not isfinite(mean.sum()):
        windows = torch.nan_to_num(windows, 0.0, 0.0, 0.0)
        mean = windows.mean(1, keepdim=True)
    return windows - mean


def _fast(windows: Tensor, tables: Tables) -> Tensor:
    """The power of what is about each frame, in the brief window and in the short one:
    [2, n, bins]."""
    about = windows[:, BEFORE - FAST_FFT // 2 : BEFORE + FAST_FFT // 2]
    return _power(torch.fft.rfft(about * tables.fast))


def _mel(short: Tensor, tables: Tables) -> Tensor:
    """The mel spectrum in bels: [n, MEL]."""
    return (short @ tables.mel).log10_()


def _power(spectrum: Tensor) -> Tensor:
    """Power [n, bins], no less than nothing. The spectrum is used up."""
    # Not the product with the conjugate: its rounding depends on the size of the batch.
    parts = torch.view_as_real(spectrum).square_()
    return torch.add(parts[..., 0], parts[..., 1]).add_(_FLOOR)


def _below_loudest(levels: Tensor) -> Tensor:
    """Levels in bels about the middle of their range, which the loudest ends; in place."""
    loudest = levels.amax(-1, keepdim=True)
    return levels.sub_(loudest).clamp_min_(-_RANGE).add_(_RANGE / 2)


def _divided(power: Tensor, table: Tensor, out: Tensor) -> Tensor:
    """A product divided by the sum in its last column."""
    found = power @ table
    return torch.div(found[:, :-1], found[:, -1:], out=out)
