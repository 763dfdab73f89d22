"""Numbers in words: German. A number below a million is one word."""

from __future__ import annotations

from audiopipe.text.letters import listed

_ONES = listed(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
    "fünfzehn sechzehn siebzehn achtzehn neunzehn"
)
_TENS = listed("null zehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
_SCALES = ("Million", "Milliarde", "Billion", "Billiarde", "Trillion", "Trilliarde")


def cardinal(number: str, one: str = "eins") -> list[str]:
    """The words of a whole number of any length; `one` is what stands for a 1 by itself.

    >>> " ".join(cardinal("1234")), " ".join(cardinal("2000021"))
    ('tausendzweihundertvierunddreißig', 'zwei millionen einundzwanzig')
    """
    number = number.lstrip("0") or "0"
    if len(number) > 24:
        return digits(number)
    if number == "1":
        return [one]
    words: list[str] = []
    head, tail = number[:-6], int(number[-6:])
    groups = [head[max(0, end - 3) : end] for end in range(len(head), 0, -3)][::-1]
    for place, group in enumerate(groups):
        if count := int(group):
            scale = _SCALES[len(groups) - 1 - place].lower()
            more = scale + ("n" if scale.endswith("e") else "en")
            words += ["eine", scale] if count == 1 else [_below_million(count), more]
    if tail or not words:
        words.append(_below_million(tail))
    return words


def _below_million(number: int) -> str:
    if number < 1000:
        return _below_thousand(number)
    thousands, rest = divmod(number, 1000)
    head = (
        ""
        if thousands == 1
        else _below_thousand(thousands).removesuffix("s")
        if (thousands % 100 == 1)
        else _below_thousand(thousands)
    )
    return f"{head}tausend{_below_thousand(rest) if rest else ''}"


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(number)
    head = "" if hundreds == 1 else _ONES[hundreds]
    return f"{head}hundert{_below_hundred(rest) if rest else ''}"


def _below_hundred(number: int) -> str:
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    if not ones:
        return _TENS[tens]
    return f"{'ein' if ones == 1 else _ONES[ones]}und{_TENS[tens]}"


def ordinal(number: str, ending: str = "e") -> list[str]:
    """The words of an ordinal, with its ending.

    >>> " ".join(ordinal("3") + ordinal("21", "en") + ordinal("101"))
    'dritte einundzwanzigsten hunderterste'
    """
    *words, last = cardinal(number)
    for stem, other in (("eins", "ers"), ("drei", "drit"), ("sieben", "sieb"), ("acht", "ach")):
        if last.endswith(stem) and int(number) % 100 < 20:
            last = last.removesuffix(stem) + other
    regular = int(number) % 100 < 20 and int(number) % 100 > 0
    return [*words, last + ("t" if regular else "st") + ending]


def digits(number: str) -> list[str]:
    """Each digit by itself."""
    return [_ONES[int(digit)] for digit in number]


def decimal(whole: str, fraction: str, one: str = "eins") -> list[str]:
    """A number with digits behind the comma; thousands may be grouped in `whole`.

    >>> " ".join(decimal("1.000", "05"))
    'tausend komma null fünf'
    """
    words = cardinal(whole.replace(".", "") or "0", "eins" if fraction else one)
    return [*words, "komma", *digits(fraction)] if fraction else words


def year(number: str) -> list[str]:
    """Years before 2000 are counted in hundreds.

    >>> year("1999"), year("2024"), year("1066")
    (['neunzehnhundertneunundneunzig'], ['zweitausendvierundzwanzig'], ['tausendsechsundsechzig'])
    """
    value = int(number)
    if not 1100 <= value < 2000:
        return cardinal(number)
    rest = value % 100
    return [f"{_ONES[value // 100]}hundert{_below_hundred(rest) if rest else ''}"]


def share(top: str, bottom: str) -> list[str]:
    """A fraction.

    >>> " ".join(share("3", "4") + share("1", "2"))
    'drei viertel ein halb'
    """
    count = cardinal(top, "ein")
    if int(bottom) == 2:
        return [*count, "halb" if int(top) == 1 else "halbe"]
    if 2 < int(bottom) <= 1000:
        return [*count, *ordinal(bottom, "el")]
    return [*count, "durch", *cardinal(bottom)]
