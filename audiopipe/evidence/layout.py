"""Where the numbers of a frame lie, and what they are taken from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

RATE = 16000
WINDOW = 2048
"""Samples that a frame looks at: 128 ms."""
BEFORE = 1536
"""How many of them lie before the frame's own sample."""
HOP = 160
"""Samples from one frame to the next: 10 ms."""

LOWEST = 27.5
"""The pitch of the first bin in Hz: A0."""
OCTAVE = 24
"""Bins an octave: each is half a semitone."""
PITCHES = 176
"""Bins of pitch, up to 4.3 kHz."""
BANDS = 192
"""Bins of the spectrum, up to 6.9 kHz, on the same scale."""
LOW = 120
"""Bins of the views of the long window, up to 855 Hz."""
MEL = 40


class View(NamedTuple):
    """Where a view lies among the numbers of a frame; `zeros` follow it, which pitches find that
    look past its end."""

    first: int
    bins: int
    zeros: int

    @property
    def columns(self) -> slice:
        return slice(self.first, self.first + self.bins)


def _in_a_row(**sizes: tuple[int, int]) -> Iterator[tuple[str, View]]:
    first = 40  # zeros, for those who look below the first view
    for name, (bins, zeros) in sizes.items():
        yield name, View(first, bins, zeros)
        first += bins + zeros


VIEWS = dict(
    _in_a_row(
        contrast=(BANDS, 64),
        spectrum=(BANDS, 24),
        correlation=(PITCHES, 24),
        compressed=(PITCHES, 24),
        low_contrast=(LOW, 120),
        low_correlation=(LOW, 80),
        brief_contrast=(BANDS, 48),
        brief_correlation=(PITCHES, 24),
    )
)

FFT = 2048
USUAL = 1024
"""Samples of the 64 ms about a frame, in a transform of FFT."""
HIGHEST = 513
"""Bins of the transform that the correlation is made of: up to 4 kHz."""

SCALE = sum(VIEWS["brief_correlation"])
"""Numbers on the scale of pitch: the views, and the zeros around them."""
TONE = slice(SCALE, SCALE + MEL)
"""The mel spectrum's columns."""
LEVEL = TONE.stop
"""The level's column."""
POWER = slice(LEVEL + 1, LEVEL + 1 + HIGHEST)
"""The power's columns."""
SIZE = POWER.stop
"""Numbers a frame."""
