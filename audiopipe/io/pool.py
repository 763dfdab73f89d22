"""Hours in a picture: the columns stay bounded, for each covers more and more time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from audiopipe.signals import Sampled

Array = np.ndarray[Any, Any]
COLUMNS = 4096


class Pool:
    """Pools a stream [..., time] to at most `limit` columns.

    When they are full, neighbours are pooled in pairs and `factor`, the number of elements
    behind a column, doubles. `reduce(array, axis=-1)` must not mind the order in which it is
    applied: a maximum, a minimum, a mean.

    >>> pool = Pool(np.max, limit=4)
    >>> pool.add(np.array([1, 5, 2, 3]))
    >>> pool.add(np.array([4, 0]))
    >>> pool.factor, pool.columns()
    (2, array([5, 3, 4]))
    """

    def __init__(self, reduce: Callable[..., Any], limit: int = COLUMNS) -> None:
        if limit % 2:
            raise ValueError(f"the limit must be even, not {limit}")
        self.factor = 1
        self.length = 0
        self._reduce = reduce
        self._limit = limit
        self._columns: Array | None = None
        self._filled = 0
        self._rest: Array | None = None

    def add(self, block: Array) -> None:
        """Take the next block [..., time]."""
        if self._columns is None or self._rest is None:
            self._columns = np.empty((*block.shape[:-1], self._limit), block.dtype)
            self._rest = block[..., :0]
        self.length += block.shape[-1]
        pending = np.concatenate([self._rest, block], axis=-1)
        while (ready := pending.shape[-1] // self.factor) > 0:
            count = min(ready, self._limit - self._filled)
            used = count * self.factor
            shape = (*pending.shape[:-1], count, self.factor)
            pooled = self._reduce(pending[..., :used].reshape(shape), axis=-1)
            self._columns[..., self._filled : self._filled + count] = pooled
            self._filled += count
            pending = pending[..., used:]
            if self._filled == self._limit:
                self._halve(self._columns)
        self._rest = pending.copy()  # a view would keep all of the block

    def _halve(self, columns: Array) -> None:
        half = self._limit // 2
        pairs = columns.reshape(*columns.shape[:-1], half, 2)
        columns[..., :half] = self._reduce(pairs, axis=-1)
        self._filled = half
        self.factor *= 2

    def columns(self) -> Array:
        """The columns so far, the last of which may cover fewer elements."""
        if self._columns is None or self._rest is None:
            return np.empty(0)
        filled = self._columns[..., : self._filled]
        if not self._rest.shape[-1]:
            return filled.copy()
        last = self._reduce(self._rest, axis=-1)[..., None]
        return np.concatenate([filled, last], axis=-1)


class Clock:
    """From the columns of a pool to seconds."""

    def __init__(self, form: Sampled) -> None:
        self._step = form.hop / form.rate
        self._start: float | None = None

    def see(self, block: Sampled) -> None:
        """Learn from the first block where time starts."""
        if self._start is None:
            self._start = block.start * self._step

    def span(self, pool: Pool) -> tuple[float, float]:
        """The time of the first element, and of the end of the last."""
        start = self._start or 0.0
        return start, start + pool.length * self._step

    def times(self, pool: Pool, columns: int) -> Array:
        """The middle of each column."""
        start = self._start or 0.0
        return start + (np.arange(columns) + 0.5) * pool.factor * self._step
