"""The JSON Schema of a definition, made from the stages' own models, for editors."""

from __future__ import annotations

from typing import Any

from audiopipe.definition import KEYS, VERSION
from audiopipe.registry import find_stage, stage_names


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a definition with the stages that are installed.

    >>> json_schema()["required"]
    ['audiopipe', 'stages']
    """
    shared: dict[str, Any] = {}
    uses = [_stage_schema(name) for name in stage_names()]
    for use in uses:
        shared |= use.pop("$defs", {})
    stage = {"anyOf": [{"enum": list(stage_names())}, *uses]}
    text = {"type": "string"}
    test = {
        "type": "object",
        "properties": {"input": text, "expect": {"type": "object", "additionalProperties": text}},
        "required": ["input", "expect"],
        "additionalProperties": False,
    }
    properties = {
        "audiopipe": {"const": VERSION, "description": "the version of this format"},
        "about": {**text, "description": "what the pipeline is for"},
        "strict": {"type": "boolean", "description": "whether all resampling is written out"},
        "stages": {
            "anyOf": [
                {"type": "object", "additionalProperties": stage, "minProperties": 1},
                {"type": "array", "items": stage, "minItems": 1},
            ]
        },
        "outputs": {"type": "object", "additionalProperties": text},
        "tests": {"type": "array", "items": test},
    }
    assert set(properties) == set(KEYS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "audiopipe pipeline",
        "type": "object",
        "properties": properties,
        "required": ["audiopipe", "stages"],
        "additionalProperties": False,
        "$defs": shared,
    }


def _stage_schema(name: str) -> dict[str, Any]:
    stage = find_stage(name)
    schema = stage.model_json_schema()
    source = {"type": "string", "description": "the stage whose output is taken"}
    schema["properties"] = {
        "use": {"const": name},
        "from": {"anyOf": [source, {"type": "array", "items": source}]},
        **schema.get("properties", {}),
    }
    schema["required"] = ["use", *schema.get("required", [])]
    schema["title"] = name
    return schema
