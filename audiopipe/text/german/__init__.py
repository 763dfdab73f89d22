"""How German is read aloud."""

from __future__ import annotations

from audiopipe.text import addresses
from audiopipe.text.german import abbreviations, calendar, quantities, symbols, words
from audiopipe.text.german.numbers import cardinal, digits, ordinal
from audiopipe.text.german.sounds import sounds
from audiopipe.text.language import Language
from audiopipe.text.letters import vocabulary
from audiopipe.text.reading import Rule

_SPELLING = addresses.Spelling(
    signs={
        ".": "punkt", "/": "schrägstrich", "@": "at", ":": "doppelpunkt", "_": "unterstrich",
        "-": "minus", "?": "fragezeichen", "=": "gleich", "&": "und", "#": "raute", "+": "plus",
        "~": "tilde", "%": "prozent", "\\": "rückstrich",
    },
    name=words.name,
    number=lambda text: cardinal(text) if len(text) < 3 and text[0] != "0" else digits(text),
    endings=vocabulary(
    "com info shop blog news media audio studio live online show zip"
),
)  # fmt: skip

_RULES: tuple[Rule, ...] = (
    *symbols.FIRST,
    *addresses.rules(_SPELLING),
    *quantities.BEFORE_DATES,
    *calendar.RULES,
    *quantities.RULES,
    *calendar.YEARS,
    *quantities.NUMBERS,
    *abbreviations.RULES,
    *words.ACRONYMS,
    *symbols.RULES,
    *words.RULES,
)

GERMAN = Language(
    code="de",
    rules=_RULES,
    heads=words.HEADS,
    conjunctions=vocabulary(
        "und oder aber denn sondern weil dass daß wenn als ob obwohl während nachdem bevor damit "
        "sodass falls indem solange sobald der die das welcher welche welches"
    ),
    sounds=sounds,
    cardinal=cardinal,
    ordinal=ordinal,
    digits=digits,
)
