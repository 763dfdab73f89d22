"""Pictures of sound: the envelope of the waveform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from audiopipe.io import draw
from audiopipe.io.draw import ACCENT, COOL, INK
from audiopipe.io.pool import Array, Clock, Pool
from audiopipe.signals import Audio, Stems

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class AudioPicture:
    """The envelope of the waveform, a panel per channel."""

    def __init__(self, form: Audio, names: tuple[str, ...] = ()) -> None:
        self._format = form
        self._names = names
        self.clock = Clock(form)
        self._high, self._low = Pool(np.max), Pool(np.min)

    def add(self, block: Audio) -> None:
        self.clock.see(block)
        self.envelope(block.numpy(), block.numpy())

    def envelope(self, high: Array, low: Array) -> None:
        """Take the upper and the lower side of the next stretch, [panels, time] each."""
        self._high.add(high)
        self._low.add(low)

    def figure(self) -> Figure:
        channels, (start, stop) = self._format.channels, self.clock.span(self._high)
        title = f"{draw.length(stop - start)} · {self._format.rate} Hz"
        figure, axes = draw.panels(channels, title, height=1.7)
        high, low = self._high.columns(), self._low.columns()
        top = max(float(np.abs(high).max()), float(np.abs(low).max())) if high.size else 0.0
        for index, axis in enumerate(axes):
            if not high.size:
                draw.empty(axis, "no samples")
            else:
                times = self.clock.times(self._high, high.shape[-1])
                a, b = high[index], low[index]
                axis.fill_between(times, a, b, color=COOL, linewidth=0.6, edgecolor=COOL)
            axis.axhline(0, color=INK, linewidth=0.4)
            if high.size and not (high[index].any() or low[index].any()):
                draw.empty(axis, "silence")
            limit = 1.05 * top if top > 0 else 1.0
            axis.set_ylim(-limit, limit)
            if top > 1:  # beyond full scale
                for level in (-1, 1):
                    axis.axhline(level, color=ACCENT, linewidth=0.8, linestyle="--", zorder=3)
            if self._names or channels > 1:
                name = self._names[index] if self._names else f"channel {index + 1}"
                axis.set_ylabel(name, fontsize=9, color=INK)
        draw.time_axis(axes[-1], start, stop)
        return figure


class StemsPicture:
    """The waveforms of the stems, one below the other, their channels over each other."""

    def __init__(self, form: Stems) -> None:
        names = tuple(form)
        self._inner = AudioPicture(
            Audio.empty(form.rate if names else 1, max(1, len(names))), names
        )

    def add(self, block: Stems) -> None:
        parts = list(block.parts.values())
        if not parts:
            return
        self._inner.clock.see(parts[0])
        high = torch.stack([part.samples.amax(0) for part in parts])
        low = torch.stack([part.samples.amin(0) for part in parts])
        self._inner.envelope(high.cpu().numpy(), low.cpu().numpy())

    def figure(self) -> Figure:
        return self._inner.figure()
