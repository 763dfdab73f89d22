"""Stages, graphs and sounds for tests of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from audiopipe.engine import Engine
from audiopipe.framing import Concatenate, Framing
from audiopipe.plan import Graph, Node, plan
from audiopipe.registry import find_stage
from audiopipe.signals import Audio, Signal
from audiopipe.stage import Fidelity, Reach, Stage, Stateful, TwoPass, Windowed

MONO = Audio.empty(16000, 1)
BLOCKS = [1, 7, 64, 1000, 100_000]


class Late(Windowed):
    """Gives what it gets, but wants to see `ahead` samples more first."""

    name = "late"
    ahead: int = 0

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        window = 32 + self.ahead
        return Framing(window, 32, 0, window - 1, Concatenate(32))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows[..., :32]


class Halves(Windowed):
    """Two ports: the louder half of each window's channels, and the rest."""

    name = "halves"

    def output(self, source: Audio) -> Mapping[str, Signal]:
        return {"double": source, "negative": source}

    def framing(self, source: Audio) -> Framing:
        return Framing(10, 10, 0, 9, Concatenate(10))

    def compute(self, model: None, windows: Tensor) -> tuple[Tensor, Tensor]:
        return windows * 2, -windows


class Peak(TwoPass):
    """Brings the highest sample to 1."""

    name = "peak"

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity("offline", why="the peak is known at the end", instead="use a limiter")

    def output(self, source: Audio) -> Audio:
        return source

    def start(self, model: Any, sources: Sequence[Audio]) -> list[float]:
        return [0.0]

    def measure(self, model: Any, state: list[float], block: Audio) -> None:
        if len(block):
            state[0] = max(state[0], float(block.samples.abs().max()))

    def step(self, model: Any, state: list[float], blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        return block.like(block.samples / (state[0] or 1.0), start=block.start)


class First(Stateful):
    """The first 100 samples: a stage that changes the length."""

    name = "first"
    retimes = True

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(0, 0, 0)

    def start(self, model: Any, sources: Sequence[Audio]) -> list[int]:
        return [0]

    def step(self, model: Any, state: list[int], blocks: Sequence[Audio], last: bool) -> Audio:
        (block,) = blocks
        kept = block.samples[:, : max(0, 100 - state[0])]
        start, state[0] = state[0], state[0] + kept.shape[1]
        return block.like(kept, start=start)


class Broken(Stateful):
    """Breaks at once."""

    name = "broken"

    def output(self, source: Audio) -> Audio:
        return source

    def reach(self, source: Audio) -> Reach:
        return Reach(0, 0, 0)

    def start(self, model: Any, sources: Sequence[Audio]) -> None:
        return None

    def step(self, model: Any, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
        raise IndexError("no such bin")


class Hungry(Windowed):
    """Runs out of memory above a number of windows."""

    name = "hungry"
    fits: ClassVar[int] = 4
    seen: ClassVar[list[int]] = []

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        return Framing(10, 10, 0, 9, Concatenate(10))

    def compute(self, model: None, windows: Tensor) -> Tensor:
        if len(windows) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.seen.append(len(windows))
        return windows * 2


class Starved(Hungry):
    """Has no room for one window."""

    fits = 0


def stage(name: str, **config: Any) -> Stage:
    return find_stage(name).model_validate(config)


def graph(*nodes: tuple[str, Stage, tuple[str, ...]], **outputs: str) -> Graph:
    return Graph(tuple(Node(*node) for node in nodes), outputs)


def engine(made: Graph, source: Audio = MONO) -> Engine:
    return Engine(plan(made, source, device="cpu"))


def noise(length: int, rate: int = 16000, channels: int = 1, seed: int = 0) -> Audio:
    made = torch.Generator().manual_seed(seed)
    return Audio(torch.randn(channels, length, generator=made) * 0.1, rate)


def run(made: Engine, audio: Audio, size: int = 1 << 30) -> dict[str, Any]:
    stream, blocks = made.stream(), []
    starts = range(0, max(1, len(audio)), size)
    for start in starts[:-1]:
        blocks.append(stream.push(audio.cut(start, start + size)))
    blocks += stream.finish(audio.cut(starts[-1], len(audio)))
    found: dict[str, list[Any]] = {}
    for out in blocks:
        for name, block in out.items():
            found.setdefault(name, []).append(block)
    return {name: type(parts[0]).join(parts) for name, parts in found.items()}


def close(a: Audio, b: Audio, tolerance: float = 1e-6) -> bool:
    return len(a) == len(b) and bool(torch.allclose(a.samples, b.samples, atol=tolerance, rtol=0))


def big() -> Engine:
    return engine(
        graph(
            ("late", Late(ahead=70), ("input",)),
            ("sum", stage("mix"), ("late", "input")),
            ("meter", stage("tap", hop=64), ("sum",)),
            sum="sum",
            meter="meter",
        )
    )
