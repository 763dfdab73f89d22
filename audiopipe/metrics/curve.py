"""What a threshold costs: words that are missed against alarms that are false."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from audiopipe.metrics.spotting import TOLERANCE, Spotting, spot
from audiopipe.signals import Detections

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Point(NamedTuple):
    """What comes of a threshold: the share of words missed, and false alarms an hour."""

    threshold: float
    false_rejects: float
    false_alarms: float


@dataclass(frozen=True)
class Curve:
    """False rejects against false alarms, a point a threshold, in the order of the thresholds.

    >>> points = (Point(0.3, 0.02, 9.0), Point(0.5, 0.04, 1.0), Point(0.7, 0.2, 0.0))
    >>> Curve(points).missing_at_most(0.05).threshold, Curve(points).alarming_at_most(0).threshold
    (0.5, 0.7)
    """

    points: tuple[Point, ...]

    @classmethod
    def of(cls, words: Mapping[float, Spotting], others: Mapping[float, Spotting]) -> Curve:
        """A curve from sound with words, and sound without, spotted at the same thresholds."""
        if set(words) != set(others):
            raise ValueError("the two were not spotted at the same thresholds")
        rows = ((t, words[t].false_rejects, others[t].false_alarms_per_hour) for t in sorted(words))
        return cls(tuple(Point(*row) for row in rows))

    def missing_at_most(self, share: float) -> Point | None:
        """The point with the fewest false alarms of those that miss at most this share."""
        fine = [p for p in self.points if p.false_rejects <= share]
        return min(fine, key=lambda p: (p.false_alarms, p.false_rejects), default=None)

    def alarming_at_most(self, per_hour: float) -> Point | None:
        """The point with the fewest misses of those with at most so many false alarms an hour."""
        fine = [p for p in self.points if p.false_alarms <= per_hour]
        return min(fine, key=lambda p: (p.false_rejects, p.false_alarms), default=None)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the curve; with `path`, write the picture there as PNG too.

        Raises OutputError where the picture cannot be written.
        """
        from audiopipe.metrics.pictures import draw_curves

        return draw_curves({"": self}, path)


def sweep(
    truth: Detections,
    found: Detections,
    duration: Fraction | int,
    thresholds: Iterable[float],
    tolerance: Fraction = TOLERANCE,
) -> dict[float, Spotting]:
    """What `spot` makes, by threshold, of the events whose score reaches it.

    Where events hold each other back, those that a higher threshold would give may differ;
    find them anew for each threshold if that matters.
    """
    return {t: spot(truth, above(found, t), duration, tolerance) for t in thresholds}


def above(events: Detections, threshold: float) -> Detections:
    """The events whose score reaches a threshold.

    >>> from audiopipe.signals import Detection
    >>> heard = Detections((Detection(0, 9, "go", 0.9), Detection(20, 29, "go", 0.4)), 100)
    >>> len(above(heard, 0.5)), len(above(heard, 0.4))
    (1, 2)
    """
    return replace(events, events=tuple(e for e in events if e.score >= threshold))
