"""Recordings as if they were live: each block comes when its last sample would have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from audiopipe.signals import Audio


def pace(
    blocks: Iterable[Audio],
    *,
    speed: float = 1.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Audio]:
    """Give blocks at real time, or `speed` times as fast.

    Every block is timed from the beginning, so that lateness does not add up; blocks that
    are late come at once.

    >>> import torch
    >>> now = [0.0]
    >>> def sleep(seconds): now[0] += seconds
    >>> blocks = [Audio(torch.zeros(1, 8000), 16000, k * 8000) for k in range(3)]
    >>> [now[0] for _ in pace(blocks, speed=2, clock=lambda: now[0], sleep=sleep)]
    [0.25, 0.5, 0.75]
    """
    if speed <= 0:
        raise ValueError(f"a speed must be above 0, not {speed}")
    begin: float | None = None
    first = 0
    for block in blocks:
        if begin is None:
            begin, first = clock(), block.start
        due = begin + (block.stop - first) / (block.rate * speed)
        if (wait := due - clock()) > 0:
            sleep(wait)
        yield block
