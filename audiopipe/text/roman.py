"""Roman numerals."""

from __future__ import annotations

import re

_WELL_FORMED = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def value(numeral: str) -> int | None:
    """The number that a well-formed Roman numeral stands for, or None.

    >>> value("XIV"), value("LVIII"), value("IIII"), value("ii")
    (14, 58, None, 2)
    """
    numeral = numeral.upper()
    if not numeral or not _WELL_FORMED.fullmatch(numeral):
        return None
    values = [_VALUES[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-v if v < after else v for v, after in zip(values, following, strict=True))
