"""The one place that cuts time into windows and joins it again.

A stage says how: window, hop, the zeros that lie around the signal, and how its outputs
join. Nothing here knows what a stage computes, and nothing elsewhere buffers or pads.

    padded signal   0 0 0|x x x x x x x x x x|0 0
    window 0        [- - - - -]
    window 1            [- - - - -]              window i starts at i·hop - before
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import torch
from torch import Tensor


@dataclass(frozen=True)
class Concatenate:
    """Every window yields the next `size` elements of the output."""

    size: int = 1


@dataclass(frozen=True, eq=False)
class OverlapAdd:
    """Every window yields a stretch that overlaps with its neighbours'.

    Output stretch `i` starts at element `i * hop - before`. The stretches are weighted by
    `weight` [window], added, and divided by the sum of `norm` [window]: for outputs of
    untouched windows `norm` is `weight`; where the stage has applied an analysis window,
    `norm` is weight times that window, so that the result is exact (Griffin & Lim 1984).
    """

    hop: int
    before: int
    weight: Tensor
    norm: Tensor

    @property
    def window(self) -> int:
        return int(self.weight.shape[-1])


@dataclass(frozen=True, eq=False)
class Framing:
    """How a stage sees time, in elements of its input.

    Window `i` covers `window` elements from `i * hop - before` on. There are as many windows
    as fit into the signal with `before` zeros ahead of it and `after` zeros behind it.

    >>> centred = Framing(window=1024, hop=256, before=512, after=512)
    >>> centred.count(1000), centred.ahead
    (4, 511)
    """

    window: int
    hop: int
    before: int = 0
    after: int = 0
    join: Concatenate | OverlapAdd = field(default_factory=Concatenate)

    def count(self, length: int, last: bool = True) -> int:
        """The number of windows over `length` elements; none over nothing.

        Where these are not the `last`, of the windows that need nothing more.
        """
        if length == 0:
            return 0
        after = self.after if last else 0
        return max(0, (self.before + length + after - self.window) // self.hop + 1)

    @property
    def behind(self) -> int:
        """Elements before an output's own time that may change it, at most."""
        if isinstance(self.join, OverlapAdd):
            stretch = self.join.window - self.join.before
            return self.before + ceil(Fraction(stretch * self.hop, self.join.hop))
        return self.before + ceil(Fraction((self.join.size - 1) * self.hop, self.join.size))

    @property
    def ahead(self) -> int:
        """Elements after an output's own time that must be there for it to be out, at most."""
        ahead = self.window - self.before - 1
        if isinstance(self.join, OverlapAdd):
            ahead += ceil(Fraction(self.join.before * self.hop, self.join.hop))
        return ahead


@dataclass
class Windows:
    """The state of a stream that is being cut."""

    held: Tensor | None = None
    skip: int = 0
    received: int = 0
    given: int = 0


def cut(framing: Framing, state: Windows, block: Tensor, last: bool) -> Tensor:
    """Take `block` [..., time] in; give the windows [n, ..., window] that are now complete.

    The windows are a view of one buffer: a stage must not write to them.
    """
    if state.held is None:
        state.held = block.new_zeros(*block.shape[:-1], framing.before)
    state.received += block.shape[-1]
    if state.skip:
        dropped = min(state.skip, block.shape[-1])
        block, state.skip = block[..., dropped:], state.skip - dropped
    held = torch.cat([state.held, block], dim=-1) if state.held.shape[-1] else block
    ready = framing.count(state.received, last) - state.given
    missing = (ready - 1) * framing.hop + framing.window - held.shape[-1]
    if ready and missing > 0:
        held = torch.cat([held, held.new_zeros(*held.shape[:-1], missing)], dim=-1)
    used = ready * framing.hop
    state.given += ready
    state.skip += max(0, used - held.shape[-1])
    state.held = held[..., used:]
    if not ready:
        return held.new_zeros(0, *held.shape[:-1], framing.window)
    return held.unfold(-1, framing.window, framing.hop)[..., :ready, :].movedim(-2, 0)


@dataclass
class Joined:
    """The state of a stream that is being put together; `given` counts output elements."""

    tail: Tensor | None = None
    norm: Tensor | None = None
    windows: int = 0
    given: int = 0


def limit(end: Fraction | None, rate: int, hop: int) -> int | None:
    """The number of elements in a signal that ends `end` seconds after its start."""
    return None if end is None else ceil(end * rate / hop)


def concatenate(state: Joined, outputs: Tensor, length: int | None) -> Tensor:
    """Put outputs [n, ..., size] in a row: [..., n * size], cut at `length` in all."""
    row = outputs.movedim(0, -2).flatten(-2)
    if length is not None:
        row = row[..., : max(0, length - state.given)]
    state.windows += outputs.shape[0]
    state.given += row.shape[-1]
    return row


def overlap_add(join: OverlapAdd, state: Joined, outputs: Tensor, length: int | None) -> Tensor:
    """Add outputs [n, ..., window] up; give what no later window can change.

    `length` is None while the stream goes on; then it is the length of the whole output,
    and the rest is given, filled with zeros where no window reaches.
    """
    count, window = outputs.shape[0], join.window
    weight, norm = join.weight.to(outputs), join.norm.to(outputs)
    overlap = max(0, window - join.hop)
    if state.tail is None or state.norm is None:
        state.tail = outputs.new_zeros(*outputs.shape[1:-1], overlap)
        state.norm = norm.new_zeros(overlap)
    total = count * join.hop + overlap if count else overlap
    summed = add_up(outputs * weight, join.hop, total)
    norms = add_up(norm.expand(count, window), join.hop, total)
    summed[..., :overlap] += state.tail
    norms[:overlap] += state.norm
    first = state.windows * join.hop - join.before
    done = count * join.hop
    state.windows += count
    if length is not None:
        done = total
    state.tail, state.norm = summed[..., done:], norms[done:]
    ready = summed[..., :done] / norms[:done].clamp_min(torch.finfo(norms.dtype).eps)
    ready = ready[..., max(0, state.given - first) :]
    if length is not None:
        missing = length - state.given - ready.shape[-1]
        ready = torch.nn.functional.pad(ready, (0, missing))  # cuts where negative
    state.given += ready.shape[-1]
    return ready


def add_up(stretches: Tensor, hop: int, total: int) -> Tensor:
    """Add stretches [n, ..., window] up, each `hop` later than the one before: [..., total].

    >>> add_up(torch.ones(3, 4), hop=2, total=8)
    tensor([1., 1., 2., 2., 2., 2., 1., 1.])
    """
    count, *others, window = stretches.shape
    if not count:
        return stretches.new_zeros(*others, total)
    parts = ceil(window / hop)
    padded = torch.nn.functional.pad(stretches, (0, parts * hop - window))
    rows = stretches.new_zeros(count + parts - 1, *others, hop)
    for part in range(parts):
        rows[part : part + count] += padded[..., part * hop : (part + 1) * hop]
    row = rows.movedim(0, -2).flatten(-2)
    return torch.nn.functional.pad(row, (0, total - row.shape[-1]))  # cuts where negative
