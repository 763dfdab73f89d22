"""Mix channels and signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.signals import Audio
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.units import Decibels


class Mix(Stateful):
    """Add signals up, each with its gain, and make mono or stereo of them.

    Audio [channels, time] to Audio [channels, time]. Stereo becomes mono by the mean, mono
    becomes stereo by copying. 5.1 (L R C LFE Ls Rs) becomes stereo by ITU-R BS.775 (centre
    and surrounds at -3 dB, no LFE), scaled so that it cannot clip, and mono by way of stereo.
    An input that ends before the others is continued with silence.
    """

    name = "mix"
    many = True

    gains: tuple[Decibels, ...] = ()
    """A gain in dB for each input; none means 0 dB."""
    channels: Annotated[int, Field(ge=1, le=8)] | None = None
    """How many channels come out; none keeps what the first input has."""

    def accepts(self, *sources: Audio) -> Sequence[Audio]:
        first = sources[0]
        if self.gains and len(self.gains) != len(sources):
            raise ValueError(f"{len(self.gains)} gains for {len(sources)} inputs; give one each")
        for source in sources:
            down_mix(source.channels, self.channels or first.channels)
        return [Audio.empty(first.rate, source.channels) for source in sources]

    def output(self, *sources: Audio) -> Audio:
        return Audio.empty(sources[0].rate, self.channels or sources[0].channels)

    def reach(self, source: Audio) -> Reach:
        return Reach(behind=0, ahead=0, latency=0)

    def start(self, model: Any, sources: Sequence[Audio]) -> list[Tensor]:
        channels = self.output(*sources).channels
        gains = self.gains or (0.0,) * len(sources)
        return [
            down_mix(source.channels, channels) * 10 ** (gain / 20)
            for source, gain in zip(sources, gains, strict=True)
        ]

    def step(self, model: Any, state: list[Tensor], blocks: Sequence[Audio], last: bool) -> Audio:
        parts = [m.to(b.samples) @ b.samples for m, b in zip(state, blocks, strict=True)]
        return blocks[0].like(torch.stack(parts).sum(0), start=blocks[0].start)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(channels=1), cls(gains=(-6.0,), channels=2))


def down_mix(given: int, wanted: int) -> Tensor:
    """The matrix [wanted, given] that makes `wanted` channels of `given`.

    Raises ValueError where there is no agreed way.

    >>> down_mix(2, 1)
    tensor([[0.5000, 0.5000]])
    """
    if given == wanted:
        return torch.eye(given)
    if (given, wanted) == (6, 1):
        return down_mix(6, 2).mean(0, keepdim=True)
    if wanted == 1:
        return torch.full((1, given), 1 / given)
    if given == 1:
        return torch.ones(wanted, 1)
    if (given, wanted) == (6, 2):
        low = 0.5**0.5
        rows = [[1, 0, low, 0, low, 0], [0, 1, low, 0, 0, low]]
        return torch.tensor(rows).div(1 + 2 * low)  # cannot clip
    raise ValueError(f"there is no agreed way to make {wanted} channels of {given}; mix to mono")
