"""The music of a script over time: jingles, and beds that fade in and out."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

RATE = 48_000
"""Hz of music."""
CHANNELS = 2


@dataclass
class Playing:
    """A sound [2, time] that is heard from its sample `at` on, again and again if it loops.

    Its level goes to `level` by `slope` a sample.
    """

    sound: Tensor
    loops: bool
    at: int = 0
    now: float = 0.0
    level: float = 1.0
    slope: float = 1.0

    @property
    def over(self) -> bool:
        """Whether nothing more is heard of it."""
        ended = not self.loops and self.at >= self.sound.shape[1]
        return ended or (self.now == self.level == 0)

    def next(self, size: int) -> Tensor:
        """The next samples [2, size]."""
        places = torch.arange(self.at, self.at + size)
        length = self.sound.shape[1]
        found = self.sound[:, places % length]
        if not self.loops:
            found = found * (places < length)
        steps = torch.arange(1, size + 1, dtype=torch.float64) * self.slope
        low, high = sorted((self.now, self.level))
        levels = (self.now + (steps if self.level > self.now else -steps)).clamp(low, high)
        self.at += size
        if size:
            self.now = float(levels[-1])
        return found * levels.float()

    def go(self, level: float, samples: int) -> None:
        """Go to another level within so many samples."""
        self.level = level
        self.slope = abs(level - self.now) / max(1, samples)


@dataclass
class Score:
    """All that is heard besides the voices."""

    playing: list[Playing] = field(default_factory=list)

    def add(self, sound: Tensor) -> None:
        """A sound once, as it is."""
        if sound.shape[1]:
            self.playing.append(Playing(sound, loops=False, now=1.0))

    def bed(self, sound: Tensor | None, level: float, fade: int) -> None:
        """A bed, looped, instead of the one there is; None: there is none any more."""
        for each in self.playing:
            if each.loops:
                each.go(0.0, fade)
        if sound is not None and sound.shape[1]:
            begun = Playing(sound, loops=True)
            begun.go(level, fade)
            self.playing.append(begun)

    @property
    def fading(self) -> int:
        """Samples until beds that end are silent."""
        left = [
            round(each.now / each.slope) for each in self.playing if each.loops and not each.level
        ]
        return max(left, default=0)

    def next(self, size: int) -> Tensor:
        """The next samples [2, size] of all together."""
        total = torch.zeros(CHANNELS, size)
        for each in self.playing:
            total += each.next(size)
        self.playing = [each for each in self.playing if not each.over]
        return total
