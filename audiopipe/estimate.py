"""How much memory and disk a plan will take, before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from math import prod
from operator import not_

from audiopipe.compute import BATCH_ELEMENTS
from audiopipe.pipeline import BLOCK
from audiopipe.plan import Plan
from audiopipe.run.lane import READ_AHEAD, WRITE_BEHIND
from audiopipe.signals import Sampled
from audiopipe.stage import TwoPass, Windowed

WORKING_COPIES = 3
"""Windows, a product of them, and the outputs: what a stage has in hand at a time."""


@dataclass(frozen=True)
class Estimate:
    """Bytes. `memory` is what blocks and windows take, without weights and libraries, however
    long the recording is; `spool` is disk for each hour of it."""

    memory: int
    spool: int


def estimate(plan: Plan) -> Estimate:
    """Estimate from the formats; good to a factor of two."""
    source = plan.source
    if not isinstance(source, Sampled):
        return Estimate(0, 0)
    seconds = BLOCK / source.rate
    memory = int(READ_AHEAD * seconds * _bytes_per_second(source))
    spool = 0
    for step in plan.steps:
        (first, *_) = step.formats
        if not isinstance(first, Sampled):
            continue
        given = sum(_bytes_per_second(f) for f in step.outputs.values())
        memory += int(seconds * (_bytes_per_second(first) + given))
        if isinstance(step.stage, Windowed):
            framing = step.stage.framing(first)
            width = framing.window * prod(first.tensors[0].shape[:-1])
            windows = seconds * first.rate / first.hop / framing.hop + 1
            memory += 4 * WORKING_COPIES * int(min(max(BATCH_ELEMENTS, width), windows * width))
        if isinstance(step.stage, TwoPass):
            spool += int(3600 * _bytes_per_second(first))
        late = [plan.comes_late(source) for source in step.sources]
        if any(late):  # the other branches wait for these
            waiting = compress(step.formats, map(not_, late))
            spool += int(3600 * sum(map(_bytes_per_second, waiting)))
    for references in plan.outputs.values():
        for reference in references:
            rate = _bytes_per_second(plan.format(reference))
            memory += int(WRITE_BEHIND * seconds * rate)
    return Estimate(memory, spool)


def _bytes_per_second(format: object) -> float:
    if not isinstance(format, Sampled):
        return 0.0
    size = sum(prod(t.shape[:-1]) * t.element_size() for t in format.tensors)
    return size * format.rate / format.hop
