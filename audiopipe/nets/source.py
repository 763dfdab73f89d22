"""What a voice's filter is given to shape: pulses at the pitch, and noise.

Both have the same power in every hertz, that of white noise with a deviation of 1, so that one
filter means the same for either.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOWEST, HIGHEST = 40.0, 2000.0
"""Hz: pulses are never slower or faster."""


def pulses(phase: Tensor, hz: Tensor, rate: int) -> Tensor:
    """Cosines of equal strength at all multiples of `hz` below half the rate, float32.

    `phase` is that of the first one, in radians, float64; `hz` has its shape. The highest fades
    where the pitch moves it across the limit.

    >>> angle = torch.linspace(-3.0, 3.0, 7, dtype=torch.float64)
    >>> pulses(angle, torch.full_like(angle, 100.0), 24_000).argmax().item()
    3
    """
    angle = torch.remainder(phase + math.pi, 2 * math.pi) - math.pi
    count = rate / 2 / hz
    whole, rest = count.floor(), count.frac()
    half = torch.sin(angle / 2)
    at_peak = half.abs() < 1e-6
    half = half.masked_fill(at_peak, 1.0)
    # Dirichlet's kernel: the sum of all cosines in closed form.
    lower = (torch.sin((whole + 0.5) * angle) / half - 1) / 2
    total = torch.where(at_peak, count, lower + rest * torch.cos((whole + 1) * angle))
    return (2 * torch.sqrt(hz / rate) * total).float()


class Source:
    """Pulses and noise, frame after frame: what is given does not depend on how the frames come.

    A block of `hop` samples goes from the middle of the frame before to the middle of its own, and
    the pitch in a straight line between them.

    >>> hz = torch.full((20,), 120.0)
    >>> whole, parts = Source(256, 24_000), Source(256, 24_000)
    >>> torch.equal(whole(hz), torch.cat([parts(hz[:7]), parts(hz[7:])], dim=1))
    True
    """

    def __init__(self, hop: int, rate: int, seed: int = 0) -> None:
        self.hop, self.rate = hop, rate
        self._phase = 0.0
        self._before: Tensor | None = None
        self._noise = torch.Generator().manual_seed(seed)

    def __call__(self, hz: Tensor) -> Tensor:
        """The blocks of frames with a pitch of `hz` [frames]: [2, frames * hop] float32."""
        if not len(hz):
            return torch.zeros(2, 0)
        hz = hz.double().clamp(LOWEST, HIGHEST)
        before = hz[:1] if self._before is None else self._before
        self._before = hz[-1:]
        edges = torch.cat([before, hz])
        line = torch.arange(1, self.hop + 1, dtype=torch.float64) / self.hop
        heights = edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * line
        turns = heights.cumsum(1) * (2 * math.pi / self.rate)
        # Frame by frame: a sum over all at once would differ with how many there are.
        begins = []
        for turn in turns[:, -1].tolist():
            begins.append(self._phase)
            self._phase = math.fmod(self._phase + turn, 2 * math.pi)
        phase = torch.tensor(begins, dtype=torch.float64)[:, None] + turns
        noise = [torch.randn(self.hop, generator=self._noise) for _ in begins]
        return torch.stack([pulses(phase, heights, self.rate).flatten(), torch.cat(noise)])
