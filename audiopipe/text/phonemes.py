"""The sounds of a language, and how they are read from IPA."""

from __future__ import annotations

import unicodedata

from audiopipe.text.errors import TextError
from audiopipe.text.letters import listed

STRESS = "ˈˌ"

_VOWELS = {
    "en": listed("ɑ æ ɛ i ɪ ɔ ʊ ʌ u ə ɚ eɪ aɪ oʊ ɔɪ aʊ"),
    "de": listed("a aː ɛ ɛː eː ə ɐ ɪ iː ɔ oː œ øː ʊ uː ʏ yː aɪ̯ aʊ̯ ɔʏ̯ ãː ɛ̃ː õː œ̃ː"),
}
_CONSONANTS = {
    "en": listed("p b t d k ɡ t͡ʃ d͡ʒ f v θ ð s z ʃ ʒ h l m n ŋ ɹ w j"),
    "de": listed("p b t d k g ʔ p͡f t͡s t͡ʃ d͡ʒ f v s z ʃ ʒ ç x χ h l m n ŋ ʁ j"),
}
_SAME = {
    "en": {
        "r": "ɹ", "ɾ": "t", "g": "ɡ", "ɫ": "l", "tʃ": "t͡ʃ", "dʒ": "d͡ʒ", "ʧ": "t͡ʃ", "ʤ": "d͡ʒ",
        "ɝ": "ɚ",
        "ɜː": "ɚ", "ɜ": "ɚ", "əʊ": "oʊ", "ɒ": "ɑ", "iː": "i", "uː": "u", "ɑː": "ɑ", "ɔː": "ɔ",
        "eɪ̯": "eɪ", "aɪ̯": "aɪ", "oʊ̯": "oʊ", "aʊ̯": "aʊ", "ɔɪ̯": "ɔɪ", "e": "ɛ", "o": "oʊ", "a": "æ",
        "ɐ": "ʌ", "ɪə": "ɪ ɹ", "eə": "ɛ ɹ", "ʊə": "ʊ ɹ", "l̩": "ə l", "n̩": "ə n", "m̩": "ə m",
        "ɨ": "ɪ",
        "ᵻ": "ɪ", "ʍ": "w", "x": "k", "əɹ": "ɚ",
    },
    "de": {
        "ɡ": "g", "r": "ʁ", "ʀ": "ʁ", "ts": "t͡s", "pf": "p͡f", "tʃ": "t͡ʃ", "aɪ": "aɪ̯", "aʊ": "aʊ̯",
        "ɔɪ": "ɔʏ̯", "ɔʏ": "ɔʏ̯", "ɔɪ̯": "ɔʏ̯", "i": "iː", "e": "eː", "o": "oː", "u": "uː", "y": "yː",
        "ø": "øː",
        "ɐ̯": "ɐ", "n̩": "ə n", "l̩": "ə l", "m̩": "ə m", "ʦ": "t͡s", "w": "v", "ɹ": "ʁ",
    },
}  # fmt: skip


def inventory(language: str) -> frozenset[str]:
    """All sounds of a language, without stress."""
    return frozenset(_VOWELS[language]) | frozenset(_CONSONANTS[language])


def is_vowel(phoneme: str, language: str) -> bool:
    """Whether a sound can bear stress."""
    return phoneme.lstrip(STRESS) in _VOWELS[language]


def parse(ipa: str, language: str) -> tuple[str, ...]:
    """Read IPA, with or without spaces, in a language's own sounds.

    Stress may stand before the syllable or before the vowel. What other books write for the same
    sound is understood (`r` for `ɹ`, `tʃ` for `t͡ʃ`). Raises TextError for what the language has
    no sound for.

    >>> parse("ˈkɛr.stɪn", "en"), parse("h ə l ˈoʊ", "en")
    (('k', 'ˈɛ', 'ɹ', 's', 't', 'ɪ', 'n'), ('h', 'ə', 'l', 'ˈoʊ'))
    """
    text = (
        unicodedata.normalize("NFD", ipa.strip().strip("/[]")).replace("'", "ˈ").replace(":", "ː")
    )
    text = text.replace("͜", "͡").replace("ç", "ç")
    known = {unicodedata.normalize("NFD", p).replace("ç", "ç"): p for p in inventory(language)}
    known |= {unicodedata.normalize("NFD", k): v for k, v in _SAME[language].items()}
    longest = max(map(len, known))
    sounds: list[str] = []
    stress, at = "", 0
    while at < len(text):
        if text[at] in STRESS:
            stress, at = text[at], at + 1
            continue
        if text[at].isspace() or text[at] in ".|-‿":
            at += 1
            continue
        size = next((n for n in range(longest, 0, -1) if text[at : at + n] in known), 0)
        if not size:
            some = " ".join(sorted(inventory(language)))
            raise TextError(f"{text[at]!r} in {ipa!r} is no sound of {language!r}; there is {some}")
        for sound in known[text[at : at + size]].split():
            if stress and is_vowel(sound, language):
                sound, stress = stress + sound, ""
            sounds.append(sound)
        at += size
        while at < len(text) and unicodedata.combining(text[at]):
            at += 1
    if not sounds:
        raise TextError(f"{ipa!r} has no sounds; write IPA such as 'h ə l ˈoʊ'")
    return tuple(sounds)
