"""What flows between stages.

A signal is a frozen dataclass. It is at once a whole recording, a block of a stream and,
with no elements, a *format*: what a stage promises before any audio is there.

Time is an integer count. Element `k` of a signal belongs to sample `k * hop` of a clock
that ticks `rate` times a second; `start` says which element comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor


class Signal:
    """What a stage takes and gives: sampled in time, or a list of events."""

    rate: int

    @property
    def format(self) -> Self:
        """The same signal without content."""
        raise NotImplementedError

    def delayed(self, samples: int) -> Self:
        """The same, `samples` later on its clock."""
        raise NotImplementedError

    def save(self, path: str | Path) -> Path:
        """Write the signal in the form that the suffix names; errors: `OutputError`."""
        from audiopipe.io.save import save

        return save(self, path)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the signal's natural picture: a matplotlib figure, or a PNG at `path`."""
        from audiopipe.io.pictures import plot

        return plot(self, path)

    def _repr_html_(self) -> str:
        from audiopipe.io.notebook import html

        return html(self)


class Sampled(Signal):
    """A signal with one element a hop: its `series` are tensors whose last axis is time."""

    series: ClassVar[tuple[str, ...]]
    start: int
    hop: int

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(getattr(self, name) for name in self.series)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[-1])

    @property
    def stop(self) -> int:
        """The element after the last."""
        return self.start + len(self)

    @property
    def duration(self) -> Fraction:
        """Length in seconds, exactly."""
        return Fraction(len(self) * self.hop, self.rate)

    @property
    def device(self) -> torch.device:
        return self.tensors[0].device

    @property
    def format(self) -> Self:
        return self.like(*(t[..., :0] for t in self.tensors), start=0)

    @property
    def signature(self) -> tuple[Any, ...]:
        """What has to be equal for two blocks to belong to one stream."""
        data = tuple((t.shape[:-1], t.dtype) for t in self.tensors)
        names = [f.name for f in fields(self) if f.name not in (*self.series, "start")]  # type: ignore[arg-type]
        return (type(self), data, *(getattr(self, name) for name in names))

    def like(self, *tensors: Tensor, start: int) -> Self:
        """The same kind of signal with other content."""
        named = dict(zip(self.series, tensors, strict=True))
        return replace(self, start=start, **named)  # type: ignore[type-var]

    def cut(self, start: int, stop: int) -> Self:
        """Elements `start` to `stop`, counted as `start` is; both must lie inside."""
        a, b = start - self.start, stop - self.start
        return self.like(*(t[..., a:b] for t in self.tensors), start=start)

    def delayed(self, samples: int) -> Self:
        return self.like(*self.tensors, start=self.start + round(samples / self.hop))

    def to(self, device: torch.device | str) -> Self:
        """The signal on another device."""
        if self.device == torch.device(device):
            return self
        return self.like(*(t.to(device) for t in self.tensors), start=self.start)

    @classmethod
    def join(cls, blocks: Sequence[Self]) -> Self:
        """Put consecutive blocks together.

        >>> a = Audio(torch.zeros(1, 3), 8000)
        >>> b = Audio(torch.ones(1, 2), 8000, start=3)
        >>> Audio.join([a, b]).samples
        tensor([[0., 0., 0., 1., 1.]])
        """
        first = blocks[0]
        if len(blocks) == 1:
            return first
        columns = zip(*(block.tensors for block in blocks), strict=True)
        return first.like(*(torch.cat(column, dim=-1) for column in columns), start=first.start)


def _floats(data: Any) -> Tensor:
    """Make float32 out of numbers; integers are PCM, of 8 bits with 128 for silence."""
    tensor = torch.as_tensor(np.asarray(data) if not isinstance(data, Tensor) else data)
    if tensor.dtype is torch.uint8:
        return (tensor.to(torch.float32) - 128) / 128
    if tensor.dtype in (torch.int16, torch.int32):
        return tensor.to(torch.float32) / -float(torch.iinfo(tensor.dtype).min)
    if not tensor.dtype.is_floating_point:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise ValueError(f"{kind} is no PCM; give floats of ±1, or uint8, int16 or int32")
    return tensor.to(torch.float32)


def _whole(rate: Any) -> int:
    if rate != int(rate):
        raise ValueError(f"a rate is a whole number of Hz, not {rate}")
    return int(rate)


MOST_CHANNELS = 64
"""What has more channels than this, and than samples, is the wrong way round."""


@dataclass(frozen=True, eq=False, repr=False)
class Audio(Sampled):
    """Sound: `samples` [channels, time], float32, full scale ±1.

    A numpy array will do; one dimension is one channel, integers are PCM.

    >>> Audio(np.zeros(8000), rate=16000)
    Audio(1 channel, 8000 samples, 16000 Hz, 0.5 s)
    """

    samples: Tensor
    rate: int
    start: int = 0

    series: ClassVar = ("samples",)
    hop: ClassVar[int] = 1  # type: ignore[misc]

    def __post_init__(self) -> None:
        samples = self.samples
        if not isinstance(samples, Tensor) or samples.dtype is not torch.float32:
            samples = _floats(samples)
        if samples.ndim == 1:
            samples = samples[None]
        if samples.ndim != 2:
            raise ValueError(f"samples must be [channels, time], not {tuple(samples.shape)}")
        if samples.shape[0] > max(MOST_CHANNELS, samples.shape[1]):
            shape = tuple(samples.shape)
            raise ValueError(f"samples must be [channels, time]; {shape} has to be transposed")
        if not len(samples):
            raise ValueError("samples must have one channel or more")
        if type(self.rate) is not int:
            object.__setattr__(self, "rate", _whole(self.rate))
        if self.rate < 1:
            raise ValueError(f"a rate is 1 Hz or more, not {self.rate}")
        object.__setattr__(self, "samples", samples)

    @classmethod
    def empty(cls, rate: int, channels: int) -> Audio:
        """A format."""
        return cls(torch.zeros(channels, 0), rate)

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    def numpy(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Samples as an array [channels, time]."""
        array: np.ndarray[Any, np.dtype[np.float32]] = self.samples.cpu().numpy()
        return array

    def __repr__(self) -> str:
        plural = "" if self.channels == 1 else "s"
        return (
            f"Audio({self.channels} channel{plural}, {len(self)} samples, {self.rate} Hz, "
            f"{float(self.duration):.6g} s)"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Spectrogram(Sampled):
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
class PitchTrack(Sampled):
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

    def __repr__(self) -> str:
        voiced = int(self.voiced.sum())
        median = f", median {float(self.hz[self.voiced].median()):.1f} Hz" if voiced else ""
        return f"PitchTrack({len(self)} frames, {voiced} voiced{median})"


@dataclass(frozen=True, eq=False, repr=False)
class Levels(Sampled):
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


@dataclass(frozen=True)
class Detection:
    """Something heard from sample `start` to `stop`; `score` lies in 0…1."""

    start: int
    stop: int
    label: str
    score: float


@dataclass(frozen=True)
class Detections(Signal):
    """Events on a clock of `rate` Hz, in the order of their end."""

    events: tuple[Detection, ...]
    rate: int

    @property
    def format(self) -> Detections:
        return replace(self, events=())

    def delayed(self, samples: int) -> Detections:
        later = (replace(e, start=e.start + samples, stop=e.stop + samples) for e in self.events)
        return replace(self, events=tuple(later))

    @classmethod
    def join(cls, blocks: Sequence[Detections]) -> Detections:
        """Put consecutive blocks together."""
        return replace(blocks[0], events=tuple(e for block in blocks for e in block.events))

    def __iter__(self) -> Iterator[Detection]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)


@dataclass(frozen=True)
class Segment:
    """A passage of text, from sample `start` to `stop` where its time is known."""

    text: str
    start: int | None = None
    stop: int | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class Text(Signal):
    """Passages to be spoken, or that were heard; times count on a clock of `rate` Hz."""

    segments: tuple[Segment, ...]
    rate: int = 1000

    @property
    def format(self) -> Text:
        return replace(self, segments=())

    def delayed(self, samples: int) -> Text:
        def later(time: int | None) -> int | None:
            return None if time is None else time + samples

        moved = (replace(s, start=later(s.start), stop=later(s.stop)) for s in self.segments)
        return replace(self, segments=tuple(moved))

    @classmethod
    def join(cls, blocks: Sequence[Text]) -> Text:
        """Put consecutive blocks together."""
        return replace(blocks[0], segments=tuple(s for block in blocks for s in block.segments))

    def __len__(self) -> int:
        return len(self.segments)


@dataclass(frozen=True)
class Stems(Signal, Mapping[str, Audio]):
    """Parts of a mix by name, equally long."""

    parts: Mapping[str, Audio] = field(default_factory=dict)

    @property
    def rate(self) -> int:  # type: ignore[override]
        return next(iter(self.parts.values())).rate

    @property
    def format(self) -> Stems:
        return Stems({name: part.format for name, part in self.parts.items()})

    def delayed(self, samples: int) -> Stems:
        return Stems({name: part.delayed(samples) for name, part in self.parts.items()})

    @classmethod
    def join(cls, blocks: Sequence[Stems]) -> Stems:
        """Put consecutive blocks together."""
        return Stems({name: Audio.join([b[name] for b in blocks]) for name in blocks[0]})

    def __getitem__(self, name: str) -> Audio:
        return self.parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)
