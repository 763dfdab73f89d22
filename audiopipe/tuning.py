"""Pitch as musicians say it: note numbers, names, cents, tunings and temperaments.

A note has a number as in MIDI: 69 is A4, and a semitone is 1, so that a pitch between two notes
is a number between theirs. An octave has 1200 cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import log2
from typing import Literal, get_args

from audiopipe.errors import did_you_mean

A4 = 69
"""The number of the note that tunings start from."""
CONCERT = 440.0
"""The usual frequency of A4 in Hz."""

NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

Temperament = Literal["equal", "just", "pythagorean", "meantone", "werckmeister3", "kirnberger3"]
TEMPERAMENTS: tuple[str, ...] = get_args(Temperament)


def midi(hz: float, a4: float = CONCERT) -> float:
    """The number of a pitch.

    >>> midi(440.0), round(midi(261.6256), 3), midi(440.0, a4=220.0)
    (69.0, 60.0, 81.0)
    """
    return A4 + 12 * log2(hz / a4)


def hertz(number: float, a4: float = CONCERT) -> float:
    """The frequency of a number.

    >>> hertz(69), round(hertz(60), 4)
    (440.0, 261.6256)
    """
    return float(a4 * 2 ** ((number - A4) / 12))


def cents(hz: float, reference: float) -> float:
    """How far one pitch lies above another.

    >>> cents(880.0, 440.0), round(cents(439.0, 440.0), 2)
    (1200.0, -3.94)
    """
    return 1200 * log2(hz / reference)


def name(number: int) -> str:
    """The name of a note.

    >>> name(69), name(60), name(22), name(-1)
    ('A4', 'C4', 'A♯0', 'B-2')
    """
    return f"{NAMES[number % 12]}{number // 12 - 1}"


def note_name(hz: float, a4: float = CONCERT) -> str:
    """The nearest note, with the deviation from it in cents.

    >>> note_name(440.0), note_name(262.5), note_name(439.24)
    ('A4 +0', 'C4 +6', 'A4 -3')
    """
    exact = midi(hz, a4)
    return f"{name(round(exact))} {round(100 * (exact - round(exact))):+d}"


def pitch_class(text: str) -> int:
    """The number of a note's name within its octave; raises ValueError.

    >>> pitch_class("C"), pitch_class("f#"), pitch_class("B♭"), pitch_class("eb")
    (0, 6, 10, 3)
    """
    letter, sign = text[:1].upper(), text[1:]
    if letter not in NAMES or sign not in ("", "#", "♯", "b", "♭"):
        spelled = text.replace("#", "♯")
        raise ValueError(f"{text!r} is no note; {did_you_mean(spelled, NAMES)}")
    return (NAMES.index(letter) + {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(sign, 0)) % 12


# A temperament is made of twelve fifths, from C upwards: C-G, G-D, D-A, A-E, E-B, B-F♯, F♯-C♯,
# C♯-G♯, G♯-E♭, E♭-B♭, B♭-F, F-C. Together they are seven octaves, of which twelve pure ones are
# too many by a Pythagorean comma; so some are narrower, and one takes what remains.

PURE = cents(3, 2)
PYTHAGOREAN_COMMA = 12 * PURE - 7 * 1200
SYNTONIC_COMMA = 4 * PURE - 2 * 1200 - cents(5, 4)
WOLF = 8
"""The fifth G♯-E♭."""

# C, C♯ and so on over the tonic, as ratios of whole numbers of which 5 is the largest prime.
_JUST = ("1/1", "16/15", "9/8", "6/5", "5/4", "4/3", "45/32", "3/2", "8/5", "5/3", "9/5", "15/8")


def _scale(narrowed: Mapping[int, float], rest: int) -> tuple[float, ...]:
    """The twelve degrees in cents, with fifths that are so much narrower, by their place."""
    fifths = [PURE - narrowed.get(place, 0.0) for place in range(12)]
    fifths[rest] += 7 * 1200 - sum(fifths)
    degrees = [0.0] * 12
    for place in range(11):
        degrees[7 * (place + 1) % 12] = (degrees[7 * place % 12] + fifths[place]) % 1200
    return tuple(degrees)


DEGREES: Mapping[str, tuple[float, ...]] = {
    "equal": tuple(100.0 * degree for degree in range(12)),
    "just": tuple(cents(float(Fraction(ratio)), 1) for ratio in _JUST),
    "pythagorean": _scale({}, WOLF),
    # Four fifths make a pure third.
    "meantone": _scale(dict.fromkeys(range(12), SYNTONIC_COMMA / 4), WOLF),
    "werckmeister3": _scale(dict.fromkeys((0, 1, 2, 5), PYTHAGOREAN_COMMA / 4), WOLF),
    # What remains is a schisma, between F♯ and C♯.
    "kirnberger3": _scale(dict.fromkeys((0, 1, 2, 3), SYNTONIC_COMMA / 4), 6),
}
"""Each temperament's twelve degrees above its tonic, in cents."""


@dataclass(frozen=True)
class Heard:
    """A pitch as a tuner says it: the nearest note, and how many cents above that it is."""

    number: int
    cents: float

    @property
    def name(self) -> str:
        return name(self.number)

    def __str__(self) -> str:
        return f"{self.name} {self.cents:+.0f} cents"


@dataclass(frozen=True)
class Tuning:
    """Where the notes are: A4 in Hz, and a temperament over a tonic, which is 0 for C.

    A4 is that frequency in all temperaments, whatever the tonic.

    >>> print(Tuning().hear(439.24))
    A4 -3 cents
    >>> print(Tuning(a4=415.0).hear(440.0))
    A♯4 +1 cents
    >>> round(Tuning(temperament="just").hertz(60), 2)  # a pure sixth below 440 Hz
    264.0
    """

    a4: float = CONCERT
    temperament: Temperament = "equal"
    tonic: int = 0

    def offset(self, number: int) -> float:
        """How many cents a note lies above where it is in the equal temperament."""
        degrees = DEGREES[self.temperament]

        def above(note: int) -> float:
            degree = (note - self.tonic) % 12
            return degrees[degree] - 100 * degree

        return above(number) - above(A4)

    def hertz(self, number: int) -> float:
        """The frequency of a note."""
        return hertz(number + self.offset(number) / 100, self.a4)

    def hear(self, hz: float) -> Heard:
        """The nearest note of this tuning."""
        exact = midi(hz, self.a4)

        def deviation(number: int) -> float:
            return 100 * (exact - number) - self.offset(number)

        nearest = min(range(round(exact) - 1, round(exact) + 2), key=lambda n: abs(deviation(n)))
        return Heard(nearest, deviation(nearest))
