"""Blocks on their way between stages: aligned where several meet, read back where one waited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch

from audiopipe.signals import Sampled
from audiopipe.spool import Spool

REPLAY_SIZE = 1 << 18
"""Elements a block that is read back from a spool."""

WAITING = 1 << 20
"""Elements that wait in memory for another input; more wait on disk."""


@dataclass(frozen=True)
class Packet:
    """A block on its way; `end` is the stream's length in s once no more will come."""

    block: Any
    end: Fraction | None = None


def replay(spool: Spool, end: Fraction) -> Iterator[Packet]:
    """Read a recording back, with its `end` on the last block."""
    waiting: Sampled | None = None
    for block in spool.blocks(REPLAY_SIZE):
        if waiting is not None:
            yield Packet(waiting)
        waiting = block
    yield Packet(waiting, end)


@dataclass
class Backlog:
    """What one input of a step has sent and another has not yet matched."""

    blocks: list[Sampled] = field(default_factory=list)
    spool: Spool | None = None
    start: int = 0
    length: int = 0
    end: Fraction | None = None

    def append(self, packet: Packet) -> None:
        """Add what comes next."""
        self.blocks.append(packet.block)
        self.length += len(packet.block)
        self.end = packet.end

    def take(self, size: int) -> Sampled:
        """Give the next `size` elements, zeros behind the end."""
        count = min(size, self.length)
        if self.spool:
            self.spill()
            block = self.spool.take(count)
        else:
            held = type(self.blocks[0]).join(self.blocks)
            middle = held.start + count
            block, self.blocks = held.cut(held.start, middle), [held.cut(middle, held.stop)]
        tensors = block.tensors
        if count < size:
            tensors = tuple(torch.nn.functional.pad(t, (0, size - count)) for t in tensors)
        start, self.start = self.start, self.start + size
        self.length -= count
        return block.like(*tensors, start=start)

    def spill(self) -> None:
        """Put what waits on the disk, if it is much."""
        if self.spool is None and self.length <= WAITING:
            return
        for block in self.blocks:
            self.spool = self.spool or Spool(block.format)
            self.spool.append(block)
        self.blocks.clear()


def align(waiting: Sequence[Backlog], arrived: Sequence[Packet | None]) -> list[Packet]:
    """Take from each input the same stretch of time; nothing while one is behind.

    An input that has ended earlier than the others is continued with zeros.
    """
    if len(waiting) == 1:
        return [packet for packet in arrived if packet]
    for backlog, packet in zip(waiting, arrived, strict=True):
        if packet:
            backlog.append(packet)
    ends = [backlog.end for backlog in waiting if backlog.end is not None]
    over = len(ends) == len(waiting)
    size = (
        max(backlog.length for backlog in waiting)
        if over
        else min(backlog.length for backlog in waiting if backlog.end is None)
    )
    taken = []
    if size or over:
        end = max(ends) if over else None
        taken = [Packet(backlog.take(size), end) for backlog in waiting]
    for backlog in waiting:
        backlog.spill()
    return taken
