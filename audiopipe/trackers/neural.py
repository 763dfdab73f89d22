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
    HIGHEST,
    HOP,
    LOWEST,
    OCTAVE,
    PITCHES,
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

AT_ONCE = 512
"""Frames that go through the network together: fewer cost calls, more would cost memory."""

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
    """What is known of each frame before the network: `values` [SIZE, frames], and the `power`
    [HIGHEST, frames] with which its pitch is sharpened afterwards."""

    values: Tensor
    power: Tensor
    rate: int
    hop: int
    start: int = 0

    series: ClassVar = ("values", "power")


class Gather(Windowed):
    """Spectrum, correlation and level of each frame: Audio [1, time] to Evidence [SIZE, frames]."""

    name = "evidence"

    def accepts(self, source: Audio) -> Sequence[Audio]:
        return [Audio.empty(RATE, channels=1)]

    def output(self, source: Audio) -> Evidence:
        return Evidence(torch.zeros(SIZE, 0), torch.zeros(HIGHEST, 0), RATE, HOP)

    def framing(self, source: Audio) -> Framing:
        return Framing(WINDOW, HOP, BEFORE, WINDOW - BEFORE)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Tables:
        return Tables.usual(device)

    def compute(self, model: Tables, windows: Tensor) -> tuple[Tensor, Tensor]:
        parts = [evidence(part, model) for part in torch.split(windows[:, 0], AT_ONCE)]
        values, power = (torch.cat(column) for column in zip(*parts, strict=True))
        return values[..., None], power[..., None]


@dataclass(frozen=True)
class Loaded:
    """The network, and what silence says [SIZE, 1]."""

    net: PitchNet
    silence: Tensor


@dataclass
class Hearing:
    """The state of a stream: the levels [BEHIND - CONTEXT] of frames whose level alone is still
    needed, the frames [SIZE, CONTEXT + AHEAD or fewer] of which all is, and the power
    [HIGHEST, AHEAD or fewer] of those that are not decided."""

    before: Tensor
    held: Tensor
    power: Tensor
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
        silence, _ = evidence(torch.zeros(1, WINDOW, device=device), Tables.usual(device))
        silence = silence.mT
        # Warmed up here: what a live run hears first is not late.
        frames = silence.expand(SIZE, CONTEXT + 1 + AHEAD)
        net(frames[None], silence[-1:].expand(1, BEHIND - CONTEXT))
        return Loaded(net, silence)

    def start(self, model: Loaded, sources: Sequence[Any]) -> Hearing:
        silence = model.silence
        return Hearing(
            silence[-1].expand(BEHIND - CONTEXT),
            silence.expand(SIZE, CONTEXT),
            silence.new_zeros(HIGHEST, 0),
        )

    def heard(
        self, model: Loaded, state: Hearing, block: Evidence, last: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The next frames' logits [bins of the range, frames], and of a voice [frames], and their
        power [HIGHEST, frames]."""
        ending = [model.silence.expand(SIZE, AHEAD)] if last else []
        frames = torch.cat([state.held, block.values, *ending], 1)
        ready = max(0, frames.shape[1] - CONTEXT - AHEAD)
        power = torch.cat([state.power, block.power], 1)
        before = torch.cat([state.before, frames[-1, :ready]])[None]
        state.held, state.power = frames[:, ready:].clone(), power[:, ready:].clone()
        state.before = before[0, ready:].clone()
        size = AT_ONCE if frames.device.type == "cpu" else max(1, ready)
        first, stop = self.bins()
        pitch, voicing = frames.new_zeros(stop - first, ready), frames.new_zeros(ready)
        for at in range(0, ready, size):
            part = slice(at, min(ready, at + size))
            logits, voice = model.net(
                frames[None, :, at : part.stop + CONTEXT + AHEAD],
                before[:, at : at + BEHIND - CONTEXT],
            )
            pitch[:, part], voicing[part] = logits[0, first:stop], voice[0]
        return pitch, voicing, power[:, :ready]

    def bins(self) -> tuple[int, int]:
        """The bins of pitch that lie in the range: the first, and the one behind the last."""
        low, high = (OCTAVE * log2(hz / LOWEST) for hz in self.range)
        return max(0, floor(low)), min(PITCHES, ceil(high) + 1)

    def hertz(self, logits: Tensor, peak: Tensor, power: Tensor) -> tuple[Tensor, Tensor]:
        """The pitch at peaks [K, frames] in Hz, and the logarithm of its share: the mean over the
        bins about it. The first, likeliest one is sharpened."""
        first, _ = self.bins()
        edge = functional.pad(logits, (0, 0, NEAR, NEAR), value=-torch.inf)
        around = torch.stack([edge.gather(0, peak + k) for k in range(2 * NEAR + 1)])
        share = around.logsumexp(0) - logits.logsumexp(0)
        step = torch.arange(-NEAR, NEAR + 1, device=logits.device)[:, None, None]
        place = first + peak + (around.softmax(0) * step).sum(0)
        hz = LOWEST * torch.exp2(place / OCTAVE)
        hz[0] = sharpened(hz[0], power)
        return hz.clamp(*self.range), share


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
        (hz,), _ = self.hertz(logits, logits.argmax(0, keepdim=True), power)
        confidence = voicing.sigmoid()
        voiced = confidence >= self.voicing_threshold
        start, state.given = state.given, state.given + len(hz)
        return PitchTrack(hz, voiced, confidence, block.rate, block.hop, start)


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
        highest = functional.max_pool1d(logits.mT[:, None], 2 * NEAR + 1, 1, NEAR)[:, 0].mT
        peaks = torch.where(logits == highest, logits, -torch.inf)
        peak = peaks.topk(self._count, dim=0).indices
        hz, share = self.hertz(logits, peak, power)
        odds = voicing.clamp(LEAST, -LEAST) - _logit(self.voicing_threshold)
        # Against the likeliest: which pitch it is, does not matter for there being one.
        cost = -odds - (share - share[:1]).clamp_min(LEAST)
        confidence = voicing.sigmoid().expand_as(cost)
        start, state.given = state.given, state.given + len(voicing)
        return Candidates(hz, cost, confidence, block.rate, block.hop, start)


def _logit(share: float) -> float:
    inside = min(max(share, 1e-6), 1 - 1e-6)
    return log(inside / (1 - inside))
