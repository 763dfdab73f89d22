"""The one engine: it runs a plan over the blocks of one stream, or of many in lockstep.

Batch is the stream fed with large blocks and a last one.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from audiopipe.compute import named
from audiopipe.lockstep import Lockstep
from audiopipe.plan import Plan, Reference
from audiopipe.signals import About, Sampled, Signal

log = logging.getLogger(__name__)


class Engine:
    """A plan with its models loaded: serves any number of streams.

    >>> import audiopipe
    >>> engine = audiopipe.chain("tap").engine(audiopipe.Audio.empty(rate=8000, channels=1))
    >>> [sorted(blocks) for blocks in engine.stream().finish()]
    [['tap']]
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.models: dict[str, Any] = {}
        self.batch: dict[str, int] = {}
        for step in plan.steps:
            log.info("loading %s on %s", step.name, step.choice)
            device, dtype = step.choice.device, step.choice.dtype
            with named(step):
                self.models[step.name] = step.stage.load(step.formats[0], device, dtype)

    def stream(self) -> Stream:
        """A fresh stream."""
        return Stream(self)

    def watching(self, outputs: Mapping[str, Reference]) -> Engine:
        """The same engine, whose streams also give what flows between stages, by other names."""
        other = copy.copy(self)
        other.plan = replace(
            self.plan, outputs=self.plan.outputs | {n: (r,) for n, r in outputs.items()}
        )
        return other


class Stream:
    """One stream.

    `push` takes a block and gives what comes out by output name; `finish` ends the stream.
    Blocks follow each other, whatever their `start` says.
    """

    def __init__(self, engine: Engine) -> None:
        self._lockstep: Lockstep[int] = Lockstep(engine)
        self._source = engine.plan.source
        self._received = 0
        self._ended = False

    def push(self, block: Signal) -> dict[str, Signal]:
        """Take the next block; give the blocks that are now known, by output name.

        Raises ValueError for a block of another format than the stream's.
        """
        found: dict[str, list[Any]] = {}
        for out in self.feed(block):
            for name, part in out.items():
                found.setdefault(name, []).append(part)
        return {name: type(parts[0]).join(parts) for name, parts in found.items()}

    def feed(self, block: Signal) -> Iterator[dict[str, Signal]]:
        """The same in rounds: where much comes of one block, each part as it is made."""
        for out in self._lockstep.push({0: self._next(block)}):
            yield out.get(0, {})

    def finish(self, block: Signal | None = None) -> Iterator[dict[str, Signal]]:
        """Take the last block, if there is one more, and end; give the rest in rounds."""
        last = self._next(self._source if block is None else block)
        self._ended = True
        hop = last.hop if isinstance(last, Sampled) else 1
        end = Fraction(self._received * hop, last.rate)
        for out in self._lockstep.push({0: last}, {0: end}):
            yield out.get(0, {})

    def warnings(self) -> list[str]:
        """What the stages had to say of the stream, once it has ended; it is told once."""
        return self._lockstep.warnings(0)

    def about(self) -> About:
        """What a stage had to say of the recording, once the stream has ended."""
        return self._lockstep.about(0)

    def _next(self, block: Signal) -> Signal:
        """The block in its place; raises ValueError where it has none."""
        source, start = self._source, self._received
        if self._ended:
            raise ValueError("the stream has ended; begin another")
        if isinstance(source, Sampled) and (
            not isinstance(block, Sampled) or block.signature != source.signature
        ):
            raise ValueError(f"the stream is of {source.format!r}, this is {block!r}")
        self._received += len(block)  # type: ignore[arg-type]
        return block.like(*block.tensors, start=start) if isinstance(block, Sampled) else block

    def save(self) -> Any:
        """The state of the stream, to be restored in this or another stream of the engine."""
        return self._received, self._lockstep.save()

    def restore(self, saved: Any) -> None:
        """Go on from a saved state."""
        self._received, state = saved
        self._ended = False
        self._lockstep.restore(state)
