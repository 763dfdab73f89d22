"""How American English is read aloud."""

from __future__ import annotations

from audiopipe.text import addresses
from audiopipe.text.english import abbreviations, calendar, codes, quantities, symbols, words
from audiopipe.text.english.numbers import cardinal, digits, ordinal
from audiopipe.text.english.sounds import sounds
from audiopipe.text.language import Language
from audiopipe.text.letters import vocabulary
from audiopipe.text.reading import Rule

_SPELLING = addresses.Spelling(
    signs={
        ".": "dot", "/": "slash", "@": "at", ":": "colon", "_": "underscore", "-": "dash",
        "?": "question mark", "=": "equals", "&": "and", "#": "hash", "+": "plus", "~": "tilde",
        "%": "percent", "\\": "backslash",
    },
    name=words.name,
    number=lambda text: cardinal(text) if len(text) < 3 and text[0] != "0" else digits(text),
    endings=vocabulary(
    "com org net info gov biz app dev blog shop news media audio studio live online site "
    "store tech club show music zip log tar"
),
)  # fmt: skip

_RULES: tuple[Rule, ...] = (
    *symbols.FIRST,
    *addresses.rules(_SPELLING),
    *codes.BEFORE_DATES,
    *calendar.RULES,
    *codes.RULES,
    *quantities.RULES,
    *calendar.YEARS,
    *quantities.NUMBERS,
    *abbreviations.RULES,
    *words.ACRONYMS,
    *symbols.RULES,
    *words.RULES,
)

ENGLISH = Language(
    code="en",
    rules=_RULES,
    heads=vocabulary(
        "the a an this that these those he she it we you they i my your his her our their its "
        "there here what when where who why how if in on at for from with by as after before but "
        "and or so then now no not yes well is are was were do does did can could will would "
        "should let's it's that's i'm we're you're please maybe however meanwhile although "
        "because while"
    ),
    conjunctions=vocabulary(
        "and or but nor so because although though while when whenever where wherever which who "
        "whose that if unless until since before after as than whereas whether"
    ),
    sounds=sounds,
    cardinal=cardinal,
    ordinal=ordinal,
    digits=digits,
)
