"""Languages that are given to voices as they are written, for voices that read by themselves.

Words and sentences are found by white space and punctuation alone; numbers stay digits. For each
letter and digit there is one sound, itself: so much is needed to know how long a word may take.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from audiopipe.text.language import Language
from audiopipe.text.pronounce import Entry, Pronouncer
from audiopipe.text.reading import Context, Piece, rule
from audiopipe.text.tokens import Token

_MARKS = {
    **{sign: sign for sign in ",;:—….?!"},
    **dict(zip("。！？，、；：．‥؟،؛।॥", ".!?,,;:.…?,;..", strict=True)),
    "–": "—",
    "·": ",",
}
_APART = re.escape("".join(_MARKS) + '()[]{}<>"“”„«»‹›「」『』（）*_#|\\~`¿¡')
_INSIDE = re.escape(".,:·")


@rule(rf"[^\s{_APART}]+(?:[{_INSIDE}]+[^\s{_APART}]+)*")
def _word(match: re.Match[str], context: Context) -> Sequence[str] | None:
    return [match[0].lower()] if any(map(str.isalnum, match[0])) else None


@rule(rf"[{re.escape(''.join(_MARKS))}]+")
def _mark(match: re.Match[str], context: Context) -> Sequence[Piece]:
    found = [_MARKS[sign] for sign in match[0]]
    told = "…" if set(found) == {"."} and len(found) > 1 else max(found, key=_RANK.index)
    return [Piece(match.start(), match.end(), mark=told)]


_RANK = (",", "—", ":", ";", "…", ".", "!", "?")


def unread(code: str) -> Language:
    """A language of which only the code is known.

    >>> from audiopipe.text import plain, segments
    >>> [sentence.written for sentence in segments(plain("Il a 3,5 ans. Où ça ?", "fr"))]
    ['Il a 3,5 ans.', 'Où ça?']
    """
    return Language(
        code=code,
        rules=(_word, _mark),
        heads=frozenset(),
        conjunctions=frozenset(),
        sounds=_sounds,
        cardinal=_itself,
        ordinal=_itself,
        digits=list,
    )


class Unpronounced(Pronouncer):
    """The lexicon of a language that has none."""

    def __init__(self, language: str) -> None:
        self.language = language

    def entry(self, word: str) -> Entry:
        """Nothing is in it."""
        return ()

    def known(self, word: str) -> bool:
        """No word is known."""
        return False

    def guess(self, word: str) -> tuple[str, ...]:
        """Each letter and digit."""
        return tuple(filter(str.isalnum, word))


def _sounds(tokens: Sequence[Token], pronouncer: Pronouncer) -> list[tuple[str, ...]]:
    return [pronouncer.guess(token.said) for token in tokens]


def _itself(text: str) -> list[str]:
    return [text]
