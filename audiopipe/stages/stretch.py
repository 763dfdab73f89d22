"""Change tempo and key, each without the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from audiopipe.signals import Audio
from audiopipe.stage import Fidelity, Reach, Stage, Stateful

SEGMENT = 10.0
"""Seconds that are stretched at a time: what is held in memory."""
CONTEXT = 0.25
"""Seconds around a segment that are stretched with it."""
FADE = 0.02
"""Seconds over which a segment fades into the next."""
SEARCH = 0.01
"""Seconds by which a segment may be moved so that its wave meets that of the one before."""
SEED = 1
"""Of the stretcher's random phases: the same input gives the same output."""


@dataclass
class Stretching:
    """The state of a stream: input that is still needed, from sample `first` on; the number of the
    segment that comes next; and what the one before would have gone on with."""

    held: Tensor
    tail: Tensor | None = None
    first: int = 0
    segment: int = 0
    given: int = 0


class Stretch(Stateful):
    """Change tempo without changing the key, and the key without changing the tempo.

    Audio [channels, time] to Audio [channels, time / speed], by Signalsmith Stretch, a phase
    vocoder; another key is another tempo, resampled. Recordings of up to 10 s go through it as a
    whole; longer ones in segments of 10 s, each of which is moved by up to 10 ms to where its wave
    meets that of the one before, and faded in over 20 ms. With speed 1 and key 0 the sound passes
    as it is.
    """

    name = "stretch"
    retimes = True

    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    """How fast: 0.5 is half as fast, and twice as long."""
    key: Annotated[float, Field(ge=-12, le=12)] = 0.0
    """Semitones up, or down where negative."""

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity(
            "offline",
            why="what is slowed down falls ever further behind what is heard",
            instead="separate live with 'live-karaoke', and practise with a recording",
        )

    def output(self, source: Audio) -> Audio:
        return source.format

    def reach(self, source: Audio) -> Reach:
        ahead = round((SEGMENT + CONTEXT) * source.rate)
        return Reach(behind=None, ahead=ahead, latency=ahead)

    def start(self, model: None, sources: Sequence[Audio]) -> Stretching:
        return Stretching(sources[0].samples.clone())

    def step(self, model: Any, state: Stretching, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        if (self.speed, self.key) == (1, 0):
            return block
        state.held = torch.cat([state.held, block.samples], 1)
        rate, found = block.rate, [block.samples[:, :0]]
        segment, context = round(SEGMENT * rate), round(CONTEXT * rate)
        while state.first + state.held.shape[1] >= (state.segment + 1) * segment + context:
            found.append(self._next(state, rate, (state.segment + 1) * segment, context))
        if last:
            found.append(self._next(state, rate, state.first + state.held.shape[1], 0))
        whole = torch.cat(found, 1)
        start, state.given = state.given, state.given + whole.shape[1]
        return block.like(whole, start=start)

    def _next(self, state: Stretching, rate: int, stop: int, context: int) -> Tensor:
        """What comes of the input up to sample `stop`, and no end yet if there is `context`."""
        wanted, fade = round(stop / self.speed), round(FADE * rate)
        size = wanted - sum_given(state, self.speed, rate)
        made = self._stretched(state.held[:, : stop + context - state.first], rate)
        at = wanted - size - round(state.first / self.speed)
        if state.tail is not None:
            at += _meeting(made, state.tail, at, round(SEARCH * rate))
            ramp = torch.linspace(0, 1, fade)[: made[:, at : at + fade].shape[1]]
            piece = made[:, at : at + fade]
            made = made.clone()
            made[:, at : at + fade] = piece * ramp + state.tail[:, : len(ramp)] * (1 - ramp)
        out = made[:, at : at + size]
        state.tail = made[:, at + size : at + size + fade]
        keep = max(0, stop - round(CONTEXT * rate)) - state.first
        state.held, state.first = state.held[:, keep:].clone(), state.first + keep
        state.segment += 1
        return functional.pad(out, (0, size - out.shape[1]))

    def _stretched(self, samples: Tensor, rate: int) -> Tensor:
        import soxr
        from python_stretch import Signalsmith

        if not samples.shape[1]:
            return samples
        higher = 2 ** (self.key / 12)
        stretcher = Signalsmith.Stretch(SEED)
        stretcher.preset(samples.shape[0], rate)
        # The stretcher's own transposition is off by up to 5 cents; a resampler's is exact.
        stretcher.setTimeFactor(self.speed / higher)
        made = np.asarray(stretcher.process(np.ascontiguousarray(samples.cpu().numpy())))
        if self.key:
            made = np.asarray(soxr.resample(made.T, higher, 1.0)).T
        return torch.from_numpy(np.array(made)).to(samples.device)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(speed=0.75), cls(speed=1.5, key=-3.0))


def sum_given(state: Stretching, speed: float, rate: int) -> int:
    """How much of the output lies before the next segment."""
    return round(state.segment * round(SEGMENT * rate) / speed)


def _meeting(made: Tensor, tail: Tensor, at: int, search: int) -> int:
    """By how many samples later, at most `search`, `made` [channels, time] goes on from `at` as
    `tail` does: where their correlation is largest."""
    low = max(0, at - search)
    stretch = made[:, low : at + search + tail.shape[1]].mean(0)
    wave = tail.mean(0)
    if stretch.shape[0] < wave.shape[0] or not wave.any():
        return 0
    alike = functional.conv1d(stretch[None, None], wave[None, None])[0, 0]
    power = functional.conv1d(stretch.square()[None, None], torch.ones_like(wave)[None, None])[0, 0]
    return low - at + int((alike / power.clamp_min(1e-12).sqrt()).argmax())
