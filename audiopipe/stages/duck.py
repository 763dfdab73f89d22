"""Music under speech."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.signals import Audio
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.units import Decibels, Span

HOPS = 100
"""Times a second that the level of speech is looked at."""


@dataclass
class Ducking:
    """What is held back, from sample `given` on: `music`, `speech` [channels, time]; whether there
    is speech in the hops around the next one; and how far the music is down, in dB."""

    music: Tensor
    speech: Tensor
    given: int = 0
    heard: int = 0
    """Hops whose level is known."""
    active: deque[bool] = field(default_factory=deque)
    """Those of them from the first on that can still matter."""
    first: int = 0
    down: float = 0.0


class Duck(Stateful):
    """Mix music and speech, and turn the music down while somebody speaks.

    Several Audio [channels, time], the first of them music, become one with its rate and channels,
    the sum of all. Where speech is louder than `threshold` the music is `depth` quieter: it is down
    when the first word begins, stays so for `hold` behind the last, and comes up again. With no
    speech at all it is as it was.
    """

    name = "duck"
    many = True

    depth: Annotated[Decibels, Field(ge=0, le=60)] = 12.0
    """How much quieter the music is under speech."""
    threshold: Annotated[Decibels, Field(ge=-100, le=0)] = -45.0
    """RMS of 10 ms above which there is speech."""
    attack: Span = Field(default=Span.parse("300 ms"))
    """How long the music takes to go down, before the speech begins."""
    hold: Span = Field(default=Span.parse("600 ms"))
    """How long it stays down in a pause."""
    release: Span = Field(default=Span.parse("1 s"))
    """How long it takes to come up."""

    def accepts(self, *sources: Audio) -> Sequence[Audio]:
        if self.hop(sources[0]) < 1:
            raise ValueError(f"speech cannot be followed at {sources[0].rate} Hz; 1 kHz is enough")
        return [sources[0].format] * len(sources)

    def output(self, *sources: Audio) -> Audio:
        return sources[0].format

    def hop(self, source: Audio) -> int:
        """Samples between two looks at the level."""
        return source.rate // HOPS

    def reach(self, source: Audio) -> Reach:
        ahead = (self._count(self.attack, source) + 1) * self.hop(source)
        return Reach(behind=None, ahead=ahead, latency=ahead)

    def start(self, model: None, sources: Sequence[Audio]) -> Ducking:
        none = torch.zeros(sources[0].channels, 0)
        return Ducking(none, none)

    def step(self, model: None, state: Ducking, blocks: Sequence[Audio], last: bool) -> Audio:
        music, *speech = blocks
        state.music = torch.cat([state.music.to(music.device), music.samples], 1)
        voices = [block.samples for block in speech] or [torch.zeros_like(music.samples)]
        state.speech = torch.cat([state.speech.to(music.device), sum(voices[1:], voices[0])], 1)
        hop = self.hop(music)
        self._listen(state, hop, last)
        ahead, behind = self._count(self.attack, music), self._count(self.hold, music)
        done = state.given // hop
        ready = state.heard - done - (0 if last else ahead)
        edges = [state.down]
        fall = self.depth / max(1, ahead)
        rise = self.depth / max(1, self._count(self.release, music))
        for number in range(done, done + max(0, ready)):
            near = range(max(0, number - behind), min(state.heard, number + ahead + 1))
            speaks = any(state.active[k - state.first] for k in near)
            target, pace = (self.depth, fall) if speaks else (0.0, rise)
            state.down += min(pace, max(-pace, target - state.down))
            edges.append(state.down)
            while state.first < number + 1 - behind:
                state.active.popleft()
                state.first += 1
        size = min(max(0, ready) * hop, state.music.shape[1])
        start = state.given
        mixed = self._mixed(state, size, edges, hop)
        state.given += size
        state.music, state.speech = state.music[:, size:], state.speech[:, size:]
        return music.like(mixed, start=start)

    def _listen(self, state: Ducking, hop: int, last: bool) -> None:
        """Note where there is speech in the hops that are complete."""
        known = state.heard * hop - state.given
        news = state.speech[:, known:]
        count = -(-news.shape[1] // hop) if last else news.shape[1] // hop
        if not count:
            return
        whole = torch.nn.functional.pad(news, (0, max(0, count * hop - news.shape[1])))
        levels = whole[:, : count * hop].reshape(len(news), count, hop).square().mean(2).amax(0)
        state.active.extend((levels > 10 ** (self.threshold / 10)).tolist())
        state.heard += count

    def _mixed(self, state: Ducking, size: int, edges: list[float], hop: int) -> Tensor:
        """The next `size` samples, with the music as far down as `edges` of hops say, in dB."""
        music, speech = state.music[:, :size], state.speech[:, :size]
        if not size or not any(edges):
            return music + speech
        levels = torch.tensor(edges, dtype=torch.float64)
        within = torch.arange(1, hop + 1, dtype=torch.float64) / hop
        down = levels[:-1, None] + levels.diff()[:, None] * within
        gain = (10 ** (-down.flatten()[:size] / 20)).float().to(music.device)
        return music * gain + speech

    def _count(self, span: Span, source: Audio) -> int:
        """Hops of a time."""
        return round(span.samples(source.rate) / self.hop(source))

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(depth=20.0, threshold=-30.0, attack=Span.parse("50 ms")))
