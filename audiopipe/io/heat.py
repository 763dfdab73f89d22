"""The picture of scores: time across, a row per label, how sure as colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audiopipe.io import draw
from audiopipe.io.pool import Clock, Pool
from audiopipe.signals import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ScoresPicture:
    """Labels from top to bottom in their order, 0 pale and 1 dark."""

    ROW = 0.19
    """Inches a label."""

    def __init__(self, form: Scores) -> None:
        self._format = form
        self._clock = Clock(form)
        self._pool = Pool(np.max)

    def add(self, block: Scores) -> None:
        self._clock.see(block)
        self._pool.add(block.numpy())

    def figure(self) -> Figure:
        form, values = self._format, self._pool.columns()
        start, stop = self._clock.span(self._pool)
        count = len(form.labels)
        every = f"every {1000 * form.hop / form.rate:.4g} ms"
        figure, (axis,) = draw.panels(1, f"scores · {every}", height=0.6 + self.ROW * count)
        axis.set_yticks(range(count), form.labels, fontsize=8)
        axis.set_ylim(count - 0.5, -0.5)
        if values.size:
            covered = values.shape[-1] * self._pool.factor * form.hop / form.rate
            extent = (start, start + covered, count - 0.5, -0.5)
            look: dict[str, Any] = {
                "cmap": "Blues",
                "vmin": 0.0,
                "vmax": 1.0,
                "interpolation": "nearest",
            }
            image = axis.imshow(values, aspect="auto", extent=extent, **look)
            draw.colour_bar(figure, image, [axis], "score")
        else:
            draw.empty(axis, "no scores")
        draw.time_axis(axis, start, stop)
        return figure
