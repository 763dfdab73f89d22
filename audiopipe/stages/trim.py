"""Cut off silence at both ends."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from audiopipe.signals import Audio
from audiopipe.stage import Fidelity, Stage, TwoPass
from audiopipe.units import Decibels, Span

log = logging.getLogger(__name__)

FRAME = Span.parse("20 ms")
"""How finely the ends of the sound are found."""

SILENCE = 1e-5
"""A recording that is nowhere above this (-100 dB) holds no sound."""


@dataclass
class Ends:
    """What is known of a recording; `first` and `stop` after the first pass."""

    frame: int
    levels: array[float] = field(default_factory=lambda: array("f"))
    """RMS of each frame: 0.7 MB an hour."""
    rest: Tensor = field(default_factory=lambda: torch.zeros(0))
    """The samples [channels, time] of the frame that is not complete."""
    received: int = 0
    first: int | None = None
    stop: int = 0
    given: int = 0


class Trim(TwoPass):
    """Cut off silence at the beginning and at the end, and nowhere else.

    Audio [channels, time] in; what lies between the first and the last sound comes out, with
    a little around it, and its time starts at 0 again. Level is the RMS in frames of 20 ms,
    without a constant offset, in the loudest channel; silence is relative to the loudest
    frame, as with `librosa.effects.trim`, so that the level of the recording does not matter.
    Of a recording without any sound (nowhere above -100 dB of full scale) nothing is left.
    """

    name = "trim"
    retimes = True

    threshold: Annotated[Decibels, Field(lt=0, ge=-120)] = -60.0
    """What is quieter than this, relative to the loudest 20 ms, is silence."""
    keep: Span = Field(default=Span.parse("50 ms"))
    """How much silence is left at each end, where there is as much."""

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity(
            "offline",
            why="whether a silence is the last one, is known at the end",
            instead="leave the silence in, or trim the recording afterwards",
        )

    def output(self, source: Audio) -> Audio:
        return Audio.empty(source.rate, source.channels)

    def start(self, model: None, sources: Sequence[Audio]) -> Ends:
        (source,) = sources
        return Ends(max(1, FRAME.samples(source.rate)), rest=source.samples)

    def measure(self, model: None, state: Ends, block: Audio) -> None:
        finite = torch.nan_to_num(block.samples, posinf=0.0, neginf=0.0)
        held = torch.cat([state.rest.to(finite.device), finite], dim=-1)
        whole = held.shape[-1] // state.frame * state.frame
        frames = held[:, :whole].reshape(len(held), -1, state.frame)
        state.levels.extend(_level(frames).tolist())
        state.rest = held[:, whole:].clone()
        state.received += len(block)

    def step(self, model: None, state: Ends, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        if state.first is None:
            state.first, state.stop = self._ends(state, block.rate)
        start = min(max(state.first, block.start), block.stop)
        stop = max(start, min(state.stop, block.stop))
        piece = block.cut(start, stop)
        given, state.given = state.given, state.given + len(piece)
        return piece.like(piece.samples, start=given)

    def _ends(self, state: Ends, rate: int) -> tuple[int, int]:
        """The first sample that is kept, and the one behind the last."""
        levels = list(state.levels)
        if state.rest.shape[-1]:
            levels += _level(state.rest[:, None]).tolist()
        loudest = max(levels, default=0.0)
        if loudest <= SILENCE:
            log.warning("trim: the recording holds no sound; nothing is left of it")
            return 0, 0
        heard = np.flatnonzero(np.asarray(levels) >= loudest * 10 ** (self.threshold / 20))
        keep = self.keep.samples(rate)
        first, stop = int(heard[0]) * state.frame, (int(heard[-1]) + 1) * state.frame
        return max(0, first - keep), min(state.received, stop + keep)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(threshold=-40.0, keep=Span.parse(0)))


def _level(frames: Tensor) -> Tensor:
    """RMS of frames [channels, n, time] without their mean, in the loudest channel: [n]."""
    exact = frames.double()  # a square of 1e20 is beyond what a float32 holds
    rms: Tensor = (exact - exact.mean(-1, keepdim=True)).square().mean(-1).sqrt().amax(0)
    return rms
