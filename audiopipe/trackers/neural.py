"""Our network as stages: what each frame says of its pitch, and what the network makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log2
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.evidence import (
    BEFORE,
    HOP,
    LEVEL,
    LOWEST,
    OCTAVE,
    PITCHES,
    POWER,
    RATE,
    SIZE,
    WINDOW,
    Tables,
    evidence,
)
from audiopipe.framing import Framing
from audiopipe.nets.pitch import AHEAD, BEHIND, CONTEXT, PitchNet
from audiopipe.pitch_models import pitch_net
from audiopipe.sharpen import sharpened
from audiopipe.signals import Audio, PitchTrack, Sampled
from audiopipe.stage import GRID, Fidelity, Reach, Stateful, Windowed
from audiopipe.trackers.candidates import Candidates
from audiopipe.units import Hertz

TOP = 4300.0
"""The highest pitch in Hz that the network was taught."""

AT_ONCE = 256
"""Frames that go through the network together on a CPU: fewer cost calls, more fall out of its
cache."""

NEAR = 2
"""Bins on either side of a peak whose mean is its pitch."""

CANDIDATES = 4
"""Peaks a frame that go into the smoother."""

SWITCH = 1.0
"""What it costs within 10 ms to become voiced or unvoiced, as a logarithm of a probability."""

JUMP = 4.0
"""What an octave's jump within 10 ms costs, likewise."""

LEAST = -8.0
"""A logarithm of a probability below which nothing is told apart."""


@dataclass(frozen=True, eq=False)
class Evidence(Sampled):
    """What is known of each frame before the network: `values` [SIZE, frames]. In memory the
    numbers of a frame lie together."""

    values: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("values",)


class Gather(Windowed):
    """Spectrum, correlation and level of each frame: Audio [1, time] to Evidence [SIZE, frames]."""

    name = "evidence"

    def accepts(self, source: Audio) -> Sequence[Audio]:
        return [Audio.empty(RATE, channels=1)]

    def output(self, source: Audio) -> Evidence:
        return Evidence(torch.zeros(SIZE, 0), RATE, HOP)

    def framing(self, source: Audio) -> Framing:
        return Framing(WINDOW, HOP, BEFORE, WINDOW - BEFORE)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Tables:
        return Tables.usual(device)

    def compute(self, model: Tables, windows: Tensor) -> Tensor:
        return evidence(windows[:, 0], model)[..., None]


@dataclass(frozen=True)
class Loaded:
    """The network, and what silence says [1, SIZE]."""

    net: PitchNet
    silence: Tensor


@dataclass
class Hearing:
    """The state of a stream: the levels [BEHIND - CONTEXT] of frames of which no more is needed,
    and all of the frames [CONTEXT + AHEAD or fewer, SIZE] behind them."""

    levels: Tensor
    frames: Tensor
    given: int = 0


class _Network(Stateful):
    """What both kinds of outputs of the network share."""

    takes = Evidence
    heavy = True

    model: str
    range: tuple[Hertz, Hertz]
    voicing_threshold: float

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    def reach(self, source: Evidence) -> Reach:
        return Reach(behind=BEHIND, ahead=AHEAD, latency=AHEAD)

    def load(self, source: Evidence, device: torch.device, dtype: torch.dtype) -> Loaded:
        net = pitch_net(self.model).to(device)
        silence = evidence(torch.zeros(1, WINDOW, device=device), Tables.usual(device))
        # Warmed up here: what a live run hears first is not late.
        frames = silence.expand(1, CONTEXT + 1 + AHEAD, SIZE)
        net(frames, silence[:, LEVEL].expand(1, BEHIND - CONTEXT))
        return Loaded(net, silence)

    def start(self, model: Loaded, sources: Sequence[Any]) -> Hearing:
        silence = model.silence
        return Hearing(silence[:, LEVEL].expand(BEHIND - CONTEXT), silence.expand(CONTEXT, SIZE))

    def heard(
        self, model: Loaded, state: Hearing, block: Evidence, last: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The next frames' logits [frames, bins of the range], and of a voice [frames], and their
        power [frames, HIGHEST]."""
        ending = [model.silence.expand(AHEAD, SIZE)] if last else []
        frames = torch.cat([state.frames, block.values.mT, *ending])
        ready = max(0, len(frames) - CONTEXT - AHEAD)
        levels = torch.cat([state.levels, frames[:ready, LEVEL]])
        # Copies: views would keep all of it.
        state.frames, state.levels = frames[ready:].clone(), levels[ready:].clone()
        size = AT_ONCE if frames.device.type == "cpu" else max(1, ready)
        first, stop = self.bins()
        pitch, voicing = frames.new_empty(ready, stop - first), frames.new_empty(ready)
        for at in range(0, ready, size):
            part = slice(at, min(ready, at + size))
            logits, voice = model.net(
                frames[None, at : part.stop + CONTEXT + AHEAD],
                levels[None, at : at + BEHIND - CONTEXT],
            )
            pitch[part], voicing[part] = logits[0, :, first:stop], voice[0]
        return pitch, voicing, frames[CONTEXT : CONTEXT + ready, POWER]

    def bins(self) -> tuple[int, int]:
        """The bins of pitch that lie in the range: the first, and the one behind the last."""
        low, high = (OCTAVE * log2(hz / LOWEST) for hz in self.range)
        return max(0, floor(low)), min(PITCHES, ceil(high) + 1)

    def hertz(self, logits: Tensor, peak: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
        """The pitch at peaks [frames, K] in Hz, and the logits about them [frames, K, bins]: their
        mean is the pitch. The first, likeliest one is sharpened."""
        first, _ = self.bins()
        step = torch.arange(-NEAR, NEAR + 1, device=logits.device)
        edge = functional.pad(logits, (NEAR, NEAR), value=-torch.inf)
        around = edge.gather(1, (peak[..., None] + (step + NEAR)).flatten(1)).view(
            *peak.shape, len(step)
        )
        place = first + peak + around.softmax(-1) @ step.to(logits.dtype)
        hz = LOWEST * torch.exp2(place / OCTAVE)
        hz[:, 0] = sharpened(hz[:, 0], power)
        return hz.clamp_(*self.range), around


class NeuralFrames(_Network):
    """The likeliest pitch of each frame: Evidence [SIZE, frames] to PitchTrack [frames]."""

    name = "frames"

    def output(self, source: Evidence) -> PitchTrack:
        return PitchTrack.empty(source.rate, source.hop)

    def step(
        self, model: Loaded, state: Hearing, blocks: Sequence[Evidence], last: bool
    ) -> PitchTrack:
        (block,) = blocks
        logits, voicing, power = self.heard(model, state, block, last)
        hz, _ = self.hertz(logits, logits.argmax(1, keepdim=True), power)
        confidence = voicing.sigmoid()
        voiced = confidence >= self.voicing_threshold
        start, state.given = state.given, state.given + len(hz)
        return PitchTrack(hz[:, 0], voiced, confidence, block.rate, block.hop, start)


class NeuralCandidates(_Network):
    """The likeliest pitches of each frame: Evidence [SIZE, frames] to Candidates [K, frames]."""

    name = "candidates"

    def output(self, source: Evidence) -> Candidates:
        return Candidates.empty(self._count, source.rate, source.hop)

    @property
    def _count(self) -> int:
        first, stop = self.bins()
        return min(CANDIDATES, stop - first)

    def step(
        self, model: Loaded, state: Hearing, blocks: Sequence[Evidence], last: bool
    ) -> Candidates:
        (block,) = blocks
        logits, voicing, power = self.heard(model, state, block, last)
        highest = functional.max_pool1d(logits[:, None], 2 * NEAR + 1, 1, NEAR)[:, 0]
        peaks = torch.where(logits == highest, logits, -torch.inf)
        hz, around = self.hertz(logits, peaks.topk(self._count).indices, power)
        share = around.logsumexp(-1)
        odds = voicing.clamp(LEAST, -LEAST)[:, None] - _logit(self.voicing_threshold)
        # Against the likeliest: which pitch it is, does not matter for there being one.
        cost = -odds - (share - share[:, :1]).clamp_min(LEAST)
        confidence = voicing.sigmoid()[:, None].expand_as(cost)
        start, state.given = state.given, state.given + len(voicing)
        return Candidates(hz.mT, cost.mT, confidence.mT, block.rate, block.hop, start)


def _logit(share: float) -> float:
    inside = min(max(share, 1e-6), 1 - 1e-6)
    return log(inside / (1 - inside))
