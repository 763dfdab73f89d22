"""The head of a script: who speaks, how loud and from where, and the music."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from audiopipe.document import Document as Yaml
from audiopipe.document import parse_document
from audiopipe.errors import DefinitionError, Problem, did_you_mean
from audiopipe.text.errors import TextError
from audiopipe.text.language import language
from audiopipe.text.source import front_matter
from audiopipe.units import Decibels, Span


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speaker(_Section):
    """Whose voice speaks the lines of a name, how loud, and where between left and right."""

    voice: str
    gain: Decibels = Field(default=0.0, ge=-60, le=24)
    pan: float = Field(default=0.0, ge=-1, le=1)
    """From -1, left, to 1, right."""
    rate: float = Field(default=1.0, ge=0.2, le=5)
    pitch: float = Field(default=0.0, ge=-24, le=24)
    """Semitones."""
    language: str | None = None

    @field_validator("language")
    @classmethod
    def _known(cls, code: str | None) -> str | None:
        return _checked(code) if code is not None else None

    @model_validator(mode="before")
    @classmethod
    def _name(cls, value: Any) -> Any:
        return {"voice": value} if isinstance(value, str) else value


class Music(_Section):
    """A bed under the speech, and what stands at the beginning and at the end."""

    bed: str | None = None
    intro: str | None = None
    outro: str | None = None
    gain: Decibels = Field(default=-18.0, ge=-60, le=12)
    """How loud the bed is under speech."""
    fade: Span = Field(default=Span.parse("2 s"))


class FrontMatter(_Section):
    """All that stands between the two `---` at the head of a script."""

    title: str = ""
    language: str = "en"
    voices: dict[str, Speaker] = Field(default_factory=dict)
    music: Music | None = None
    lexicon: str | None = None

    @field_validator("language")
    @classmethod
    def _known(cls, code: str) -> str:
        return _checked(code)

    @field_validator("voices")
    @classmethod
    def _named(cls, voices: dict[str, Speaker]) -> dict[str, Speaker]:
        for name in voices:
            if not re.fullmatch(r"[^\W\d_][^:\n]{0,39}", name) or name != name.strip():
                raise ValueError(f"{name!r} is no name; a name has letters, and no colon")
        return voices


def _checked(code: str) -> str:
    try:
        return language(code).code
    except TextError as error:
        raise ValueError(str(error)) from None


def read(source: str, file: str) -> tuple[FrontMatter, int]:
    """The front matter of a source, and where the text behind it begins.

    Raises DefinitionError with all that is wrong, each with its place.
    """
    end = front_matter(source)
    head = source[:end]
    # The line of dashes is left empty, so that lines are counted as in the file.
    body = re.sub(r"\A---", "", re.sub(r"(?:---|\.\.\.)[^\S\n]*\n?\Z", "", head))
    yaml = parse_document(body, file)
    if yaml.data is None:
        return FrontMatter(), end
    try:
        return FrontMatter.model_validate(yaml.data), end
    except ValidationError as error:
        raise DefinitionError([_problem(finding, yaml) for finding in error.errors()]) from None


_SECTIONS: dict[str, type[_Section]] = {"voices": Speaker, "music": Music}


def _problem(finding: Any, yaml: Yaml) -> Problem:
    where = finding["loc"]
    place = yaml.place(*where)
    name = ".".join(map(str, where)) or "front matter"
    if finding["type"] == "extra_forbidden":
        section = _SECTIONS.get(str(where[0]), FrontMatter) if len(where) > 1 else FrontMatter
        hint = did_you_mean(str(where[-1]), section.model_fields)
        return Problem(f"unknown key {name!r}; {hint}", place)
    if finding["type"] == "missing":
        return Problem(f"{name} is missing", place)
    message = finding["msg"].removeprefix("Value error, ")
    return Problem(f"{name}: {message[:1].lower()}{message[1:]}", place)
