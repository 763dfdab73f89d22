"""What the reader knows of a language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from audiopipe.errors import did_you_mean
from audiopipe.text.errors import TextError
from audiopipe.text.letters import vocabulary
from audiopipe.text.pronounce import Pronouncer, pronouncer
from audiopipe.text.reading import Rule
from audiopipe.text.tokens import Token

UNREAD = vocabulary(
    "ar be bg bn ca cs da el es et ewe fa fi fr ga hau hi hr hu it ja ko lin lt lv mt nl pl pt ro "
    "ru sk sl sr sv tr tw uk yor zh"
)
"""Languages without rules of ours, which voices of engines read by themselves."""
_HOMES = {"en": ("english", "ENGLISH"), "de": ("german", "GERMAN")}


@dataclass(frozen=True)
class Language:
    """The rules by which a language is read, in the order in which they are tried."""

    code: str
    rules: tuple[Rule, ...]
    heads: frozenset[str]
    """Words that, with a capital behind an abbreviation, begin a sentence."""
    conjunctions: frozenset[str]
    """Words before which a long sentence may be divided."""
    sounds: Callable[[Sequence[Token], Pronouncer], list[tuple[str, ...]]]
    """The sounds of each word of a sentence."""
    cardinal: Callable[[str], list[str]]
    ordinal: Callable[[str], list[str]]
    digits: Callable[[str], list[str]]


@cache
def language(code: str) -> Language:
    """The language of a code such as `en` or `en-US`; raises TextError if there is none."""
    short = code.replace("_", "-").split("-")[0].lower()
    home = _HOMES.get(short)
    if short in UNREAD:
        from audiopipe.text.unread import unread

        return unread(short)
    if home is None:
        raise TextError(f"the language {code!r} is not known; {did_you_mean(code, _HOMES)}")
    found = getattr(import_module(f"audiopipe.text.{home[0]}"), home[1])
    assert isinstance(found, Language)
    return found


def prepare(code: str) -> None:
    """Load the rules and the words of a language, which else come with its first sentence.

    Raises TextError for a language that is not known, and MissingDependencyError where its words
    are not installed.
    """
    pronouncer(language(code).code)
