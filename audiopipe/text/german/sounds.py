"""Which sounds words have: German."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from audiopipe.text.german.irregular import IRREGULAR
from audiopipe.text.german.morphemes import Morph, compound, morphs
from audiopipe.text.german.spelling import stem
from audiopipe.text.letters import romanised
from audiopipe.text.phonemes import is_vowel
from audiopipe.text.pronounce import Pronouncer
from audiopipe.text.tokens import Token

LONGEST = 60
"""Letters of a word that are looked at together; nobody means a longer one."""
_LETTERS = {
    "A": "ʔ aː", "B": "b eː", "C": "t͡s eː", "D": "d eː", "E": "ʔ eː", "F": "ʔ ɛ f", "G": "g eː",
    "H": "h aː", "I": "ʔ iː", "J": "j ɔ t", "K": "k aː", "L": "ʔ ɛ l", "M": "ʔ ɛ m", "N": "ʔ ɛ n",
    "O": "ʔ oː", "P": "p eː", "Q": "k uː", "R": "ʔ ɛ ʁ", "S": "ʔ ɛ s", "T": "t eː", "U": "ʔ uː",
    "V": "f aʊ̯", "W": "v eː", "X": "ʔ ɪ k s", "Y": "ʏ p s ɪ l ɔ n", "Z": "t͡s ɛ t", "Ä": "ʔ ɛː",
    "Ö": "ʔ øː", "Ü": "ʔ yː", "ẞ": "ʔ ɛ s t͡s ɛ t",
}  # fmt: skip
_PREFIXES = {
    "be": "b ə", "ge": "g ə", "er": "ʔ ɛ ɐ", "ver": "f ɛ ɐ", "zer": "t͡s ɛ ɐ", "ent": "ʔ ɛ n t",
    "emp": "ʔ ɛ m p", "miss": "m ɪ s",
}  # fmt: skip
_APART = {
    "ab": "ʔ ˈa p", "an": "ʔ ˈa n", "um": "ʔ ˈʊ m", "un": "ʔ ˈʊ n", "hin": "h ˈɪ n",
    "mit": "m ˈɪ t", "weg": "v ˈɛ k", "vor": "f ˈoː ɐ", "nach": "n ˈaː x", "her": "h ˈeː ɐ",
    "fort": "f ˈɔ ʁ t", "über": "ʔ ˈyː b ɐ", "dar": "d ˈaː ɐ",
}  # fmt: skip
"""Prefixes that are not said as they are spelt, or not as the word that they are by themselves."""
_ENDINGS = {
    "s": "s", "n": "n", "en": "ə n", "e": "ə", "es": "ə s", "er": "ɐ", "ern": "ɐ n", "in": "ɪ n",
    "innen": "ɪ n ə n", "ers": "ɐ s", "isch": "ɪ ʃ", "ische": "ɪ ʃ ə", "ischen": "ɪ ʃ ə n",
    "ischer": "ɪ ʃ ɐ", "isches": "ɪ ʃ ə s",
}  # fmt: skip
_TAKES_ENDINGS = frozenset(["cup", "job", "ski"])
"""Irregular words of three letters that do; the others are words such as `man`."""
_LONG_SUFFIXES = ("los", "bar", "sam")


def sounds(tokens: Sequence[Token], lexicon: Pronouncer) -> list[tuple[str, ...]]:
    """The sounds of each word of a sentence."""
    return [word(token.said, lexicon) for token in tokens]


def word(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    """The sounds of a word by itself; a capital letter is its name.

    gruut's lexicon serves as a list of words, to tell compounds and prefixes by. Its sounds are not
    taken: it has no word with `ß`, and most were guessed (`lösen` with `ɔʏ̯`, `hafen` without `h`).
    """
    letter = text.removesuffix("'s")
    if letter in _LETTERS:
        return (*_LETTERS[letter].split(), *(("s",) if letter != text else ()))
    spelt = text if all(c.isascii() or c in "äöüß" for c in text) else romanised(text)
    spelt = "".join(c for c in spelt.lower() if c.isalpha() and (c.isascii() or c in "äöüß"))
    made = (_word(spelt[at : at + LONGEST], lexicon) for at in range(0, len(spelt), LONGEST))
    return tuple(sound for sounds in made for sound in sounds)


@lru_cache(20_000)
def _word(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    if not text:
        return ()
    if not re.search("[aeiouyäöü]", text) and text not in ("hm", "pst", "st", "sch"):
        return tuple(sound for letter in text.upper() for sound in _LETTERS[letter].split())
    if text in IRREGULAR:
        return IRREGULAR[text]
    found: list[str] = []
    for element in compound(text, lexicon.known):
        made = _element(element, lexicon)
        if found:
            made = tuple(sound.replace("ˈ", "ˌ") for sound in made)
        found += made
    return tuple(found)


def _element(text: str, lexicon: Pronouncer) -> tuple[str, ...]:
    """The sounds of a word that is no compound."""
    if text in IRREGULAR:
        return IRREGULAR[text]
    for ending, said in _ENDINGS.items():
        base = text.removesuffix(ending)
        moved = base.endswith("or") and ending == "en"  # the stress: Doktor, Doktoren
        if base != text and base in IRREGULAR and not moved and (
            len(base) > 3 or base in _TAKES_ENDINGS
        ):  # fmt: skip
            return _with_ending(IRREGULAR[base], said.split())
    found: list[str] = []
    for part in morphs(text, lexicon.known):
        found += _morph(part, part.text == text, lexicon)
    return tuple(found)


def _morph(part: Morph, whole: bool, lexicon: Pronouncer) -> list[str]:
    """The sounds of a part of a word, or of a `whole` one."""
    apart = _APART.get(part.text, "").split() or list(IRREGULAR.get(part.text, ()))
    if part.stem and not whole and any(sound[0] == "ˈ" for sound in apart):
        return [sound.replace("ˈ", part.stress) for sound in apart]
    if not part.stem and part.text in _PREFIXES:
        return _PREFIXES[part.text].split()
    bare = part.stem or part.text.startswith(_LONG_SUFFIXES)
    made = list(stem(part.text, part.stress, lexicon.known, bare))
    return ["ʔ", *made] if part.stem and is_vowel(made[0], "de") else made


def _with_ending(said: tuple[str, ...], ending: list[str]) -> tuple[str, ...]:
    """A word with an ending; what was `ɐ` at its end is an `ʁ` before a vowel."""
    if said[-1] == "ɐ" and is_vowel(ending[0], "de"):
        said = (*said[:-1], *(("ʁ",) if said[-2].endswith(("ː", "̯")) else ("ə", "ʁ")))
    return (*said, *ending)
