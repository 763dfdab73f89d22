"""Pictures of curves over time: pitch and level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiopipe.io import draw
from audiopipe.io.draw import ACCENT, COOL, INK, PALE
from audiopipe.io.pool import Clock, Pool
from audiopipe.signals import Levels, PitchTrack

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class PitchPicture:
    """The contour over log frequency, stronger where it is surer, with the notes' names."""

    def __init__(self, form: PitchTrack) -> None:
        self._clock = Clock(form)
        self._high, self._low, self._sure = Pool(np.fmax.reduce), Pool(np.fmin.reduce), Pool(np.max)

    def add(self, block: PitchTrack) -> None:
        self._clock.see(block)
        hz = np.where(block.voiced.cpu(), block.hz.cpu(), np.nan)
        self._high.add(hz)
        self._low.add(hz)
        self._sure.add(block.confidence.cpu().numpy())

    def figure(self) -> Figure:
        from matplotlib.collections import LineCollection
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        high, low, sure = self._high.columns(), self._low.columns(), self._sure.columns()
        start, stop = self._clock.span(self._high)
        voiced = np.isfinite(high) & (low > 0)
        figure, (axis,) = draw.panels(1, "pitch", height=3.8)
        axis.set_yscale("log")
        bottom, top = (low[voiced].min(), high[voiced].max()) if voiced.any() else (110.0, 440.0)
        bottom, top = bottom / 2 ** (1 / 6), top * 2 ** (1 / 6)
        axis.set_ylim(bottom, top)
        ticks = draw.note_ticks(bottom, top)
        axis.yaxis.set_major_locator(FixedLocator(ticks))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(FuncFormatter(lambda f, _: f"{draw.note(f)}  {f:.0f} Hz"))
        axis.grid(axis="y", color="#e8eaf0", linewidth=0.7)
        axis.set_axisbelow(True)
        if voiced.any():
            shades = LinearSegmentedColormap.from_list("sure", ["#cfe0ea", COOL, "#0b2b40"])
            times = self._clock.times(self._high, len(high))
            middle = np.sqrt(high * low)
            points = np.stack([times, middle], axis=-1)
            joined = voiced[1:] & voiced[:-1]
            segments = np.stack([points[:-1], points[1:]], axis=1)[joined]
            surest = np.minimum(sure[1:], sure[:-1])[joined]
            lines = LineCollection(
                list(segments), linewidths=2.2, cmap=shades, capstyle="round", zorder=3
            )
            lines.set_array(surest)
            lines.set_clim(0, 1)
            axis.add_collection(lines)
            # Frames without a voiced neighbour, and the spread within pooled columns.
            axis.vlines(times[voiced], low[voiced], high[voiced], color=PALE, linewidth=0.8)
            around = np.concatenate([[False], joined, [False]])
            alone = voiced & ~around[1:] & ~around[:-1]
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
            draw.colour_bar(figure, lines, [axis], "confidence")
        else:
            draw.empty(axis, "nothing voiced")
        draw.time_axis(axis, start, stop)
        return figure


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
