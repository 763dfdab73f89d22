"""Meter the level."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from torch import Tensor

from audiopipe.framing import Framing
from audiopipe.signals import Audio, Levels
from audiopipe.stage import Stage, Windowed
from audiopipe.units import Span


class Tap(Windowed):
    """Measure peak and RMS level of each channel, once a hop.

    Input [channels, time]; output `Levels` [channels, frames], linear, full scale 1. Frame
    `k` covers the samples from `k * hop` to the next frame; the last is filled up with zeros.
    The audio goes on unchanged to whoever else takes it from the stage above.
    """

    name = "tap"

    hop: Span = Field(default=Span.parse("50 ms"))
    """How often the level is measured."""

    def output(self, source: Audio) -> Levels:
        return Levels.empty(source.rate, self._hop(source), source.channels)

    def framing(self, source: Audio) -> Framing:
        hop = self._hop(source)
        return Framing(window=hop, hop=hop, after=hop - 1)

    def compute(self, model: None, windows: Tensor) -> tuple[Tensor, Tensor]:
        peak = windows.abs().amax(-1, keepdim=True)
        rms = windows.square().mean(-1, keepdim=True).sqrt()
        return peak, rms

    def _hop(self, source: Audio) -> int:
        return max(1, self.hop.samples(source.rate))

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(hop=Span.parse(333)))
