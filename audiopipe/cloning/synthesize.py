"""Sound of frames, by the vocoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from audiopipe.cloning.convert import FLOOR, Wanted
from audiopipe.cloning.frames import MEL
from audiopipe.cloning.networks import load_vocoder, reach_of_vocoder, vocoder_of
from audiopipe.nets.source import Source
from audiopipe.nets.vocoder import Vocoder
from audiopipe.signals import Audio
from audiopipe.stage import GRID, Fidelity, Reach, Stateful

AT_ONCE = 384
"""Frames that are computed together, 4 s."""


@dataclass
class Sounding:
    """The state of a stream: the source, which keeps its phase; frames that wait for their context
    (None before the first), and `pulses` [2, time], the source's blocks of them."""

    source: Source
    held: Wanted | None = None
    pulses: Tensor = field(default_factory=lambda: torch.zeros(2, 0))
    given: int = 0


class Synthesize(Stateful):
    """Make sound of frames: Wanted to Audio [1, time] at 24 kHz."""

    name = "synthesize"
    takes = Wanted
    heavy = True

    model: str

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    @property
    def models(self) -> Sequence[str]:
        return (vocoder_of(self.model),)

    def output(self, source: Wanted) -> Audio:
        return Audio.empty(source.rate, 1)

    def reach(self, source: Wanted) -> Reach:
        # Its pulses go on from one to the next for ever.
        ahead = reach_of_vocoder(self.model).ahead
        return Reach(behind=None, ahead=ahead, latency=ahead)

    def load(self, source: Wanted, device: torch.device, dtype: torch.dtype) -> Vocoder:
        return load_vocoder(self.model).to(device)

    def start(self, model: Vocoder, sources: Sequence[Wanted]) -> Sounding:
        return Sounding(Source(MEL.hop, MEL.rate))

    def step(self, model: Vocoder, state: Sounding, blocks: Sequence[Wanted], last: bool) -> Audio:
        (block,) = blocks
        past, ahead = model.reach
        if state.held is None and len(block):
            silence = _silence(block.cut(block.start, block.start + 1), past)
            self._take(state, Wanted.join([silence, block]))
        elif state.held is not None:
            self._take(state, block)
        if state.held is None:
            return Audio.empty(MEL.rate, 1).to(block.device)
        if last:
            self._take(state, _silence(state.held.cut(len(state.held) - 1, len(state.held)), ahead))
        held, pulses = state.held, state.pulses
        ready = max(0, len(held) - past - ahead)
        found = [pulses.new_zeros(0)]
        for first in range(0, ready, AT_ONCE):
            stop = min(ready, first + AT_ONCE)
            end = stop + past + ahead
            near, own = slice(first, end), slice(first * MEL.hop, end * MEL.hop)
            frames = held.mel[None, :, near], held.hz[None, near]
            found.append(model(*frames, pulses[None, :, own])[0])
        samples = torch.cat(found)[: int(held.size[past : past + ready].sum())]
        state.held = held.like(*(t[..., ready:].clone() for t in held.tensors), start=0)
        state.pulses = pulses[:, ready * MEL.hop :].clone()
        start, state.given = state.given, state.given + len(samples)
        return Audio(samples[None], MEL.rate, start)

    def _take(self, state: Sounding, new: Wanted) -> None:
        """Put frames to those that wait, and the source's blocks to theirs."""
        pulses = state.source(new.hz.cpu()).to(new.device)
        old = state.held
        state.held = new if old is None else Wanted.join([old, new])
        state.pulses = pulses if old is None else torch.cat([state.pulses, pulses], 1)


def _silence(frame: Wanted, count: int) -> Wanted:
    """Frames of silence around a sound whose first or last `frame` it is, at its pitch."""
    mel = frame.mel.new_full((MEL.bins, count), FLOOR)
    return Wanted(mel, frame.hz.expand(count), frame.size.new_zeros(count))
