"""The picture of a spectrogram: time across, frequency upwards, level as colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audiopipe.io import draw
from audiopipe.io.draw import INK
from audiopipe.io.pool import Array, Clock, Pool
from audiopipe.signals import Spectrogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)


class SpectrogramPicture:
    """Level in dB below the peak, a panel per channel; cepstra as they are.

    The `scale` of the spectrogram says what its values are: with `log` in it decibels, with
    `power` or `mel` powers, otherwise magnitudes.
    """

    def __init__(self, form: Spectrogram) -> None:
        self._format = form
        self._clock = Clock(form)
        self._cepstrum = not form.frequencies
        self._pool = Pool(np.mean if self._cepstrum else np.max)

    def add(self, block: Spectrogram) -> None:
        self._clock.see(block)
        values = block.numpy()
        self._pool.add(np.abs(values) if np.iscomplexobj(values) else values)

    def figure(self) -> Figure:
        form, values = self._format, self._pool.columns()
        start, stop = self._clock.span(self._pool)
        height = 3.4 if form.channels == 1 else 2.7
        figure, axes = draw.panels(form.channels, self._title(), height)
        shown, look, unit = self._shown(values)
        image = None
        for index, axis in enumerate(axes):
            self._frequency_axis(axis)
            if form.channels > 1:
                axis.annotate(
                    f"channel {index + 1}",
                    (1, 1),
                    (-6, -6),
                    "axes fraction",
                    "offset points",
                    ha="right",
                    va="top",
                    fontsize=8,
                    color="white",
                )
            if not values.size:
                draw.empty(axis, "no frames")
                continue
            covered = values.shape[-1] * self._pool.factor * form.hop / form.rate
            extent = (start, start + covered, -0.5, form.bins - 0.5)
            image = axis.imshow(shown[index], origin="lower", aspect="auto", extent=extent, **look)
        if image is not None:
            draw.colour_bar(figure, image, axes, unit)
        draw.time_axis(axes[-1], start, stop)
        return figure

    def _title(self) -> str:
        form = self._format
        window, hop = (1000 * n / form.rate for n in (form.window, form.hop))
        kind = form.scale if self._cepstrum else f"{form.scale} spectrogram"
        return f"{kind} · window {window:.4g} ms · hop {hop:.4g} ms"

    def _shown(self, values: Array) -> tuple[Array, dict[str, Any], str]:
        """Values, how to colour them, and what the colours mean."""
        if not values.size:
            return values, {}, ""
        if self._cepstrum:
            # The first coefficients dwarf the others: show each against its own mean.
            centred = values - values.mean(-1, keepdims=True)
            spread = values.std(-1, keepdims=True)
            look = {"cmap": "RdBu_r", "vmin": -3, "vmax": 3}
            return centred / np.where(spread > 0, spread, 1), look, "standard deviations"
        scale = self._format.scale.lower()
        if "log" in scale:
            levels = values
        else:
            levels = draw.decibels(values, power="power" in scale or "mel" in scale)
        peak = float(levels.max())
        if not np.isfinite(peak):
            peak = 0.0
        below = (levels - peak).clip(-draw.RANGE, 0)
        label = f"dB below the peak of {round(peak)} dB"
        return below, {"cmap": "magma", "vmin": -draw.RANGE, "vmax": 0}, label

    def _frequency_axis(self, axis: Axes) -> None:
        """Bins are drawn equally high; the ticks say which frequencies they stand for."""
        from matplotlib.ticker import MaxNLocator

        form = self._format
        axis.set_ylim(-0.5, form.bins - 0.5)
        if self._cepstrum:
            axis.set_ylabel("coefficient", fontsize=9, color=INK)
            axis.yaxis.set_major_locator(MaxNLocator(8, integer=True))
            return
        centres = np.array(form.frequencies)
        steps = np.diff(centres)
        if not len(steps) or np.allclose(steps, steps[0], rtol=1e-3):
            wanted = np.array(MaxNLocator(7).tick_values(centres[0], centres[-1]))
        else:
            wanted = np.array(_TICKS, float)
        wanted = wanted[(wanted >= centres[0]) & (wanted <= centres[-1])]
        places = np.interp(wanted, centres, np.arange(len(centres)))
        kept: list[int] = []
        for index in reversed(range(len(places))):  # low ones crowd on a mel scale
            if not kept or places[kept[-1]] - places[index] >= 0.06 * form.bins:
                kept.append(index)
        axis.set_yticks(places[kept], [draw.hertz(float(wanted[i])) for i in kept])
