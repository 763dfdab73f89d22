"""A user's own words: how names and terms of a show are said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from audiopipe.document import Document as Yaml
from audiopipe.document import parse_document, read_document
from audiopipe.errors import DefinitionError, Problem
from audiopipe.text.errors import TextError
from audiopipe.text.phonemes import inventory, parse
from audiopipe.text.sentence import Spoken
from audiopipe.text.source import Forced


@dataclass(frozen=True)
class Lexicon:
    """Words, and how they are said: sounds, or other words. Sounds are those of one language."""

    words: dict[str, tuple[Spoken, ...] | str]
    language: str
    _pattern: re.Pattern[str] | None

    @classmethod
    def empty(cls) -> Lexicon:
        """No words."""
        return cls({}, "", None)

    @classmethod
    def read(cls, file: str | Path, language: str = "en") -> Lexicon:
        """Read a YAML file of `word: /IPA/` or `word: other words`.

        A word in lower case stands for any case, `GIF` only for itself. Raises DefinitionError
        with all that is wrong, each with its file, line and column.
        """
        return cls._of(read_document(file), language)

    @classmethod
    def parse(cls, text: str, language: str = "en", file: str = "<words>") -> Lexicon:
        """The same from text.

        >>> Lexicon.parse("GIF: jiff\\nkerstin: /ˈkɛɹ.stɪn/").words["kerstin"][0].phonemes
        ('k', 'ˈɛ', 'ɹ', 's', 't', 'ɪ', 'n')
        """
        return cls._of(parse_document(text, file), language)

    @classmethod
    def _of(cls, yaml: Yaml, language: str) -> Lexicon:
        code = language.replace("_", "-").split("-")[0].lower()
        problems: list[Problem] = []
        words: dict[str, tuple[Spoken, ...] | str] = {}
        if yaml.data is not None and not isinstance(yaml.data, dict):
            message = "a lexicon is a list of `word: /IPA/` or `word: how it is said`"
            raise DefinitionError([Problem(message, yaml.place())])
        for key, value in (yaml.data or {}).items():
            try:
                words[str(key)] = _said(str(key), value, code)
            except TextError as error:
                problems += [Problem(p.message, yaml.place(key)) for p in error.problems]
        if problems:
            raise DefinitionError(problems)
        longest = sorted(words, key=len, reverse=True)
        pattern = "|".join(_matching(word) for word in longest)
        return cls(words, code, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") if words else None)

    def found(self, text: str, stretch: range, language: str) -> list[Forced]:
        """Where its words stand in a stretch of a text, and how they are said there."""
        if self._pattern is None or language != self.language:
            return []
        made = []
        for match in self._pattern.finditer(text, stretch.start, stretch.stop):
            said = self.words.get(match[0])
            if said is None:
                said = self.words[match[0].lower()]
            if isinstance(said, str):
                made.append(Forced(*match.span(), alias=said))
            else:
                made.append(Forced(*match.span(), said=said))
        return made


def _matching(word: str) -> str:
    return re.escape(word) if word != word.lower() else f"(?i:{re.escape(word)})"


def _said(word: str, value: object, language: str) -> tuple[Spoken, ...] | str:
    if not any(char.isalnum() for char in word):
        raise TextError(f"{word!r} has no letter and no digit; a lexicon is for words")
    if not isinstance(value, str) or not value.strip():
        raise TextError(f"{word!r} needs how it is said: /IPA/ between slashes, or other words")
    if value.startswith("/"):
        if not value.endswith("/") or len(value) < 3:
            raise TextError(f"{value!r} begins with a slash; IPA ends with one too")
        return (Spoken(word.lower(), parse(value[1:-1], language)),)
    if any(char in inventory(language) and not char.isascii() for char in value):
        raise TextError(f"{value!r} looks like IPA; write it between slashes: /{value}/")
    return value
