"""How well single sounds are told apart: who is taken for whom, and how sure the figures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from audiopipe.metrics.intervals import Interval, wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Counts = np.ndarray[Any, np.dtype[np.int64]]


class Taken(NamedTuple):
    """How often one label was taken for another."""

    truth: str
    guess: str
    times: int


@dataclass(frozen=True, eq=False)
class Confusion:
    """Which labels were taken for which: `counts` [truth, guess] in the order of `labels`.

    >>> told = Confusion.of(["yes", "yes", "no"], ["yes", "no", "no"], ["yes", "no"])
    >>> told.counts.tolist(), told.accuracy
    ([[1, 1], [0, 1]], 0.6666666666666666)
    >>> told.recall, told.precision
    ({'yes': 0.5, 'no': 1.0}, {'yes': 1.0, 'no': 0.5})
    """

    counts: Counts
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.counts.shape != (len(self.labels),) * 2:
            raise ValueError(f"{len(self.labels)} labels do not fit counts {self.counts.shape}")

    @classmethod
    def of(cls, truth: Sequence[str], guesses: Sequence[str], labels: Sequence[str]) -> Confusion:
        """Count guesses; raises ValueError for a label that is not among `labels`."""
        place = {label: k for k, label in enumerate(labels)}
        if unknown := {*truth, *guesses} - set(place):
            raise ValueError(f"not among the labels: {', '.join(sorted(unknown))}")
        counts = np.zeros((len(labels), len(labels)), np.int64)
        for true, guess in zip(truth, guesses, strict=True):
            counts[place[true], place[guess]] += 1
        return cls(counts, tuple(labels))

    def __add__(self, other: Confusion) -> Confusion:
        if self.labels != other.labels:
            raise ValueError("only counts over the same labels can be added")
        return Confusion(self.counts + other.counts, self.labels)

    @property
    def total(self) -> int:
        """The number of guesses."""
        return int(self.counts.sum())

    @property
    def right(self) -> int:
        """The number of right guesses."""
        return int(self.counts.trace())

    @property
    def accuracy(self) -> float:
        """The share of right guesses; nan of none."""
        return self.right / self.total if self.total else nan

    @property
    def interval(self) -> Interval:
        """Between which values the accuracy lies, with 95 % confidence."""
        return wilson(self.right, self.total)

    @property
    def recall(self) -> dict[str, float]:
        """Of each label, the share that was recognised; nan where it does not occur."""
        return self._shares(self.counts.sum(1))

    @property
    def precision(self) -> dict[str, float]:
        """Of the guesses of each label, the share that was right; nan where there are none."""
        return self._shares(self.counts.sum(0))

    def _shares(self, totals: Counts) -> dict[str, float]:
        rights = self.counts.diagonal()
        rows = zip(self.labels, rights.tolist(), totals.tolist(), strict=True)
        return {label: right / total if total else nan for label, right, total in rows}

    @property
    def mistakes(self) -> list[Taken]:
        """What was taken for what, the most frequent first."""
        off = self.counts - np.diag(self.counts.diagonal())
        found = [Taken(self.labels[i], self.labels[j], int(off[i, j])) for i, j in np.argwhere(off)]
        return sorted(found, key=lambda taken: -taken.times)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw the matrix; with `path`, write the picture there as PNG too.

        Raises OutputError where the picture cannot be written.
        """
        from audiopipe.metrics.pictures import draw_confusion

        return draw_confusion(self, path)

    def __str__(self) -> str:
        if not self.total:
            return "–"
        low, high = self.interval
        return f"{100 * self.accuracy:.1f} % ({100 * low:.1f} to {100 * high:.1f}) of {self.total}"
