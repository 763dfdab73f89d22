"""Sound, and parts of a mix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from audiopipe.signals.base import Sampled, Signal


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
