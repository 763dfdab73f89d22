"""Pictures of curves over time: pitch and level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from audiopipe import tuning
from audiopipe.io import draw
from audiopipe.io.draw import ACCENT, COOL, INK, PALE
from audiopipe.io.pool import Clock, Pool
from audiopipe.signals import Levels, PitchTrack

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure


class PitchPicture:
    """The contour over log frequency, stronger where it is surer, with the notes' names."""

    def __init__(self, form: PitchTrack) -> None:
        self._clock = Clock(form)
        self._contour = Contour()

    def add(self, block: PitchTrack) -> None:
        self._clock.see(block)
        self._contour.add(*block.tensors)

    def figure(self) -> Figure:
        figure, (axis,) = draw.panels(1, "pitch", height=3.8)
        bottom, top = self._contour.range() or (110.0, 440.0)
        note_axis(axis, bottom / 2 ** (1 / 6), top * 2 ** (1 / 6))
        axis.grid(axis="y", color="#e8eaf0", linewidth=0.7)
        axis.set_axisbelow(True)
        lines = self._contour.draw(axis, self._clock, ["#cfe0ea", COOL, "#0b2b40"])
        if lines is None:
            draw.empty(axis, "nothing voiced")
        else:
            draw.colour_bar(figure, lines, [axis], "confidence")
        draw.time_axis(axis, *self._clock.span(self._contour.sure))
        return figure


class Contour:
    """A line of pitch: pooled while it comes, with what is voiced and how sure that is."""

    def __init__(self) -> None:
        self._high, self._low = Pool(np.fmax.reduce), Pool(np.fmin.reduce)
        self.sure = Pool(np.max)

    def add(self, hz: Tensor, voiced: Tensor, confidence: Tensor) -> None:
        """Take the next frames."""
        heard = np.where(voiced.cpu(), hz.cpu(), np.nan)
        self._high.add(heard)
        self._low.add(heard)
        self.sure.add(confidence.cpu().numpy())

    def range(self) -> tuple[float, float] | None:
        """The lowest and the highest pitch in Hz, where there is one."""
        high, low = self._high.columns(), self._low.columns()
        voiced = np.isfinite(high) & (low > 0)
        return (float(low[voiced].min()), float(high[voiced].max())) if voiced.any() else None

    def draw(
        self, axis: Axes, clock: Clock, colours: Sequence[str], casing: str = ""
    ) -> LineCollection | None:
        """Draw it on a note axis, in colours from unsure to sure; nothing where none is voiced.

        A `casing` is a colour around the line, that it may stand out.
        """
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap

        high, low, sure = self._high.columns(), self._low.columns(), self.sure.columns()
        voiced = np.isfinite(high) & (low > 0)
        if not voiced.any():
            return None
        # In semitones, as the axis counts.
        high, low = (tuning.A4 + 12 * np.log2(np.where(voiced, f, 1) / 440) for f in (high, low))
        shades = LinearSegmentedColormap.from_list("sure", list(colours))
        times = clock.times(self._high, len(high))
        middle = (high + low) / 2
        points = np.stack([times, middle], axis=-1)
        joined = voiced[1:] & voiced[:-1]
        segments = list(np.stack([points[:-1], points[1:]], axis=1)[joined])
        surest = np.minimum(sure[1:], sure[:-1])[joined]
        around = np.concatenate([[False], joined, [False]])
        alone = voiced & ~around[1:] & ~around[:-1]
        if casing:
            under = LineCollection(segments, linewidths=4.2, colors=casing, capstyle="round")
            axis.add_collection(under)
            axis.scatter(times[alone], middle[alone], c=casing, s=18, linewidths=0)
        lines = LineCollection(segments, linewidths=2.2, cmap=shades, capstyle="round", zorder=3)
        lines.set_array(surest)
        lines.set_clim(0, 1)
        axis.add_collection(lines)
        # Frames without a voiced neighbour, and the spread within pooled columns.
        axis.vlines(times[voiced], low[voiced], high[voiced], color=colours[0], linewidth=0.8)
        axis.scatter(
            times[alone],
            middle[alone],
            c=sure[alone],
            s=5,
            vmin=0,
            vmax=1,
            cmap=shades,
            linewidths=0,
            zorder=3,
        )
        return lines


def note_axis(axis: Axes, bottom: float, top: float) -> None:
    """An axis in semitones from one frequency to another, with the notes' names."""
    from matplotlib.ticker import NullLocator

    axis.set_ylim(tuning.midi(bottom), tuning.midi(top))
    ticks = draw.note_ticks(bottom, top)
    numbers = [round(tuning.midi(tick)) for tick in ticks]
    names = (f"{tuning.name(n)}  {f:.0f} Hz" for n, f in zip(numbers, ticks, strict=True))
    axis.set_yticks(numbers, list(names))
    axis.yaxis.set_minor_locator(NullLocator())


class LevelsPicture:
    """Peak and RMS in dB below full scale, a panel per channel."""

    FLOOR = -72.0

    def __init__(self, form: Levels) -> None:
        self._format = form
        self._clock = Clock(form)
        self._peak, self._power = Pool(np.max), Pool(np.mean)

    def add(self, block: Levels) -> None:
        self._clock.see(block)
        self._peak.add(block.peak.cpu().numpy())
        self._power.add(block.rms.cpu().numpy().astype(np.float64) ** 2)

    def figure(self) -> Figure:
        figure, axes = draw.panels(self._format.channels, "level", height=2.2)
        peak = draw.decibels(self._peak.columns())
        rms = draw.decibels(self._power.columns(), power=True)
        start, stop = self._clock.span(self._peak)
        highest = float(peak.max()) if peak.size else 0.0
        for index, axis in enumerate(axes):
            axis.set_ylim(self.FLOOR, max(3.0, highest + 3))
            axis.grid(axis="y", color="#e8eaf0", linewidth=0.7)
            axis.set_axisbelow(True)
            axis.axhline(0, color=ACCENT, linewidth=0.8, linestyle="--")
            many = self._format.channels > 1
            unit = f"dBFS, channel {index + 1}" if many else "dBFS"
            axis.set_ylabel(unit, fontsize=9, color=INK)
            if not peak.size:
                draw.empty(axis, "no frames")
                continue
            times = self._clock.times(self._peak, peak.shape[-1])
            floor = self.FLOOR
            axis.fill_between(
                times,
                floor,
                peak[index].clip(floor),
                color=PALE,
                label="peak",
                linewidth=0,
                step="mid",
            )
            axis.fill_between(
                times,
                floor,
                rms[index].clip(floor),
                color=COOL,
                label="RMS",
                linewidth=0,
                step="mid",
            )
            if not np.isfinite(peak[index]).any():
                draw.empty(axis, "silence")
        if peak.size:
            axes[0].legend(
                loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8
            )
        draw.time_axis(axes[-1], start, stop)
        return figure
