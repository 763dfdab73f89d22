"""`audiopipe schema`: the JSON Schema of definitions."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of a definition, for editors that complete YAML.

    **Example**: `audiopipe schema > audiopipe.schema.json`, and as the first line of a
    definition `# yaml-language-server: $schema=audiopipe.schema.json`.
    """
    from audiopipe.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
