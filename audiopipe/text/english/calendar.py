"""Dates, times of day, years and decades: American English."""

from __future__ import annotations

import re

from audiopipe.text.english.numbers import cardinal, ordinal, pairs, plural
from audiopipe.text.letters import listed, vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule, whole

MONTHS = listed(
    "january february march april may june july august september october november december"
)
DAYS = listed("monday tuesday wednesday thursday friday saturday sunday")

_MONTH = (
    r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|"
    r"Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)(?![a-z])"
)
_YEAR = r"(?P<year>1[0-9]\d\d|20\d\d)(?!\d|[.,]\d)"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?!\d)"
_RANGE = r"\s*[-–—]\s*"

_YEARLY = vocabulary(
    "in since until till by of from before after during circa around about year years year's "
    "summer spring autumn fall winter early late mid and to class class's season edition "
    "january february march april may june july august september october november december"
)
"""Words that stand before a year."""

_FUNCTION = vocabulary(
    "and or but was is were are the a an in to when with for that which who it he she they we "
    "i had has have will would by of at on as after before since until there his her their "
    "our my you this these those if because while where from than then so not did does do "
    "only also through"
)
"""Lower-case words that may follow a year; behind another one a number counts something."""


def month(text: str) -> str:
    """The name of an abbreviated month.

    >>> month("Sept.")
    'september'
    """
    return next(name for name in MONTHS if name.startswith(text[:3].lower()))


def date(name: str, day: str, year: str | None) -> list[str]:
    """A date in words."""
    return [name, *ordinal(day), *(pairs(year) if year else [])]


@rule(
    _MONTH + r"\s+" + _DAY + r"(?:st|nd|rd|th)?\b(?!\s*(?:times|years|days|hours|%))"
    r"(?:(?P<to>" + _RANGE + r")(?P<last>[12]?\d|3[01])\b)?"
    r"(?:,?\s+" + _YEAR + r")?"
)
def _month_day(match: re.Match[str], context: Context) -> list[str] | None:
    said = date(month(match["month"]), match["day"], None)
    if match["to"]:
        said += ["to", *ordinal(match["last"])]
    return said + (pairs(match["year"]) if match["year"] else [])


@rule(_DAY + r"(?:st|nd|rd|th)?\s+(?:of\s+)?" + _MONTH + r"(?:,?\s+" + _YEAR + r")?")
def _day_month(match: re.Match[str], context: Context) -> list[Piece]:
    day = (
        ["the", *ordinal(match["day"])]
        if context.before(match.start()) != "the"
        else ordinal(match["day"])
    )
    year = pairs(match["year"]) if match["year"] else []
    return whole(match, [*day, "of", month(match["month"]), *year])


@rule(_MONTH + r"\s+" + _YEAR)
def _month_year(match: re.Match[str], context: Context) -> list[str]:
    return [month(match["month"]), *pairs(match["year"])]


@rule(r"(?P<year>\d{4})([-/.])(?P<month>0?[1-9]|1[0-2])\2" + _DAY)
def _iso(match: re.Match[str], context: Context) -> list[str]:
    return date(MONTHS[int(match["month"]) - 1], match["day"], match["year"])


@rule(r"(?P<month>0?[1-9]|1[0-2])([-/])" + _DAY + r"\2(?P<year>\d{4}|\d\d)(?!\d)")
def _slashed(match: re.Match[str], context: Context) -> list[str]:
    year = match["year"] if len(match["year"]) == 4 else "20" + match["year"]
    return date(MONTHS[int(match["month"]) - 1], match["day"], year)


@rule(r"(?P<month>0?[1-9]|1[0-2])/" + _DAY + r"(?![/\d])")
def _short(match: re.Match[str], context: Context) -> list[str] | None:
    if context.before(match.start()).lower() not in ("on", "until", "till", "since", "by", "due"):
        return None
    return date(MONTHS[int(match["month"]) - 1], match["day"], None)


@rule(r"(?P<month>Feb|Apr|Jul|Aug|Sept|Oct|Nov|Dec)\b\.?|(?:Jan|Mar|Jun|Sep)\.")
def _month_alone(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [month(match[0])])


_WEEKDAY = r"(Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)"


@rule(_WEEKDAY + r"\.?\s*[-–—]\s*" + _WEEKDAY + r"\b\.?")
def _days(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [_weekday(match[1]), "to", _weekday(match[2])])


@rule(_WEEKDAY + r"(?:\.(?=,|\s+(?:\d|[a-z]|[A-Z][a-z]{2}))|(?=,?\s+\d)|(?=,\s+[A-Z]))")
def _day(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [_weekday(match[1])])


def _weekday(text: str) -> str:
    return next(day for day in DAYS if day.startswith(text[:3].lower()))


_HALF = r"\s*(?P<half>[ap]\.\s?m\.|[ap]m\b|[AP]\.\s?M\.|[AP]M\b)"
_CLOCK = r"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![:\d])"


def clock(hour: str, minute: str | None, half: str | None) -> list[str]:
    """A time of day.

    >>> " ".join(clock("9", "05", None)), " ".join(clock("3", "00", "p.m."))
    ('nine oh five', 'three P M')
    """
    named = [half[0].upper(), "M"] if half else []
    number = int(minute or "0")
    if number == 0:
        if named or minute is None:
            return [*cardinal(hour), *named]
        return [*cardinal(hour), *(["hundred"] if int(hour) > 12 else ["o'clock"])]
    low = ["oh"] if number < 10 else []
    return [*cardinal(hour), *low, *cardinal(str(number)), *named]


@rule(r"(?P<h>\d{1,2}):(?P<m>[0-5]\d):(?P<s>[0-5]\d)(?![:\d])")
def _duration(match: re.Match[str], context: Context) -> list[str]:
    parts = [(match["h"], "hour"), (match["m"], "minute"), (match["s"], "second")]
    said = [[*cardinal(n), unit if int(n) == 1 else unit + "s"] for n, unit in parts if int(n)]
    if not said:
        return ["zero", "seconds"]
    *head, tail = said
    return [word for part in head for word in part] + (["and"] if head else []) + tail


@rule(
    _CLOCK.replace("hour", "hour1").replace("minute", "minute1")
    + "(?:"
    + _HALF.replace("half", "half1")
    + ")?"
    + _RANGE
    + _CLOCK
    + "(?:"
    + _HALF
    + ")?"
)
def _clock_range(match: re.Match[str], context: Context) -> list[Piece]:
    first = clock(match["hour1"], match["minute1"], match["half1"])
    return whole(match, [*first, "to", *clock(match["hour"], match["minute"], match["half"])])


@rule(
    r"(?P<hour1>1[0-2]|0?[1-9])(?:"
    + _HALF.replace("half", "half1")
    + ")?"
    + _RANGE
    + r"(?P<hour>1[0-2]|0?[1-9])"
    + _HALF
)
def _hour_range(match: re.Match[str], context: Context) -> list[Piece]:
    first = clock(match["hour1"], None, match["half1"])
    return whole(match, [*first, "to", *clock(match["hour"], None, match["half"])])


@rule(_CLOCK + "(?:" + _HALF + ")?")
def _clock(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, clock(match["hour"], match["minute"], match["half"]))


@rule(r"(?P<hour>1[0-2]|0?[1-9])" + _HALF)
def _hour(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, clock(match["hour"], None, match["half"]))


@rule(r"[ap]\.\s?m\.|[AP]\.\s?M\.")
def _half(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [match[0][0].upper(), "M"])


@rule(r"(?P<year>1[0-9]\d0|20\d0)['’]?s(?![\w])")
def _decade(match: re.Match[str], context: Context) -> list[str]:
    *words, last = pairs(match["year"])
    return [*words, plural(last)]


@rule(r"(?P<mark>['’‘])?(?P<tens>[1-9]0)(?P<own>['’])?s(?!\w)")
def _tens(match: re.Match[str], context: Context) -> list[str] | None:
    """Tens that are years or somebody's age; others are seconds."""
    before = context.before(match.start()).lower()
    if not (match["mark"] or match["own"]) and before not in _AGES:
        return None
    return [plural(cardinal(match["tens"])[0])]


_AGES = vocabulary("the in early late mid his her my their our your and or")


@rule(r"['’‘](?P<tens>\d\d)(?![\d\w])")
def _short_year(match: re.Match[str], context: Context) -> list[str] | None:
    return ["oh", *cardinal(match["tens"])] if match["tens"][0] == "0" else cardinal(match["tens"])


@rule(_YEAR + _RANGE + r"(?P<last>1[0-9]\d\d|20\d\d|\d\d)(?![\d.,]\d|\d)")
def _years(match: re.Match[str], context: Context) -> list[str] | None:
    last = match["last"]
    if len(last) == 4 and int(last) <= int(match["year"]):
        return None
    return [*pairs(match["year"]), "to", *(pairs(last) if len(last) == 4 else cardinal(last))]


_ERA = r"(?P<era>BCE?|CE|AD|B\.\s?C\.(?:\s?E\.)?|A\.\s?D\.|C\.\s?E\.)(?![A-Za-z])"


@rule(r"(?P<year>\d{1,4})\s*" + _ERA)
def _era(match: re.Match[str], context: Context) -> list[Piece]:
    letters = [c for c in match["era"] if c.isalpha()]
    year = match["year"]
    return whole(match, [*(pairs(year) if len(year) == 4 else cardinal(year)), *letters])


@rule(r"AD\s+(?P<year>\d{1,4})(?!\d)")
def _anno(match: re.Match[str], context: Context) -> list[str]:
    year = match["year"]
    return ["A", "D", *(pairs(year) if len(year) == 4 else cardinal(year))]


@rule(_YEAR + r"(?!\s*[%°×]|[\w])")
def _year(match: re.Match[str], context: Context) -> list[str] | None:
    year = match["year"]
    if context.left(match.start()).endswith(("$", "€", "£", "#", "+", "-")):
        return None
    if context.before(match.start()).lower().rstrip(".") in _YEARLY:
        return pairs(year)
    following = context.after(match.end())
    if following and following.islower() and following not in _FUNCTION:
        return None
    return pairs(year)


RULES: tuple[Rule, ...] = (
    _iso,
    _slashed,
    _short,
    _month_day,
    _day_month,
    _month_year,
    _month_alone,
    _days,
    _day,
    _duration,
    _clock_range,
    _hour_range,
    _clock,
    _hour,
    _half,
    _decade,
    _tens,
    _short_year,
    _years,
    _era,
    _anno,
)
YEARS: tuple[Rule, ...] = (_year,)
"""What is tried after quantities, which may be as large."""
