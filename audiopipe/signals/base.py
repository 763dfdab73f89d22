"""What all signals have in common: a clock, a format, and how blocks are cut and joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Self

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

        >>> from audiopipe.signals import Audio
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
