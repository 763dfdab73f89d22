"""From a graph of stages and the format of the input to a plan: what will run, in which
order, on which formats and devices, what had to be inserted, and how late each output is.

Planning loads no weights and touches no audio.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from audiopipe.device import Choice, check_device, choose
from audiopipe.errors import (
    AudiopipeError,
    OfflineError,
    Place,
    PlanError,
    Problem,
    StageError,
    did_you_mean,
)
from audiopipe.registry import find_stage
from audiopipe.signals import Audio, Sampled, Signal, Stems
from audiopipe.stage import Reach, Stage, Stateful, Windowed, flatten, ports

if TYPE_CHECKING:
    from audiopipe.consent import Consent

INPUT = "input"


def is_name(text: str) -> bool:
    """Whether a stage may have this name: what stands in a reference must be told apart."""
    return text != INPUT and not set(text) & set("./")


def numbered(names: Iterable[str]) -> Iterator[str]:
    """Tell equal names apart.

    >>> list(numbered(["mix", "tap", "mix"]))
    ['mix', 'tap', 'mix-2']
    """
    counts = Counter[str]()
    for name in names:
        counts[name] += 1
        yield name if counts[name] == 1 else f"{name}-{counts[name]}"


@dataclass(frozen=True)
class Node:
    """A stage as the definition places it; `sources` are `name`, `name.port` or `input`."""

    name: str
    stage: Stage
    sources: tuple[str, ...]
    place: Place | None = None


@dataclass(frozen=True)
class Graph:
    """A definition's stages in an order in which every source comes first."""

    nodes: tuple[Node, ...]
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What is written: file name -> reference. Empty: the last stage's output."""
    strict: bool = False
    """Whether resampling and down-mixing must be written out."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each output stands in the definition."""


@dataclass(frozen=True)
class Reference:
    """One output port of a step; the input is the step of that name."""

    step: str
    port: str = ""

    def __str__(self) -> str:
        return f"{self.step}.{self.port}" if self.port else self.step


@dataclass(frozen=True, eq=False)
class Step:
    """One stage in its place."""

    name: str
    stage: Windowed | Stateful
    sources: tuple[Reference, ...]
    formats: tuple[Signal, ...]
    outputs: dict[str, Signal]
    choice: Choice
    why: str = ""
    """Why the planner inserted this step; empty for the author's own."""

    @property
    def reach(self) -> Reach:
        return self.stage.reach(self.formats[0])

    @property
    def latency(self) -> Fraction:
        """The stage's own latency in s."""
        source = self.formats[0]
        hop = source.hop if isinstance(source, Sampled) else 1
        return Fraction(self.reach.latency * hop, source.rate)


@dataclass(frozen=True, eq=False)
class Plan:
    """What will run."""

    source: Signal
    steps: tuple[Step, ...]
    outputs: dict[str, tuple[Reference, ...]]
    """Output name -> what it is made of: one reference, or the ports of a stage."""

    def format(self, reference: Reference) -> Signal:
        """What flows at a reference."""
        if reference.step == INPUT:
            return self.source
        return self.step(reference.step).outputs[reference.port]

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def output(self, name: str) -> Signal:
        """The format of an output."""
        references = self.outputs[name]
        if len(references) == 1:
            return self.format(references[0])
        return Stems({r.port: self.format(r) for r in references})  # type: ignore[misc]

    def latency(self, reference: Reference) -> Fraction:
        """How late, in s, what flows at a reference is: the longest path to it."""
        if reference.step == INPUT:
            return Fraction(0)
        step = self.step(reference.step)
        return step.latency + max(self.latency(source) for source in step.sources)

    def output_latency(self, name: str) -> Fraction:
        """How late an output is, in s."""
        return max(self.latency(reference) for reference in self.outputs[name])

    @property
    def signals(self) -> dict[str, str]:
        """What comes out, each once: its reference -> the first output that holds it."""
        names: dict[str, str] = {}
        for name, references in self.outputs.items():
            names.setdefault(", ".join(map(str, references)), name)
        return names

    @property
    def block(self) -> int:
        """Samples of the input that bring as many windows as stages ask for at once, or 0."""
        wanted = [0]
        for step in self.steps:
            if isinstance(step.stage, Windowed) and step.stage.at_once:
                format = step.formats[0]
                assert isinstance(format, Sampled)
                hop = step.stage.framing(format).hop * format.hop
                seconds = Fraction(step.stage.at_once * hop, format.rate)
                wanted.append(ceil(seconds * self.source.rate))
        return max(wanted)

    def comment(self, name: str) -> str:
        """What a file of an output has to say of itself: what the stages on its way want told."""
        told = [step.stage.comment for step in self._before(name)]
        return "; ".join(dict.fromkeys(filter(None, told)))

    def consents(self, name: str) -> tuple[Consent, ...]:
        """The records that have to stand beside a file of an output."""
        told = [consent for step in self._before(name) for consent in step.stage.consents]
        return tuple(dict.fromkeys(told))

    def _before(self, name: str) -> Iterator[Step]:
        """The steps on the way to an output, from its end."""
        seen = {INPUT}
        waiting = [reference.step for reference in self.outputs[name]]
        while waiting:
            step = waiting.pop()
            if step not in seen:
                seen.add(step)
                yield self.step(step)
                waiting += [source.step for source in self.step(step).sources]

    def is_offline(self, name: str) -> bool:
        """Whether an output is known only when the recording has ended."""
        return any(self.comes_late(reference) for reference in self.outputs[name])

    def comes_late(self, reference: Reference) -> bool:
        """Whether what flows at a reference is known only when the recording has ended."""
        if reference.step == INPUT:
            return False
        step = self.step(reference.step)
        offline = step.stage.fidelity.kind == "offline"
        return offline or any(self.comes_late(source) for source in step.sources)

    def __str__(self) -> str:
        from audiopipe.diagram import outline

        return outline(self)

    def check_streamable(self) -> None:
        """Raise OfflineError if a stage needs the whole recording; says why and what instead."""
        reasons = [
            f"{step.name!r} ({step.stage.name}) cannot stream: {step.stage.fidelity.why}; "
            f"{step.stage.fidelity.instead}"
            for step in self.steps
            if step.stage.fidelity.kind == "offline"
        ]
        if reasons:
            raise OfflineError("\n".join(reasons))


def plan(graph: Graph, source: Signal, device: str = "auto", dtype: str = "float32") -> Plan:
    """Make a plan for inputs of a format.

    Raises PlanError with all that does not fit, DeviceError if the device cannot be used.
    """
    planner = _Planner(graph, source, check_device(device), dtype)
    made = planner.plan()
    if planner.problems:
        raise PlanError(planner.problems)
    return made


def survey(
    graph: Graph, source: Signal, broken: Iterable[str] = ()
) -> tuple[Plan, Sequence[Problem]]:
    """What can be planned, and all that does not fit but for what follows from `broken`."""
    planner = _Planner(graph, source, "cpu", "float32")
    planner.failed.update(broken)
    return planner.plan(), planner.problems


class _UnresolvedError(Exception):
    """A source is missing because of a problem that is noted already."""


class _Planner:
    def __init__(self, graph: Graph, source: Signal, device: str, dtype: str) -> None:
        self.graph = graph
        self.source = source
        self.device, self.dtype = device, dtype
        self.steps: dict[str, Step] = {}
        self.failed: set[str] = set()
        self.problems: list[Problem] = []

    def plan(self) -> Plan:
        for node in self.graph.nodes:
            self.add(node)
        outputs = self.outputs()
        return Plan(self.source, tuple(self.steps.values()), outputs)

    def add(self, node: Node) -> None:
        try:
            fed = sources = [self.resolve(source, node.place) for source in node.sources]
            parts = flatten(node.stage)
            names = [f"{node.name}/{name}" for name in numbered(part.name for part in parts)]
            for name, part in zip([*names[:-1], node.name], parts, strict=True):
                if part.rejoins:
                    sources = [*fed, *sources]
                self.append(name, part, sources)
                sources = [Reference(name, port) for port in self.steps[name].outputs]
        except _UnresolvedError:
            self.failed.add(node.name)
        except ValueError as error:
            self.problems.append(Problem(f"{node.name!r} ({node.stage.name}): {error}", node.place))
            self.failed.add(node.name)
        except AudiopipeError:
            raise
        except Exception as error:
            raise StageError.of(node.name, node.stage.name, error) from error

    def resolve(self, text: str, place: Place | None) -> Reference:
        """Turn `name` or `name.port` into a reference to one port."""
        references = self.references(text, place)
        if len(references) > 1:
            names = ", ".join(map(str, references))
            self.problems.append(Problem(f"{text!r} has several outputs: choose {names}", place))
            raise _UnresolvedError
        return references[0]

    def references(self, text: str, place: Place | None) -> tuple[Reference, ...]:
        name, _, port = text.partition(".")
        if name in self.failed:
            raise _UnresolvedError
        if name == INPUT:
            available = {"": self.source}
        elif name in self.steps:
            available = self.steps[name].outputs
        else:
            known = {INPUT, *self.failed, *(node.name for node in self.graph.nodes)}
            hint = did_you_mean(name, known)
            told = f"stage {name!r} comes later; put it first"  # in code: YAML is sorted
            told = told if name in known else f"there is no stage {name!r} here; {hint}"
            self.problems.append(Problem(told, place))
            raise _UnresolvedError
        if port and port not in available:
            hint = did_you_mean(port, available) if "" not in available else f"write {name!r}"
            self.problems.append(Problem(f"{name!r} has no output {port!r}; {hint}", place))
            raise _UnresolvedError
        if not port and "" not in available:
            return tuple(Reference(name, port) for port in available)
        return (Reference(name, port),)

    def format(self, reference: Reference) -> Signal:
        if reference.step == INPUT:
            return self.source
        return self.steps[reference.step].outputs[reference.port]

    def append(self, name: str, stage: Stage, sources: Sequence[Reference], why: str = "") -> None:
        if not isinstance(stage, Windowed | Stateful):
            raise TypeError(f"stage {stage.name!r} is neither windowed nor stateful")
        if len(sources) != 1 and not stage.many:
            raise ValueError(f"takes one input, not {len(sources)}")
        for reference in sources:
            format = self.format(reference)
            if not isinstance(format, stage.takes):
                wanted, given = stage.takes.__name__, type(format).__name__
                raise ValueError(f"takes {wanted}, but {str(reference)!r} gives {given}")
        wishes = stage.accepts(*(self.format(reference) for reference in sources))
        fed = tuple(
            self.convert(reference, wish, name)
            for reference, wish in zip(sources, wishes, strict=True)
        )
        formats = tuple(self.format(reference) for reference in fed)
        if isinstance(stage, Windowed) and len(getattr(formats[0], "series", ())) != 1:
            kind = type(formats[0]).__name__
            raise ValueError(f"is windowed, which is for one series in time; {kind} has others")
        outputs = ports(stage.output(*formats))
        choice = choose(stage, self.device, self.dtype)
        self.steps[name] = Step(name, stage, fed, formats, outputs, choice, why)

    def convert(self, reference: Reference, wish: Signal, consumer: str) -> Reference:
        """Insert what makes `reference` be as wished: fewer channels first, it is cheaper."""
        given = self.format(reference)
        if not (isinstance(given, Audio) and isinstance(wish, Audio)):
            return reference
        conversions: list[tuple[str, dict[str, int], Callable[[Audio], bool]]] = [
            ("mix", {"channels": wish.channels}, lambda a: a.channels != wish.channels),
            ("resample", {"rate": wish.rate}, lambda a: a.rate != wish.rate),
        ]
        for use, config, differs in conversions:
            format = self.format(reference)
            assert isinstance(format, Audio)
            if differs(format):
                reference = self.insert(use, config, reference, consumer)
        return reference

    def insert(
        self, use: str, config: dict[str, int], source: Reference, consumer: str
    ) -> Reference:
        ((key, value),) = config.items()
        name = f"{source.step}/{use}-{value}" if not source.port else f"{source}/{use}-{value}"
        if name in self.steps:
            return Reference(name)
        why = (
            f"{consumer!r} wants {value} Hz" if key == "rate" else f"{consumer!r} wants {value} ch"
        )
        if self.graph.strict:
            raise ValueError(
                f"wants {key} {value}, but {str(source)!r} has another, and the definition is "
                f"strict: put a stage {{use: {use}, {key}: {value}}} before it"
            )
        self.append(name, find_stage(use).model_validate(config), [source], why)
        return Reference(name)

    def outputs(self) -> dict[str, tuple[Reference, ...]]:
        last = [node.name for node in self.graph.nodes[-1:]]
        wanted = self.graph.outputs or dict(zip(last, last, strict=True))
        found = {}
        for name, text in wanted.items():
            place = self.graph.places.get(name)
            try:
                references = self.references(text, place)
                if not all(isinstance(self.format(r), Audio) for r in references[1:]):
                    references = (self.resolve(text, place),)
                found[name] = references
            except _UnresolvedError:
                continue
        return found
