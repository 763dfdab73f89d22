"""The contract of a stage.

A stage *is* its configuration: a frozen pydantic model whose fields are what YAML may say,
whose docstring is the manual, and whose methods are the maths. It holds no weights, no
buffers and no state. There are two ways to write one, `Windowed` and `Stateful`; a `Chain`
is a stage made of other stages, and a `Stateful` stage that must know the whole recording
first is `TwoPass`.

The engine calls, in this order: `accepts` (what the stage wants to be fed), `output` (what
it promises), and only when audio is to flow `load` (weights and tables, once, on a device);
then `compute`, or `start` and `step`, for every stream.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from audiopipe.framing import Framing
from audiopipe.signals import About, Audio, Signal

if TYPE_CHECKING:
    from audiopipe.consent import Consent


@dataclass(frozen=True)
class Fidelity:
    """How a stream compares with the whole recording: a promise that the kit tests.

    `exact`: streamed equals whole, to `tolerance` (rounding). `grid`: both use one grid of
    windows and are equal by construction, to `tolerance`. `approx`: they may differ by
    `tolerance` in the stage's own measure, which `why` names. `offline`: the stage cannot
    stream; `why` says the reason and `instead` what to use.
    """

    kind: Literal["exact", "grid", "approx", "offline"]
    tolerance: float = 1e-5
    why: str = ""
    instead: str = ""


EXACT = Fidelity("exact")
GRID = Fidelity("grid")


@dataclass(frozen=True)
class Reach:
    """Which input may change the output at time t: from t - behind to t + ahead.

    In elements of the stage's input. `behind` is None where it is without limit. `latency`
    is how far past an output's own time the input must have come for the output to be out:
    once all input before time t is there, all output before t - latency is.
    """

    behind: int | None
    ahead: int
    latency: int


class Stage(BaseModel):
    """What every stage states."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True
    )

    name: ClassVar[str]
    """The name that YAML uses, and the name of the stage's file."""
    takes: ClassVar[type[Signal]] = Audio
    """What flows in."""
    many: ClassVar[bool] = False
    """Whether several inputs are taken, aligned to the sample."""
    rejoins: ClassVar[bool] = False
    """Whether, as a part of a chain, it takes what the chain is fed with, and then all ports of the
    part before it; it must take `many`."""
    retimes: ClassVar[bool] = False
    """Whether the output's duration may differ from the input's (all other stages keep it)."""
    heavy: ClassVar[bool] = False
    """Whether a GPU pays for itself: a network does, a filter does not."""
    half: ClassVar[bool] = False
    """Whether the stage may compute in half precision; otherwise it stays in float32."""

    @property
    def fidelity(self) -> Fidelity:
        """How stream and batch compare."""
        return EXACT

    @property
    def models(self) -> Sequence[str]:
        """The names of the models that `load` will want from the store."""
        return ()

    @property
    def files(self) -> Sequence[str]:
        """The files that `load` will read beside them: what is in them decides what comes out."""
        return ()

    @property
    def comment(self) -> str:
        """What files of its output, and of all that is made of it, have to say of themselves."""
        return ""

    @property
    def consents(self) -> Sequence[Consent]:
        """What people have agreed to: the records stand beside files of its output, and of all
        that is made of it."""
        return ()

    def accepts(self, *sources: Any, **_: Any) -> Sequence[Signal]:
        """The formats that the stage wants instead of `sources`: the planner inserts
        `resample` and `mix` where rate or channels differ. Raises ValueError, with the
        reason and the cure, where a source does not fit at all."""
        return sources

    @abstractmethod
    def output(self, *sources: Any, **_: Any) -> Signal | Mapping[str, Signal]:
        """The format of what comes out, or several by the name of their port."""

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        """Configurations for the manual and for the conformance kit."""
        return (cls(),)


class Windowed(Stage):
    """A pure function over windows; the engine owns time."""

    @property
    def at_once(self) -> int | None:
        """Windows that are computed at once; None leaves it to the engine."""
        return None

    @abstractmethod
    def framing(self, source: Any) -> Framing:
        """Window, hop, padding, and how outputs join."""

    def load(self, source: Any, device: torch.device, dtype: torch.dtype) -> Any:
        """Make weights and tables, once; what is returned is passed to `compute`."""
        return None

    @abstractmethod
    def compute(self, model: Any, windows: Tensor) -> Any:
        """Map windows [batch, ..., window] to outputs [batch, ..., size].

        Every window must be computed by itself, whatever else is in the batch. Where the
        output has several series or ports, give a tuple in their order, ports first.
        """

    def reach(self, source: Any) -> Reach:
        framing = self.framing(source)
        return Reach(framing.behind, framing.ahead, framing.ahead)


class Stateful(Stage):
    """A function over blocks with a state of its own for every stream."""

    @abstractmethod
    def reach(self, source: Any) -> Reach:
        """Which input may change an output, and when that output is out."""

    def load(self, source: Any, device: torch.device, dtype: torch.dtype) -> Any:
        """Make weights and tables, once; what is returned is passed to `start` and `step`."""
        return None

    @abstractmethod
    def start(self, model: Any, sources: Sequence[Any]) -> Any:
        """A fresh state for a stream of this format: a plain dataclass, or None."""

    @abstractmethod
    def step(self, model: Any, state: Any, blocks: Sequence[Any], last: bool) -> Any:
        """Take the next block of each input; give the next of the output.

        With several ports, give a tuple in their order. Blocks may be empty. With `last`
        the stream ends, and all that is held back is given. Where much comes of little, as
        speech of a page, give an iterator: each of its outputs goes through the rest of the
        pipeline before the next is made.
        """

    def warnings(self, state: Any) -> Sequence[str]:
        """What whoever gets the result should know, once the stream has ended: a line each."""
        return ()

    def about(self, state: Any) -> About:
        """What files of the recording may say of it, once the stream has ended."""
        return About()


class TwoPass(Stateful):
    """A stateful stage that sees the recording twice: first `measure`, then `step`.

    The engine keeps the recording on disk between the passes, not in memory. Offline by
    nature.
    """

    @property
    @abstractmethod
    def fidelity(self) -> Fidelity: ...

    def reach(self, source: Any) -> Reach:
        return Reach(behind=None, ahead=0, latency=0)

    @abstractmethod
    def measure(self, model: Any, state: Any, block: Any) -> None:
        """Look at the next block, in the first pass."""


class Chain(Stage):
    """A stage made of stages: the planner puts `parts` in its place.

    Each part takes what the one before it gives; one that `rejoins`, what the chain is fed with
    too.
    """

    @abstractmethod
    def parts(self) -> Sequence[Stage]:
        """The stages, first to last."""

    @property
    def fidelity(self) -> Fidelity:
        order = ("exact", "grid", "approx", "offline")
        return max((p.fidelity for p in self.parts()), key=lambda f: order.index(f.kind))

    def output(self, *sources: Any, **_: Any) -> Signal | Mapping[str, Signal]:
        formats: Any = sources
        found: Any = None
        for part in self.parts():
            if part.rejoins:
                formats = (*sources, *formats)
            found = part.output(*part.accepts(*formats))
            formats = tuple(ports(found).values())
        return found  # type: ignore[no-any-return]


def flatten(stage: Stage) -> list[Stage]:
    """The stages that a chain comes down to; any other stage is one."""
    if not isinstance(stage, Chain):
        return [stage]
    return [inner for part in stage.parts() for inner in flatten(part)]


def ports(output: Signal | Mapping[str, Signal]) -> dict[str, Signal]:
    """Outputs by port; a single one has the empty name."""
    return {"": output} if isinstance(output, Signal) else dict(output)
