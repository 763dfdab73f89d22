"""Amounts: numbers, money, measures, ranges, fractions, telephone numbers: American English."""

from __future__ import annotations

import re
import unicodedata

from audiopipe.text.english.numbers import cardinal, decimal, digits, ordinal, pairs, share
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
    before = context.text[: match.start()]
    if before and not before[-1].isspace() and before[-1] not in "(=[<>≤≥±:":
        return None
    return ["plus" if sign == "+" else "minus", *said]


def _attributive(match: re.Match[str], context: Context) -> bool:
    """Whether what is measured follows: "a 5 km run", "a $5 bill"."""
    following = context.text[match.end() : match.end() + 2]
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
    if context.text[: match.start()].count('"') % 2:
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
    rf"(?:[\s-]{_UNIT})?"
)
def _share(match: re.Match[str], context: Context) -> list[str] | None:
    top, bottom, head = match["top"], match["bottom"], match["whole"]
    tail = unit(match["unit"], bool(head)) if match["unit"] else []
    if not int(bottom) or (head and int(top) >= int(bottom)):
        return None
    named = (top, bottom) in (("24", "7"), ("9", "11"), ("50", "50"), ("7", "11"), ("20", "20"))
    beat = bottom in ("4", "8", "2") and context.after(match.end()) in ("time", "beat", "meter")
    if not head and (named or beat or int(top) > int(bottom)):
        return cardinal(top) + cardinal(bottom) + tail
    if not head and int(bottom) in (10, 100, 5) and int(top) >= int(bottom) // 2:
        return [*cardinal(top), "out", "of", *cardinal(bottom), *tail]
    part = share(top, bottom)
    return (_mixed(head, part) if head else part) + tail


_SCORED = vocabulary("won lost beat win lose lead leads led tied tie score scored draw drew")


@rule(rf"(?P<first>{_NUMBER}){_TO}(?P<last>{_NUMBER})(?![-\d/]|\.\d)")
def _range(match: re.Match[str], context: Context) -> list[str] | None:
    first, last = match["first"], match["last"]
    if (first[0] == "0" or last[0] == "0") and len(first) > 1 and "." not in first + last:
        return None
    if context.before(match.start()).lower() in _SCORED or first == last:
        return number(first) + number(last)
    if re.search(r"\s", match[0]) and context.text[match.end() :].lstrip().startswith("="):
        return [*number(first), "minus", *number(last)]
    return [*number(first), "to", *number(last)]


@rule(r"(?P<first>\d+)\s?[x×]\s?(?P<last>\d+)(?:\s?[x×]\s?(?P<third>\d+))?(?!\w)")
def _by(match: re.Match[str], context: Context) -> list[str]:
    if context.text[match.start() :].startswith(f"{match['first']} ×"):
        return None  # type: ignore[return-value]
    sides = [side for side in (match["first"], match["last"], match["third"]) if side]
    said: list[str] = []
    for side in sides:
        said += (["by"] if said else []) + (pairs(side) if len(side) == 4 else cardinal(side))
    return said


@rule(r"(?P<number>\d+(?:\.\d+)?)[x×](?![\w])")
def _times(match: re.Match[str], context: Context) -> list[str]:
    return [*number(match["number"]), "times"]


@rule(r"(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)(?![a-z])", re.IGNORECASE)
def _ordinal(match: re.Match[str], context: Context) -> list[str]:
    return ordinal(match["number"].replace(",", ""))


@rule(r"(?P<number>\d{2,4}(?:\.\d)?|\d\.\d)K(?!\w)")
def _thousands(match: re.Match[str], context: Context) -> list[str]:
    return [*number(match["number"]), "thousand"]


@rule(r"(?P<number>\d{3,4})(?P<letter>[pi])(?!\w)")
def _lines(match: re.Match[str], context: Context) -> list[str]:
    return [*pairs(match["number"]), match["letter"].upper()]


_GROUPS = (
    r"\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){1,5}|"
    r"(?:1[-.\s])?\(\d{3}\)\s?\d{3}[-.\s]\d{4}|(?:1-)?\d{3}[-.]\d{3}[-.]\d{4}|\d{3}-\d{4}"
)


@rule(rf"(?:{_GROUPS})(?![\d-]|\.\d)")
def _phone(match: re.Match[str], context: Context) -> list[Piece] | None:
    if match[0][0] == "+" and sum(c.isdigit() for c in match[0]) < 8:
        return None
    pieces = []
    groups = list(re.finditer(r"\+?\d+", match[0]))
    for position, group in enumerate(groups):
        plus = ["plus"] if group[0][0] == "+" else []
        said = plus + digits(group[0].lstrip("+"))
        start, stop = match.start() + group.start(), match.start() + group.end()
        mark = "," if position < len(groups) - 1 else ""
        pieces.append(Piece(start, stop, tuple(said), mark))
    last = pieces[-1]
    pieces[-1] = Piece(last.start, match.end(), last.words)
    return pieces


@rule(r"(?P<number>\d{3})(?![\d.,:/-]*\d|\w)")
def _spelled(match: re.Match[str], context: Context) -> list[str] | None:
    before = context.before(match.start()).lower()
    if match["number"] == "911" or before in ("call", "dial", "text"):
        return digits(match["number"])
    if before in ("room", "flight", "highway", "route", "apartment", "suite", "channel", "area"):
        return pairs(match["number"])
    if match["number"] == "007":
        return ["double", "O", "seven"]
    return None


@rule(
    r"(?P<v>[vV]\.?\s?)?(?P<numbers>\d+(?:\.\d+){2,})(?!\d)|(?P<v1>[vV])(?P<one>\d+(?:\.\d+)?)(?!\w)"
)
def _version(match: re.Match[str], context: Context) -> list[str]:
    groups = (match["numbers"] or match["one"]).split(".")
    said = ["version"] if match["v"] or match["v1"] else []
    dot = "point"
    address = len(groups) == 4 and not said and all(int(g) < 256 for g in groups if len(g) < 4)
    if address:
        dot = "dot"
    for position, group in enumerate(groups):
        said += ([dot] if position else []) + (digits(group) if address else number(group))
    return said


@rule(_SIGNED + r"(?P<plus>\+(?!\w))?")
def _number(match: re.Match[str], context: Context) -> list[str] | None:
    said = _signed(match, context)
    return said + (["plus"] if match["plus"] else []) if said is not None else None


@rule(r"(?P<base>\d(?:\.\d+)?)[eE](?P<sign>[-+−]?)(?P<power>\d+)(?!\w)")
def _scientific(match: re.Match[str], context: Context) -> list[str]:
    sign = ["minus"] if match["sign"] in ("-", "−") and match["sign"] else []
    return [*number(match["base"]), "times", "ten", "to", "the", *sign, *cardinal(match["power"])]


BEFORE_DATES: tuple[Rule, ...] = (_phone, _version, _scientific, _hours)
RULES: tuple[Rule, ...] = (
    _money,
    _code,
    _feet,
    _inches,
    _measure,
    _vulgar,
    _share,
    _by,
    _times,
    _ordinal,
    _thousands,
    _lines,
    _spelled,
    _range,
)
NUMBERS: tuple[Rule, ...] = (_number,)
