"""Which sounds words have: German."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from audiopipe.text.pronounce import Pronouncer
from audiopipe.text.tokens import Token

_LETTERS = {
    "A": "ʔ aː", "B": "b eː", "C": "t͡s eː", "D": "d eː", "E": "ʔ eː", "F": "ʔ ɛ f", "G": "g eː",
    "H": "h aː", "I": "ʔ iː", "J": "j ɔ t", "K": "k aː", "L": "ʔ ɛ l", "M": "ʔ ɛ m", "N": "ʔ ɛ n",
    "O": "ʔ oː", "P": "p eː", "Q": "k uː", "R": "ʔ ɛ ʁ", "S": "ʔ ɛ s", "T": "t eː", "U": "ʔ uː",
    "V": "f aʊ̯", "W": "v eː", "X": "ʔ ɪ k s", "Y": "ʏ p s ɪ l ɔ n", "Z": "t͡s ɛ t", "Ä": "ʔ ɛː",
    "Ö": "ʔ øː", "Ü": "ʔ yː", "ẞ": "ʔ ɛ s t͡s ɛ t",
}  # fmt: skip


def sounds(tokens: Sequence[Token], lexicon: Pronouncer) -> list[tuple[str, ...]]:
    """The sounds of each word of a sentence; gruut's German lexicon marks no stress."""
    return [word(token.said, lexicon) for token in tokens]


def word(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    """The sounds of a word by itself; a capital letter is its name.

    What the lexicon has not is looked for as a compound of words that it has, and else guessed.
    """
    letter = text.removesuffix("'s")
    if letter in _LETTERS:
        return (*_LETTERS[letter].split(), *(("s",) if letter != text else ()))
    parts = _parts(text, lexicon)
    if parts:
        return tuple(sound for part in parts for sound in lexicon.entry(part)[0][1])
    return lexicon.guess(text)


@lru_cache(10_000)
def _parts(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    """The fewest known words that together are the text, joined by an `s` or by nothing."""
    if lexicon.known(text):
        return (text,)
    best: tuple[str, ...] = ()
    for cut in range(len(text) - 3, 2, -1):
        if not lexicon.known(text[:cut]):
            continue
        behind = _parts(text[cut:], lexicon)
        if behind and (not best or len(behind) + 1 < len(best)):
            best = (text[:cut], *behind)
    return best
