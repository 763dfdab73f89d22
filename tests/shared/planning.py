"""Stages and plans for tests of the planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from audiopipe.errors import PlanError
from audiopipe.framing import Framing
from audiopipe.plan import Graph, Node, Plan, plan
from audiopipe.registry import find_stage
from audiopipe.signals import Audio, Levels, Signal
from audiopipe.stage import Chain, Fidelity, Reach, Stage, Stateful, Windowed

MONO, CD = Audio.empty(16000, 1), Audio.empty(44100, 2)


class Wants(Windowed):
    """Takes 16 kHz mono only, as a network does; `ahead` samples of look-ahead."""

    name = "wants"
    heavy = True
    half = True
    ahead: int = 0

    def accepts(self, *sources: Audio) -> Sequence[Audio]:
        return [Audio.empty(16000, 1)]

    def output(self, source: Audio) -> Audio:
        return source

    def framing(self, source: Audio) -> Framing:
        return Framing(1 + self.ahead, 1, 0, self.ahead)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> None:
        raise AssertionError("planning loads nothing")

    def compute(self, model: None, windows: Tensor) -> Tensor:
        return windows[..., :1]


class WindowsOfLevels(Wants):
    """A windowed stage over what has two series in time."""

    name = "windows-of-levels"
    takes = Levels

    def accepts(self, *sources: Levels) -> Sequence[Levels]:
        return sources


class Split(Wants):
    """Two ports of audio."""

    name = "split"

    def output(self, source: Audio) -> Mapping[str, Signal]:
        return {"vocals": source, "rest": source}


class Mixed(Wants):
    """Two ports of different kinds."""

    name = "mixed"

    def output(self, source: Audio) -> Mapping[str, Signal]:
        return {"sound": source, "level": Levels.empty(16000, 1, 1)}


class FromLevels(Stateful):
    """Takes frames: 3 behind, 2 ahead, 4 late."""

    name = "from-levels"
    takes = Levels

    def output(self, source: Levels) -> Levels:
        return source

    def reach(self, source: Levels) -> Reach:
        return Reach(3, 2, 4)

    def start(self, model: Any, sources: Sequence[Levels]) -> None:
        return None

    def step(self, model: Any, state: None, blocks: Sequence[Levels], last: bool) -> Levels:
        return blocks[0]


class Both(Chain):
    """Two stages as one."""

    name = "both"

    def parts(self) -> Sequence[Stage]:
        return (stage("tap", hop=80), FromLevels())


class Later(FromLevels):
    """Cannot stream."""

    name = "later"

    @property
    def fidelity(self) -> Fidelity:
        return Fidelity("offline", why="it needs the end", instead="use 'from-levels'")


def stage(name: str, **config: Any) -> Stage:
    return find_stage(name).model_validate(config)


def mix(**config: Any) -> Stage:
    return stage("mix", **config)


def node(name: str, made: Stage, *sources: str) -> Node:
    return Node(name, made, sources or ("input",))


def made(
    *nodes: Node, source: Signal = MONO, strict: bool = False, device: str = "cpu", **outputs: str
) -> Plan:
    return plan(Graph(nodes, outputs, strict), source, device)


def problems(*nodes: Node, source: Signal = MONO, strict: bool = False, **outputs: str) -> str:
    with pytest.raises(PlanError) as caught:
        made(*nodes, source=source, strict=strict, **outputs)
    return str(caught.value)
