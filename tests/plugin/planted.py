"""A plug-in whose stages do what no good stage does: they break, are slow, need it all."""

from __future__ import annotations

import time
from typing import Any

import torch

from audiopipe.framing import Framing
from audiopipe.signals import Audio
from audiopipe.stage import Fidelity, Reach, Stateful, TwoPass, Windowed

LOADED: list[str] = []
"""The stages that were loaded, in order."""


class Slow(Stateful):
    """Give back what comes, but take `pause` s for every block that is not empty."""

    name = "slow"

    pause: float = 0.05
    """Time for a block in s."""

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(0, 0, 0)

    def load(self, source: Audio, device: Any, dtype: Any) -> None:
        LOADED.append(self.name)

    def start(self, model: Any, sources: Any) -> None:
        return None

    def step(self, model: Any, state: None, blocks: Any, last: bool) -> Audio:
        if len(blocks[0]):
            time.sleep(self.pause)
        return blocks[0]


class Broken(Slow):
    """Break where a sample is above `above`."""

    name = "broken"

    above: float = 0.9
    """The largest sample that is borne."""
    pause: float = 0.0
    """Time for a block in s."""

    def step(self, model: Any, state: None, blocks: Any, last: bool) -> Audio:
        if len(blocks[0]) and float(blocks[0].samples.max()) > self.above:
            raise IndexError("off the table")
        return super().step(model, state, blocks, last)


class Unloadable(Slow):
    """Break when loaded."""

    name = "unloadable"

    def load(self, source: Audio, device: Any, dtype: Any) -> None:
        raise KeyError("weights")


class Halves(Windowed):
    """Two ports that sum to the input: `low` a quarter of it, `high` the rest."""

    name = "halves"

    def output(self, source: Audio) -> dict[str, Audio]:
        return {"low": source, "high": source}

    def framing(self, source: Audio) -> Framing:
        return Framing(window=100, hop=100, after=99)

    def compute(self, model: Any, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return windows / 4, windows * 3 / 4


class Twice(TwoPass):
    """Make the peak 1: the whole recording has to be known."""

    name = "twice"

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity("offline", why="the peak is known at the end", instead="use mix")

    def output(self, source: Audio) -> Audio:
        return source

    def start(self, model: Any, sources: Any) -> list[float]:
        return [0.0]

    def measure(self, model: Any, state: list[float], block: Audio) -> None:
        if len(block):
            state[0] = max(state[0], float(block.samples.abs().max()))

    def step(self, model: Any, state: list[float], blocks: Any, last: bool) -> Audio:
        return blocks[0].like(blocks[0].samples / (state[0] or 1), start=blocks[0].start)
