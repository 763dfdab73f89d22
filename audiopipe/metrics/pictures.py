"""Confusion matrices and curves of false alarms, as figures in the style of the other pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiopipe.io import draw
from audiopipe.io.pictures import write_figure
from audiopipe.metrics.classification import Confusion
from audiopipe.metrics.curve import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = (draw.COOL, draw.ACCENT, "#3a7d44", "#e09f3e", "#6d597a", draw.PALE)
LINEAR = 0.1
"""Below so many alarms an hour the axis is linear, so that zero has a place."""


def draw_confusion(confusion: Confusion, path: str | Path | None = None) -> Figure:
    """The matrix as shares of each true label in %; with `path`, as PNG there too."""
    from matplotlib.colors import LinearSegmentedColormap

    size = len(confusion.labels)
    title = f"rows: what was said · columns: what was recognised, in % · {confusion}"
    figure, (axis,) = draw.panels(1, title, height=1.5 + 0.32 * size)
    totals = confusion.counts.sum(1, keepdims=True)
    shares = 100 * confusion.counts / np.maximum(totals, 1)
    shades = LinearSegmentedColormap.from_list("share", ["#ffffff", draw.PALE, draw.COOL])
    # The root shows a mistake of one per cent beside a recall of a hundred.
    axis.imshow(np.sqrt(shares), cmap=shades, vmin=0, vmax=10, aspect="auto")
    for row, column in np.argwhere(confusion.counts):
        share = shares[row, column]
        colour = "white" if share > 50 else draw.INK if row == column else draw.ACCENT
        text = f"{share:.0f}" if share >= 0.5 else "·"
        axis.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    named = zip(confusion.labels, totals[:, 0].tolist(), strict=True)
    axis.set_xticks(range(size), confusion.labels, rotation=45, ha="right", fontsize=8)
    axis.set_yticks(range(size), [f"{label}  {n}" for label, n in named], fontsize=8)
    return _written(figure, path)


def draw_curves(curves: Mapping[str, Curve], path: str | Path | None = None) -> Figure:
    """False rejects over false alarms, a line a name; dots are thresholds, every tenth of 1."""
    figure, (axis,) = draw.panels(1, "what a threshold costs", height=5.0)
    for (name, curve), colour in zip(curves.items(), LINES * len(curves), strict=False):
        points = [p for p in curve.points if np.isfinite(p.false_rejects + p.false_alarms)]
        x, y = [p.false_alarms for p in points], [100 * p.false_rejects for p in points]
        axis.plot(x, y, color=colour, linewidth=1.8, label=name, drawstyle="steps-post")
        for p in points:
            if abs(10 * p.threshold - round(10 * p.threshold)) < 1e-6:
                at = (p.false_alarms, 100 * p.false_rejects)
                axis.plot(*at, "o", color=colour, markersize=4)
                axis.annotate(
                    f"{p.threshold:.1f}",
                    at,
                    xytext=(4, 4),
                    textcoords="offset points",
                    fontsize=7,
                    color=colour,
                )
    if not any(curve.points for curve in curves.values()):
        draw.empty(axis, "no thresholds")
    _scale(axis)
    if any(curves):
        axis.legend(loc="upper right", frameon=False, fontsize=9)
    return _written(figure, path)


def _scale(axis: Axes) -> None:
    """Logarithmic axes on which zero has a place too."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_xscale("symlog", linthresh=LINEAR)
    axis.set_yscale("symlog", linthresh=1)
    for side, ticks in (
        (axis.xaxis, (0, 0.1, 1, 10, 100, 1000)),
        (axis.yaxis, (0, 1, 2, 5, 10, 20, 50, 100)),
    ):
        side.set_major_locator(FixedLocator(ticks))
        side.set_minor_locator(NullLocator())
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlim(-0.01, max(10.0, 1.2 * axis.get_xlim()[1]))
    axis.set_ylim(-0.1, 105)
    axis.set_xlabel("false alarms an hour", fontsize=9, color=draw.INK)
    axis.set_ylabel("words missed in %", fontsize=9, color=draw.INK)
    axis.grid(color="#e8eaf0", linewidth=0.7)
    axis.set_axisbelow(True)


def _written(figure: Figure, path: str | Path | None) -> Figure:
    if path is not None:
        write_figure(figure, path)
    return figure
