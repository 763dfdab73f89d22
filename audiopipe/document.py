"""Read YAML as plain data that remembers where each value stood. Data only: no tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from audiopipe.errors import DefinitionError, Place, Problem

Path_ = tuple[str | int, ...]

_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")
)
"""What YAML makes of plain data by itself."""


@dataclass(frozen=True)
class Document:
    """Plain data, and the place of every key and value by its path."""

    data: Any
    places: dict[Path_, Place]
    file: str

    def place(self, *path: str | int) -> Place:
        """Where the value at `path` stands, or the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(self.file, 1, 1)


def read_document(file: str | Path) -> Document:
    """Read a YAML file; raises DefinitionError if it cannot be read or is not YAML."""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DefinitionError([Problem(f"{path}: there is no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DefinitionError([Problem(f"{path}: cannot be read: {reason}")]) from None
    return parse_document(text, str(path))


def parse_document(text: str, file: str = "<text>") -> Document:
    """Read YAML text; raises DefinitionError with the place of what is wrong.

    >>> document = parse_document("stages:\\n  mel: {use: spectrogram}")
    >>> str(document.place("stages", "mel", "use"))
    '<text>:2:9'
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(StringIO(text))
        problems = [] if node is None else list(_refusals(node, file, set()))
        if problems:
            raise DefinitionError(problems)
        data = YAML(typ="safe", pure=True).load(StringIO(text))
    except RecursionError:
        problem = Problem("this is nested too deeply", Place(file, 1, 1))
        raise DefinitionError([problem]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else None
        reason = " ".join(str(error.problem or error.context).split())
        if reason.startswith("but "):
            reason = f"{error.context} {reason}"
        raise DefinitionError([Problem(f"this is not YAML: {reason}", place)]) from None
    except YAMLError as error:
        reason = " ".join(str(error).split())
        raise DefinitionError([Problem(f"this is not YAML: {reason}", Place(file, 1, 1))]) from None
    places: dict[Path_, Place] = {}
    if node is not None:
        _note(node, (), places, file)
    return Document(data, places, file)


def _refusals(node: Node, file: str, seen: set[int]) -> Iterator[Problem]:
    """Tags could name code, an alias inside itself has no end, and of two keys one is lost."""
    if id(node) in seen:
        yield Problem("aliases are not part of a definition; write it out", _place(node, file))
        return
    seen.add(id(node))
    if (tag := str(node.tag)) not in _TAGS:
        yield Problem(f"tags such as {tag!r} are not part of a definition", _place(node, file))
    if isinstance(node, MappingNode):
        yield from _repeated(node, file)
    for child in _children(node):
        yield from _refusals(child, file, seen)


def _repeated(node: MappingNode, file: str) -> Iterator[Problem]:
    first: dict[str, Place] = {}
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            yield Problem("a key must be text", _place(key, file))
        elif key.value in first:
            line = first[key.value].line
            yield Problem(f"{key.value!r} is here twice, first in line {line}", _place(key, file))
        else:
            first[key.value] = _place(key, file)


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def _note(node: Node, path: Path_, places: dict[Path_, Place], file: str) -> None:
    places.setdefault(path, _place(node, file))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                places[(*path, key.value)] = _place(key, file)
                _note(value, (*path, key.value), places, file)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            _note(value, (*path, number), places, file)


def _place(node: Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)
