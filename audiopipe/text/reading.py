"""The scanner: reads a text from left to right by the rules of a language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

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

    def left(self, at: int) -> str:
        """What stands before `at`, as far as rules look."""
        return self.text[max(0, at - _SIGHT) : at]

    def right(self, at: int) -> str:
        """What stands from `at` on, as far as rules look."""
        return self.text[at : at + _SIGHT]

    def before(self, at: int) -> str:
        """The word before `at`, if only spaces and opening quotes are between; else "".

        >>> Context("at 5 pm", str.islower).before(5)
        '5'
        """
        match = _LAST_WORD.search(self.left(at))
        return match[1] if match else ""

    def after(self, at: int) -> str:
        """The word behind `at`, if only a space or a hyphen is between; else ""."""
        match = _NEXT_WORD.match(self.text, at)
        return match[1] if match else ""


_SIGHT = 60
"""How many characters around a match a rule may look at: texts are read in linear time."""
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
) -> Iterator[Piece]:
    """Read a stretch of a text; white space separates, each other character is in one piece.

    A character that no rule takes makes a piece without words.
    """
    text = context.text if stop is None else context.text[:stop]
    context = replace(context, text=text)
    at = start
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        made = _apply(context, rules, at)
        for piece in made:
            yield from _short(piece, text)
        at = max(made[-1].stop, at + 1)


_LETTERS = 40
"""The longest word that is said in one; the longest in use have about that many letters."""
_WORDS = 12
"""How many words are said for one that is written, before it is cut in several."""


def _short(piece: Piece, text: str) -> list[Piece]:
    """A piece in several if too much is said for it to be one: a hundred digits, a long URL."""
    size = piece.stop - piece.start
    if len(piece.words) == 1 and len(piece.words[0]) > _LETTERS:
        cuts = [*range(piece.start, piece.stop, _LETTERS), piece.stop]
        said: list[tuple[str, ...]] = [(text[a:b].lower(),) for a, b in pairwise(cuts)]
    elif len(piece.words) > 2 * _WORDS and size > 1:
        count = min(size, -(-len(piece.words) // _WORDS))
        cuts = [piece.start + size * i // count for i in range(count + 1)]
        shares = [len(piece.words) * i // count for i in range(count + 1)]
        said = [piece.words[a:b] for a, b in pairwise(shares)]
    else:
        return [piece]
    parts = [Piece(a, b, words) for (a, b), words in zip(pairwise(cuts), said, strict=True)]
    parts[-1] = replace(parts[-1], mark=piece.mark, may_end=piece.may_end)
    return parts


_REACH = 400
"""How many characters a rule looks at: patterns take their time with what goes on for pages."""


def _apply(context: Context, rules: Sequence[Rule], at: int) -> list[Piece]:
    for rule in rules:
        match = rule.pattern.match(context.text, at, at + _REACH)
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
