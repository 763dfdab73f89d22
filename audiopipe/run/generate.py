"""Test signals by their names: `tone 440 Hz 2 s`, `noise -20 dB 1 s`, `silence 1 s`."""

from __future__ import annotations

import re
from fractions import Fraction
from math import pi

import torch

from audiopipe.signals import Audio
from audiopipe.units import quantity

_FORMS = (
    "'tone 440 Hz 2 s', 'sweep 100 Hz 1 kHz 2 s', 'noise 1 s', 'click 1 s' or 'silence 1 s', "
    "with a level such as '-20 dB' if it is not to be -6 dB"
)
_UNITS = {
    "Hz": Fraction(1),
    "kHz": Fraction(1000),
    "dB": Fraction(1),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
}


def generate(text: str, rate: int = 48000) -> Audio:
    """Make a signal, mono, at `rate` Hz. The level in dB is that of the peak.

    Raises ValueError where the words are not understood.

    >>> generate("tone 440 Hz 0.5 s")
    Audio(1 channel, 24000 samples, 48000 Hz, 0.5 s)
    """
    kind, _, rest = text.strip().partition(" ")
    found: dict[str, list[float]] = {"Hz": [], "dB": [], "s": []}
    for number, unit in re.findall(r"([+-]?[\d.]+)\s*([A-Za-z]+)", rest):
        value = float(quantity(f"{number} {unit}", _UNITS, None))
        family = {"khz": "Hz", "hz": "Hz", "db": "dB"}.get(unit.lower(), "s")
        found[family].append(value)
    wanted = {"tone": 1, "sweep": 2, "noise": 0, "click": 0, "silence": 0}
    if kind not in wanted or len(found["Hz"]) != wanted[kind] or len(found["s"]) != 1:
        raise ValueError(f"cannot make {text!r}; write {_FORMS}")
    count = round(found["s"][0] * rate)
    time = torch.arange(count, dtype=torch.float64) / rate
    level = 10 ** ((found["dB"] or [-6.0])[0] / 20)
    if kind == "tone":
        wave = torch.sin(2 * pi * found["Hz"][0] * time)
    elif kind == "sweep":
        low, high = found["Hz"]
        wave = torch.sin(2 * pi * (low * time + (high - low) * time**2 / (2 * found["s"][0])))
    elif kind == "noise":
        wave = torch.rand(count, generator=torch.Generator().manual_seed(0)) * 2 - 1
    else:
        wave = torch.zeros(count)
        if kind == "click" and count:
            wave[count // 2] = 1
    return Audio(wave * level, rate)
