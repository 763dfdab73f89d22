"""Several possible pitches a frame, and the path through them that holds together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from audiopipe.signals import PitchTrack, Sampled
from audiopipe.stage import Reach, Stateful
from audiopipe.units import Span
from audiopipe.viterbi import Costs, Floats, Path, decide


@dataclass(frozen=True, eq=False)
class Candidates(Sampled):
    """Possible pitches, some a frame: `hz`, `cost` and `confidence` [candidates, frames].

    A cost is what it costs to take the candidate more than to call the frame unvoiced, in a unit
    of the tracker's own.
    """

    hz: Tensor
    cost: Tensor
    confidence: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("hz", "cost", "confidence")

    @classmethod
    def empty(cls, count: int, rate: int, hop: int) -> Candidates:
        """A format."""
        none = torch.zeros(count, 0)
        return cls(none, none, none, rate, hop)


@dataclass
class Smoothing:
    """The state of a stream: the path, and the candidates [series, frames, candidates] of frames
    that are not yet decided."""

    path: Path
    held: Floats
    given: int = 0


class Smooth(Stateful):
    """Choose one candidate a frame, or none: Candidates [K, frames] to PitchTrack [frames]."""

    name = "smooth"
    takes = Candidates

    smoothing: Span
    switch: float
    """What it costs within 10 ms to become voiced or unvoiced."""
    jump: float
    """What an octave's jump within 10 ms costs."""

    def output(self, source: Candidates) -> PitchTrack:
        return PitchTrack.empty(source.rate, source.hop)

    def lag(self, source: Candidates) -> int:
        return ceil(self.smoothing.samples(source.rate) / source.hop)

    def reach(self, source: Candidates) -> Reach:
        return Reach(behind=None, ahead=self.lag(source), latency=self.lag(source))

    def start(self, model: None, sources: Sequence[Candidates]) -> Smoothing:
        count = sources[0].hz.shape[0]
        return Smoothing(Path.fresh(count), np.zeros((len(Candidates.series), 0, count)))

    def step(
        self, model: None, state: Smoothing, blocks: Sequence[Candidates], last: bool
    ) -> PitchTrack:
        (block,) = blocks
        new = np.stack([tensor.mT.cpu().double().numpy() for tensor in block.tensors])
        step = block.hop / block.rate / 0.01  # in 10 ms
        costs = Costs(0.0, self.switch / step, self.jump / step)
        states = decide(state.path, np.log2(new[0]), new[1], costs, self.lag(block), last)
        whole = np.concatenate([state.held, new], axis=1)
        count = len(states)
        state.held = whole[:, count:].copy()
        hz, cost, confidence = whole[:, :count]
        voiced = states < hz.shape[1]
        chosen = np.where(voiced, states, cost.argmin(1))[:, None]
        start, state.given = state.given, state.given + count
        return PitchTrack(
            _taken(hz, chosen).to(block.device),
            torch.from_numpy(voiced).to(block.device),
            _taken(confidence, chosen).to(block.device),
            block.rate,
            block.hop,
            start,
        )


def _taken(values: Floats, chosen: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Tensor:
    return torch.from_numpy(np.take_along_axis(values, chosen, 1)[:, 0]).float()
