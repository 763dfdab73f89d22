"""The manual of a stage, made from its docstring and its config model."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from annotated_types import Ge, Gt, Interval, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from audiopipe.stage import Stage
from audiopipe.units import Decibels, Hertz, Loudness, Span

UNITS = ((Hertz, "frequency", "Hz"), (Decibels, "decibels", "dB"), (Loudness, "loudness", "LUFS"))
"""Numbers that are written with a unit: their type, their name and the unit."""


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
    text = inspect.cleandoc(stage.__doc__ or "").split("\n>>>")[0].strip()
    parts = [f"## {stage.name}", text]
    if rows := options(stage):
        parts.append(
            "\n".join(
                ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
                + [f"| {' | '.join(row)} |" for row in rows]
            )
        )
    several = " (several, aligned to the sample)" if stage.many else ""
    parts.append(f"Takes `{stage.takes.__name__}`{several}. {_fidelity(stage)}")
    parts.append("\n".join(["```yaml", *map(example_yaml, stage.examples()), "```"]))
    return "\n\n".join(parts)


def _fidelity(stage: type[Stage]) -> str:
    """How stream and batch compare, a sentence for each kind that the examples have."""
    sentences = []
    for fidelity in dict.fromkeys(example.fidelity for example in stage.examples()):
        told = f"Fidelity: **{fidelity.kind}**"
        if fidelity.kind != "offline":
            told += f", to {fidelity.tolerance:g}"
        why = f" ({fidelity.why})" if fidelity.why else ""
        instead = f"; instead, {fidelity.instead}" if fidelity.instead else ""
        sentences.append(f"{told}{why}{instead}.")
    return " ".join(sentences)


def options(stage: type[Stage]) -> list[tuple[str, str, str, str]]:
    """Each option's name, type, default and meaning."""
    rows = []
    for name, field in stage.model_fields.items():
        kind, unit = _kind(field.annotation, field.metadata)
        if field.default is PydanticUndefined:
            default = "required"
        else:
            default = "none" if field.default is None else f"`{_plain(field.default, unit)}`"
        meaning = " ".join((field.description or "").split())
        rows.append((f"`{name}`", kind, default, meaning))
    return rows


def example_yaml(example: Stage) -> str:
    """A configured stage as a line of YAML.

    >>> from audiopipe.stages.resample import Resample
    >>> example_yaml(Resample(rate=16000))
    '- {use: resample, rate: 16000 Hz}'
    """
    told = [f"use: {example.name}"]
    for name, field in type(example).model_fields.items():
        value = getattr(example, name)
        if value != field.default:
            unit = _kind(field.annotation, field.metadata)[1]
            told.append(f"{name}: {_plain(value, unit)}")
    return f"- {{{', '.join(told)}}}"


def _plain(value: Any, unit: str = "") -> str:
    """A value as YAML has it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(_plain(item, unit) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_plain(item)}' for key, item in value.items())}}}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    number = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{number} {unit}" if unit else number


def _kind(annotation: Any, metadata: Sequence[Any] = ()) -> tuple[str, str]:
    """The type of an option in plain words, and the unit that its numbers have."""
    if hasattr(annotation, "__metadata__"):
        for mark in annotation.__metadata__:
            metadata = (*metadata, *(mark.metadata if isinstance(mark, FieldInfo) else (mark,)))
        annotation = annotation.__origin__
    limits = _limits(metadata)
    for known, word, unit in UNITS:
        if all(mark in metadata for mark in known.__metadata__):  # type: ignore[attr-defined]
            return word + limits, unit
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(annotation)), ""
    if typing.get_origin(annotation) in (tuple, list):
        return _list(typing.get_args(annotation))
    if typing.get_origin(annotation) is Mapping:
        return f"mapping from name to {_kind(typing.get_args(annotation)[1])[0]}", ""
    arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
    if arguments:
        kinds = [_kind(argument, metadata) for argument in arguments]
        return " or ".join(dict.fromkeys(word for word, _ in kinds)), kinds[0][1]
    words = {Span: "time", float: "number", int: "whole number", str: "text", bool: "true or false"}
    return words.get(annotation, getattr(annotation, "__name__", "")) + limits, ""


def _list(arguments: Sequence[Any]) -> tuple[str, str]:
    """A list as long as it likes, or of a fixed number of items."""
    word, unit = _kind(arguments[0])
    if arguments[-1] is Ellipsis or len(arguments) == 1:
        return f"list of {word}", unit
    return ", ".join([word] * len(arguments)), unit


def _limits(metadata: Sequence[Any]) -> str:
    """The bounds of a number, as in ` from 1 to 8`."""
    bounds: dict[str, Any] = {}
    for mark in metadata:
        for kind, name in ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt")):
            if isinstance(mark, kind | Interval) and getattr(mark, name) is not None:
                bounds[name] = getattr(mark, name)
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    return "".join(f" {word} {bounds[name]:.10g}" for name, word in words.items() if name in bounds)
