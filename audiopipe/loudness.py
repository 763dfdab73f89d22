"""Loudness by ITU-R BS.1770-4, of a recording that is heard block by block.

The filters are those of `pyloudnorm`, in the design of B. De Man, which gives the very
coefficients of the recommendation at 48 kHz (pyloudnorm's default differs from them by up to
0.1 LU). What is kept is a number each 100 ms, so that the length of a recording does not
matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, log10

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ABSOLUTE_GATE = -70.0
"""LUFS; quieter blocks do not count, and nothing quieter has a loudness."""

RELATIVE_GATE = -10.0
"""LU below the mean of what passes the absolute gate."""

HOPS = 4
"""100 ms hops in a block of 400 ms."""

LOWEST_RATE = 8000

WEIGHTS: dict[int, tuple[float, ...]] = {
    1: (1,),
    2: (1, 1),
    3: (1, 1, 1),
    5: (1, 1, 1, 1.41, 1.41),
    6: (1, 1, 1, 0, 1.41, 1.41),
}
"""By the number of channels: L R C (LFE) Ls Rs, table 3 of the recommendation."""


@dataclass
class LoudnessMeter:
    """Integrated loudness; `add` blocks [channels, time], then ask for `integrated`.

    >>> meter = LoudnessMeter(48000, 2)
    >>> tone = 10 ** (-23 / 20) * np.sin(np.arange(480000) * (2 * np.pi * 1000 / 48000))
    >>> meter.add(np.stack([tone, tone]))
    >>> round(meter.integrated(), 1)
    -23.0
    """

    rate: int
    channels: int
    received: int = 0
    sections: Floats = field(init=False)
    memory: Floats = field(init=False)
    hops: list[float] = field(default_factory=list)
    """Weighted energy of each 100 ms that is complete."""
    open: float = 0.0
    """Weighted energy of the hop that is not."""

    def __post_init__(self) -> None:
        import pyloudnorm

        filters = pyloudnorm.Meter(self.rate, filter_class="DeMan")._filters.values()
        self.sections = np.stack([np.concatenate([f.b, f.a]) for f in filters])
        self.memory = np.zeros((len(self.sections), self.channels, 2))

    def add(self, block: NDArray[np.float32]) -> None:
        """Hear the next samples [channels, time]; what is no number counts as 0."""
        count = block.shape[-1]
        if not count:
            return
        from scipy.signal import sosfilt

        numbers = np.nan_to_num(block.astype(np.float64), posinf=0.0, neginf=0.0)
        weighted, self.memory = sosfilt(self.sections, numbers, zi=self.memory)
        power = np.asarray(WEIGHTS[self.channels]) @ np.square(weighted)
        first = len(self.hops)
        stop = self.received + count
        edges = [0]
        while (edge := self._edge(first + len(edges))) <= stop:
            edges.append(edge - self.received)
        energies = np.add.reduceat(np.append(power, 0.0), [*edges])
        energies[0] += self.open
        self.open = float(energies[-1])
        self.hops += energies[:-1].tolist()
        self.received = stop

    def _edge(self, hop: int) -> int:
        """The first sample of a hop: 100 ms need not be a whole number of samples."""
        return hop * self.rate // 10

    def integrated(self) -> float:
        """The loudness in LUFS; minus infinity where nothing is louder than -70 LUFS.

        Of a recording shorter than a block, that of the block it would be.
        """
        if len(self.hops) < HOPS:
            energy, length = sum(self.hops) + self.open, self.received
            blocks = np.array([energy / length] if length else [])
        else:
            sums = np.convolve(self.hops, np.ones(HOPS), "valid")
            blocks = sums / (HOPS * self.rate / 10)
        blocks = blocks[blocks >= _power(ABSOLUTE_GATE)]
        if not len(blocks):
            return -inf
        blocks = blocks[blocks > blocks.mean() * 10 ** (RELATIVE_GATE / 10)]
        return _lufs(float(blocks.mean()))


def _lufs(power: float) -> float:
    return -0.691 + 10 * log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
