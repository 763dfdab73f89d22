"""The last seconds of a spectrogram in a terminal: two points of the picture a character."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from audiopipe.signals import Spectrogram

PER_SECOND = 20
"""Columns a second: a word is some ten columns wide."""
MOST = 500
"""Columns that are kept: no terminal is wider."""
RANGE = 50.0
"""Decibels from the darkest to the lightest point."""
LEAST = -15.0
"""What is softer than this, in dB, is not the lightest point: a room in silence stays dark."""

COLOURS = (16, 16, 17, 18, 54, 55, 91, 127, 162, 198, 203, 209, 215, 221, 228, 230)
"""From dark to light, of the 256 colours of xterm."""
SHADES = " .░░▒▒▓▓█"
"""The same without colour."""

Pixels = np.ndarray[Any, Any]


class Strip:
    """What was heard: column `k` shows the time from `k / PER_SECOND` s on.

    `floor` is what the values count from, in dB.
    """

    def __init__(self, floor: float = 0.0) -> None:
        self._floor = floor
        self._columns: deque[Pixels] = deque(maxlen=MOST)
        self.stop = 0
        """The column after the last."""

    def add(self, block: Spectrogram) -> None:
        """Take log-mel spectra of one channel; what was never heard in between stays dark."""
        values = block.numpy()[0] + self._floor
        for frame in range(values.shape[1]):
            column = (block.start + frame) * block.hop * PER_SECOND // block.rate
            if column < self.stop:
                self._columns[-1] = np.maximum(self._columns[-1], values[:, frame])
                continue
            for _ in range(max(self.stop, column - MOST), column):
                self._columns.append(np.full_like(values[:, frame], -np.inf))
            self._columns.append(values[:, frame])
            self.stop = column + 1

    def lines(self, width: int, rows: int, colours: bool) -> list[str]:
        """Draw the last `width` columns, high frequencies above."""
        pixels = self._pixels(width, 2 * rows)
        if colours:
            steps = (pixels * (len(COLOURS) - 1)).astype(np.int64)
            return [_coloured(steps[2 * row], steps[2 * row + 1]) for row in range(rows)]
        steps = (pixels.reshape(rows, 2, width).mean(1) * (len(SHADES) - 1)).astype(np.int64)
        return ["".join(SHADES[step] for step in row) for row in steps.tolist()]

    def _pixels(self, width: int, count: int) -> Pixels:
        """Lightness 0…1 [count, width], the highest frequency first."""
        columns = list(self._columns)[-width:]
        pixels = np.zeros((count, width), np.float32)
        if not columns:
            return pixels
        decibels = np.stack(columns, axis=1)
        bands = len(decibels)
        edges = np.arange(count) * bands // count
        pooled = np.maximum.reduceat(decibels, edges, axis=0)[::-1]
        top = max(float(decibels.max()), LEAST)
        pixels[:, width - len(columns) :] = np.clip((pooled - top) / RANGE + 1, 0, 1)
        return pixels


def _coloured(upper: Any, lower: Any) -> str:
    """A row of half blocks; a colour is named where it changes."""
    parts = []
    last = (-1, -1)
    for pair in zip(upper.tolist(), lower.tolist(), strict=True):
        if pair[0] != last[0]:
            parts.append(_FRONT[pair[0]])
        if pair[1] != last[1]:
            parts.append(_BACK[pair[1]])
        parts.append("▀")
        last = pair
    return "".join(parts) + "\x1b[0m"


_FRONT = [f"\x1b[38;5;{colour}m" for colour in COLOURS]
_BACK = [f"\x1b[48;5;{colour}m" for colour in COLOURS]
