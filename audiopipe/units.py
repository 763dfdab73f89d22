"""Quantities as people write them: `10 ms`, `44.1 kHz`, `-16 LUFS`, `-60 dB`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import core_schema

_QUANTITY = re.compile(r"^\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*([A-Za-zµ%]*)\s*$")


def quantity(
    text: str | float, units: dict[str, Fraction], default: str | None, *others: str
) -> Fraction:
    """Read a number with its unit, in terms of the unit whose factor is 1.

    Raises ValueError where the number or the unit is not understood; the message names the
    units, and `others` that the caller reads by itself.

    >>> quantity("44.1 kHz", {"Hz": Fraction(1), "kHz": Fraction(1000)}, "Hz")
    Fraction(44100, 1)
    """
    match = _QUANTITY.match(str(text)) if not isinstance(text, bool) else None
    known = ", ".join((*units, *others))
    if not match:
        raise ValueError(f"{text!r} is not a number with a unit ({known})")
    try:
        number = Fraction(Decimal(match[1]))
    except InvalidOperation:
        raise ValueError(f"{match[1]!r} is not a number") from None
    unit = match[2] or default
    if unit is None:
        raise ValueError(f"{text!r} has no unit; write one of {known}")
    exact = {name.lower(): factor for name, factor in units.items()}
    if unit.lower() not in exact:
        raise ValueError(f"unknown unit {unit!r} in {text!r}; write one of {known}")
    return number * exact[unit.lower()]


_SECONDS = {"s": Fraction(1), "ms": Fraction(1, 1000), "min": Fraction(60), "h": Fraction(3600)}


@dataclass(frozen=True)
class Span:
    """A stretch of time: seconds, or a number of samples where no unit is written.

    >>> Span.parse("10 ms").samples(44100), Span.parse(512).samples(44100)
    (441, 512)
    """

    amount: Fraction
    counted: bool

    @classmethod
    def parse(cls, value: object) -> Span:
        """Read `10 ms`, `0.5 s`, `2 min`, `512 samples` or 512; raises ValueError."""
        if isinstance(value, Span):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            span = cls(Fraction(value), counted=True)
        elif isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+)\s*(samples)?\s*", value)):
            span = cls(Fraction(match[1]), counted=True)
        elif isinstance(value, str):
            span = cls(quantity(value, _SECONDS, None, "samples"), counted=False)
        else:
            raise ValueError(f"{value!r} is not a time; write it as '10 ms' or '512 samples'")
        if span.amount < 0:
            raise ValueError(f"a time cannot be negative: {value!r}")
        return span

    def samples(self, rate: int) -> int:
        """The nearest whole number of samples at `rate` Hz."""
        exact = self.amount if self.counted else self.amount * rate
        return int(exact + Fraction(1, 2))

    def __str__(self) -> str:
        if self.counted:
            return f"{self.amount} samples"
        seconds = self.amount
        return f"{float(seconds * 1000):g} ms" if seconds < 1 else f"{float(seconds):g} s"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "string", "pattern": r"^\s*[\d.]+\s*(s|ms|min|h|samples)?\s*$"},
                {"type": "integer", "minimum": 0},
            ],
            "description": "a time, as in '10 ms', or a number of samples",
        }


def _unit(units: dict[str, Fraction], default: str, example: str) -> Any:
    def read(value: object) -> object:
        return float(quantity(value, units, default)) if isinstance(value, str) else value

    names = "|".join(units)
    return (
        BeforeValidator(read),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": rf"^\s*[+-]?[\d.]+\s*({names})?\s*$"},
                    {"type": "number"},
                ],
                "description": f"a number with its unit, as in '{example}'",
            }
        ),
    )


_HERTZ = _unit({"Hz": Fraction(1), "kHz": Fraction(1000)}, "Hz", "440 Hz")
_DECIBELS = _unit({"dB": Fraction(1), "dBFS": Fraction(1)}, "dB", "-60 dB")
_LUFS = _unit({"LUFS": Fraction(1), "LKFS": Fraction(1)}, "LUFS", "-16 LUFS")

Hertz = Annotated[float, *_HERTZ]
Rate = Annotated[int, *_HERTZ]
Decibels = Annotated[float, *_DECIBELS]
Loudness = Annotated[float, *_LUFS]
