"""Which vowel of a German stem bears the stress: the first, if its ending is not from abroad."""

from __future__ import annotations

import re

_UNSTRESSED_IE = re.compile(
    "(?:famil|^lin|^ser|^akt|^fol|stud|lil|präm|komöd|tragöd|petersil|best|histor|mater|arter|host)"
    "ie[ns]?$"
)
_IER = re.compile("(?:[lndbtrsgcm](?<!schr)(?<!kn)ien|iers?n?)$")
_STRESSED_IER = re.compile(
    "(?:pap|klav|turn|rev|quart|offiz|kaval|juwel|man|passag|pion|tap|barb|pan|^[^aeiouyäöü]*)iers?$"
)
_IEN = re.compile(
    "(?:log|graf|graph|nom|soph|kop|theor|adem|chem|industr|dynast|melod|batter|galer|part|energ|"
    "strateg|therap|garant|krat|kolon|fantas|biograf)ien"
)
_ENDINGS = [
    re.compile(pattern)
    for pattern in (
        "(ie)r(?:en|t|te|ten|ter|tes|tem|ung|ungen|ungs|end|ende[nrsm]?)$",
        "i(o)n(?:en|s|är\\w*)?$",
        "i(o)nal\\w*$",
        "t(ä)t(?:en|s)?$",
        "(i)sm(?:us|en)$",
        "(i)st(?:en|in|innen)?$",
        "(a)nt(?:en|in|innen|e|er|es)?$",
        "(?<!öff)(?<!wes)(?<!eig)(?<!leg)(?<!hoff)(?<!ord)(?<!wöch)(?<!seh)"
        "(e)nt(?:en|in|innen|e|er|es|s)?$",
        "([ae])nz(?:en)?$",
        "(?<!s)(a)l(?:e|en|er|es|em|s)?$",
        "(e)ll(?:e|en|er|es|em|s)?$",
        "(e)tt(?:e|en|s)?$",
        "(i)v(?:e|en|er|es|em|s)?$",
        "(ö)s(?:e|en|er|es|em)?$",
        "(?:mus|polit|fabr|krit|mathemat|phys|kathol|publ|rubr|repl)(i)k(?:en|s)?$",
        "(?:t|nat|fig|kult|mix|frakt|tort|prokt|zens)(u)r(?:en|s)?$",
        "(eu)r(?:e|s|en|in)?$",
        "(?<!herz)(o)g(?:e|en|in|s)?$",
        "(?<!mon)(?<!heim)(a)t(?:e|en|s|es)?$",
        "(a)de(?:n|s)?$",
        "(ei)(?:en)?$",
        "(o)ren$|(o)rin(?:nen)?$",
        "(?:mediz|term|masch|kab|rout|diszipl|benz|doktr|vitam|mar|ru)(i)n(?:e|en|s)?$",
        "(?<!nu)(?<!bru)(?:[aeiouäöü].*){2}(a)r(?:e|en|s)?$",
        "(ä)r(?:e|en|er|es|s)?$",
        "(?:instit|stat|min|absol|sal|trib|rekr)(u)t(?:e|en|s)?$",
        "(?:pers|kant|kan|patr|kof|gaf|lef|horm)(o)n(?:e|en|s)?$",
        "gr(a)(?:f|ph|mm)(?:e|en|s)?$",
        "pers(ö)n$",
        "(?:probl|syst|extr)(e)m(?:e|en|s)?$",
        "(?:n|dipl|sympt|at|phant)(o)m(?:e|en|s)?$",
        "(e)[kpx]t(?:e|en|s)?$",
        "(e)(?:ss|x)(?:e|en|er)?$",
        "m(e)ter[ns]?$",
        "el(e)ktr",
        "kal(e)nder",
        "parall(e)l",
        "th(e)k(?:e|en)?$",
        "sk(o)p(?:e|en|s)?$",
        "(?:transp|exp|imp|konz|rapp)([oe])rt(?:e|en|s)?$",
        "milli(a)rd(?:e|en)$",
        "(?:pil|idi|chaot)(o)t(?:e|en)?$",
        "(?:plan|athl|kom|po|proph|magn|pak|alphab|diskr|konkr|kompl)(e)tt?(?:e|en|er|s)?$",
        "(i)t(?:e|en|s)?$",
    )
]
"""Endings from other languages that bear the stress, on the vowel in brackets."""
_BEFORE = re.compile(
    "(?:isch(?:e[nrsm]?|ste[nrsm]?)?|iker(?:s|n|in|innen)?|i(?:en|um|us|a|o|er|ern)s?)$"
)
"""Endings that are stressed on the vowel before them."""
_PENULT = re.compile("(?:[aouiy]|us|(?<!t)um|as|os|is|on|ors?)$")


def stressed(text: str, vowels: list[int]) -> int:
    """Which of the vowels that begin at `vowels` bears the stress.

    >>> stressed("nation", [1, 4]), stressed("straße", [3, 5])
    (1, 0)
    """
    last = len(vowels) - 1
    if last == 0 or _STRESSED_IER.search(text):
        return last
    if text.endswith("ie") and not _UNSTRESSED_IE.search(text):
        return last
    for pattern in _ENDINGS:
        if match := pattern.search(text):
            place = next(match.start(n) for n in range(1, len(match.groups()) + 1) if match[n])
            if place in vowels:
                return vowels.index(place)
    if match := _BEFORE.search(text):
        before = sum(start < match.start() for start in vowels)
        if before == 1 or (before and not re.search("[^i]e[rl]isch", text)):
            return before - 1
    if last > 1 and _PENULT.search(text):
        return last - 1 if last < 3 or text[vowels[-2]] != "e" else last - 2
    return 0


def falls_apart(text: str) -> bool:
    """Whether the `ie` at the end of a stem is two vowels: `Spanien`, `Familie`, `Spanier`."""
    if _STRESSED_IER.search(text):
        return False
    return bool(_UNSTRESSED_IE.search(text) or (_IER.search(text) and len(text) > 4))


def stressed_plural(text: str) -> bool:
    """Whether `-ien` is the plural of a stressed `-ie`: `Theorien`."""
    return text.endswith("ien") and bool(_IEN.search(text))
