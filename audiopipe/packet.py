"""Blocks on their way between stages: aligned where several meet, read back where one waited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch

from audiopipe.signals import Sampled
from audiopipe.spool import Spool

REPLAY_SIZE = 1 << 18
"""Elements a block that is read back from a spool."""


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


def align(waiting: list[list[Packet]]) -> list[Packet]:
    """Take from each queue the same stretch of time; nothing while one is behind.

    An input that has ended earlier than the others is continued with zeros.
    """
    if len(waiting) == 1:
        (queue,) = waiting
        return [queue.pop(0)] if queue else []
    if not all(waiting):
        return []
    joined = [_merge(queue) for queue in waiting]
    ended = [packet.end is not None for packet in joined]
    lengths = [len(packet.block) for packet in joined]
    everything = all(ended)
    if everything:
        size = max(lengths)
        end = max(packet.end for packet in joined if packet.end is not None)
    else:
        size = min(n for n, over in zip(lengths, ended, strict=True) if not over)
        end = None
    taken = []
    for queue, packet in zip(waiting, joined, strict=True):
        block = packet.block
        taken.append(Packet(_exactly(block, size), end))
        position = block.start + size
        kept = block.cut(min(position, block.stop), block.stop)
        queue[:] = [Packet(kept.like(*kept.tensors, start=position), packet.end)]
    return taken


def _merge(queue: list[Packet]) -> Packet:
    blocks = [packet.block for packet in queue]
    return Packet(type(blocks[0]).join(blocks), queue[-1].end)


def _exactly(block: Sampled, size: int) -> Sampled:
    missing = size - len(block)
    if missing <= 0:
        return block.cut(block.start, block.start + size)
    padded = (torch.nn.functional.pad(t, (0, missing)) for t in block.tensors)
    return block.like(*padded, start=block.start)
