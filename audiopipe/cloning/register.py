"""Where a voice lies: the quartiles of its pitch, from all that was heard of it so far."""

from __future__ import annotations

import torch
from torch import Tensor

LOW, STEP, BINS = 66.0, 0.25, 224
"""Semitones above 1 Hz of the first bin's lower edge (45 Hz), of a bin, and how many there are."""
USUAL, WIDTH, WEIGHT = 86.7, 4.0, 10.0
"""What is taken for known of a voice before it is heard: semitones (150 Hz), their deviation, and
how many voiced frames that is worth."""
DEVIATION = 1.349
"""Quartiles of a normal distribution are so many deviations apart."""


def semitones(hz: Tensor) -> Tensor:
    """Semitones above 1 Hz.

    >>> semitones(torch.tensor([1.0, 2.0]))
    tensor([ 0., 12.])
    """
    return 12 * hz.log2()


def fresh() -> Tensor:
    """Counts [BINS] of what is taken for known."""
    centres = LOW + STEP * (torch.arange(BINS, dtype=torch.float64) + 0.5)
    shares: Tensor = (-0.5 * ((centres - USUAL) / WIDTH).square()).softmax(0)
    return WEIGHT * shares


def counted(counts: Tensor, pitch: Tensor, voiced: Tensor) -> Tensor:
    """Counts after each frame [frames, BINS], of those before [BINS] and of frames of a `pitch`
    in semitones [frames]; only the voiced count."""
    place = ((pitch - LOW) / STEP).long().clamp(0, BINS - 1)
    new = torch.zeros(len(pitch), BINS, dtype=torch.float64)
    new[voiced.nonzero()[:, 0], place[voiced]] = 1.0
    return counts + new.cumsum(0)


def quantile(counts: Tensor, share: float) -> Tensor:
    """The pitch in semitones [frames] below which a share of counts [frames, BINS] lies.

    >>> heard = counted(fresh(), torch.full((1000,), 80.1), torch.ones(1000, dtype=torch.bool))
    >>> round(quantile(heard[-1:], 0.5).item(), 1)
    80.1
    """
    total = counts.cumsum(1)
    wanted = share * total[:, -1:]
    place = torch.searchsorted(total, wanted).clamp_max(BINS - 1)
    here = counts.gather(1, place)
    inside = (wanted - total.gather(1, place) + here) / here
    return (LOW + STEP * (place + inside))[:, 0]


def register(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Median and deviation [frames] in semitones, of counts [frames, BINS]."""
    low, middle, high = (quantile(counts, share) for share in (0.25, 0.5, 0.75))
    return middle, (high - low) / DEVIATION
