"""The manual of a stage, made from its docstring and its config model."""

from __future__ import annotations

import inspect
import typing
from typing import Any

from pydantic_core import PydanticUndefined

from audiopipe.stage import Stage


def stage_row(stage: type[Stage]) -> tuple[str, str, str, str]:
    """Name, input, fidelity and the docstring's first sentence."""
    summary = inspect.cleandoc(stage.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    kinds = dict.fromkeys(example.fidelity.kind for example in stage.examples())
    return stage.name, stage.takes.__name__, "/".join(kinds), summary


def stage_manual(stage: type[Stage]) -> str:
    """The manual as Markdown: what it does, its options, and examples in YAML.

    >>> from audiopipe.stages.mix import Mix
    >>> stage_manual(Mix).splitlines()[0]
    '## mix'
    """
    parts = [f"## {stage.name}", inspect.cleandoc(stage.__doc__ or "")]
    if rows := options(stage):
        parts.append(
            "\n".join(
                ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
                + [f"| {' | '.join(row)} |" for row in rows]
            )
        )
    fidelities = dict.fromkeys(example.fidelity for example in stage.examples())
    for fidelity in fidelities:
        text = f"Stream and batch: **{fidelity.kind}**"
        if fidelity.kind != "offline":
            text += f", to {fidelity.tolerance:g}"
        for more in (fidelity.why, fidelity.instead):
            text += f"; {more}" if more else ""
        parts.append(text + ".")
    parts.append("\n".join(["```yaml", *map(example_yaml, stage.examples()), "```"]))
    return "\n\n".join(parts)


def options(stage: type[Stage]) -> list[tuple[str, str, str, str]]:
    """Each option's name, type, default and meaning."""
    schema = stage.model_json_schema()
    rows = []
    for name, field in stage.model_fields.items():
        described = schema["properties"][name]
        default = "required" if field.default is PydanticUndefined else f"`{_plain(field.default)}`"
        meaning = field.description or described.get("description") or ""
        rows.append((f"`{name}`", _kind(field.annotation), default, " ".join(meaning.split())))
    return rows


def example_yaml(example: Stage) -> str:
    """A configured stage as a line of YAML."""
    changed = {
        name: _plain(value)
        for name, value in example
        if value != type(example).model_fields[name].default
    }
    return f"- {{use: {', '.join([example.name, *(f'{k}: {v}' for k, v in changed.items())])}}}"


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_plain, value))}]"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(annotation: Any) -> str:
    """The type of an option in plain words."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return " \\| ".join(map(str, arguments))
    if arguments:
        words = [_kind(a) for a in arguments if a not in (type(None), ...)]
        if typing.get_origin(annotation) is tuple:
            return f"list of {words[0]}"
        return " or ".join(dict.fromkeys(words))
    words_of = {"Span": "time", "float": "number", "int": "number", "str": "text", "bool": "yes/no"}
    name = getattr(annotation, "__name__", str(annotation))
    return words_of.get(name, name)
