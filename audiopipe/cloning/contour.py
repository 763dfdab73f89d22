"""The melody of a voice for its conversion: without gaps, and apart from where the voice lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from audiopipe.cloning.register import counted, fresh, register, semitones
from audiopipe.evidence import HOP
from audiopipe.evidence import RATE as TRACKED
from audiopipe.framing import Concatenate, Framing
from audiopipe.signals import Audio, PitchTrack, Sampled
from audiopipe.stage import GRID, Fidelity, Reach, Stateful, Windowed
from audiopipe.units import Hertz

RATE = 24_000
"""Hz at which voices are converted."""
AHEAD = 10
"""Frames of 10 ms that are waited for: over as many, a gap is bridged towards what follows it."""
SIZE = HOP * RATE // TRACKED
"""Samples a frame of pitch."""
NEVER = 1 << 40
"""Frames since the last pitch, where there was none."""
AT_ONCE = 1024
"""Frames whose counts are held in memory together."""


@dataclass(frozen=True, eq=False)
class Melody(Sampled):
    """`values` [2, time]: semitones above the voice's own median, and the deviation of its pitch in
    semitones, which is never 0."""

    values: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("values",)

    @classmethod
    def empty(cls, rate: int, hop: int) -> Melody:
        """A format."""
        return cls(torch.zeros(2, 0), rate, hop)


@dataclass
class Following:
    """The state of a stream: frames [n] that wait; the last pitch before them (None before the
    first), and how many unvoiced ones followed it; and how often which pitch was heard, up to the
    `heard` first of those that wait."""

    pitch: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.float64))
    voiced: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    last: float | None = None
    since: int = NEVER
    counts: Tensor = field(default_factory=fresh)
    heard: int = 0
    given: int = 0


class Contour(Stateful):
    """Bridge what is unvoiced, and tell the melody from where the voice lies: PitchTrack [frames]
    to Melody [2, frames].

    The last pitch is held; over the last 100 ms of a gap it moves to the next one. Where the voice
    lies is the median of all that was heard up to 100 ms after a frame, unless it is `stated`.
    """

    name = "contour"
    takes = PitchTrack

    stated: Hertz | None = None

    def output(self, source: PitchTrack) -> Melody:
        return Melody.empty(source.rate, source.hop)

    def reach(self, source: PitchTrack) -> Reach:
        return Reach(behind=None, ahead=AHEAD, latency=AHEAD)

    def start(self, model: None, sources: Sequence[PitchTrack]) -> Following:
        return Following()

    def step(
        self, model: None, state: Following, blocks: Sequence[PitchTrack], last: bool
    ) -> Melody:
        (block,) = blocks
        voiced = block.voiced.cpu()
        pitch = semitones(block.hz.cpu().double().clamp_min(1.0))
        pitch = torch.cat([state.pitch, pitch])
        voiced = torch.cat([state.voiced, voiced])
        found = []
        ready = len(pitch) if last else max(0, len(pitch) - AHEAD)
        for first in range(0, ready, AT_ONCE):
            stop = min(ready, first + AT_ONCE)
            middle, spread = self._register(state, pitch, voiced, first, stop)
            whole = _bridged(state, pitch[first:], voiced[first:], middle)
            found.append(torch.stack([whole - middle, spread]))
        state.pitch, state.voiced = pitch[ready:].clone(), voiced[ready:].clone()
        state.heard -= ready
        start, state.given = state.given, state.given + ready
        values = torch.cat(found, 1) if found else torch.zeros(2, 0)
        return Melody(values.float().to(block.device), block.rate, block.hop, start)

    def _register(
        self, state: Following, pitch: Tensor, voiced: Tensor, first: int, stop: int
    ) -> tuple[Tensor, Tensor]:
        """Median and deviation at frames `first` to `stop`, from what is heard up to `AHEAD` after
        each; `state.heard` is how many of the frames that wait were counted."""
        until = min(len(pitch), stop + AHEAD)
        new = counted(state.counts, pitch[state.heard : until], voiced[state.heard : until])
        counts = torch.cat([state.counts[None], new])
        places = torch.arange(first, stop).add(1 + AHEAD).clamp_max(until) - state.heard
        middle, spread = register(counts[places])
        state.counts, state.heard = counts[-1], until
        if self.stated is not None:
            middle = semitones(torch.full_like(middle, self.stated))
        return middle, spread.clamp_min(0.1)


def _bridged(state: Following, pitch: Tensor, voiced: Tensor, middle: Tensor) -> Tensor:
    """The pitch of the first frames, as many as have a `middle`, without gaps [frames]; what lies
    behind them is looked at."""
    frames = torch.arange(len(pitch))
    now = frames[: len(middle)]
    before = frames.where(voiced, -1).cummax(0).values[: len(now)]
    behind = frames.where(voiced, NEVER).flip(0).cummin(0).values.flip(0)[: len(now)]
    held = middle if state.last is None else torch.full_like(middle, state.last)
    held = torch.where(before >= 0, pitch[before], held)
    since = torch.where(before >= 0, now - before, now + 1 + state.since)
    until = behind - now
    gone = torch.minimum(since, AHEAD + 1 - until)
    share = torch.where(until <= AHEAD, gone.double() / (gone + until).clamp_min(1), 0.0)
    if int(before[-1]) >= 0:
        state.last, state.since = float(held[-1]), int(since[-1])
    else:
        state.since += len(now)
    bridged = torch.lerp(held, pitch[behind.clamp_max(len(pitch) - 1)], share)
    return torch.where(voiced[: len(now)], pitch[: len(now)], bridged)


class Follow(Windowed):
    """A value for every sample at 24 kHz: Melody [2, frames] to Audio [2, time], as long as the
    sound.

    Between two frames lies a straight line; behind the last, what it says.
    """

    name = "follow"
    takes = Melody

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def output(self, source: Melody) -> Audio:
        return Audio.empty(RATE, channels=2)

    def framing(self, source: Melody) -> Framing:
        return Framing(2, 1, after=1, join=Concatenate(SIZE))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        here, there = windows[..., :1], windows[..., 1:]
        there = torch.where(there[:, 1:] > 0, there, here)  # zeros lie behind the end
        return torch.lerp(here, there, torch.arange(SIZE, device=here.device) / SIZE)
