"""From a YAML document to a graph of stages, with every fault found in one reading.

audiopipe: 1                      the version of this format
about: what the pipeline is for
strict: false                     true: resampling and down-mixing must be written out
stages:                           a mapping, or a list for a plain chain
  low: {use: resample, rate: 16 kHz}
  melody: {use: pitch, from: low} `from` defaults to the stage above
outputs:                          file name: reference
  melody.csv: melody
tests:
  - {input: tone 440 Hz 2 s, expect: {melody: 440 Hz ± 1}}
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import ValidationError

from audiopipe.document import Document, parse_document
from audiopipe.errors import DefinitionError, Place, Problem, did_you_mean
from audiopipe.plan import INPUT, Graph, Node, is_name, numbered
from audiopipe.registry import UnknownStageError, find_stage
from audiopipe.stage import Stage

VERSION = 1
MISNAMED = "{!r} cannot name a stage: no dots, no slashes, not 'input'"
KEYS = ("audiopipe", "about", "strict", "stages", "outputs", "tests")


@dataclass(frozen=True)
class Test:
    """An input and what is expected of the references, in the words of `check`."""

    __test__ = False  # not one of pytest's

    input: str
    expect: Mapping[str, str]
    place: Place


@dataclass(frozen=True)
class Definition:
    """A checked definition."""

    graph: Graph
    about: str = ""
    tests: tuple[Test, ...] = ()
    file: str = "<code>"


@dataclass(frozen=True)
class Reading:
    """What could be made of a document, and all that is wrong with it."""

    definition: Definition
    problems: tuple[Problem, ...]
    broken: frozenset[str]
    """Names of stages that could not be made."""


def read_definition(document: Document) -> Reading:
    """Read a document; nothing is raised, so that the caller can look for more faults."""
    return _Reader(document).read()


def override(document: Document, settings: Mapping[str, str]) -> Document:
    """Apply `--set stage.option=value`; raises DefinitionError for a path that is not there.

    The value is YAML, and the document stays as it was.

    >>> document = parse_document("stages: {low: {use: resample, rate: 16 kHz}}")
    >>> override(document, {"low.rate": "8 kHz"}).data["stages"]["low"]["rate"]
    '8 kHz'
    """
    problems: list[Problem] = []
    data = copy.deepcopy(document.data)
    stages = data.get("stages") if isinstance(data, dict) else None
    keys = {name: _key(stages, name) for name, _ in _named(stages)}
    places = dict(document.places)
    for path, text in settings.items():
        name, _, option = path.partition(".")
        if not option:
            problems.append(Problem(f"--set {path}={text}: write --set stage.option=value"))
        elif name not in keys:
            hint = did_you_mean(name, keys)
            problems.append(Problem(f"--set {path}: there is no stage {name!r}; {hint}"))
        else:
            stage = data["stages"][keys[name]]
            config = stage if isinstance(stage, dict) else {"use": stage}
            data["stages"][keys[name]] = config
            places["stages", keys[name], option] = Place(f"--set {path}", 1, 1)
            try:
                config[option] = parse_document(text, f"--set {path}").data
            except DefinitionError as error:
                problems += error.problems
    if problems:
        raise DefinitionError(problems)
    return replace(document, data=data, places=places)


def _key(stages: Any, name: str) -> Any:
    """The mapping's key or the list's index of a stage."""
    keys = stages if isinstance(stages, dict) else range(len(stages))
    return next(key for key, (n, _) in zip(keys, _named(stages), strict=True) if n == name)


def _named(stages: Any) -> Iterator[tuple[str, Any]]:
    """Stages with their names; in a list they are named by what they use, then numbered."""
    if isinstance(stages, dict):
        yield from ((str(name), stage) for name, stage in stages.items())
    elif isinstance(stages, list):
        used = (str(s.get("use", "stage")) if isinstance(s, dict) else str(s) for s in stages)
        yield from zip(numbered(used), stages, strict=True)


def _as_written(nodes: Mapping[str, Node], written: Iterable[str]) -> Iterator[Node]:
    """Keep the order in which stages are written, but that sources come first."""
    given: set[str] = set()

    def give(name: str) -> Iterator[Node]:
        if name in nodes and name not in given:
            given.add(name)
            for source in nodes[name].sources:
                yield from give(source.partition(".")[0])
            yield nodes[name]

    for name in written:
        yield from give(name)


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.broken: set[str] = set()

    def read(self) -> Reading:
        data = self.document.data
        if not isinstance(data, dict):
            self.fault("a definition is a mapping that begins with 'audiopipe: 1'")
            return self.reading(Definition(Graph(())))
        for key in data:
            if key not in KEYS:
                self.fault(f"unknown key {key!r}; {did_you_mean(str(key), KEYS)}", str(key))
        if data.get("audiopipe") != VERSION:
            self.fault(f"'audiopipe: {VERSION}' must say the version of the format", "audiopipe")
        about = self.typed("about", str, "")
        strict = self.typed("strict", bool, False)
        nodes = self.sort(self.nodes(data.get("stages")))
        last = [name for name, _ in _named(data.get("stages"))][-1:] if nodes else []
        outputs = self.outputs() or dict(zip(last, last, strict=True))
        places = {name: self.document.place("outputs", name) for name in outputs}
        graph = Graph(nodes, outputs, strict, places)
        return self.reading(Definition(graph, about, self.tests(), self.document.file))

    def reading(self, definition: Definition) -> Reading:
        return Reading(definition, tuple(self.problems), frozenset(self.broken))

    def fault(self, message: str, *path: str | int) -> None:
        self.problems.append(Problem(message, self.document.place(*path)))

    def typed(self, key: str, kind: type, default: Any) -> Any:
        value = self.document.data.get(key, default)
        if not isinstance(value, kind):
            expected = {str: "text", bool: "true or false"}[kind]
            self.fault(f"{key!r} must be {expected}, not {value!r}", key)
            return default
        return value

    def nodes(self, stages: Any) -> list[Node]:
        if not isinstance(stages, dict | list) or not stages:
            self.fault("'stages' must name at least one stage", "stages")
            return []
        for name in stages if isinstance(stages, dict) else ():
            if not isinstance(name, str):
                self.fault(f"a stage's name is text, not {name!r}; quote it", "stages", str(name))
                return []
        nodes = []
        above = INPUT
        for name, value in _named(stages):
            path = ("stages", _key(stages, name))
            if not is_name(name):
                self.fault(MISNAMED.format(name), *path)
                self.broken |= {name, name.partition(".")[0]} - {INPUT}
                above = name
                continue
            node = self.node(name, value, above, path)
            if node is None:
                self.broken.add(name)
            else:
                nodes.append(node)
            above = name
        return nodes

    def node(self, name: str, value: Any, above: str, path: tuple[str | int, ...]) -> Node | None:
        if isinstance(value, str):
            value = {"use": value}
        if not isinstance(value, dict) or not isinstance(value.get("use"), str):
            self.fault(f"stage {name!r} must say what to use, as in {{use: pitch}}", *path)
            return None
        config = {str(key): item for key, item in value.items()}
        use, sources = config.pop("use"), config.pop("from", above)
        sources = [sources] if isinstance(sources, str) else sources
        if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
            self.fault("'from' is the name of a stage, or a list of names", *path, "from")
            return None
        try:
            stage = find_stage(use).model_validate(config)
        except UnknownStageError as error:
            self.fault(str(error), *path, "use")
            return None
        except ValidationError as error:
            self.invalid(error, name, find_stage(use), path)
            return None
        place = self.document.place(*path, "from") if "from" in value else None
        return Node(name, stage, tuple(sources), place or self.document.place(*path))

    def invalid(
        self, error: ValidationError, name: str, stage: type[Stage], path: tuple[str | int, ...]
    ) -> None:
        """Say pydantic's findings in our words."""
        told = set()
        for finding in error.errors():
            option = ".".join(map(str, finding["loc"][:1]))
            kind, message = finding["type"], finding["msg"]
            if kind == "extra_forbidden":
                hint = did_you_mean(option, stage.model_fields)
                text = f"{stage.name!r} has no option {option!r}; {hint}"
            elif kind == "missing":
                text = f"{stage.name!r} needs the option {option!r}"
            else:
                reason = message.removeprefix("Value error, ")
                reason = reason[:1].lower() + reason[1:]
                text = (
                    f"{name!r} ({stage.name}): {option}: {reason}"
                    if option
                    else (f"{name!r} ({stage.name}): {reason}")
                )
            if text not in told:
                told.add(text)
                self.fault(text, *path, *finding["loc"])

    def sort(self, nodes: list[Node]) -> tuple[Node, ...]:
        """Order the stages so that every source comes first."""
        by_name = {node.name: node for node in nodes}
        order = {n.name: [s.partition(".")[0] for s in n.sources] for n in nodes}
        while True:
            try:
                names = list(TopologicalSorter(order).static_order())
            except CycleError as error:
                cycle = list(reversed(error.args[1]))
                message = f"stages wait for each other: {' -> '.join(cycle)}"
                self.problems.append(Problem(message, by_name[cycle[0]].place))
                self.broken.update(cycle)
                for name in cycle:
                    order[name] = []
                continue
            made = {n: by_name[n] for n in names if n in by_name and n not in self.broken}
            return tuple(_as_written(made, by_name))

    def outputs(self) -> dict[str, str]:
        value = self.document.data.get("outputs", {})
        if not isinstance(value, dict):
            self.fault("'outputs' is a mapping from file name to stage", "outputs")
            return {}
        for name, reference in value.items():
            if not isinstance(reference, str):
                self.fault(f"output {name!r} must name a stage", "outputs", name)
        return {str(n): r for n, r in value.items() if isinstance(r, str)}

    def tests(self) -> tuple[Test, ...]:
        value = self.document.data.get("tests", [])
        found = []
        for number, test in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(test, dict) and set(test) == {"input", "expect"}:
                expect = test["expect"]
                if isinstance(test["input"], str) and isinstance(expect, dict) and expect:
                    texts = {str(name): str(wanted) for name, wanted in expect.items()}
                    place = self.document.place("tests", number)
                    found.append(Test(test["input"], texts, place))
                    continue
            self.fault(
                "a test is {input: tone 440 Hz 2 s, expect: {stage: what is expected}}",
                "tests",
                number,
            )
        return tuple(found)
