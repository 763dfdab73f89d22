"""Numbers in words: American English."""

from __future__ import annotations

from audiopipe.text.letters import listed

_ONES = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = listed("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES = listed(
    "thousand million billion trillion quadrillion quintillion sextillion septillion "
    "octillion nonillion decillion"
)
_IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def cardinal(number: str) -> list[str]:
    """The words of a whole number of any length; what is too long is read digit by digit.

    >>> " ".join(cardinal("1234"))
    'one thousand two hundred thirty four'
    """
    number = number.lstrip("0") or "0"
    if len(number) > 36:
        return digits(number)
    if number == "0":
        return ["zero"]
    words: list[str] = []
    groups = [number[max(0, end - 3) : end] for end in range(len(number), 0, -3)][::-1]
    for place, group in enumerate(groups):
        if not int(group):
            continue
        words += _below_thousand(int(group))
        if scale := len(groups) - 1 - place:
            words.append(_SCALES[scale - 1])
    return words


def _below_thousand(number: int) -> list[str]:
    words = [_ONES[number // 100], "hundred"] if number >= 100 else []
    return words + (_below_hundred(number % 100) if number % 100 or not words else [])


def _below_hundred(number: int) -> list[str]:
    if number < 20:
        return [_ONES[number]]
    return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]


def ordinal(number: str) -> list[str]:
    """The words of an ordinal.

    >>> " ".join(ordinal("121"))
    'one hundred twenty first'
    """
    *words, last = cardinal(number)
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return [*words, last]


def digits(number: str) -> list[str]:
    """Each digit by itself.

    >>> digits("07")
    ['zero', 'seven']
    """
    return [_ONES[int(digit)] for digit in number]


def decimal(whole: str, fraction: str) -> list[str]:
    """A number with digits behind the point; thousands may be grouped in `whole`.

    >>> " ".join(decimal("3", "14"))
    'three point one four'
    """
    words = cardinal(whole.replace(",", "") or "0")
    return [*words, "point", *digits(fraction)] if fraction else words


def pairs(number: str) -> list[str]:
    """Three or four digits in the way of years, rooms and flights.

    >>> [" ".join(pairs(n)) for n in ("1999", "1905", "1900", "101")]
    ['nineteen ninety nine', 'nineteen oh five', 'nineteen hundred', 'one oh one']
    >>> [" ".join(pairs(n)) for n in ("2008", "2024")]
    ['two thousand eight', 'twenty twenty four']
    """
    left, right = int(number[:-2]), int(number[-2:])
    if number[0] == "0" or len(number) not in (3, 4):
        return digits(number)
    if left % 10 == 0 and right < 10:
        return cardinal(number)
    head = _below_hundred(left)
    if right == 0:
        return [*head, "hundred"]
    return [*head, "oh", _ONES[right]] if right < 10 else head + _below_hundred(right)


def plural(word: str) -> str:
    """More than one of a word for a number.

    >>> plural("ninety"), plural("six"), plural("fifth")
    ('nineties', 'sixes', 'fifths')
    """
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("x") else "s")


def share(top: str, bottom: str) -> list[str]:
    """A fraction.

    >>> " ".join(share("3", "4")), " ".join(share("1", "2")), " ".join(share("7", "100"))
    ('three quarters', 'one half', 'seven hundredths')
    """
    several = int(top) != 1
    if int(bottom) == 2:
        name = ["halves" if several else "half"]
    elif int(bottom) == 4:
        name = ["quarters" if several else "quarter"]
    elif 2 < int(bottom) <= 100 or bottom in ("1000", "1000000"):
        *words, last = ordinal(bottom)
        words = [] if words == ["one"] else words
        name = [*words, plural(last) if several else last]
    else:
        return [*cardinal(top), "over", *cardinal(bottom)]
    return cardinal(top) + name
