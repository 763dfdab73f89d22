"""How well words are found in a stream: which are missed, which are heard that nobody said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain
from math import nan

from audiopipe.metrics.intervals import Interval, garwood, wilson
from audiopipe.signals import Detection, Detections

TOLERANCE = Fraction(1, 4)
"""Seconds by which the middle of an event may lie outside the word that it is to be."""

HOUR = 3600


@dataclass(frozen=True)
class Hit:
    """A word that was said, and the event that it gave."""

    word: Detection
    event: Detection


@dataclass(frozen=True)
class Spotting:
    """What became of the words in `duration` seconds of sound, all on one clock of `rate` Hz.

    Each word is found by one event at most, and each event finds one word at most: a word
    that is heard twice is a hit and a false alarm, one that is taken for another a miss and a
    false alarm.
    """

    hits: tuple[Hit, ...]
    missed: tuple[Detection, ...]
    false: tuple[Detection, ...]
    duration: Fraction
    rate: int

    @property
    def words(self) -> int:
        """The number of words that were said."""
        return len(self.hits) + len(self.missed)

    @property
    def false_rejects(self) -> float:
        """The share of words that were missed; nan of none."""
        return len(self.missed) / self.words if self.words else nan

    @property
    def false_rejects_interval(self) -> Interval:
        """Between which values that share lies, with 95 % confidence."""
        return wilson(len(self.missed), self.words)

    @property
    def hours(self) -> float:
        return float(self.duration / HOUR)

    @property
    def false_alarms_per_hour(self) -> float:
        """Events an hour that no word has; nan of no time."""
        return len(self.false) / self.hours if self.duration else nan

    @property
    def false_alarms_interval(self) -> Interval:
        """Between which values that rate lies, with 95 % confidence."""
        if not self.duration:
            return Interval(nan, nan)
        low, high = garwood(len(self.false))
        return Interval(low / self.hours, high / self.hours)

    def __add__(self, other: Spotting) -> Spotting:
        """Two recordings taken together; raises ValueError where their clocks differ."""
        if self.rate != other.rate:
            raise ValueError(f"clocks of {self.rate} Hz and {other.rate} Hz differ")
        return Spotting(
            self.hits + other.hits,
            self.missed + other.missed,
            self.false + other.false,
            self.duration + other.duration,
            self.rate,
        )


def spot(
    truth: Detections,
    found: Detections,
    duration: Fraction | int,
    tolerance: Fraction = TOLERANCE,
) -> Spotting:
    """Pair the words that were said with the events that were found in `duration` seconds.

    An event can be a word's if it has its label, and its middle lies within the word or at
    most `tolerance` seconds outside; of all ways to pair them, one with the most pairs is
    taken. Raises ValueError where the clocks differ.

    >>> said = Detections((Detection(0, 100, "go", 1.0), Detection(900, 990, "no", 1.0)), 100)
    >>> heard = Detections((Detection(20, 90, "go", 0.9), Detection(500, 560, "go", 0.6)), 100)
    >>> spotting = spot(said, heard, 3600)
    >>> spotting.false_rejects, spotting.false_alarms_per_hour
    (0.5, 1.0)
    """
    if truth.rate != found.rate:
        raise ValueError(f"clocks of {truth.rate} Hz and {found.rate} Hz differ")
    margin = round(tolerance * truth.rate)
    hits: list[Hit] = []
    missed: list[Detection] = []
    false: list[Detection] = []
    for label in sorted({event.label for event in chain(truth, found)}):
        words = [word for word in truth if word.label == label]
        events = [event for event in found if event.label == label]
        pairs = _pair(words, events, margin)
        hits += [Hit(words[w], events[e]) for w, e in pairs]
        taken, used = {w for w, _ in pairs}, {e for _, e in pairs}
        missed += [word for w, word in enumerate(words) if w not in taken]
        false += [event for e, event in enumerate(events) if e not in used]
    return Spotting(
        tuple(sorted(hits, key=lambda hit: hit.word.stop)),
        tuple(sorted(missed, key=_stop)),
        tuple(sorted(false, key=_stop)),
        Fraction(duration),
        truth.rate,
    )


def _stop(event: Detection) -> int:
    return event.stop


def _pair(
    words: Sequence[Detection], events: Sequence[Detection], margin: int
) -> list[tuple[int, int]]:
    """Pair as many words as can be with the middles of events.

    From left to right, each middle takes the open word that closes first: the word that the
    middles to come could use least.
    """
    coming = sorted(range(len(words)), key=lambda w: -words[w].start)
    open_words: list[tuple[int, int]] = []
    pairs = []
    for e in sorted(range(len(events)), key=lambda e: events[e].start + events[e].stop):
        middle = (events[e].start + events[e].stop) // 2
        while coming and words[coming[-1]].start - margin <= middle:
            w = coming.pop()
            heappush(open_words, (words[w].stop + margin, w))
        while open_words and open_words[0][0] < middle:
            heappop(open_words)
        if open_words:
            pairs.append((heappop(open_words)[1], e))
    return pairs
