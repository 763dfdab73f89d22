"""What a stretch of sound says about its pitch, for a network to weigh.

Views on a scale of log frequency, so that a higher pitch is the same picture moved up. Of the
64 ms about a frame:

    spectrum      level of bands half a semitone wide: where partials are
    contrast      the same without its envelope: peaks, whatever the timbre
    correlation   the window's autocorrelation at the period of every pitch, of its power (after
                  P. Boersma, "Accurate short-term analysis of the fundamental frequency", IFA
                  Proceedings 17, 1993) and of its compressed power, which counts weak partials
                  too (T. Tolonen & M. Karjalainen, IEEE Trans. Speech Audio Process. 8(6), 2000)

the contrast and the correlation of the power of the 128 ms of which 96 lie before it, for low
pitches, whose partials lie close and whose periods are long, and of the 32 ms about it, for voices
that glide; and of the 25 ms about it the mel spectrum, which tells a voice from a noise and how
loud they are.
Plain torch, no knowledge of stages.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

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
MEL = 40

LOW = 120
"""Bins of the views of the long window, up to 855 Hz."""
VIEWS = 3 * BANDS + 3 * PITCHES + 2 * LOW
"""Numbers on the scale of pitch: contrast, spectrum, two correlations; contrast and correlation of
the long window, and of the brief one."""
SIZE = VIEWS + 1 + MEL + 1
"""Numbers a frame: the views, a zero for what lies outside of them, the mel spectrum, the level."""

FFT = 2048
USUAL = 1024
"""Samples of the 64 ms about a frame, and of the transform that they are padded to."""
HIGHEST = 513
"""Bins of the transform that the correlation is made of: up to 4 kHz."""
_LOW_BINS = 256
"""Bins of the transform for the lower bands and the correlation of the long window: to 2 kHz."""
_BRIEF, _BRIEF_FFT, _BRIEF_BINS = 512, 1024, 257
"""Samples of the brief window, of its transform, and bins of that up to 4 kHz."""
_SHORT, _SHORT_FFT = 400, 512
_SLOPES = (1408, 640)
"""Samples over which the long window rises and falls."""
_FLOOR = 1e-9
"""Power that is nothing: far below the noise of 16 bits."""
_RANGE = 6.0
"""Of the spectrum in bels, below its loudest band."""
_ENVELOPE = 19
"""Bins over which the spectrum's envelope is smoothed."""


@dataclass(frozen=True, eq=False)
class Tables:
    """What the views are computed with."""

    long: Tensor
    near: Tensor
    brief: Tensor
    short: Tensor
    low: Tensor
    """[_LOW_BINS, LOW]: power to the lower bands."""
    high: Tensor
    """[bins, BANDS - LOW]: power to the upper bands."""
    contrast: Tensor
    contrast_low: Tensor
    """[BANDS, BANDS] and [LOW, LOW]: take the envelope away."""
    cosines: Tensor
    """[HIGHEST, PITCHES]: power to the correlation at the period of each pitch."""
    cosines_low: Tensor
    """[_LOW_BINS, LOW]: the same for the long window."""
    cosines_brief: Tensor
    """[_BRIEF_BINS, PITCHES]: the same for the brief one."""
    bands_brief: Tensor
    """[bins, BANDS]: power to bands of the brief window."""
    unbias: Tensor
    unbias_low: Tensor
    unbias_brief: Tensor
    """[PITCHES], [LOW] and [PITCHES]: make up for the windows."""
    mel: Tensor

    @classmethod
    def usual(cls, device: torch.device | str = "cpu") -> Tables:
        rise, fall = (torch.hann_window(2 * n, dtype=torch.float64) for n in _SLOPES)
        long = torch.cat([rise[: _SLOPES[0]], fall[_SLOPES[1] :]])
        usual = torch.hann_window(USUAL, dtype=torch.float64)
        brief = torch.hann_window(_BRIEF, dtype=torch.float64)
        short = torch.hann_window(_SHORT, dtype=torch.float64)
        bands, cosines, cosines_brief = _bands(FFT), _cosines(FFT), _cosines(_BRIEF_FFT)
        tables = (
            *(window / window.square().sum().sqrt() for window in (long, usual, brief, short)),
            bands[:_LOW_BINS, :LOW],
            bands[:, LOW:],
            _contrast(BANDS),
            _contrast(LOW),
            cosines[:HIGHEST],
            cosines[:_LOW_BINS, :LOW],
            cosines_brief[:_BRIEF_BINS],
            _bands(_BRIEF_FFT),
            _unbias(usual, cosines),
            _unbias(long, cosines[:, :LOW]),
            _unbias(brief, cosines_brief),
            _mel_bands(),
        )
        return cls(*(t.float().contiguous().to(device) for t in tables))


def pitches(count: int) -> Tensor:
    """The pitch of each bin in Hz: float64 [count].

    >>> round(float(pitches(PITCHES)[4 * OCTAVE]))
    440
    """
    return LOWEST * 2 ** (torch.arange(count, dtype=torch.float64) / OCTAVE)


def evidence(windows: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    """Windows [n, WINDOW] at 16 kHz to what they say [n, SIZE], and the power [n, HIGHEST] of the
    64 ms about each frame. What is no number is silence, and an offset does not matter.

    >>> tone = torch.sin(torch.arange(WINDOW) * (2 * torch.pi * 220 / RATE))
    >>> found, _ = evidence(tone[None], Tables.usual())
    >>> int(found[0, 2 * BANDS : 2 * BANDS + PITCHES][2 * OCTAVE : 5 * OCTAVE].argmax()) == OCTAVE
    True
    """
    if not windows.sum().isfinite():
        windows = torch.nan_to_num(windows, 0.0, 0.0, 0.0)
    windows = windows - windows.mean(1, keepdim=True)
    power = _power(windows[:, BEFORE - USUAL // 2 :] * tables.near)
    low = power[:, :_LOW_BINS] @ tables.low
    spectrum = _levels(torch.cat([low, power @ tables.high], 1))
    long = _power(windows * tables.long)[:, :_LOW_BINS]
    weak = (power[:, :HIGHEST] + _FLOOR).sqrt_().sqrt_()
    weak = weak / weak.sum(1, keepdim=True)
    middle = windows[:, BEFORE - _BRIEF // 2 : BEFORE + _BRIEF // 2]
    brief = _power(middle * tables.brief, _BRIEF_FFT)
    mel = _mel(windows, tables)
    loud = mel.amax(1, keepdim=True)
    columns = (
        spectrum @ tables.contrast,
        spectrum,
        _correlation(power[:, :HIGHEST], tables.cosines, tables.unbias),
        10 * ((weak - weak.mean(1, keepdim=True)) @ tables.cosines),
        _levels(long @ tables.low) @ tables.contrast_low,
        _correlation(long, tables.cosines_low, tables.unbias_low),
        _levels(brief @ tables.bands_brief) @ tables.contrast,
        _correlation(brief[:, :_BRIEF_BINS], tables.cosines_brief, tables.unbias_brief),
        torch.zeros_like(loud),
        (mel - loud).clamp_min_(-_RANGE).add_(_RANGE / 2),
        loud,
    )
    return torch.cat(columns, 1), power[:, :HIGHEST]


def level(windows: Tensor, tables: Tables) -> Tensor:
    """The level alone of windows [n, WINDOW], as in the last column of their evidence: [n].

    >>> tables, noise = Tables.usual(), torch.randn(1, WINDOW)
    >>> torch.allclose(level(noise, tables), evidence(noise, tables)[0][:, -1])
    True
    """
    return _mel(windows - windows.mean(1, keepdim=True), tables).amax(1)


def _mel(windows: Tensor, tables: Tables) -> Tensor:
    """The mel spectrum of the 25 ms about each frame, in bels: [n, MEL]."""
    middle = windows[:, BEFORE - _SHORT // 2 : BEFORE + _SHORT // 2]
    return (_power(middle * tables.short, _SHORT_FFT) @ tables.mel).add_(_FLOOR).log10_()


def _power(windows: Tensor, size: int = FFT) -> Tensor:
    """Power spectra [n, bins]."""
    spectrum = torch.fft.rfft(windows, size)
    # Not the product with the conjugate: its rounding depends on the size of the batch.
    power: Tensor = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
    return power


def _levels(bands: Tensor) -> Tensor:
    """Power in bands to bels about the loudest."""
    levels = (bands + _FLOOR).log10_()
    return (levels - levels.amax(1, keepdim=True)).clamp_min_(-_RANGE).add_(_RANGE / 2)


def _correlation(power: Tensor, cosines: Tensor, unbias: Tensor) -> Tensor:
    """The correlation at the period of each pitch, about 1 where it is one: [n, pitches]."""
    part = power + _FLOOR
    return ((part / part.sum(1, keepdim=True)) @ cosines * unbias).clamp_(-1.5, 1.5)


def _cosines(size: int) -> Tensor:
    """[bins, PITCHES]: from power of a transform to the correlation at the period of each pitch."""
    bins = torch.arange(size // 2 + 1, dtype=torch.float64)
    return torch.cos(2 * torch.pi / size * bins[:, None] * (RATE / pitches(PITCHES)))


def _unbias(window: Tensor, cosines: Tensor) -> Tensor:
    """[pitches]: 1 over the window's own correlation, as far as there is any."""
    own = _power(window, 2 * (len(cosines) - 1))
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
    """[bins of the short transform, MEL]: the mean power in bands from 60 Hz to 7.6 kHz."""
    bank = mel_bank(mel_points(MEL, (60.0, 7600.0), "slaney"), RATE, _SHORT_FFT, "slaney").double()
    return bank / bank.sum(0)
