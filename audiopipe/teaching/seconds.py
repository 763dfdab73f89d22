"""The second of a recording that the network is to look at."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.stages.keywords import RATE

SECOND = RATE
"""What the network looks at, in samples."""
CONTEXT = 2 * SECOND
"""What is kept around it, so that a shifted second holds what was really there."""
LEAST = SECOND // 50
"""Samples in which something can be heard, at the least."""
FAINT = 1e-3
"""The peak (-60 dB) below which a recording counts as silent."""

_STEP = RATE // 100
_CLEAR = 6.0
"""Decibels above the quietest tenth that make a step of 10 ms count as sound."""


def is_silent(samples: Tensor) -> bool:
    """Whether nothing can be heard in samples [time]: too little, too faint, or a constant."""
    heard = samples - samples.median() if len(samples) >= LEAST else samples[:0]
    return not len(heard) or float(heard.abs().max()) < FAINT


def around_the_sound(samples: Tensor) -> Tensor:
    """Two seconds [32000] with the most word-like second of samples [time] in their middle.

    What lies outside the recording is silence.

    >>> around_the_sound(torch.rand(50000)).shape
    torch.Size([32000])
    """
    start = middle_of_the_sound(samples) - CONTEXT // 2
    before, after = max(0, -start), max(0, start + CONTEXT - len(samples))
    return functional.pad(samples[max(0, start) : start + CONTEXT], (before, after))


def middle_of_the_sound(samples: Tensor) -> int:
    """The sample in the middle of the most word-like second of samples [time].

    Steps of 10 ms count by how far they stand out, in dB: a click that is louder than the word,
    but shorter, does not win.
    """
    # The difference is a filter that takes out rumble.
    sharp = torch.diff(samples, prepend=samples[:1])
    steps = functional.pad(sharp, (0, -len(sharp) % _STEP)).view(-1, _STEP)
    levels = 10 * torch.log10(steps.square().mean(1) + 1e-10)
    excess = (levels - levels.quantile(0.1) - _CLEAR).clamp(0, 40)
    if not excess.any():
        return len(samples) // 2  # a steady sound: any second will do
    width = SECOND // _STEP
    sums = functional.pad(excess.cumsum(0), (width, width), value=0.0)
    sums[-width:] = excess.sum()
    first = int((sums[width:] - sums[:-width]).argmax()) - width + 1
    inside = (
        excess[max(0, first) : max(0, first) + width] if first >= 0 else excess[: first + width]
    )
    weights = inside.cumsum(0)
    middle = int(torch.searchsorted(weights, weights[-1:] / 2))
    return (max(0, first) + middle) * _STEP + _STEP // 2


def in_seconds(samples: Tensor, most: int) -> Tensor:
    """At most `most` seconds [n, 16000], evenly chosen from samples [time]; the rest is left out.

    >>> in_seconds(torch.zeros(40000), 10).shape
    torch.Size([2, 16000])
    """
    if len(samples) < SECOND:
        samples = functional.pad(samples, (0, SECOND - len(samples)))
    pieces = samples[: len(samples) // SECOND * SECOND].view(-1, SECOND)
    if len(pieces) <= most:
        return pieces
    return pieces[torch.linspace(0, len(pieces) - 1, most).round().long()]
