"""Sentences in phrases, for voices that are given words, and not their sounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from audiopipe.text import Sentence, Word


@dataclass(frozen=True)
class Phrase:
    """Words that are said in one go, from index `start` of their sentence on."""

    words: tuple[Word, ...]
    start: int
    ends: bool
    """Whether it is the last of its sentence."""
    falls: bool
    """Whether the voice falls at its end, as the sentence does not go on."""

    @property
    def sounds(self) -> int:
        """How many phonemes it has."""
        return sum(len(word.phonemes) for word in self.words)

    @property
    def text(self) -> str:
        """What is given to the model: as written where it is read so, else in words."""
        read = " ".join(_read(word) + word.mark for word in self.words if word.spoken)
        return read if not self.falls or read[-1:] in ".?!…" else read.rstrip(",;:—–-") + "."


def phrases(sentence: Sentence, limit: int = 0) -> Iterator[Phrase]:
    """A sentence in phrases of at most `limit` characters, 0 for any number.

    A phrase ends where the text asks for a silence, or is said in another way from there on; what
    is too long is divided at its deepest pause, or else near its middle.
    """
    first, words = 0, sentence.words
    cuts = [
        index + 1
        for index, (one, other) in enumerate(pairwise(words))
        if (one.pause.exact and one.pause.milliseconds) or one.delivery != other.delivery
    ]
    for cut in [*cuts, len(words)]:
        ends = cut == len(words)
        run = Phrase(words[first:cut], first, ends, ends and not sentence.continues)
        yield from _divided(run, limit)
        first = cut


def _divided(phrase: Phrase, limit: int) -> Iterator[Phrase]:
    size, words = len(phrase.text), phrase.words
    if not limit or size <= limit or len(words) == 1:
        yield phrase
        return
    ends = np.cumsum([len(_read(word)) + len(word.mark) + 1 for word in words[:-1]])
    depths = np.array([float(word.pause.strength) for word in words[:-1]])
    cut = int((depths - 3 * np.abs(ends / size - 0.5)).argmax()) + 1
    yield from _divided(Phrase(words[:cut], phrase.start, False, False), limit)
    rest = Phrase(words[cut:], phrase.start + cut, phrase.ends, phrase.falls)
    yield from _divided(rest, limit)


def _read(word: Word) -> str:
    """A word for the model: `7` is `seven`, and `Lee` keeps its capital."""
    return word.written if word.said.casefold() == word.written.casefold() else word.said
