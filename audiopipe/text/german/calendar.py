"""Dates, times of day and years: German."""

from __future__ import annotations

import re

from audiopipe.text.german.numbers import cardinal, ordinal, year
from audiopipe.text.letters import listed, vocabulary
from audiopipe.text.reading import Context, Piece, Rule, rule, whole

MONTHS = listed(
    "januar februar märz april mai juni juli august september oktober november dezember"
)
DAYS = listed("montag dienstag mittwoch donnerstag freitag samstag sonntag")

_MONTH = (
    r"(?P<month>Jan(?:uar|\.)|Feb(?:ruar|\.)|März|Mrz\.|Apr(?:il|\.)|Mai|Juni|Juli|Jun\.|Jul\.|"
    r"Aug(?:ust|\.)|Sept?(?:ember|\.)|Okt(?:ober|\.)|Nov(?:ember|\.)|Dez(?:ember|\.))(?!\w)"
)
_YEAR = r"(?P<year>1\d{3}|20\d\d)(?![\d]|[.,]\d)"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])\."
_TO = r"\s?(?:[-–—])\s?"
_WEAK = vocabulary("am dem vom zum im beim den des einem jeden diesem ab bis seit der ersten") - {
    "der",
    "ersten",
    "bis",
}
"""Words behind which an ordinal ends in -en."""


def ending(before: str) -> str:
    """How an ordinal ends behind a word: "der erste", "am ersten", "ein erster"."""
    before = before.lower()
    if before in _WEAK or before in ("bis", "montags"):
        return "en"
    return "er" if before in ("", "ein", "kein", "mein") else "e"


def month(text: str) -> str:
    """The name of an abbreviated month."""
    text = "mär" if text.startswith(("Mrz", "Mär")) else text[:3].lower()
    return next(name for name in MONTHS if name.startswith(text))


@rule(_DAY + r"\s?" + _MONTH + r"(?:,?\s+" + _YEAR + ")?")
def _named(match: re.Match[str], context: Context) -> list[Piece]:
    before = context.before(match.start())
    form = "er" if before.lower().rstrip(".,") in (*DAYS, *_SHORT) else ending(before)
    said = [*ordinal(match["day"], form), month(match["month"])]
    return whole(match, said + (year(match["year"]) if match["year"] else []))


@rule(_DAY + r"\s?(?P<month>0?[1-9]|1[0-2])\.(?:\s?(?P<year>\d{4}|\d\d)(?![\d.,]\d|\d))?(?!\d)")
def _numbered(match: re.Match[str], context: Context) -> list[Piece]:
    form = ending(context.before(match.start()))
    named = MONTHS[int(match["month"]) - 1]
    said = [*ordinal(match["day"], form), named]
    if match["year"]:
        said += year(match["year"]) if len(match["year"]) == 4 else cardinal(match["year"])
    return whole(match, said)


@rule(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)(?!\d)")
def _iso(match: re.Match[str], context: Context) -> list[str]:
    form = ending(context.before(match.start()))
    return [*ordinal(match["day"], form), MONTHS[int(match["month"]) - 1], *year(match["year"])]


@rule(r"(?:Jan|Feb|Mrz|Apr|Jun|Jul|Aug|Sept?|Okt|Nov|Dez)\.")
def _month_alone(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [month(match[0])])


_SHORT = {"mo": 0, "di": 1, "mi": 2, "do": 3, "fr": 4, "sa": 5, "so": 6}
_WEEKDAY = r"(Mo|Di|Mi|Do|Fr|Sa|So)"


@rule(_WEEKDAY + r"\.?" + r"(?P<to>\s?[-–—]\s?|\s?bis\s)" + _WEEKDAY + r"\b\.?")
def _days(match: re.Match[str], context: Context) -> list[Piece]:
    return whole(match, [DAYS[_SHORT[match[1].lower()]], "bis", DAYS[_SHORT[match[3].lower()]]])


@rule(_WEEKDAY + r"(?:\.,?(?=\s\d)|(?=,\s(?:\d|den)))")
def _day(match: re.Match[str], context: Context) -> list[Piece]:
    comma = match[0].endswith(",")
    stop = match.end() - (1 if comma else 0)
    return [Piece(match.start(), stop, (DAYS[_SHORT[match[1].lower()]],))]


def _hour(text: str) -> list[str]:
    return cardinal(text, "ein")


_CLOCK = r"(?P<hour>[01]?\d|2[0-4])(?:[:.](?P<minute>[0-5]\d))"


@rule(
    r"(?P<first>[01]?\d|2[0-4])(?:[:.](?P<minute>[0-5]\d))?"
    + _TO
    + r"(?P<last>[01]?\d|2[0-4])(?:[:.](?P<end>[0-5]\d))?\s?Uhr\b"
)
def _hours(match: re.Match[str], context: Context) -> list[str]:
    said = _hour(match["first"]) if not match["minute"] else clock(match["first"], match["minute"])
    return [*said, "bis", *clock(match["last"], match["end"] or "0")]


@rule(_CLOCK + r"(?::(?P<second>[0-5]\d))?\s?(?:Uhr|h)\b|(?P<full>[01]?\d|2[0-4])\s?Uhr\b")
def _clock(match: re.Match[str], context: Context) -> list[str]:
    if match["full"]:
        return clock(match["full"], "0")
    said = clock(match["hour"], match["minute"])
    return said + (["und", *cardinal(match["second"]), "sekunden"] if match["second"] else [])


@rule(r"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![:\d])")
def _plain_clock(match: re.Match[str], context: Context) -> list[str]:
    return clock(match["hour"], match["minute"])


def clock(hour: str, minute: str) -> list[str]:
    """A time of day.

    >>> " ".join(clock("17", "45"))
    'siebzehn uhr fünfundvierzig'
    """
    return [*_hour(hour), "uhr", *(cardinal(minute) if int(minute) else [])]


@rule(r"['’]?(?P<year>\d{2,4})er(?P<case>n)?(?:[-\s]?(?P<jahre>Jahren?)\b|(?!\w))")
def _decade(match: re.Match[str], context: Context) -> list[str]:
    text = match["year"]
    *words, last = year(text) if len(text) == 4 else cardinal(text)
    return [
        *words,
        last + "er" + (match["case"] or ""),
        *([match["jahre"].lower()] if match["jahre"] else []),
    ]


@rule(_YEAR + _TO + r"(?P<last>1\d{3}|20\d\d|\d\d)(?![\d.,]\d|\d)")
def _years(match: re.Match[str], context: Context) -> list[str]:
    last = match["last"]
    return [*year(match["year"]), "bis", *(year(last) if len(last) == 4 else cardinal(last))]


_YEARLY = vocabulary(
    "jahr jahre jahres jahren seit anno um ab von bis sommer winter herbst frühling anfang "
    "mitte ende im in und"
) | frozenset(MONTHS)  # fmt: skip


@rule(_YEAR + r"(?!\s*[%°€$×]|[\w])")
def _year(match: re.Match[str], context: Context) -> list[str] | None:
    if context.before(match.start()).lower() in _YEARLY:
        return year(match["year"])
    following = context.after(match.end())
    return None if following[:1].isupper() else year(match["year"])


RULES: tuple[Rule, ...] = (
    _iso, _named, _numbered, _month_alone, _days, _day, _hours, _clock, _plain_clock, _decade,
    _years,
)  # fmt: skip
YEARS: tuple[Rule, ...] = (_year,)
