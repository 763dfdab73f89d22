"""The values of SSML's `prosody`, `emphasis` and `break`."""

from __future__ import annotations

import re
from dataclasses import replace
from math import log2

from audiopipe.errors import did_you_mean
from audiopipe.text.errors import TextError
from audiopipe.text.sentence import Delivery, Strength

_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}
_PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "default": 0.0, "high": 3.0, "x-high": 6.0}
_VOLUMES = {
    "silent": -100.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 4.0,
    "x-loud": 8.0,
}  # fmt: skip
_STRENGTHS = {
    "none": Strength.NONE,
    "x-weak": Strength.WEAK,
    "weak": Strength.WEAK,
    "medium": Strength.MEDIUM,
    "strong": Strength.STRONG,
    "x-strong": Strength.PARAGRAPH,
}
_EMPHASES = ("none", "reduced", "moderate", "strong")
_LONGEST = 60_000


def change(delivery: Delivery, what: str, value: str) -> Delivery:
    """A delivery changed by a value of SSML; raises TextError where that is not understood.

    >>> change(Delivery(rate=2.0), "rate", "50%").rate, change(Delivery(), "pitch", "+2st").pitch
    (1.0, 2.0)
    """
    value = value.strip()
    if what == "rate":
        return replace(delivery, rate=delivery.rate * _rate(value))
    if what == "pitch":
        return replace(delivery, pitch=delivery.pitch + _pitch(value))
    if what == "volume":
        return replace(delivery, volume=delivery.volume + _volume(value))
    if value not in _EMPHASES:
        raise TextError(f"the level {value!r} is not known; {did_you_mean(value, _EMPHASES)}")
    return replace(delivery, emphasis=value)  # type: ignore[arg-type]


def _rate(value: str) -> float:
    if value in _RATES:
        return _RATES[value]
    match = re.fullmatch(r"([+-]?)(\d+(?:\.\d+)?)(%?)", value)
    rate = 0.0
    if match and match[3]:
        rate = float(match[2]) / 100
        rate = 1 + rate if match[1] == "+" else 1 - rate if match[1] == "-" else rate
    elif match and not match[1]:
        rate = float(match[2])
    if not 0.2 <= rate <= 5:
        names = ", ".join(_RATES)
        raise TextError(
            f"the rate {value!r} is none; write 80%, +10%, or one of {names} (20% to 500%)"
        )
    return rate


def _pitch(value: str) -> float:
    if value in _PITCHES:
        return _PITCHES[value]
    if match := re.fullmatch(r"([+-]?\d+(?:\.\d+)?)st", value):
        pitch = float(match[1])
    elif (match := re.fullmatch(r"([+-]\d+(?:\.\d+)?)%", value)) and float(match[1]) > -100:
        pitch = 12 * log2(1 + float(match[1]) / 100)
    else:
        raise TextError(
            f"the pitch {value!r} is none; write +2st, -10%, or one of {', '.join(_PITCHES)}"
        )
    if abs(pitch) > 24:
        raise TextError(f"the pitch {value!r} is more than two octaves away; write at most 24st")
    return pitch


def _volume(value: str) -> float:
    if value in _VOLUMES:
        return _VOLUMES[value]
    match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)dB", value)
    if match is None or abs(float(match[1])) > 100:
        raise TextError(
            f"the volume {value!r} is none; write -6dB, or one of {', '.join(_VOLUMES)}"
        )
    return float(match[1])


def strength(value: str) -> Strength:
    """How deep a `break strength` is."""
    if value not in _STRENGTHS:
        raise TextError(f"the strength {value!r} is not known; {did_you_mean(value, _STRENGTHS)}")
    return _STRENGTHS[value]


def duration(value: str) -> int:
    """Milliseconds of a `break time`, at most a minute.

    >>> duration("1.5s"), duration("250ms")
    (1500, 250)
    """
    match = re.fullmatch(r"\+?(\d+(?:\.\d+)?)(s|ms)", value.strip())
    if match is None:
        raise TextError(f"the time {value!r} is none; write 500ms or 1.5s")
    milliseconds = round(float(match[1]) * (1000 if match[2] == "s" else 1))
    if milliseconds > _LONGEST:
        raise TextError(f"a pause of {value} is longer than a minute; write several, or mean 60s")
    return milliseconds
