"""Amounts: numbers, money, measures, ranges, fractions, telephone numbers: American English."""

from __future__ import annotations

import re
import unicodedata

from audiopipe.text.english.numbers import cardinal, decimal, digits, ordinal, pairs, plural, share
from audiopipe.text.english.units import CODES, MAGNITUDES, MONEY, PER, UNITS, unit
from audiopipe.text.letters import vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule, whole

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_SIGNED = rf"(?P<sign>[-−–+](?=\d|\.\d))?(?P<number>{_NUMBER}|\.\d+)"
_TO = r"\s?[-–—]\s?"
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅐⅑⅒"


def _either(words: object) -> str:
    return "|".join(re.escape(str(w)) for w in sorted(words, key=len, reverse=True))  # type: ignore[call-overload]


_PER = rf"(?:/(?:{_either(PER)})[²³]?)?"
_FULL_STOP = "".join(
    rf"(?<={unit})\.|" for unit in ("min", "sec", "hr", "hrs", "ft", "oz", "lb", "lbs")
)
_UNIT = rf"(?P<unit>(?:{_either(UNITS)})[²³]?{_PER})(?![\w°²³/'’])(?:{_FULL_STOP})"
_CURRENCY = rf"(?P<currency>{_either(MONEY)})"
_MAGNITUDE = rf"(?P<magnitude>{_either(MAGNITUDES)})(?![\w])"


def number(text: str) -> list[str]:
    """A number as it is written: `1,234.5`.

    >>> " ".join(number("1,234.5")), " ".join(number(".5")), " ".join(number("007"))
    ('one thousand two hundred thirty four point five', 'zero point five', 'zero zero seven')
    """
    head, _, fraction = text.partition(".")
    if len(head) > 1 and head[0] == "0" and not fraction:
        return digits(head)
    return decimal(head, fraction)


def _one(text: str) -> bool:
    return text.replace(",", "") == "1"


def _signed(match: re.Match[str], context: Context) -> list[str] | None:
    """The number of a match with its sign, if the sign is one."""
    sign = match["sign"]
    said = number(match["number"])
    if not sign:
        return said
    before = context.left(match.start())
    if before and not before[-1].isspace() and before[-1] not in "(=[<>≤≥±:":
        return None
    return ["plus" if sign == "+" else "minus", *said]


def _attributive(match: re.Match[str], context: Context) -> bool:
    """Whether what is measured follows: "a 5 km run", "a $5 bill"."""
    following = context.right(match.end())[:2]
    noun = re.match(r"[\s-][a-z]", following)
    return bool(noun) and context.before(match.start()).lower() in ("a", "an", "this", "another")


@rule(
    _CURRENCY + rf"\s?(?P<number>{_NUMBER})(?:{_TO}\$?(?P<last>{_NUMBER}))?"
    rf"(?:(?:\s|(?<=\d)){_MAGNITUDE})?(?P<per>/(?:{_either(PER)})\b)?"
)
def _money(match: re.Match[str], context: Context) -> list[str]:
    one, many, cent, cents = MONEY[match["currency"]]
    amount, last, magnitude = match["number"], match["last"], match["magnitude"]
    per = (
        ["per", *(UNITS[p][0].split() if (p := match["per"][1:]) in UNITS else [p])]
        if (match["per"])
        else []
    )
    if magnitude or last:
        said = number(amount) + (["to", *number(last)] if last else [])
        said += [MAGNITUDES[magnitude]] if magnitude else []
        single = _attributive(match, context)
        return said + (one if single else many).split() + per
    head, _, small = amount.partition(".")
    if len(small) != 2:
        single = _one(amount) or _attributive(match, context)
        return number(amount) + (one if single else many).split() + per
    said = (
        []
        if not int(head.replace(",", ""))
        else number(head) + (one if _one(head) else many).split()
    )
    if int(small):
        said += (
            (["and"] if said else []) + cardinal(small) + (cent if small == "01" else cents).split()
        )
    return (said or ["zero", *many.split()]) + per


@rule(rf"(?P<number>{_NUMBER})\s?(?:{_MAGNITUDE}\s)?(?P<code>{_either(CODES)})\b")
def _code(match: re.Match[str], context: Context) -> list[str]:
    one, many = CODES[match["code"]]
    magnitude = [MAGNITUDES[match["magnitude"]]] if match["magnitude"] else []
    single = _one(match["number"]) and not magnitude
    return number(match["number"]) + magnitude + (one if single else many).split()


@rule(r"(?P<feet>\d+)\s?['’′](?![A-Za-z])\s?(?:(?P<inches>\d{1,2}(?:\.\d+)?)\s?[\"”″])?")
def _feet(match: re.Match[str], context: Context) -> list[str]:
    name = "foot" if match["inches"] or _one(match["feet"]) else "feet"
    return [*cardinal(match["feet"]), name, *(number(match["inches"]) if match["inches"] else [])]


@rule(rf"(?P<number>{_NUMBER})[″”\"](?=\s?[x×]|\s[a-z])")
def _inches(match: re.Match[str], context: Context) -> list[str] | None:
    if context.left(match.start()).count('"') % 2:
        return None
    return [*number(match["number"]), "inch" if _one(match["number"]) else "inches"]


@rule(_SIGNED + rf"(?:(?P<to>{_TO})(?P<last>{_NUMBER}))?[\s-]?" + _UNIT)
def _measure(match: re.Match[str], context: Context) -> list[Piece] | None:
    said = _signed(match, context)
    if said is None:
        return None
    symbol, last = match["unit"], match["last"]
    if (
        symbol in ("m", "s", "h", "V", "W", "B", "L", "l", "cal")
        and context.text[match.start("unit") - 1] == "-"
    ):
        return None
    if match[0].endswith(("B", "M", "T")) and not last and symbol in ("B",):
        return None
    said += ["to", *number(last)] if last else []
    several = not (_one(last or match["number"]) and not match["sign"])
    several = several and not _attributive(match, context)
    several = several and "-" not in match[0][len(match["number"]) :].replace(match["to"] or "", "")
    return whole(match, said + unit(symbol, several))


@rule(r"(?P<h>\d{1,2})\s?h\s?(?P<m>\d{1,2})\s?m(?:in)?\b")
def _hours(match: re.Match[str], context: Context) -> list[str]:
    hours = [*cardinal(match["h"]), "hour" if _one(match["h"]) else "hours"]
    return [*hours, "and", *cardinal(match["m"]), "minute" if _one(match["m"]) else "minutes"]


def _fraction(char: str) -> list[str]:
    top, _, bottom = unicodedata.normalize("NFKD", char).partition("⁄")
    return share(top, bottom)


@rule(rf"(?P<whole>\d+)?\s?(?P<part>[{_VULGAR}])(?:[\s-]?{_UNIT})?")
def _vulgar(match: re.Match[str], context: Context) -> list[str]:
    part = _fraction(match["part"])
    mixed = _mixed(match["whole"], part) if match["whole"] else part
    return mixed + (unit(match["unit"], bool(match["whole"])) if match["unit"] else [])


def _mixed(number: str, part: list[str]) -> list[str]:
    return [*cardinal(number), "and", *(["a", "half"] if part == ["one", "half"] else part)]


@rule(
    r"(?:(?P<whole>\d+)[\s-])?(?P<top>\d{1,3})/(?P<bottom>\d{1,4})(?![\d/.]\d|/|\d)"
    rf"(?:[\s-]{_UNIT}|(?P<inch>[\"”″])(?=\s[a-z]))?"
)
def _share(match: re.Match[str], context: Context) -> list[str] | None:
    top, bottom, head = match["top"], match["bottom"], match["whole"]
    tail = unit(match["unit"], bool(head)) if match["unit"] else []
    tail = ["inch"] if match["inch"] else tail
    if not int(bottom) or (head and int(top) >= int(bottom)):
        return None
    counted = context.before(match.start()).lower() == "in" and context.after(match.end()) != "of"
    named = (top, bottom) in (("24", "7"), ("9", "11"), ("50", "50"), ("7", "11"), ("20", "20"))
    behind = context.after(match.end())
    beat = bottom in ("4", "8", "2") and (counted or behind in ("time", "beat", "meter"))
    if not head and (named or beat or int(top) > int(bottom)):
        return cardinal(top) + cardinal(bottom) + tail
    if not head and int(bottom) in (10, 100, 5) and int(top) >= int(bottom) // 2:
        return [*cardinal(top), "out", "of", *cardinal(bottom), *tail]
    part = share(top, bottom)
    return (_mixed(head, part) if head else part) + tail


_SCORED = vocabulary("won lost beat win lose lead leads led tied tie score scored draw drew")


@rule(r"(?P<top>\d{1,2}\.\d)/(?P<bottom>5|10|100)(?![\d/]|\.\d)")
def _grade(match: re.Match[str], context: Context) -> list[str]:
    return [*number(match["top"]), "out", "of", *cardinal(match["bottom"])]


@rule(rf"(?P<first>{_NUMBER}){_TO}(?P<last>{_NUMBER})(?![-\d/]|\.\d)")
def _range(match: re.Match[str], context: Context) -> list[str] | None:
    first, last = match["first"], match["last"]
    if (first[0] == "0" or last[0] == "0") and len(first) > 1 and "." not in first + last:
        return None
    if context.before(match.start()).lower() in _SCORED or first == last:
        return number(first) + number(last)
    if re.search(r"\s", match[0]) and context.right(match.end()).lstrip().startswith("="):
        return [*number(first), "minus", *number(last)]
    return [*number(first), "to", *number(last)]


@rule(
    r"(?P<first>\d+)\s?[x×]\s?(?P<last>\d+)(?:\s?[x×]\s?(?P<third>\d+))?(?!\w)"
    rf"(?:\s?{_UNIT})?"
)
def _by(match: re.Match[str], context: Context) -> list[str] | None:
    if context.text.startswith(f"{match['first']} ×", match.start()):
        return None
    sides = [side for side in (match["first"], match["last"], match["third"]) if side]
    said: list[str] = []
    for side in sides:
        said += (["by"] if said else []) + (pairs(side) if len(side) == 4 else cardinal(side))
    return said + (unit(match["unit"], True) if match["unit"] else [])


@rule(r"(?P<number>\d{1,3}(?:,000)+)s(?!\w)")
def _thousands_of(match: re.Match[str], context: Context) -> list[str]:
    *words, last = number(match["number"])
    return [*(words if words != ["one"] else []), plural(last)]


@rule(rf"(?P<number>{_NUMBER})\s?in\.(?=\s[a-z]|\s?[,x×)]|$)")
def _inches_named(match: re.Match[str], context: Context) -> list[Piece]:
    name = "inch" if _one(match["number"]) else "inches"
    return whole(match, [*number(match["number"]), name])


@rule(r"(?P<first>\d+):(?P<last>\d+)(?![:\d])")
def _ratio(match: re.Match[str], context: Context) -> list[str]:
    return [*cardinal(match["first"]), "to", *cardinal(match["last"])]


@rule(r"(?P<number>\d+(?:\.\d+)?)[x×](?![\w])")
def _times(match: re.Match[str], context: Context) -> list[str]:
    return [*number(match["number"]), "times"]


@rule(r"(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)(?![a-z])", re.IGNORECASE)
def _ordinal(match: re.Match[str], context: Context) -> list[str]:
    return ordinal(match["number"].replace(",", ""))


@rule(r"(?P<number>\d{2,4}(?:\.\d)?|\d\.\d)K(?!\w)")
def _thousands(match: re.Match[str], context: Context) -> list[str]:
    return [*number(match["number"]), "thousand"]


@rule(_SIGNED + r"(?P<plus>\+(?!\w))?")
def _number(match: re.Match[str], context: Context) -> list[str] | None:
    said = _signed(match, context)
    return said + (["plus"] if match["plus"] else []) if said is not None else None


RULES: tuple[Rule, ...] = (
    _hours,
    _thousands_of,
    _inches_named,
    _money,
    _code,
    _feet,
    _inches,
    _measure,
    _vulgar,
    _share,
    _grade,
    _by,
    _times,
    _ratio,
    _ordinal,
    _thousands,
    _range,
)
NUMBERS: tuple[Rule, ...] = (_number,)
