"""Frames in the reference's voice, and its pitch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import ClassVar

import torch
from torch import Tensor

from audiopipe.cloning.agreed import Agreed
from audiopipe.cloning.contour import RATE
from audiopipe.cloning.frames import MEL, Spoken
from audiopipe.cloning.networks import Converter, load_converter, reach_of_converter
from audiopipe.cloning.reference import Voice, take
from audiopipe.consent import read_consent
from audiopipe.signals import Sampled
from audiopipe.stage import Reach

SILENT = log(1e-2)
"""Frames none of whose bands is louder are silence: that of 16 bits, noise at -87 dB."""
FLOOR = log(MEL.floor)
"""What silence says."""
NARROW, WIDE = 0.75, 1.33
"""How far a melody is flattened or stretched to be as lively as the reference's."""
FURTHEST = 24.0
"""Semitones from the median beyond which no pitch goes."""
AT_ONCE = 384
"""Frames that are computed together, 4 s."""


@dataclass(frozen=True, eq=False)
class Wanted(Sampled):
    """Frames to make sound of: `mel` [bins, frames], `hz` [frames], which goes on through what has
    no pitch, and `size` [frames], the samples that each has."""

    mel: Tensor
    hz: Tensor
    size: Tensor
    rate: int = RATE
    hop: int = MEL.hop
    start: int = 0

    series: ClassVar = ("mel", "hz", "size")

    @classmethod
    def empty(cls) -> Wanted:
        """The format."""
        return cls(torch.zeros(MEL.bins, 0), torch.zeros(0), torch.zeros(0, dtype=torch.int64))


@dataclass(frozen=True)
class Loaded:
    """The network, and the voice that it gives."""

    net: Converter
    voice: Voice


@dataclass
class Converting:
    """The state of a stream: what waits for its context, None before the first frame; and what is
    to be told of the reference."""

    held: Spoken | None = None
    given: int = 0
    told: tuple[str, ...] = ()


class Convert(Agreed):
    """Give frames the voice of a reference: Spoken to Wanted.

    Raises ConsentError without a consent that holds, and what `take` raises of the reference.
    """

    takes = Spoken

    pitch: float

    def output(self, source: Spoken) -> Wanted:
        return Wanted.empty()

    def reach(self, source: Spoken) -> Reach:
        past, ahead = reach_of_converter(self.model)
        return Reach(behind=past, ahead=ahead, latency=ahead)

    def load(self, source: Spoken, device: torch.device, dtype: torch.dtype) -> Loaded:
        read_consent(self.consent).check(self.reference)
        net = load_converter(self.model, device)
        return Loaded(net, take(self.reference, net, device))

    def start(self, model: Loaded, sources: Sequence[Spoken]) -> Converting:
        return Converting(told=model.voice.told)

    def step(
        self, model: Loaded, state: Converting, blocks: Sequence[Spoken], last: bool
    ) -> Wanted:
        (block,) = blocks
        past, ahead = model.net.reach
        if state.held is None and len(block):
            state.held = _silence(block.cut(block.start, block.start + 1), past)
        if state.held is None:
            return Wanted.empty().to(block.device)
        held = Spoken.join([state.held, block])
        if last:
            held = Spoken.join([held, _silence(held.cut(held.stop - 1, held.stop), ahead)])
        ready = max(0, len(held) - past - ahead)
        found = [Wanted.empty().to(block.device)]
        for first in range(0, ready, AT_ONCE):
            stop = min(ready, first + AT_ONCE)
            found.append(self._converted(model, held, first, stop))
        state.held = held.like(*(t[..., ready:].clone() for t in held.tensors), start=0)
        start, state.given = state.given, state.given + ready
        return Wanted.join(found).to(block.device).delayed(start)

    def _converted(self, model: Loaded, held: Spoken, first: int, stop: int) -> Wanted:
        """Frames `first` to `stop` of those that have their context."""
        past, ahead = model.net.reach
        near, own = slice(first, stop + past + ahead), slice(first + past, stop + past)
        likeness = model.voice.likeness
        place, spread = held.melody[:, near]
        lively = (likeness.spread / spread).clamp(NARROW, WIDE)
        place = (place * lively + self.pitch).clamp(-FURTHEST, FURTHEST)
        mel = model.net(held.mel[None, :, near], place[None], likeness)[0]
        silent = held.mel[:, own].amax(0) < SILENT
        mel = mel.masked_fill(silent, FLOOR)
        hz = torch.exp2((likeness.f0 + place[past : past + stop - first]) / 12)
        return Wanted(mel, hz, held.size[own])

    def warnings(self, state: Converting) -> Sequence[str]:
        return state.told


def _silence(frame: Spoken, count: int) -> Spoken:
    """Frames of silence around a sound whose first or last `frame` it is, at its pitch."""
    mel = frame.mel.new_full((MEL.bins, count), FLOOR)
    return Spoken(mel, frame.melody.expand(2, count), frame.size.new_zeros(count))
