"""How the pictures look: one figure, panels of the same width, quiet axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np

from audiopipe import tuning
from audiopipe.io.pool import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#2b2d42"
ACCENT = "#d1495b"
COOL = "#2a6f97"
PALE = "#a9cbe0"
WIDTH = 11.0
DPI = 130
RANGE = 80.0
"""dB below the peak that a spectrogram shows."""


def panels(count: int, title: str, height: float = 3.0) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure with panels one below the other, over the same time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = max(1, count)
    figure = Figure(figsize=(WIDTH, 0.9 + height * shown), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(shown, 1, sharex=True, squeeze=False)[:, 0]
    axes[0].set_title(title, loc="left", fontsize=11, color=INK)
    for axis in axes:
        axis.tick_params(colors=INK, labelsize=9)
        for side, spine in axis.spines.items():
            spine.set_color("#c9ccd6")
            spine.set_visible(side in ("left", "bottom"))
    return figure, list(axes)


def time_axis(axis: Axes, start: float, stop: float) -> None:
    """Label the time below the lowest panel: s up to two minutes, then min:s, then h:min."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    stop = stop if stop > start else start + 1e-3
    axis.set_xlim(start, stop)
    axis.margins(x=0)
    if stop <= 120:
        axis.set_xlabel("time in s", fontsize=9, color=INK)
        axis.xaxis.set_major_locator(MaxNLocator(12))
        return
    steps = (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step = next((s for s in steps if (stop - start) / s <= 12), 86400)
    axis.xaxis.set_major_locator(MultipleLocator(step))
    hours = stop > 7200
    axis.set_xlabel(f"time in {'h:min' if hours else 'min:s'}", fontsize=9, color=INK)

    def label(value: float, _: object) -> str:
        whole = round(value / 60) if hours else round(value)
        return f"{whole // 60}:{whole % 60:02}"

    axis.xaxis.set_major_formatter(FuncFormatter(label))


def hertz(value: float, _: object = None) -> str:
    """A frequency as short as it can be written.

    >>> hertz(440.0), hertz(2500.0), hertz(16000.0)
    ('440 Hz', '2.5 kHz', '16 kHz')
    """
    return f"{value / 1000:g} kHz" if value >= 1000 else f"{value:g} Hz"


def note_ticks(low: float, high: float) -> list[float]:
    """Frequencies of notes between two frequencies: all, the white keys, or fewer."""
    first, last = tuning.midi(low), tuning.midi(high)
    span = last - first
    kept: tuple[int, ...] = tuple(range(12)) if span <= 12 else (0, 2, 4, 5, 7, 9, 11)
    if span > 60:
        kept = (0,)
    elif span > 24:
        kept = (0, 4, 7)
    return [tuning.hertz(n) for n in range(ceil(first), floor(last) + 1) if n % 12 in kept]


def decibels(linear: Array, power: bool = False) -> Array:
    """Magnitudes or powers in dB, silence as -inf."""
    with np.errstate(divide="ignore"):
        levels: Array = (10 if power else 20) * np.log10(linear)
    return levels


def empty(axis: Axes, what: str) -> None:
    """Say that there is nothing to see, and why."""
    box = {"facecolor": "white", "edgecolor": "none"}
    look = {"ha": "center", "va": "center", "color": "#8d93a5", "bbox": box}
    axis.text(0.5, 0.5, what, transform=axis.transAxes, **look)  # type: ignore[arg-type]


def length(seconds: float) -> str:
    """A length as people say it.

    >>> length(2.5), length(125), length(7384)
    ('2.50 s', '2 min 5 s', '2 h 3 min')
    """
    if seconds < 120:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole // 60 % 60} min"


def colour_bar(figure: Figure, image: Any, axes: Sequence[Axes], label: str) -> None:
    """A slim bar that says what the colours mean."""
    bar = figure.colorbar(image, ax=list(axes), pad=0.01, fraction=0.04, aspect=30)
    bar.set_label(label, fontsize=9, color=INK)
    bar.ax.tick_params(colors=INK, labelsize=8)
    bar.outline.set_visible(False)
