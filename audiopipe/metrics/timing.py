"""When events are told, and how exact their times are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np

from audiopipe.metrics.spotting import Hit
from audiopipe.signals import Detection


@dataclass(frozen=True)
class Quantiles:
    """The middle of some times in s, and how long the longest of them are; nan for none.

    >>> Quantiles.of([0.1, 0.2, 0.4]).p50
    0.2
    """

    p50: float
    p95: float
    p99: float
    count: int

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Quantiles:
        values = list(seconds)
        if not values:
            return cls(nan, nan, nan, 0)
        p50, p95, p99 = (float(q) for q in np.percentile(values, [50, 95, 99]))
        return cls(p50, p95, p99, len(values))

    def __str__(self) -> str:
        return " / ".join(f"{1000 * t:.0f}" for t in (self.p50, self.p95, self.p99)) + " ms"


@dataclass(frozen=True)
class Timing:
    """When events lie, against their words: `start` and `stop` are the sizes of the errors,
    `latency` is from the word's end to the moment when the event was told."""

    start: Quantiles
    stop: Quantiles
    latency: Quantiles


def timing(hits: Iterable[Hit], rate: int, told: Mapping[Detection, int]) -> Timing:
    """How exact the times of events are; `told` says at which sample each event was out.

    >>> word, event = Detection(0, 50, "go", 1.0), Detection(10, 45, "go", 0.9)
    >>> times = timing([Hit(word, event)], rate=100, told={event: 70})
    >>> times.start.p50, times.stop.p50, times.latency.p50
    (0.1, 0.05, 0.2)
    """
    hits = list(hits)
    return Timing(
        Quantiles.of(abs(h.event.start - h.word.start) / rate for h in hits),
        Quantiles.of(abs(h.event.stop - h.word.stop) / rate for h in hits),
        Quantiles.of((told[h.event] - h.word.stop) / rate for h in hits if h.event in told),
    )
