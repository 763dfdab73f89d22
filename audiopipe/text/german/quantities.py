"""Amounts: numbers, money, measures, ranges, fractions, telephone numbers: German."""

from __future__ import annotations

import re
import unicodedata

from audiopipe.text.german.calendar import ending
from audiopipe.text.german.numbers import cardinal, decimal, digits, ordinal, share
from audiopipe.text.german.words import HEADS
from audiopipe.text.letters import vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule, whole

_NUMBER = r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?"
_SIGNED = rf"(?P<sign>[-−–+](?=\d))?(?P<number>{_NUMBER})"
_TO = r"\s?[-–—]\s?"

UNITS = {
    "km": "kilometer", "m": "meter", "cm": "zentimeter", "mm": "millimeter", "µm": "mikrometer",
    "kg": "kilogramm", "g": "gramm", "mg": "milligramm", "t": "tonnen", "l": "liter",
    "ml": "milliliter", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "B": "byte", "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "kbit/s": "kilobit pro sekunde", "Mbit/s": "megabit pro sekunde",
    "W": "watt", "kW": "kilowatt", "MW": "megawatt", "kWh": "kilowattstunden", "V": "volt",
    "kV": "kilovolt", "A": "ampere", "mA": "milliampere", "mAh": "milliamperestunden",
    "ms": "millisekunden", "s": "sekunden", "Sek.": "sekunden", "sek": "sekunden",
    "min": "minuten", "Min.": "minuten", "h": "stunden", "Std.": "stunden", "Std": "stunden",
    "dB": "dezibel", "LUFS": "lufs", "°C": "grad celsius", "° C": "grad celsius",
    "°F": "grad fahrenheit", "°": "grad", "%": "prozent", "‰": "promille", "ha": "hektar",
    "kcal": "kilokalorien", "kJ": "kilojoule", "hPa": "hektopascal", "bar": "bar", "PS": "P S",
    "px": "pixel", "fps": "bilder pro sekunde", "bpm": "schläge pro minute", "EL": "esslöffel",
    "TL": "teelöffel", "Stk.": "stück", "€": "euro", "$": "dollar", "£": "pfund", "¥": "yen",
    "EUR": "euro", "Euro": "euro", "USD": "U S dollar", "CHF": "schweizer franken", "ct": "cent",
    "Ct": "cent",
}  # fmt: skip
_SINGLE = {
    "stunden": "stunde", "minuten": "minute", "sekunden": "sekunde",
    "millisekunden": "millisekunde", "tonnen": "tonne", "kilowattstunden": "kilowattstunde",
    "kilokalorien": "kilokalorie",
}  # fmt: skip
_FEMININE = frozenset(_SINGLE.values())
_PER = {
    "h": "stunde", "s": "sekunde", "min": "minute", "m": "meter", "l": "liter", "kg": "kilogramm",
    "ml": "milliliter", "Tag": "tag", "Monat": "monat", "Jahr": "jahr", "Woche": "woche",
}  # fmt: skip
_MAGNITUDES = {
    "Tsd.": "tausend", "Mio.": "millionen", "Mio": "millionen", "Mrd.": "milliarden",
    "Mrd": "milliarden", "Bio.": "billionen", "Millionen": "millionen", "Milliarden": "milliarden",
    "Million": "million", "Milliarde": "milliarde",
}  # fmt: skip


def _either(words: dict[str, str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


_UNIT = rf"(?P<unit>(?:{_either(UNITS)})[²³]?(?:/(?:{_either(_PER)})[²³]?)?)(?![\w°²³/'’])"
_MAGNITUDE = rf"(?P<magnitude>{_either(_MAGNITUDES)})(?!\w)"


def number(text: str, one: str = "eins") -> list[str]:
    """A number as it is written: `1.234,5`.

    >>> " ".join(number("1.234,5"))
    'tausendzweihundertvierunddreißig komma fünf'
    """
    head, _, fraction = text.partition(",")
    if len(head) > 1 and head[0] == "0" and not fraction:
        return digits(head)
    return decimal(head, fraction, one)


def unit(symbol: str, single: bool) -> list[str]:
    """The words of a unit."""
    if symbol in UNITS:
        name = UNITS[symbol]
        return (_SINGLE.get(name, name) if single else name).split()
    head, _, per = symbol.partition("/")
    power = {"²": "quadrat", "³": "kubik"}.get(head[-1:], "")
    name = UNITS[head.rstrip("²³")]
    behind = ["pro", _PER[per.rstrip("²³")]] if per else []
    return [power + (_SINGLE.get(name, name) if single else name), *behind]


def _signed(match: re.Match[str], context: Context, one: str = "eins") -> list[str] | None:
    said = number(match["number"], one)
    if not match["sign"]:
        return said
    before = context.left(match.start())
    if before and not before[-1].isspace() and before[-1] not in "(=[<>≤≥±:":
        return None
    return ["plus" if match["sign"] == "+" else "minus", *said]


@rule(
    r"(?P<euro>\d+(?:\.\d{3})*),(?P<cent>\d\d)\s?(?P<currency>€|EUR|Euro|\$|£)(?!\w)"
    rf"(?:/(?P<per>{_either(_PER)})(?!\w))?"
)
def _price(match: re.Match[str], context: Context) -> list[str]:
    name = UNITS[match["currency"]]
    cents = cardinal(match["cent"]) if int(match["cent"]) else []
    per = ["pro", _PER[match["per"]]] if match["per"] else []
    if not int(match["euro"].replace(".", "")):
        return [*cents, "cent", *per]
    return [*number(match["euro"], "ein"), name, *cents, *per]


@rule(rf"(?P<number>{_NUMBER})\s?{_MAGNITUDE}(?:\s?(?P<currency>€|\$|£|EUR)(?!\w))?")
def _large(match: re.Match[str], context: Context) -> list[Piece]:
    name = _MAGNITUDES[match["magnitude"]]
    single = match["number"] == "1"
    if single:
        name = {"millionen": "million", "milliarden": "milliarde"}.get(name, name)
    money = UNITS[match["currency"]].split() if match["currency"] else []
    return whole(match, [*number(match["number"], "eine"), name, *money])


@rule(_SIGNED + rf"(?:(?P<to>{_TO})(?P<last>{_NUMBER}))?[\s-]?" + _UNIT)
def _measure(match: re.Match[str], context: Context) -> list[Piece] | None:
    single = match["number"] == "1" and not match["last"]
    named = unit(match["unit"], single)
    dative = context.before(match.start()).lower() in ("von", "mit", "aus", "bei", "nach", "zu")
    one = ("einer" if dative else "eine") if named[0] in _FEMININE else "einem" if dative else "ein"
    said = _signed(match, context, one)
    if said is None:
        return None
    return whole(match, said + (["bis", *number(match["last"])] if match["last"] else []) + named)


@rule(r"(?P<whole>\d+)?\s?(?P<part>[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])")
def _vulgar(match: re.Match[str], context: Context) -> list[str]:
    top, _, bottom = unicodedata.normalize("NFKD", match["part"]).partition("⁄")
    return _mixed(match["whole"], top, bottom)


@rule(r"(?:(?P<whole>\d+)\s)?(?P<top>\d{1,3})/(?P<bottom>\d{1,4})(?![\d/.]\d|/|\d)")
def _share(match: re.Match[str], context: Context) -> list[str] | None:
    top, bottom = match["top"], match["bottom"]
    if not int(bottom) or (match["whole"] and int(top) >= int(bottom)):
        return None
    if int(top) >= int(bottom) or (top, bottom) == ("24", "7"):
        return cardinal(top) + cardinal(bottom)
    if (
        (top, bottom) == ("1", "2")
        and not match["whole"]
        and context.after(match.end())[:1].isupper()
    ):
        return ["eine", "halbe"] if context.after(match.end()).endswith("e") else ["ein", "halber"]
    return _mixed(match["whole"], top, bottom)


def _mixed(number: str | None, top: str, bottom: str) -> list[str]:
    if number and (top, bottom) == ("1", "2"):
        return ["eineinhalb"] if number == "1" else [*cardinal(number), "einhalb"]
    return (cardinal(number) if number else []) + share(top, bottom)


@rule(rf"(?P<first>{_NUMBER}){_TO}(?P<last>{_NUMBER})(?![-\d/]|[.,]\d)")
def _range(match: re.Match[str], context: Context) -> list[str] | None:
    first, last = match["first"], match["last"]
    if first[0] == "0" and len(first) > 1:
        return None
    if re.search(r"\s", match[0]) and context.right(match.end()).lstrip().startswith("="):
        return [*number(first), "minus", *number(last)]
    return [*number(first), "bis", *number(last)]


@rule(r"(?P<first>\d+):(?P<last>\d+)(?![:\d])")
def _score(match: re.Match[str], context: Context) -> list[str]:
    return [*cardinal(match["first"]), "zu", *cardinal(match["last"])]


@rule(r"(?P<first>\d+)\s?[x×]\s?(?P<last>\d+)(?!\w)")
def _by(match: re.Match[str], context: Context) -> list[str]:
    return [*cardinal(match["first"]), "mal", *cardinal(match["last"])]


_ARTICLES = vocabulary("der die das am im zum vom")


@rule(r"(?P<number>\d{1,3})\.(?=\s+[^\W\d_])")
def _ordinal(match: re.Match[str], context: Context) -> list[str] | None:
    following = re.match(r"\s+([^\W\d_]+)", context.right(match.end()))
    before = context.before(match.start()).lower()
    if following is None or (
        following[1][0].islower() and before not in ("der", "die", "das", "am")
    ):
        return None
    if following[1].lower() in HEADS and before not in _ARTICLES:
        return None
    return ordinal(match["number"], ending(before))


_PHONE = r"\+\d{1,3}(?:[\s.-]?\(?\d{1,6}\)?){1,6}|0\d{2,5}[\s/-]{1,3}\d{2,}(?:[\s-]?\d{2,})*"


@rule(rf"(?:{_PHONE})(?![\d-]|[.,]\d)")
def _phone(match: re.Match[str], context: Context) -> list[Piece]:
    pieces = []
    groups = list(re.finditer(r"\+?\d+", match[0]))
    for position, group in enumerate(groups):
        plus = ["plus"] if group[0][0] == "+" else []
        start, stop = match.start() + group.start(), match.start() + group.end()
        final = position == len(groups) - 1
        said = (*plus, *digits(group[0].lstrip("+")))
        pieces.append(Piece(start, match.end() if final else stop, said, "" if final else ","))
    return pieces


@rule(r"(?P<v>[vV]\.?)?(?P<numbers>\d+(?:\.\d+){2,})(?!\d)")
def _version(match: re.Match[str], context: Context) -> list[str] | None:
    groups = match["numbers"].split(".")
    if not match["v"] and all(len(g) == 3 for g in groups[1:]):
        return None
    said = ["version"] if match["v"] else []
    for position, group in enumerate(groups):
        said += (["punkt"] if position else []) + number(group)
    return said


@rule(_SIGNED)
def _number(match: re.Match[str], context: Context) -> list[str] | None:
    return _signed(match, context)


BEFORE_DATES: tuple[Rule, ...] = (_phone,)
RULES: tuple[Rule, ...] = (
    _version,
    _price,
    _large,
    _measure,
    _vulgar,
    _share,
    _score,
    _by,
    _ordinal,
    _range,
)
NUMBERS: tuple[Rule, ...] = (_number,)
