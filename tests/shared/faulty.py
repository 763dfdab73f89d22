"""Stages that keep their promises, and their twins that break one each: the kit must tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from audiopipe.framing import Concatenate, Framing, OverlapAdd
from audiopipe.signals import Audio, Detection, Detections, Levels
from audiopipe.stage import Fidelity, Reach, Stateful, TwoPass, Windowed

CONTEXT = 12
"""Samples to either side that a moving average looks at."""
STRETCH = 64
"""Samples a window gives."""


class Smoother(Windowed):
    """A moving average over a halo on both sides."""

    name = "smoother"
    halo: ClassVar[int] = CONTEXT

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        halo = self.halo
        return Framing(STRETCH + 2 * halo, STRETCH, halo, STRETCH + halo, Concatenate(STRETCH))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        halo = CONTEXT - self.halo
        windows = torch.nn.functional.pad(windows, (halo, halo))
        return windows.unfold(-1, 2 * CONTEXT + 1, 1).mean(-1)


class ShortHalo(Smoother):
    """Has less context than its average is long: zeros stand in for it at the windows' edges."""

    halo = CONTEXT - 5


class UndeclaredContext(Smoother):
    """Takes the context that it does not declare from the next window in the batch."""

    halo = 0

    def compute(self, model: None, windows: Tensor) -> Tensor:
        row = torch.nn.functional.pad(windows.movedim(0, -2).flatten(-2), (CONTEXT, CONTEXT))
        smooth = row.unfold(-1, 2 * CONTEXT + 1, 1).mean(-1)
        return smooth.unflatten(-1, (windows.shape[0], STRETCH)).movedim(-2, 0)


class LoadsWhilePlanning(Smoother):
    """Reads its weights to know its format."""

    def output(self, source: Audio) -> Audio:
        self.load(source, torch.device("cpu"), torch.float32)
        return source


class LooksAtItsBatch(Smoother):
    """Normalises over all windows that happen to be computed together."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return super().compute(model, windows) / (1 + windows.abs().amax())


class Overwrites(Smoother):
    """Works in place, on what may be the caller's own memory."""

    halo = 0

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows.mul_(0.5)


class WrongRate(Smoother):
    """Says that half as many samples a second come out."""

    def output(self, source: Audio) -> Audio:
        return Audio.empty(source.rate // 2, source.channels)


class WrongChannels(Smoother):
    """Gives one channel more than it says."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        smooth = super().compute(model, windows)
        return torch.cat([smooth, smooth[:, :1]], dim=1)


class Random(Smoother):
    """Adds noise that nobody can have again."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        smooth = super().compute(model, windows)
        return smooth + 0.01 * torch.randn_like(smooth)


class Leveller(Windowed):
    """Levels by frame; its ratio is kept from dividing by zero."""

    name = "leveller"
    declared: ClassVar[int] = 100
    least: ClassVar[float] = 1e-9

    def output(self, source: Audio) -> Levels:
        return Levels.empty(source.rate, self.declared, source.channels)

    def framing(self, source: Audio) -> Framing:
        return Framing(100, 100, after=99)

    def compute(self, model: None, windows: Tensor) -> tuple[Tensor, Tensor]:
        peak = windows.abs().amax(-1, keepdim=True)
        return peak, windows.square().mean(-1, keepdim=True).sqrt() / (peak + self.least)


class WrongHop(Leveller):
    """Says that there are more frames than there are."""

    declared = 80


class DividesByZero(Leveller):
    """0/0 in silence."""

    least = 0.0


class Fader(Windowed):
    """Overlap-add of windows that are left as they are."""

    name = "fader"
    before: ClassVar[int] = 32

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        weight = torch.hann_window(64)
        return Framing(64, 32, 32, 64, OverlapAdd(32, self.before, weight, weight))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows


@dataclass
class Past:
    """The last samples of a stream; `given` counts what came out."""

    held: Tensor
    given: int = 0


class Delay(Stateful):
    """The mean of a sample and the one `CONTEXT` after it."""

    name = "delay"
    behind: ClassVar[int | None] = 0
    ahead: ClassVar[int] = CONTEXT
    latency: ClassVar[int] = CONTEXT

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(self.behind, self.ahead, self.latency)

    def start(self, model: Any, sources: Sequence[Audio]) -> Past:
        return Past(torch.zeros(sources[0].channels, 0))

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        held = torch.cat([state.held, block.samples], dim=1)
        if last:
            held = torch.nn.functional.pad(held, (0, CONTEXT))
        count = max(0, held.shape[1] - CONTEXT)
        given = (held[:, :count] + held[:, CONTEXT : CONTEXT + count]) / 2
        state.held = held[:, count:]
        start, state.given = state.given, state.given + count
        return block.like(given, start=start)


class DropsTail(Delay):
    """Gives nothing back of what it holds when the stream ends."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        return super().step(model, state, blocks, last=False)


class TooLong(Delay):
    """Gives what it padded, too."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        given = super().step(model, state, blocks, last)
        return given.like(torch.nn.functional.pad(given.samples, (0, 5 * last)), start=given.start)


class OneForAll(Delay):
    """Keeps the streams' state in the model."""

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Past:
        return Past(torch.zeros(source.channels, 0))

    def start(self, model: Past, sources: Sequence[Audio]) -> None:
        model.held, model.given = torch.zeros(sources[0].channels, 0), 0

    def step(self, model: Past, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
        return super().step(model, model, blocks, last)


class SharedState(Delay):
    """Starts every stream with the same object."""

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Past:
        return Past(torch.zeros(source.channels, 0))

    def start(self, model: Past, sources: Sequence[Audio]) -> Past:
        return model


class TooLittleAhead(Delay):
    """Declares to look ahead less than it does."""

    ahead = CONTEXT - 1


class TooEarly(Delay):
    """Declares less latency than it has."""

    latency = CONTEXT - 1


class WrongStart(Delay):
    """Starts every block at 0."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        given = super().step(model, state, blocks, last)
        return given.like(given.samples, start=0)


class BreaksOnNothing(Delay):
    """Cannot stand an empty block."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        blocks[0].samples.amax()
        return super().step(model, state, blocks, last)


class Echo(Stateful):
    """The mean of a sample and the one `CONTEXT` before it."""

    name = "echo"
    behind: ClassVar[int | None] = CONTEXT

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(self.behind, 0, 0)

    def start(self, model: Any, sources: Sequence[Audio]) -> Past:
        return Past(torch.zeros(sources[0].channels, CONTEXT))

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        held = torch.cat([state.held, block.samples], dim=1)
        state.held = held[:, len(block) :]
        return block.like((block.samples + held[:, : len(block)]) / 2, start=block.start)


class TooLittleBehind(Echo):
    """Declares to look back less than it does."""

    behind = CONTEXT - 1


class ShortContext(Echo):
    """Keeps less between blocks than it looks back."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        state.held[:, :5] = 0
        return super().step(model, state, blocks, last)


class UnlimitedBehind(Echo):
    """Declares no limit, which is no fault."""

    behind = None


class ForgetsAtSeams(Echo):
    """Keeps no context between blocks."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Audio:
        state.held = torch.zeros_like(state.held)
        return super().step(model, state, blocks, last)


class Hushed(Smoother):
    """Half precision with a promise that it can keep."""

    half = True

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows[..., CONTEXT:-CONTEXT] * 0.5


class CoarseInHalf(Hushed):
    """Adds up what half precision cannot hold."""

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return (windows[..., CONTEXT:-CONTEXT] + 4096) - 4096


class Centred(TwoPass):
    """Without its mean."""

    name = "centred"
    instead: ClassVar[str] = "use a high-pass"

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity("offline", why="the mean is known at the end", instead=self.instead)

    def output(self, source: Audio) -> Audio:
        return source

    def start(self, model: Any, sources: Sequence[Audio]) -> dict[str, float]:
        return {"sum": 0.0, "count": 0}

    def measure(self, model: Any, state: dict[str, float], block: Audio) -> None:
        state["sum"] += float(block.samples.double().sum())
        state["count"] += block.samples.numel()

    def step(self, model: Any, state: Any, blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        return block.like(block.samples - state["sum"] / max(1, state["count"]), start=block.start)


class NoAlternative(Centred):
    """Refuses without helping."""

    instead = ""


class Loud(Stateful):
    """An event for each sample above half of full scale in the first channel."""

    name = "loud"
    late: ClassVar[int] = 0

    def output(self, source: Audio) -> Detections:
        return Detections((), source.rate)

    def reach(self, source: Audio) -> Reach:
        return Reach(0, self.late, self.late)

    def start(self, model: Any, sources: Sequence[Audio]) -> Past:
        return Past(torch.zeros(1, 0))

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Detections:
        (block,) = blocks
        loud = (block.samples[0] > 0.5).nonzero().flatten() + block.start
        return Detections(
            tuple(Detection(int(n), int(n), "loud", 1.0) for n in loud), rate=block.rate
        )


class LoudByBlock(Loud):
    """Hears the beginning of every block."""

    def step(self, model: Any, state: Past, blocks: Sequence[Audio], last: bool) -> Detections:
        found = super().step(model, state, blocks, last)
        first = Detection(blocks[0].start, blocks[0].start, "begins", 1.0)
        return Detections((first, *found.events), found.rate)
