"""SSML's `say-as`: what a text is, where its looks do not tell."""

from __future__ import annotations

import re

from audiopipe.text.language import Language
from audiopipe.text.reading import Context, scan

KINDS = (
    "cardinal", "number", "ordinal", "digits", "telephone", "characters", "spell-out", "verbatim",
    "date", "time", "fraction", "unit", "currency", "address",
)  # fmt: skip


def say_as(text: str, kind: str, detail: str, language: Language, context: Context) -> list[str]:
    """The words of a text of a certain kind; what does not fit the kind is read as usual."""
    digits = re.sub(r"\D", "", text)
    if kind in ("characters", "spell-out", "verbatim"):
        return _characters(text, language, context)
    if kind in ("digits", "telephone") and digits:
        return [word for char in text for word in _digit(char, language)]
    if kind in ("cardinal", "number") and re.fullmatch(r"\d+", digits) and "." not in text:
        sign = ["minus"] if text.lstrip().startswith(("-", "−")) else []
        return sign + language.cardinal(digits)
    if kind == "ordinal" and digits:
        return language.ordinal(digits)
    if kind == "date" and (iso := _iso(text, detail)):
        text = iso
    return [w for p in scan(Context(text, context.known), language.rules) for w in p.words]


def _digit(char: str, language: Language) -> list[str]:
    if char.isdigit() and char.isascii():
        return language.digits(char)
    return ["plus"] if char == "+" else [char.upper()] if char.isalpha() and char.isascii() else []


def _characters(text: str, language: Language, context: Context) -> list[str]:
    said: list[str] = []
    for char in text:
        if char.isascii() and char.isalpha():
            said.append(char.upper())
        else:
            inner = Context(char, context.known)
            said += [word for piece in scan(inner, language.rules) for word in piece.words]
    return said


def _iso(text: str, order: str) -> str | None:
    """A date whose order is told (`dmy`), as year, month, day."""
    parts = re.findall(r"\d+", text)
    if sorted(order) != ["d", "m", "y"] or len(parts) != 3:
        return None
    of = dict(zip(order, parts, strict=True))
    year = of["y"] if len(of["y"]) == 4 else "20" + of["y"].zfill(2)
    return f"{year}-{of['m']:0>2}-{of['d']:0>2}"
