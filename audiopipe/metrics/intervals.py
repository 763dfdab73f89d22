"""Between which values a figure lies that was counted in a sample."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """Between which values a share lies."""

    low: float
    high: float


def wilson(right: int, total: int, confidence: float = 0.95) -> Interval:
    """The interval in which a share lies of which `right` of `total` were seen (Wilson 1927).

    It holds for small counts and for shares near 0 and 1 too, and stays within them. Raises
    ValueError for counts that cannot be.

    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    if not 0 <= right <= total:
        raise ValueError(f"{right} of {total} is no share")
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, weight = right / total, z * z / total
    middle = share + weight / 2
    spread = z * sqrt(share * (1 - share) / total + weight / (4 * total))
    low, high = (middle - spread) / (1 + weight), (middle + spread) / (1 + weight)
    # What is exact in theory is not in rounding.
    return Interval(low if right else 0.0, high if right < total else 1.0)


def garwood(count: int, confidence: float = 0.95) -> Interval:
    """The exact interval of the mean of rare events of which `count` were seen (Garwood 1936).

    For none that is 0 to 3.7: what has not happened in an hour may happen 3.7 times in one.

    >>> low, high = garwood(0)
    >>> low, round(high, 2)
    (0.0, 3.69)
    """
    from scipy.stats import chi2

    if count < 0:
        raise ValueError(f"{count} is no count")
    outside = (1 - confidence) / 2
    low = float(chi2.ppf(outside, 2 * count) / 2) if count else 0.0
    return Interval(low, float(chi2.ppf(1 - outside, 2 * count + 2) / 2))
