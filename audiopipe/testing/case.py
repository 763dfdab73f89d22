"""A stage, what it is fed with, and how it is run: what every check starts from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from audiopipe.engine import Engine, Stream
from audiopipe.plan import INPUT, Graph, Node, Plan, Reference, plan
from audiopipe.registry import find_stage
from audiopipe.signals import Sampled, Signal
from audiopipe.stage import Stage, ports
from audiopipe.testing.compare import ConformanceError, Outcome
from audiopipe.testing.inputs import Kind, Source, sources

FINE = Fraction(1, 4000)
"""Input elements shorter than this, in s, are taken for samples."""

STAGE = "stage"
"""The name of the stage under test in its plan."""


class Case:
    """One configuration of a stage on one kind of input.

    `inputs` is how often a stage that takes many is given it; `chunkings` how many random
    ways of cutting are tried; `seed` makes all that is random.
    """

    def __init__(
        self, stage: Stage, source: Source, inputs: int = 1, chunkings: int = 20, seed: int = 0
    ) -> None:
        self.stage, self.source, self.inputs = stage, source, inputs
        self.chunkings, self.seed = chunkings, seed
        self.tried = 0

    def __str__(self) -> str:
        config = ", ".join(f"{k}={v}" for k, v in self.stage.model_dump(exclude_unset=True).items())
        times = f", {self.inputs} inputs" if self.inputs > 1 else ""
        return f"{self.stage.name}({config}) on {self.source.name}{times}"

    @cached_property
    def graph(self) -> Graph:
        """The stage alone, with all its ports written out."""
        sources = (self.source.format,) * self.inputs
        names = ports(self.stage.output(*self.stage.accepts(*sources)))
        outputs = {reference: reference for reference in map(_reference, names)}
        return Graph((Node(STAGE, self.stage, (INPUT,) * self.inputs),), outputs)

    def planned(self, device: str = "cpu", dtype: str = "float32") -> Plan:
        """A new plan for the stage."""
        return plan(self.graph, self.source.format, device, dtype)

    @cached_property
    def plan(self) -> Plan:
        """The plan on the CPU, in float32."""
        return self.planned()

    @cached_property
    def engine(self) -> Engine:
        """An engine that the checks share."""
        return Engine(self.plan)

    def fresh(self) -> Engine:
        """An engine that nothing has gone through."""
        return Engine(self.planned())

    @property
    def tolerance(self) -> float:
        return self.stage.fidelity.tolerance

    @property
    def offline(self) -> bool:
        return self.stage.fidelity.kind == "offline"

    @property
    def outputs(self) -> dict[str, Reference]:
        """Where each output of a run comes from."""
        return {label: reference for label, (reference,) in self.plan.outputs.items()}

    @property
    def formats(self) -> dict[str, Signal]:
        """What the plan promises of each output."""
        return {label: self.plan.format(reference) for label, reference in self.outputs.items()}

    @property
    def tick(self) -> Fraction:
        """The time of one input element in s."""
        format = self.source.format
        assert isinstance(format, Sampled)
        return Fraction(format.hop, format.rate)

    def reach(self, reference: Reference) -> tuple[Fraction | None, Fraction]:
        """How far behind and ahead an output reaches into the input, in s."""
        if reference.step == INPUT:
            return Fraction(0), Fraction(0)
        step = self.plan.step(reference.step)
        format = step.formats[0]
        tick = Fraction(format.hop if isinstance(format, Sampled) else 1, format.rate)
        further = [self.reach(source) for source in step.sources]
        ahead = step.reach.ahead * tick + max(a for _, a in further)
        limited = [b for b, _ in further if b is not None]
        if step.reach.behind is None or len(limited) < len(further):
            return None, ahead
        return step.reach.behind * tick + max(limited), ahead

    @cached_property
    def length(self) -> int:
        """Elements of a test recording: 0.3 s, or some times the stage's reach."""
        tick, spans, furthest = self.tick, [], []
        for reference in self.outputs.values():
            behind, ahead = self.reach(reference)
            spans.append((behind or 0) + max(ahead, self.plan.latency(reference)))
            furthest.append(max(behind or 0, ahead, self.plan.latency(reference)))
        usual = max(int(Fraction(3, 10) / tick), 40, min(int(3 * max(spans) / tick), int(2 / tick)))
        return max(usual, int(max(furthest) / tick * Fraction(4, 3))) + (137 if tick < FINE else 3)

    def signal(self, length: int | None = None, seed: int = 0, kind: Kind = "sound") -> Sampled:
        """A recording."""
        count = self.length if length is None else length
        return self.source.make(kind, count, self.seed + seed)

    @cached_property
    def usual(self) -> Sampled:
        """The recording that most checks use."""
        return self.signal()

    @cached_property
    def whole(self) -> Outcome:
        """What comes out of `usual` where it is given as one block."""
        return run(self.fresh(), self.usual)

    def random(self, check: str) -> np.random.Generator:
        """Random numbers, the same for a check whenever it is run."""
        return np.random.default_rng((self.seed, zlib.crc32(check.encode())))


def _reference(port: str) -> str:
    return f"{STAGE}.{port}" if port else STAGE


def chunking(length: int, rng: np.random.Generator) -> list[int]:
    """Block sizes for a recording: none, one, few and many elements, at most `length` in all.

    What is left over goes with the end of the stream.
    """
    many = int(np.exp(rng.uniform(np.log(max(1.0, length / 25)), np.log(max(2, length)))))
    sizes: list[int] = []
    left = length
    while left > 0 and len(sizes) < 300:
        choices = (0, 1, int(rng.integers(2, 10)), int(rng.integers(1, many + 1)))
        sizes.append(min(choices[rng.choice(4, p=MIX)], left))
        left -= sizes[-1]
    return sizes[: int(rng.integers(0, len(sizes) + 1))] if rng.random() < 0.3 else sizes


MIX = (0.1, 0.1, 0.1, 0.7)


def split(signal: Sampled, sizes: Iterable[int]) -> list[Sampled]:
    """Cut a recording into blocks; the last holds what is left, maybe nothing."""
    blocks, position = [], 0
    for size in sizes:
        blocks.append(signal.cut(position, position + size))
        position += size
    return [*blocks, signal.cut(position, len(signal))]


Rounds = list[dict[str, Signal]]
"""What came out, one after the other."""


def feed(stream: Stream, blocks: Sequence[Sampled]) -> Rounds:
    """Push all blocks but the last, and end the stream with that."""
    rounds = [stream.push(block) for block in blocks[:-1]]
    last = blocks[-1]
    return [*rounds, *stream.finish(last if len(last) or len(blocks) == 1 else None)]


def join(rounds: Rounds) -> Outcome:
    """Put what came out together."""
    blocks: dict[str, list[Any]] = {}
    for out in rounds:
        for label, block in out.items():
            blocks.setdefault(label, []).append(block)
    return {label: type(parts[0]).join(parts) for label, parts in sorted(blocks.items())}


def run(engine: Engine, signal: Sampled, sizes: Iterable[int] = ()) -> Outcome:
    """Send a recording through a fresh stream, in blocks of the given sizes."""
    return join(feed(engine.stream(), split(signal, sizes)))


@dataclass(frozen=True)
class Check:
    """One promise, tested: call it with a case.

    Gives a line on what was measured; raises ConformanceError.
    """

    name: str
    promise: str
    test: Callable[[Case], str]
    gpu: bool = False
    """Whether it needs a CUDA device."""

    def __call__(self, case: Case) -> str:
        try:
            return self.test(case)
        except ConformanceError as error:
            error.case, error.check = str(case), self.name
            raise
        except Exception as error:
            failure = ConformanceError(self.promise, f"{type(error).__name__}: {error}")
            failure.case, failure.check = str(case), self.name
            raise failure from error

    def __str__(self) -> str:
        return self.name


def check(test: Callable[[Case], str]) -> Check:
    """Make a check of a function: its name, and its docstring as the promise."""
    return Check(test.__name__, (test.__doc__ or "").strip(), test)


def cases(
    stage: Stage | type[Stage] | str,
    *,
    offered: Sequence[Source] | None = None,
    chunkings: int = 20,
    seed: int = 0,
    formats: int = 2,
) -> list[Case]:
    """The examples of a stage, each on `formats` kinds of input, others for each example."""
    found = find_stage(stage) if isinstance(stage, str) else stage
    examples = found.examples() if isinstance(found, type) else (found,)
    made = []
    for number, example in enumerate(examples):
        usable = list(offered) if offered is not None else sources(example)
        first = number * formats % len(usable)
        chosen = (usable[first:] + usable[:first])[:formats]
        made += [Case(example, source, 1, chunkings, seed) for source in chosen]
        if example.many and _takes_two(example, chosen[0]):
            made.append(Case(example, chosen[0], 2, chunkings, seed))
    return made


def _takes_two(stage: Stage, source: Source) -> bool:
    try:
        stage.accepts(source.format, source.format)
    except ValueError:
        return False
    return True
