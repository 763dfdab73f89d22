"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audiopipe.pipeline import Pipeline

Definition = Annotated[
    str, typer.Argument(help="A YAML file, or the name of a ready pipeline.", metavar="PIPELINE")
]
Inputs = Annotated[list[str], typer.Argument(help="Files, folders or patterns.", metavar="FILE...")]
Device = Annotated[
    str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE")
]
Dtype = Annotated[
    str,
    typer.Option(help="Precision of networks: float32, float16 or bfloat16.", metavar="DTYPE"),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override an option: stage.option=value.", metavar="SETTING"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, a line each, for programs.")]
OutputFolder = Annotated[
    Path, typer.Option("--output", "-o", help="Where to write.", metavar="DIR")
]


def read_settings(settings: list[str] | None) -> dict[str, str]:
    """The overrides by their path; raises BadParameter for what is none."""
    pairs = {}
    for text in settings or ():
        path, sign, value = text.partition("=")
        if not sign:
            raise typer.BadParameter(f"{text!r} is not stage.option=value", param_hint="--set")
        pairs[path.strip()] = value.strip()
    return pairs


def open_pipeline(definition: str, settings: list[str] | None) -> Pipeline:
    """Load a definition with its overrides; raises DefinitionError."""
    from audiopipe.pipeline import load

    return load(definition, read_settings(settings))
