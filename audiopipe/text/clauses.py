"""Long sentences in pieces, divided where a reader would take breath."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from audiopipe.text.sentence import Pause, Sentence, Strength, Word


def divide(sentence: Sentence, limit: int, conjunctions: frozenset[str]) -> Iterator[Sentence]:
    """Sentences of at most `limit` phonemes that are together the one given.

    Divided at the deepest pause, before a conjunction, or between words, as near to the middle as
    it goes; a word that has more by itself stays whole.
    """
    if len(sentence.phonemes) <= limit or len(sentence) == 1:
        yield sentence
        return
    cut = _cut(sentence.words, conjunctions)
    head, tail = sentence.words[:cut], sentence.words[cut:]
    breath = replace(head[-1], pause=head[-1].pause.deeper(Pause.of(Strength.WEAK)))
    first = replace(sentence, words=(*head[:-1], breath), continues=True)
    yield from divide(first, limit, conjunctions)
    yield from divide(replace(sentence, words=tail, before=Pause()), limit, conjunctions)


def _cut(words: tuple[Word, ...], conjunctions: frozenset[str]) -> int:
    """The best place to divide: how deep the pause is against how far it is from the middle."""
    sizes = [len(word.phonemes) + 1 for word in words]
    whole = sum(sizes)
    before, best, cut = 0, float("-inf"), 1
    for i, word in enumerate(words[:-1]):
        before += sizes[i]
        depth = float(word.pause.strength)
        if words[i + 1].said in conjunctions:
            depth = max(depth + 0.3, 0.7)
        value = depth - 3.0 * abs(before / whole - 0.5)
        if value > best:
            best, cut = value, i + 1
    return cut
