"""Pictures of melodies: pitch over the spectrum that it was found in, and notes as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiopipe import tuning
from audiopipe.io import draw
from audiopipe.io.contours import Contour, note_axis
from audiopipe.io.draw import COOL, INK
from audiopipe.io.pool import Array, Clock, Pool
from audiopipe.signals import Notes, Overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS = 480
"""Rows of the spectrum, equally far apart on the axis of notes."""
RANGE = 65.0
"""Decibels below the peak that the spectrum shows."""
BELOW, ABOVE = 1.4, 4.2
"""How far the axis goes beyond the pitch: to the overtones that it was found by."""
COLOURS = (
    ("#ffe9b8", "#ff9f1c", "#e4002b"),
    ("#c9f2ff", "#25b5e8", "#0050a0"),
    ("#d9ffd6", "#3fce5b", "#00722b"),
)
"""From unsure to sure, for one track after the other."""


class OverlayPicture:
    """Contours, stronger where they are surer, over the spectrum in grey."""

    def __init__(self, form: Overlay) -> None:
        self._format = form
        self._clock = Clock(form)
        self._spectrum = Pool(np.max)
        self._contours = [Contour() for _ in form.hz]

    def add(self, block: Overlay) -> None:
        self._clock.see(block)
        values = block.values.cpu().numpy()
        self._spectrum.add(values.max(0, initial=-np.inf))
        columns = zip(block.hz, block.voiced, block.confidence, strict=True)
        for contour, column in zip(self._contours, columns, strict=True):
            contour.add(*column)

    def figure(self) -> Figure:
        figure, (axis,) = draw.panels(1, "pitch", height=4.2)
        bottom, top = self._range()
        note_axis(axis, bottom, top)
        start, stop = self._clock.span(self._spectrum)
        if self._format.frequencies and self._spectrum.length:
            self._draw_spectrum(axis, bottom, top)
        drawn = [
            contour.draw(axis, self._clock, COLOURS[number % len(COLOURS)], "#ffffff")
            for number, contour in enumerate(self._contours)
        ]
        lines = [line for line in drawn if line is not None]
        if lines:
            draw.colour_bar(figure, lines[0], [axis], "confidence")
        elif self._contours:
            draw.empty(axis, "nothing voiced")
        draw.time_axis(axis, start, stop)
        return figure

    def _range(self) -> tuple[float, float]:
        """The frequencies that are shown: around the pitch, as far as the spectrum goes."""
        found = [each for contour in self._contours if (each := contour.range())]
        highest = max(self._format.frequencies, default=20000.0)
        if not found:
            return min(60.0, highest / 8), min(4000.0, highest)
        bottom, top = min(low for low, _ in found), max(high for _, high in found)
        return bottom / BELOW, min(top * ABOVE, max(highest, top * 1.12))

    def _draw_spectrum(self, axis: Axes, bottom: float, top: float) -> None:
        form, pool = self._format, self._spectrum
        scale, values = form.scale.lower(), pool.columns()
        if "log" not in scale:
            values = draw.decibels(values, power="power" in scale or "mel" in scale)
        low, high = tuning.midi(bottom), tuning.midi(top)
        rows = _at(values, np.array(form.frequencies), np.linspace(low, high, ROWS))
        peak = float(rows.max(initial=-np.inf))
        shown = (rows - peak).clip(-RANGE, 0) if np.isfinite(peak) else np.full_like(rows, -RANGE)
        start, _ = self._clock.span(pool)
        covered = rows.shape[1] * pool.factor * form.hop / form.rate
        axis.imshow(
            shown,
            origin="lower",
            aspect="auto",
            extent=(start, start + covered, low, high),
            cmap="Greys",
            vmin=-RANGE,
            vmax=25,  # no darker than grey, below the contour
            interpolation="bilinear",
        )


def _at(levels: Array, frequencies: Array, numbers: Array) -> Array:
    """Levels [bins, columns] at notes: between two bins, of both in proportion."""
    hertz = 440 * 2 ** ((numbers - tuning.A4) / 12)
    places = np.interp(hertz, frequencies, np.arange(len(frequencies)))
    lower = places.astype(np.int64).clip(0, max(0, len(frequencies) - 2))
    upper = (lower + 1).clip(max=len(frequencies) - 1)
    share = (places - lower)[:, None]
    floor = np.maximum(levels, -300.0)  # silence has no level
    mixed: Array = floor[lower] * (1 - share) + floor[upper] * share
    return mixed


class NotesPicture:
    """Notes as bars over time, each at its pitch, with names where there is room."""

    FEW = 60

    def __init__(self, form: Notes) -> None:
        self._rate, self._a4 = form.rate, form.a4
        self._bars: list[tuple[float, float, float, float, str]] = []

    def add(self, block: Notes) -> None:
        for note in block:
            start, stop = note.start / block.rate, note.stop / block.rate
            self._bars.append((start, stop, note.pitch, note.score, note.label))

    def figure(self) -> Figure:
        figure, (axis,) = draw.panels(1, "notes", height=3.8)
        pitches = [bar[2] for bar in self._bars] or [60.0, 72.0]
        note_axis(axis, *(tuning.hertz(p) for p in (min(pitches) - 2, max(pitches) + 2)))
        axis.grid(axis="y", color="#e8eaf0", linewidth=0.7)
        axis.set_axisbelow(True)
        for start, stop, pitch, score, label in self._bars:
            alpha = 0.3 + 0.7 * min(1.0, max(0.0, score))
            axis.barh(pitch, stop - start, left=start, height=0.8, color=COOL, alpha=alpha)
            if len(self._bars) <= self.FEW:
                above = {"ha": "left", "va": "bottom", "fontsize": 7, "color": INK}
                axis.text(start, pitch + 0.45, label, clip_on=True, **above)  # type: ignore[arg-type]
        if not self._bars:
            draw.empty(axis, "no notes")
        draw.time_axis(axis, 0.0, 1.02 * max((bar[1] for bar in self._bars), default=0.0))
        return figure
