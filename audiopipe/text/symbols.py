"""Signs, punctuation and emoji."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from audiopipe.text import emoji
from audiopipe.text.reading import Context, Piece, Rule, rule


@dataclass(frozen=True)
class Signs:
    """How a language says signs: those that are always said, and those that depend."""

    always: dict[str, str]
    less: str
    more: str
    plus: str
    minus: str
    times: str
    power: str
    about: str
    number: str
    over: str
    per: str
    periods: str
    """What may stand behind the slash of "$5/month", as alternatives of a pattern."""
    emoji: Callable[[str], list[str]]
    emoticon: Callable[[str], str]


def pictures(signs: Signs) -> tuple[Rule, ...]:
    """The rules for emoji, which may look like punctuation."""

    @rule(emoji.EMOJI.pattern)
    def picture(match: re.Match[str], context: Context) -> list[Piece]:
        return [Piece(match.start(), match.end(), tuple(signs.emoji(match["one"])))]

    @rule(emoji.EMOTICON.pattern)
    def emoticon(match: re.Match[str], context: Context) -> list[Piece] | None:
        before = context.left(match.start())
        if before and before[-1].isalnum() and match[0][0] != ":":
            return None
        if before.count("(") > before.count(")") and match[0].endswith(")"):
            return None
        said = signs.emoticon(match[0]).split()
        return [Piece(match.start(), match.end(), tuple(said))]

    return (emoticon, picture)


def rules(signs: Signs) -> tuple[Rule, ...]:
    """The rules for signs of arithmetic and other signs that are said, and for punctuation."""
    longest = sorted(signs.always, key=len, reverse=True)

    @rule(r"(?P<sign>[<>])(?=\s*[\w.-])")
    def compared(match: re.Match[str], context: Context) -> list[str] | None:
        if not re.search(r"[\w)]\s*$", context.left(match.start())[-9:]):
            return None
        return (signs.less if match["sign"] == "<" else signs.more).split()

    @rule(r"\+(?=\s*[\w(√])")
    def plus(match: re.Match[str], context: Context) -> list[str]:
        return [signs.plus]

    @rule(r"[-−–](?=\s*[\w(√])")
    def minus(match: re.Match[str], context: Context) -> list[str] | None:
        return [signs.minus] if match[0] == "−" or _calculated(match, context) else None

    @rule(r"\*(?=\s?\d)")
    def times(match: re.Match[str], context: Context) -> list[str] | None:
        before = context.left(match.start())[-2:]
        return [signs.times] if re.search(r"\d\s?$", before) else None

    @rule(r"\^\s?(?=[\w(-])")
    def power(match: re.Match[str], context: Context) -> list[str]:
        return signs.power.split()

    @rule(r"[~∼](?=\s?[\d$€£])")
    def about(match: re.Match[str], context: Context) -> list[str]:
        return [signs.about]

    @rule(r"#\s?(?=\d)")
    def number(match: re.Match[str], context: Context) -> list[str]:
        return [signs.number]

    @rule(r"/(?=\d)")
    def over(match: re.Match[str], context: Context) -> list[str] | None:
        return [signs.over] if context.left(match.start())[-1:].isdigit() else None

    @rule(rf"/(?=\s?(?:{signs.periods})\b)")
    def per(match: re.Match[str], context: Context) -> list[str] | None:
        return [signs.per] if context.left(match.start())[-1:].isalnum() else None

    @rule("|".join(map(re.escape, longest)))
    def sign(match: re.Match[str], context: Context) -> list[Piece] | None:
        if match[0].isalpha() and context.right(match.end())[:1].isalpha():
            return None
        return [Piece(match.start(), match.end(), tuple(signs.always[match[0]].split()))]

    return (compared, plus, minus, times, power, about, number, over, per, sign, *_PUNCTUATION)


def _calculated(match: re.Match[str], context: Context) -> bool:
    """Whether a hyphen between spaces is a minus: it stands between terms, in a formula."""
    before, behind = context.left(match.start()), context.right(match.end())
    terms = re.search(r"(?:\d|(?<!\w)[a-zA-Z]|[²³)])\s+$", before) and re.match(
        r"\s+(?:\d|[a-zA-Z](?!\w)|\()", behind
    )
    return bool(terms and re.search(r"[=+×÷<>²³√]", before + behind))


@rule(r"\.{2,}|…+\.?")
def _ellipsis(match: re.Match[str], context: Context) -> list[Piece]:
    return [Piece(match.start(), match.end(), mark="…")]


_MARKS = {"。": ".", "？": "?", "！": "!", "⁉": "?", "‼": "!", "‽": "?", "¿": "", "¡": ""}


@rule(r"[.?!‼⁉‽。？！][?!.]*")
def _stop(match: re.Match[str], context: Context) -> list[Piece]:
    """Of several marks the question wins; a full stop within a word is none."""
    found = {_MARKS.get(char, char) for char in match[0]}
    mark = next(char for char in "?!." if char in found)
    behind = context.right(match.end())
    inside = mark == "." and behind[:1].isalnum() and not re.match(r"[A-Z][a-z]", behind)
    return [Piece(match.start(), match.end(), mark="" if inside else mark)]


@rule(r"[,;:，；：、]")
def _comma(match: re.Match[str], context: Context) -> list[Piece]:
    mark = {"，": ",", "；": ";", "：": ":", "、": ","}.get(match[0], match[0])
    return [Piece(match.start(), match.end(), mark=mark)]


@rule(r"-{2,}|[—―]|(?<=\s)[-–](?=\s)")
def _dash(match: re.Match[str], context: Context) -> list[Piece]:
    return [Piece(match.start(), match.end(), mark="—")]


@rule(r"[(\[{)\]}|\n]")
def _bracket(match: re.Match[str], context: Context) -> list[Piece]:
    return [Piece(match.start(), match.end(), mark=",")]


_PUNCTUATION: tuple[Rule, ...] = (_ellipsis, _stop, _comma, _dash, _bracket)
