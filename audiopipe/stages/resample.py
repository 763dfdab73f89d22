"""Change the sample rate."""

from __future__ import annotations

from math import ceil, gcd

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.framing import Concatenate, Framing
from audiopipe.signals import Audio
from audiopipe.stage import Windowed
from audiopipe.units import Rate


class Resample(Windowed):
    """PLACEHOLDER."""

    name = "resample"
    rate: Rate = Field(gt=0)
    zeros: int = 16

    def output(self, source: Audio) -> Audio:
        return Audio.empty(self.rate, source.channels)

    def _ratio(self, source: Audio):
        g = gcd(self.rate, source.rate)
        return source.rate // g, self.rate // g

    def _width(self, old, new):
        return ceil(self.zeros * max(old, new) / new)

    def framing(self, source: Audio) -> Framing:
        old, new = self._ratio(source)
        width = self._width(old, new)
        return Framing(old + 2 * width, old, width, width + old - 1, Concatenate(new))

    def load(self, source, device, dtype):
        old, new = self._ratio(source)
        width = self._width(old, new)
        t = (torch.arange(old + 2 * width)[:, None] - width) / old - torch.arange(new) / new
        t = t.double() * min(old, new)
        k = torch.sinc(t) * torch.cos(torch.clamp(t / self.zeros, -1, 1) * torch.pi / 2) ** 2
        k = k * min(old, new) / old
        return k.to(device, dtype)

    def compute(self, model: Tensor, windows: Tensor) -> Tensor:
        return windows @ model

    @classmethod
    def examples(cls):
        return (cls(rate=16000), cls(rate=22050))
