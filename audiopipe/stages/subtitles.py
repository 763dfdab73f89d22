"""Make subtitles of words with times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from audiopipe.signals import Segment, Text
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.units import Span

SENTENCE, CLAUSE = (".", "!", "?", "…"), (",", ";", ":", "—", "–")
CLOSING = "\"'”’»)]"
PAUSE = Fraction(2, 10)
"""Seconds behind the end of a sentence; behind an abbreviation the voice goes on."""
APART = Fraction(6, 10)
"""Seconds of a pause that ends a subtitle, as the one behind a heading."""


@dataclass
class Open:
    """Words that wait for those behind them."""

    words: list[Segment] = field(default_factory=list)


class Subtitles(Stateful):
    """Put words together that are read together: Text a word a segment to Text a subtitle.

    A subtitle has at most `lines` lines of `width` characters and lasts at most `longest`. It ends
    with a sentence or before another speaker; a longer sentence is divided behind its last clause
    that fits, or between words. Times are those of its first and last word, on the same clock; a
    name stands before the words of each speaker in the file.
    """

    name = "subtitles"
    takes = Text

    width: Annotated[int, Field(ge=10, le=200)] = 42
    """Characters in a line."""
    lines: Annotated[int, Field(ge=1, le=4)] = 2
    """Lines in a subtitle."""
    longest: Span = Field(default=Span.parse("7 s"))
    """How long it stays at most."""

    def output(self, source: Text) -> Text:
        return source.format

    def reach(self, source: Text) -> Reach:
        return Reach(behind=None, ahead=0, latency=0)

    def start(self, model: None, sources: Sequence[Text]) -> Open:
        return Open()

    def step(self, model: None, state: Open, blocks: Sequence[Text], last: bool) -> Text:
        (block,) = blocks
        made: list[Segment] = []
        for word in block.segments:
            if state.words and _ends(state.words[-1], word, block.rate):
                made += self._all(state.words)
            while state.words and not self._joins(state.words, word, block.rate):
                made.append(self._take(state.words))
            state.words.append(word)
        if last:
            made += self._all(state.words)
        return Text(tuple(made), block.rate)

    def _joins(self, words: Sequence[Segment], word: Segment, rate: int) -> bool:
        """Whether a word goes into the subtitle that is open."""
        long = _stop(word) - _start(words[0]) > self.longest.samples(rate)
        return not long and self._fits([*words, word])

    def _fits(self, words: Sequence[Segment]) -> bool:
        return len(self._wrapped(words)) <= self.lines

    def _wrapped(self, words: Sequence[Segment]) -> list[str]:
        """The lines of some words; one that is longer than a line has a line of its own."""
        name = words[0].speaker
        room = self.width - (len(name) + 2 if name else 0)
        found = [words[0].text]
        for word in words[1:]:
            if len(found[-1]) + 1 + len(word.text) <= (room if len(found) == 1 else self.width):
                found[-1] += " " + word.text
            else:
                found.append(word.text)
        return found

    def _all(self, words: list[Segment]) -> list[Segment]:
        made = []
        while words:
            made.append(self._take(words, whole=True))
        return made

    def _take(self, words: list[Segment], whole: bool = False) -> Segment:
        """Take the first subtitle of the words that wait."""
        count = len(words)
        if not whole:
            clauses = [k for k, word in enumerate(words, 1) if word.text.endswith(CLAUSE)]
            count = next((k for k in reversed(clauses) if 3 * k >= len(words)), len(words))
        taken, words[:] = words[:count], words[count:]
        return replace(taken[0], text="\n".join(self._wrapped(taken)), stop=taken[-1].stop)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(), cls(width=32, lines=1))


def _ends(word: Segment, following: Segment, rate: int) -> bool:
    """Whether a subtitle ends between two words whatever room there is."""
    pause = Fraction(_start(following) - _stop(word), rate)
    sentence = word.text.rstrip(CLOSING).endswith(SENTENCE) and pause >= PAUSE
    return sentence or pause > APART or word.speaker != following.speaker


def _start(word: Segment) -> int:
    return word.start or 0


def _stop(word: Segment) -> int:
    return word.stop or 0
