"""What a letter is, for regular expressions."""

from __future__ import annotations

import unicodedata


def listed(words: str) -> tuple[str, ...]:
    """Words that stand in a text with spaces between them: a table that can be read."""
    return tuple(words.split())


def vocabulary(words: str) -> frozenset[str]:
    """A set of words, written with spaces between them."""
    return frozenset(words.split())


_NUMBERLIKE = r"\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u218b\u2460-\u24ff\u2776-\u2793"
"""Characters that are `\\w`, but numbers: superscripts, fractions, numbers in circles."""

LETTER = rf"[^\W\d_{_NUMBERLIKE}]"
WORD = rf"{LETTER}(?:{LETTER}|[\u0300-\u036f])*"
"""A run of letters, with accents that are characters of their own."""


def bare(text: str) -> str:
    """A text without accents, and with letters of other forms made plain.

    >>> bare("Ångström ﬁne"), bare("Søren Łódź")
    ('Angstrom fine', 'Soren Lodz')
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_STROKES))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


_STROKES = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th",
     "Þ": "Th", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ß": "ss", "ı": "i", "ħ": "h",
     "ŋ": "ng"}
)  # fmt: skip

_LATIN = {
    pair[0]: pair[1:]
    for pair in listed(
        "αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo "
        "аa бb вv гg дd еe ёyo жzh зz иi йy кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch "
        "ъ ыy ь эe юyu яya іi їyi єye ґg ўw"
    )
}
"""Greek and Cyrillic letters, each with what stands for it."""


def romanised(text: str) -> str:
    """Greek and Cyrillic in Latin letters, for a voice that knows no others; lower case.

    >>> romanised("Москва"), romanised("Αθήνα")
    ('moskva', 'athina')
    """
    lower = unicodedata.normalize("NFC", text.lower())
    spelt = "".join(_LATIN.get(char, char) for char in lower)
    return "".join(_LATIN.get(char, char) for char in bare(spelt))
