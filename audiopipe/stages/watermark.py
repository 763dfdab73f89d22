"""Lay the mark of generated speech on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from audiopipe.framing import Joined, OverlapAdd, Windows, cut, overlap_add
from audiopipe.signals import Audio
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.watermark import marking
from audiopipe.watermark.pattern import FRAMES_A_SECOND, Kind

RATES = (8000, 12000, 16000, 24000, 48000, 96000, 192000)
"""The next of these is asked for, in Hz, where a rate does not fit the grid of the mark."""


@dataclass
class Marking:
    """The state of a stream: what is cut, and what is put together."""

    windows: Windows = field(default_factory=Windows)
    joined: Joined = field(default_factory=Joined)


class Watermark(Stateful):
    """Mark speech as generated, inaudibly.

    Audio [channels, time] to Audio [channels, time]. Between 300 Hz and 5 kHz, bands of 100 Hz
    become 1 dB louder or softer every 20 ms, in a pattern that says of which kind the speech is;
    `audiopipe watermark detect` finds it again, after coding as MP3 or Opus too. Mark speech
    before music is mixed to it, and before `normalize`. What a mark proves, and what not, is in
    docs/trust.md.

    Rates are multiples of 50 Hz, from 8 kHz on; others are resampled.
    """

    name = "watermark"

    kind: Kind = "synthetic"
    """What is marked: `synthetic` speech of a made voice, or the `cloned` voice of a person."""

    def accepts(self, source: Audio) -> Sequence[Audio]:
        if source.rate % FRAMES_A_SECOND == 0 and source.rate >= RATES[0]:
            return [source]
        if source.rate > RATES[-1]:
            raise ValueError(f"{source.rate} Hz is no multiple of 50 Hz; resample to 192 kHz")
        rate = next(rate for rate in RATES if rate >= source.rate)
        return [Audio.empty(rate, source.channels)]

    def output(self, source: Audio) -> Audio:
        return source.format

    def reach(self, source: Audio) -> Reach:
        framing = marking.framing(source.rate)
        return Reach(framing.behind, framing.ahead, framing.ahead)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Tensor:
        return marking.gains(self.kind, source.rate).to(device)

    def start(self, model: Tensor, sources: Sequence[Audio]) -> Marking:
        return Marking()

    def step(self, model: Tensor, state: Marking, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        framing = marking.framing(block.rate)
        assert isinstance(framing.join, OverlapAdd)
        first, start = state.windows.given, state.joined.given
        windows = cut(framing, state.windows, block.samples, last)
        marked = marking.mark(windows, first, model)
        length = state.windows.received if last else None
        return block.like(overlap_add(framing.join, state.joined, marked, length), start=start)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(kind="cloned"))
