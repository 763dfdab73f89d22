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

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from audiopipe.mel import mel_bank, mel_points

RATE = 16000
WINDOW = 2048
"""Samples that a frame looks at: 128 ms."""
BEFORE = 1536
"""How many of them lie before the frame's own sample."""
HOP = 160
"""Samples from one frame to the next: 10 ms."""

LOWEST = 27.5
"""The pitch of the first bin in Hz: A0."""
OCTAVE = 24
"""Bins an octave: each is half a semitone."""
PITCHES = 176
"""Bins of pitch, up to 4.3 kHz."""
BANDS = 192
"""Bins of the spectrum, up to 6.9 kHz, on the same scale."""
LOW = 120
"""Bins of the views of the long window, up to 855 Hz."""
MEL = 40


class View(NamedTuple):
    """Where a view lies among the numbers of a frame; `zeros` follow it, which pitches find that
    look past its end."""

    first: int
    bins: int
    zeros: int

    @property
    def columns(self) -> slice:
        return slice(self.first, self.first + self.bins)


def _in_a_row(**sizes: tuple[int, int]) -> Iterator[tuple[str, View]]:
    first = 40  # zeros, for those who look below the first view
    for name, (bins, zeros) in sizes.items():
        yield name, View(first, bins, zeros)
        first += bins + zeros


VIEWS = dict(
    _in_a_row(
        contrast=(BANDS, 64),
        spectrum=(BANDS, 24),
        correlation=(PITCHES, 24),
        compressed=(PITCHES, 24),
        low_contrast=(LOW, 120),
        low_correlation=(LOW, 80),
        brief_contrast=(BANDS, 48),
        brief_correlation=(PITCHES, 24),
    )
)

FFT = 2048
USUAL = 1024
"""Samples of the 64 ms about a frame, in a transform of FFT."""
HIGHEST = 513
"""Bins of the transform that the correlation is made of: up to 4 kHz."""

SCALE = sum(VIEWS["brief_correlation"])
"""Numbers on the scale of pitch: the views, and the zeros around them."""
TONE = slice(SCALE, SCALE + MEL)
"""The mel spectrum's columns."""
LEVEL = TONE.stop
"""The level's column."""
POWER = slice(LEVEL + 1, LEVEL + 1 + HIGHEST)
"""The power's columns."""
SIZE = POWER.stop
"""Numbers a frame."""

_LOWER, _UPPER, _TOP = 120, 104, 904
"""Bins of the transform: the lower bands end before the first, the upper ones lie from the second
to before the third."""
_LOW_BINS = 256
"""Those that the correlation of the long window is made of: up to 2 kHz."""
_FAST_FFT = 1024
_BRIEF, _BRIEF_TOP, _BRIEF_BINS = 512, 452, 257
"""Samples of the brief window, bins of its transform for all bands, and up to 4 kHz."""
_SHORT = 400
"""Samples that the mel spectrum is of."""
_SLOPES = (1408, 640)
"""Samples over which the long window rises and falls."""
_FLOOR = 1e-9
"""Power that is nothing: far below the noise of 16 bits."""
_RANGE = 6.0
"""Of the spectrum in bels, below its loudest band."""
_ENVELOPE = 19
"""Bins over which the spectrum's envelope is smoothed."""
_AT_ONCE = 256
"""Windows that are looked at together on a CPU: fewer cost calls, more fall out of its cache."""


@dataclass(frozen=True, eq=False)
class Tables:
    """What the views are computed with.

    Products that are divided by the sum of what they are made of have it in their last column.
    """

    slow: Tensor
    """[2, 1, FFT]: the window of 64 ms and the long one."""
    fast: Tensor
    """[2, 1, _FAST_FFT]: the brief window and the short one."""
    low: Tensor
    """[_LOWER, LOW]: power to the lower bands."""
    high: Tensor
    """[_TOP - _UPPER, BANDS - LOW]: power to the upper bands."""
    contrast: Tensor
    contrast_low: Tensor
    """[BANDS, BANDS] and [LOW, LOW]: take the envelope away."""
    cosines: Tensor
    """[HIGHEST, PITCHES + 1]: power to the correlation at the period of each pitch."""
    compressed: Tensor
    """The same for compressed power."""
    cosines_low: Tensor
    """[_LOW_BINS, LOW + 1]: the same for the long window."""
    cosines_brief: Tensor
    """[_BRIEF_BINS, PITCHES + 1]: the same for the brief one."""
    bands_brief: Tensor
    """[_BRIEF_TOP, BANDS]: power to bands of the brief window."""
    mel: Tensor

    @classmethod
    def usual(cls, device: torch.device | str = "cpu") -> Tables:
        rise, fall = (torch.hann_window(2 * n, dtype=torch.float64) for n in _SLOPES)
        long = _normal(torch.cat([rise[: _SLOPES[0]], fall[_SLOPES[1] :]]))
        usual, brief, short = (
            _normal(torch.hann_window(n, dtype=torch.float64)) for n in (USUAL, _BRIEF, _SHORT)
        )
        bands, cosines, cosines_brief = _bands(FFT), _cosines(FFT), _cosines(_FAST_FFT)
        compressed = 10 * (cosines[:HIGHEST] - cosines[:HIGHEST].mean(0))
        tables = (
            torch.stack([pad(usual, (BEFORE - USUAL // 2, 0)), long])[:, None],
            torch.stack([pad(w, ((_FAST_FFT - len(w)) // 2,) * 2) for w in (brief, short)])[
                :, None
            ],
            bands[:_LOWER, :LOW],
            bands[_UPPER:_TOP, LOW:],
            _contrast(BANDS),
            _contrast(LOW),
            _with_sum(cosines[:HIGHEST] * _unbias(usual, cosines)),
            _with_sum(compressed),
            _with_sum(cosines[:_LOW_BINS, :LOW] * _unbias(long, cosines[:, :LOW])),
            _with_sum(cosines_brief[:_BRIEF_BINS] * _unbias(brief, cosines_brief)),
            _bands(_FAST_FFT)[:_BRIEF_TOP],
            _mel_bands(),
        )
        return cls(*(t.float().contiguous().to(device) for t in tables))


def pitches(count: int) -> Tensor:
    """The pitch of each bin in Hz: float64 [count].

    >>> round(float(pitches(PITCHES)[4 * OCTAVE]))
    440
    """
    return LOWEST * 2 ** (torch.arange(count, dtype=torch.float64) / OCTAVE)


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
    power, long = _power(usual[:, :_TOP]), _power(long[:, :_LOW_BINS])
    brief, short = _fast(windows, tables)

    levels = power.new_full((3, len(out), BANDS), _FLOOR)
    torch.mm(power[:, :_LOWER], tables.low, out=levels[0, :, :LOW])
    torch.mm(power[:, _UPPER:], tables.high, out=levels[0, :, LOW:])
    torch.mm(brief[:, :_BRIEF_TOP], tables.bands_brief, out=levels[1])
    torch.mm(long[:, :_LOWER], tables.low, out=levels[2, :, :LOW])
    levels = _below_loudest(levels.log10_())
    at["spectrum"].copy_(levels[0])
    torch.mm(levels[0], tables.contrast, out=at["contrast"])
    torch.mm(levels[1], tables.contrast, out=at["brief_contrast"])
    torch.mm(levels[2, :, :LOW], tables.contrast_low, out=at["low_contrast"])

    usual = power[:, :HIGHEST]
    _divided(usual, tables.cosines, at["correlation"]).clamp_(-1.5, 1.5)
    _divided(usual.sqrt().sqrt_(), tables.compressed, at["compressed"])
    _divided(long, tables.cosines_low, at["low_correlation"]).clamp_(-1.5, 1.5)
    _divided(brief[:, :_BRIEF_BINS], tables.cosines_brief, at["brief_correlation"]).clamp_(
        -1.5, 1.5
    )

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
    about = windows[:, BEFORE - _FAST_FFT // 2 : BEFORE + _FAST_FFT // 2]
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


def _normal(window: Tensor) -> Tensor:
    return window / window.square().sum().sqrt()


def _with_sum(table: Tensor) -> Tensor:
    return torch.cat([table, table.new_ones(len(table), 1)], 1)


def _cosines(size: int) -> Tensor:
    """[bins, PITCHES]: from power of a transform to the correlation at the period of each pitch."""
    bins = torch.arange(size // 2 + 1, dtype=torch.float64)
    return torch.cos(2 * torch.pi / size * bins[:, None] * (RATE / pitches(PITCHES)))


def _unbias(window: Tensor, cosines: Tensor) -> Tensor:
    """[pitches]: 1 over the window's own correlation, as far as there is any."""
    own = torch.fft.rfft(window, 2 * (len(cosines) - 1)).abs().square()
    shape: Tensor = own @ cosines / own.sum()
    return 1 / shape.clamp_min(0.15)


def _bands(size: int) -> Tensor:
    """[bins, BANDS]: each band is the mean of the power about its frequency."""
    centre = pitches(BANDS)
    hertz = torch.arange(size // 2 + 1, dtype=torch.float64) * (RATE / size)
    half = (centre * (2 ** (1 / OCTAVE) - 1)).clamp_min(RATE / size)
    weight = (1 - (hertz[:, None] - centre).abs() / half).clamp_min(0)
    return weight / weight.sum(0)


def _contrast(bands: int) -> Tensor:
    """[bands, bands]: each band less the mean of those about it, fewer of them at the edges."""
    at = torch.arange(bands)
    near = ((at[:, None] - at).abs() <= _ENVELOPE // 2).double()
    return torch.eye(bands, dtype=torch.float64) - near / near.sum(0)


def _mel_bands() -> Tensor:
    """[bins, MEL]: the mean power in bands from 60 Hz to 7.6 kHz."""
    points = mel_points(MEL, (60.0, 7600.0), "slaney")
    # Of every other bin, as of a transform of 512.
    bank = mel_bank(points, RATE, _FAST_FFT // 2, "slaney").double()
    every = bank.new_zeros(_FAST_FFT // 2 + 1, MEL)
    every[::2] = bank / bank.sum(0)
    return every
