"""The scanner: reads a text from left to right by the rules of a language."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from audiopipe.text.sentence import Spoken


@dataclass(frozen=True)
class Piece:
    """A stretch of a text, and what is said for it: words, or only a pause.

    `words` are written as in `Spoken.text`. `mark` is the punctuation that stands there or that
    the reading asks for. `may_end`: its last character is a full stop that belongs to it and may
    end a sentence too (`etc.`). `said` are words whose sounds are known.
    """

    start: int
    stop: int
    words: tuple[str, ...] = ()
    mark: str = ""
    may_end: bool = False
    said: tuple[Spoken, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a rule may look at beside its match."""

    text: str
    known: Callable[[str], bool]
    """Whether the language's lexicon has a word, in lower case."""
    shouting: bool = False
    """Whether the text is in capitals, so that they mean nothing."""

    def before(self, at: int) -> str:
        """The word before `at`, if only spaces and opening quotes are between; else "".

        >>> Context("at 5 pm", str.islower).before(5)
        '5'
        """
        match = _LAST_WORD.search(self.text[max(0, at - 40) : at])
        return match[1] if match else ""

    def after(self, at: int) -> str:
        """The word behind `at`, if only a space or a hyphen is between; else ""."""
        match = _NEXT_WORD.match(self.text, at)
        return match[1] if match else ""


_LAST_WORD = re.compile(r"([^\W_]+(?:['’][^\W_]+)*\.?)[\s\"“‘(]*$")
_NEXT_WORD = re.compile(r"[\s\-]+([^\W_]+(?:['’][^\W_]+)*)")

Read = Callable[[re.Match[str], Context], "Sequence[Piece] | Sequence[str] | None"]


@dataclass(frozen=True)
class Rule:
    """What a pattern is read as; where `read` gives None, the next rule is tried."""

    pattern: re.Pattern[str]
    read: Read


def rule(pattern: str, flags: int = 0) -> Callable[[Read], Rule]:
    """Make a rule of a function; its pattern is matched at the beginning of words and signs."""
    compiled = re.compile(pattern, flags)
    return lambda read: Rule(compiled, read)


def scan(
    context: Context,
    rules: Sequence[Rule],
    start: int = 0,
    stop: int | None = None,
) -> list[Piece]:
    """Read a stretch of a text; white space separates, each other character is in one piece.

    A character that no rule takes makes a piece without words.
    """
    text = context.text if stop is None else context.text[:stop]
    context = replace(context, text=text)
    pieces: list[Piece] = []
    at = start
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        made = _apply(context, rules, at)
        pieces += made
        at = max(made[-1].stop, at + 1)
    return pieces


def _apply(context: Context, rules: Sequence[Rule], at: int) -> list[Piece]:
    for rule in rules:
        match = rule.pattern.match(context.text, at)
        if match is None or match.end() == at:
            continue
        read = rule.read(match, context)
        if read is None:
            continue
        made = [piece for piece in read if isinstance(piece, Piece)]
        if not made:
            words = tuple(str(word) for word in read)
            made = [Piece(at, match.end(), words)]
        return made
    return [Piece(at, at + 1)]


def whole(match: re.Match[str], words: Sequence[str], mark: str = "") -> list[Piece]:
    """One piece for a match; if it ends with a full stop, that may end the sentence too."""
    ends = match[0].endswith(".")
    return [Piece(match.start(), match.end(), tuple(words), mark, may_end=ends)]
