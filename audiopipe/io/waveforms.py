"""Pictures of sound: the envelope of the waveform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from audiopipe.io import draw
from audiopipe.io.draw import ACCENT, COOL, INK
from audiopipe.io.pool import Clock, Pool
from audiopipe.signals import Audio, Stems

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class AudioPicture:
    """The envelope of the waveform, a panel per channel."""

    def __init__(self, form: Audio, names: tuple[str, ...] = ()) -> None:
        self._format = form
        self._names = names
        self._clock = Clock(form)
        self._high, self._low = Pool(np.max), Pool(np.min)

    def add(self, block: Audio) -> None:
        self._clock.see(block)
        samples = block.numpy()
        self._high.add(samples)
        self._low.add(samples)

    def figure(self) -> Figure:
        channels, (start, stop) = self._format.channels, self._clock.span(self._high)
        title = f"{stop - start:.2f} s · {self._format.rate} Hz"
        figure, axes = draw.panels(channels, title, height=1.7)
        high, low = self._high.columns(), self._low.columns()
        top = max(float(np.abs(high).max()), float(np.abs(low).max())) if high.size else 0.0
        for index, axis in enumerate(axes):
            if not high.size:
                draw.empty(axis, "no samples")
            else:
                times = self._clock.times(self._high, high.shape[-1])
                a, b = high[index], low[index]
                axis.fill_between(times, a, b, color=COOL, linewidth=0.6, edgecolor=COOL)
            axis.axhline(0, color=INK, linewidth=0.4)
            limit = 1.05 * top if top > 0 else 1.0
            axis.set_ylim(-limit, limit)
            if top > 1:  # beyond full scale
                for level in (-1, 1):
                    axis.axhline(level, color=ACCENT, linewidth=0.8, linestyle="--")
            if self._names or channels > 1:
                name = self._names[index] if self._names else f"channel {index + 1}"
                axis.set_ylabel(name, fontsize=9, color=INK)
        draw.time_axis(axes[-1], start, stop)
        return figure


class StemsPicture:
    """The waveforms of the stems, one below the other."""

    def __init__(self, form: Stems) -> None:
        self._names = tuple(form)
        rows = [
            f"{n} {c + 1}" if p.channels > 1 else n
            for n, p in form.parts.items()
            for c in range(p.channels)
        ]
        self._inner = AudioPicture(Audio.empty(form.rate if rows else 1, len(rows)), tuple(rows))

    def add(self, block: Stems) -> None:
        rows = torch.cat([block[name].samples for name in self._names])
        self._inner.add(Audio(rows, block.rate, next(iter(block.parts.values())).start))

    def figure(self) -> Figure:
        return self._inner.figure()
