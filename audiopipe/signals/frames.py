"""What is measured of sound, once a hop: spectra, pitch, level, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from audiopipe import tuning
from audiopipe.signals.base import Sampled


class Frames(Sampled):
    """What is measured of sound, an element a hop."""


@dataclass(frozen=True, eq=False, repr=False)
class Spectrogram(Frames):
    """Spectra, one a hop: `values` [channels, bins, frames], complex64 or float32.

    `window` is the length of the analysis window in samples, `lead` how many of them lie
    before the frame's own sample `k * hop`. `scale` says what the values are, and
    `frequencies` the centre of each bin in Hz (empty for cepstra).
    """

    values: Tensor
    rate: int
    hop: int
    window: int
    lead: int
    scale: str
    frequencies: tuple[float, ...] = ()
    start: int = 0

    series: ClassVar = ("values",)

    @property
    def channels(self) -> int:
        return int(self.values.shape[0])

    @property
    def bins(self) -> int:
        return int(self.values.shape[1])

    def numpy(self) -> np.ndarray[Any, Any]:
        """Values as an array [channels, bins, frames]."""
        return self.values.cpu().numpy()

    def __repr__(self) -> str:
        return (
            f"Spectrogram({self.scale}, {self.channels} × {self.bins} bins × {len(self)} frames, "
            f"hop {self.hop} at {self.rate} Hz)"
        )


@dataclass(frozen=True, eq=False, repr=False)
class PitchTrack(Frames):
    """Fundamental frequency, one estimate a hop.

    `hz` [frames] float32 holds the best guess also where nothing is voiced; `voiced`
    [frames] is bool; `confidence` [frames] float32 lies in 0…1.
    """

    hz: Tensor
    voiced: Tensor
    confidence: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("hz", "voiced", "confidence")

    @classmethod
    def empty(cls, rate: int, hop: int) -> PitchTrack:
        """A format."""
        none = torch.zeros(0)
        return cls(none, none.bool(), none, rate, hop)

    @property
    def seconds(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The time of each frame in s."""
        return np.arange(self.start, self.stop, dtype=np.float64) * (self.hop / self.rate)

    def midi(self, a4: float = tuning.CONCERT) -> Tensor:
        """The numbers of MIDI notes [frames], with fractions; NaN where nothing is voiced."""
        return tuning.A4 + self.cents(a4) / 100

    def cents(self, reference: float) -> Tensor:
        """Cents [frames] above a frequency in Hz; NaN where nothing is voiced."""
        cents = 1200 * torch.log2(self.hz.double() / reference)
        return cents.masked_fill(~self.voiced, torch.nan).float()

    def __repr__(self) -> str:
        voiced = int(self.voiced.sum())
        median = f", median {float(self.hz[self.voiced].median()):.1f} Hz" if voiced else ""
        return f"PitchTrack({len(self)} frames, {voiced} voiced{median})"


@dataclass(frozen=True, eq=False, repr=False)
class Levels(Frames):
    """Level over time: `peak` and `rms` [channels, frames], linear, full scale 1."""

    peak: Tensor
    rms: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("peak", "rms")

    @classmethod
    def empty(cls, rate: int, hop: int, channels: int) -> Levels:
        """A format."""
        none = torch.zeros(channels, 0)
        return cls(none, none, rate, hop)

    @property
    def channels(self) -> int:
        return int(self.peak.shape[0])

    def __repr__(self) -> str:
        return f"Levels({self.channels} × {len(self)} frames, hop {self.hop} at {self.rate} Hz)"


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Frames):
    """How sure a network is of each of its labels, once a hop.

    `values` [labels, n] float32 lie in 0…1 and sum to 1 over the labels; `labels` are their
    names in order. A score at sample `k * hop` is about the sound that has been heard there.
    """

    values: Tensor
    labels: tuple[str, ...]
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("values",)

    @classmethod
    def empty(cls, labels: Sequence[str], rate: int, hop: int) -> Scores:
        """A format."""
        return cls(torch.zeros(len(labels), 0), tuple(labels), rate, hop)

    def numpy(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Values as an array [labels, n]."""
        array: np.ndarray[Any, np.dtype[np.float32]] = self.values.cpu().numpy()
        return array

    def __repr__(self) -> str:
        return f"Scores({len(self.labels)} labels × {len(self)}, hop {self.hop} at {self.rate} Hz)"


@dataclass(frozen=True, eq=False, repr=False)
class Overlay(Frames):
    """Pitch over spectra, to be drawn: `values` [channels, bins, frames] are magnitudes, or what
    `scale` says as in a `Spectrogram`; `hz`, `voiced` and `confidence` [tracks, frames].
    """

    values: Tensor
    hz: Tensor
    voiced: Tensor
    confidence: Tensor
    rate: int
    hop: int
    scale: str = ""
    frequencies: tuple[float, ...] = ()
    start: int = 0

    series: ClassVar = ("values", "hz", "voiced", "confidence")

    def __repr__(self) -> str:
        spectra = f"over {len(self.frequencies)} bins " if self.frequencies else ""
        return (
            f"Overlay({len(self.hz)} pitch {spectra}× {len(self)} frames, "
            f"hop {self.hop} at {self.rate} Hz)"
        )
