"""Analyse sound by frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torchaudio.functional import create_dct

from audiopipe import signals
from audiopipe.framing import Framing
from audiopipe.mel import MelKind, mel_bank, mel_points
from audiopipe.signals import Audio
from audiopipe.stage import Stage, Windowed
from audiopipe.units import Hertz, Span

FLOOR = 1e-10
"""The least power that has decibels: -100 dB."""
CQT_RANGE = (32.703, 4000.0)
"""C1 to B7, the seven octaves of a piano, in Hz."""

GROUP = 32
"""Mel bands that are summed together: high ones need other bins than low ones."""

Scale = Literal["complex", "magnitude", "power", "mel", "log-mel", "mfcc", "cqt"]


class Spectrogram(Windowed):
    """Analyse sound by frequency: one spectrum a hop, under a Hann window.

    Input [channels, time]; output `Spectrogram` [channels, bins, frames]. Frame `k` stands at
    sample `k * hop`. With `frames: centred` that is the middle of its window, and there are
    `1 + time // hop` frames, as in librosa and torchaudio with zero padding. With
    `frames: causal` the window ends as soon as the next hop is there, and there are
    `ceil(time / hop)` frames. What the values are, by `scale`:

    - `complex`: the short-time Fourier transform, not normalised, from 0 Hz to the Nyquist
      frequency; `magnitude`, `power`: its absolute value, and the square of that.
    - `mel`: power, summed under triangles that are equally wide on the mel scale.
    - `log-mel`: the same in dB, 10 · log10(mel), not below -100 dB.
    - `mfcc`: mel-frequency cepstral coefficients, the orthonormal cosine transform of `log-mel`
      (Davis & Mermelstein 1980).
    - `cqt`: magnitudes of a constant-Q transform (Brown & Puckette 1992), scaled as librosa
      scales them. Every bin has a window as long as its frequency asks for, all of them with
      the same middle; `window` is not used.

    Times without a unit are samples.

    >>> import torch
    >>> stage = Spectrogram(scale="mel", window="25 ms", hop="10 ms", bands=40)
    >>> stage.output(Audio.empty(rate=16000, channels=1))
    Spectrogram(mel, 1 × 40 bins × 0 frames, hop 160 at 16000 Hz)
    """

    name = "spectrogram"

    scale: Scale = "log-mel"
    """What the values are."""
    window: Span = Field(default=Span.parse(1024))
    """How long a window is."""
    hop: Span = Field(default=Span.parse(256))
    """The time from one window to the next."""
    frames: Literal["centred", "causal"] = "centred"
    """Where in its window a frame stands."""
    bands: Annotated[int, Field(ge=1, le=1024)] = 80
    """How many mel bands (mel, log-mel, mfcc)."""
    range: tuple[Hertz, Hertz] | None = None
    """Lowest and highest frequency: of the mel bands (all, if nothing is said), or of the bins
    of the constant-Q transform (C1 to B7, as far as the sample rate allows)."""
    mel: MelKind = "slaney"
    """The mel scale: `slaney` with triangles of equal area, as librosa has it, or `htk` with
    triangles of equal height, as torchaudio has it."""
    coefficients: Annotated[int, Field(ge=1, le=1024)] = 20
    """How many coefficients (mfcc)."""
    bins_per_octave: Annotated[int, Field(ge=1, le=96)] = 12
    """How many bins an octave has (cqt)."""

    def accepts(self, source: Audio) -> Sequence[Audio]:
        self._sizes(source.rate)
        self._range(source.rate)
        if self.scale == "mfcc" and self.coefficients > self.bands:
            raise ValueError(
                f"{self.coefficients} coefficients of {self.bands} bands; ask for more bands"
            )
        return [source]

    def output(self, source: Audio) -> signals.Spectrogram:
        window, hop, lead = self._sizes(source.rate)
        frequencies = self._frequencies(source.rate)
        kind = torch.complex64 if self.scale == "complex" else torch.float32
        bins = self.coefficients if self.scale == "mfcc" else len(frequencies)
        values = torch.zeros(source.channels, bins, 0, dtype=kind)
        labels = () if self.scale == "mfcc" else frequencies
        return signals.Spectrogram(values, source.rate, hop, window, lead, self.scale, labels)

    def framing(self, source: Audio) -> Framing:
        window, hop, lead = self._sizes(source.rate)
        after = window // 2 if self.frames == "centred" else hop - 1
        return Framing(window, hop, before=lead, after=after)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> _Tables:
        rate = source.rate
        window, _, _ = self._sizes(rate)
        hann = torch.hann_window(window, device=device)
        parts: Sequence[Part] = ()
        dct = torch.empty(0)
        if self.scale == "cqt":
            parts = constant_q(self._frequencies(rate), rate, window, self.bins_per_octave)
        if self.scale in ("mel", "log-mel", "mfcc"):
            points = mel_points(self.bands, self._range(rate), self.mel)
            parts = _parts(mel_bank(points, rate, window, self.mel).repeat_interleave(2, dim=0))
        if self.scale == "mfcc":
            dct = create_dct(self.coefficients, self.bands, norm="ortho")
        on_device = tuple((first, matrix.to(device)) for first, matrix in parts)
        return _Tables(hann, on_device, dct.to(device))

    def compute(self, model: _Tables, windows: Tensor) -> Tensor:
        if self.scale == "cqt":
            values = _product(windows, model.parts)
            pairs = values.view(*values.shape[:-1], -1, 2)
            return torch.view_as_complex(pairs).abs()[..., None]
        values = torch.fft.rfft(windows * model.window)
        if self.scale == "magnitude":
            values = values.abs()
        elif self.scale == "power":
            values = torch.view_as_real(values).square_().sum(-1)
        elif self.scale != "complex":
            # Squares of real and imaginary parts in turn; the bank has every row twice.
            values = _product(torch.view_as_real(values).square_().flatten(-2), model.parts)
            if self.scale != "mel":
                values = values.clamp_min_(FLOOR).log10_().mul_(10)
            if self.scale == "mfcc":
                values = values @ model.dct
        return values[..., None]

    def _sizes(self, rate: int) -> tuple[int, int, int]:
        """Window, hop and lead in samples."""
        hop = self.hop.samples(rate)
        window = self.window.samples(rate)
        if self.scale == "cqt":
            longest = constant_q_length(self._range(rate)[0], rate, self.bins_per_octave)
            window = max(2 * (int(longest / 2) + 1), 2 * hop)
        if hop < 1:
            raise ValueError(f"a hop of {self.hop} is less than one sample at {rate} Hz")
        if window < max(2, hop):
            raise ValueError(
                f"a window of {window} samples cannot be shorter than a hop of {hop}, nor than 2; "
                "make the window longer or the hop shorter"
            )
        return window, hop, window // 2 if self.frames == "centred" else window - hop

    def _range(self, rate: int) -> tuple[float, float]:
        """Lowest and highest frequency in Hz."""
        if self.range is None:
            low, high = (0.0, rate / 2) if self.scale != "cqt" else CQT_RANGE
            high = min(high, 0.45 * rate) if self.scale == "cqt" else high
        else:
            low, high = self.range
        if high > rate / 2:
            raise ValueError(
                f"range up to {high:g} Hz, but at {rate} Hz it ends at {rate / 2:g} Hz; "
                "lower the range, or resample to a higher rate"
            )
        if low < 0 or low >= high or (self.scale == "cqt" and low < 1):
            least = "1 Hz" if self.scale == "cqt" else "0 Hz"
            raise ValueError(
                f"range from {low:g} Hz to {high:g} Hz; write [low, high] from {least}"
            )
        return low, high

    def _frequencies(self, rate: int) -> tuple[float, ...]:
        """The centre of each bin in Hz."""
        low, high = self._range(rate)
        if self.scale == "cqt":
            bins = floor(self.bins_per_octave * log2(high / low) + 1e-6) + 1
            return tuple(low * 2 ** (k / self.bins_per_octave) for k in _count(bins))
        if self.scale in ("complex", "magnitude", "power"):
            window, _, _ = self._sizes(rate)
            return tuple(k * rate / window for k in _count(window // 2 + 1))
        return tuple(mel_points(self.bands, (low, high), self.mel)[1:-1].tolist())

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (
            cls(),
            cls(scale="complex", window=Span.parse("25 ms"), hop=Span.parse("10 ms")),
            cls(scale="power", window=Span.parse(512), hop=Span.parse(160), frames="causal"),
            cls(scale="mfcc", range=(20.0, 3800.0), bands=40, mel="htk"),
            cls(scale="cqt", hop=Span.parse(512), range=(110.0, 3520.0)),
        )


_count = range
"""`range` is what a field is called."""


Part = tuple[int, Tensor]
"""Columns of a matrix that is zero outside some rows: the first of these, and those rows."""


@dataclass(frozen=True, eq=False)
class _Tables:
    """What the maths needs: `window` [time], `parts` of the mel bank [2 * bins, bands] or of the
    atoms [time, 2 * bins], and `dct` [bands, coefficients]."""

    window: Tensor
    parts: tuple[Part, ...]
    dct: Tensor


def _parts(matrix: Tensor) -> list[Part]:
    """A matrix in groups of columns, each without the rows in which it is zero."""
    parts = []
    for columns in matrix.chunk(ceil(matrix.shape[1] / GROUP), dim=1):
        rows = columns.any(1).nonzero()[:, 0].tolist() or [0]
        parts.append((rows[0], columns[rows[0] : rows[-1] + 1].contiguous()))
    return parts


def _product(values: Tensor, parts: Sequence[Part]) -> Tensor:
    """Values [..., rows] times the matrix [rows, columns] of which these are the parts."""
    return torch.cat([values[..., at : at + len(part)] @ part for at, part in parts], dim=-1)


def constant_q_length(frequency: float, rate: int, bins_per_octave: int) -> float:
    """The length in samples of the atom of a frequency: as many periods as tell a bin from the
    next."""
    ratio = 2 ** (2 / bins_per_octave)
    return (ratio + 1) / (ratio - 1) * rate / frequency


def constant_q(
    frequencies: Sequence[float], rate: int, window: int, bins_per_octave: int
) -> list[Part]:
    """Atoms of a constant-Q transform [time, 2 * bins], real and imaginary parts in turn.

    An atom is a complex tone under a Hann window around the middle of `window`. There is a part
    for every octave, since an octave higher half the time is enough.
    """
    octaves = []
    for lowest in _count(0, len(frequencies), bins_per_octave):
        hertz = torch.tensor(frequencies[lowest : lowest + bins_per_octave], dtype=torch.float64)
        lengths = constant_q_length(1.0, rate, bins_per_octave) / hertz
        half = min(window // 2, int(lengths[0] / 2) + 1)
        time = torch.arange(-half, half, dtype=torch.float64)[:, None]
        hann = (1 + torch.cos(2 * torch.pi * time / lengths)) * (time.abs() < lengths / 2)
        atoms = torch.polar(
            hann / hann.sum(0) * lengths.sqrt(), -2 * torch.pi * time * hertz / rate
        )
        octaves.append((window // 2 - half, torch.view_as_real(atoms).flatten(1).float()))
    return octaves
