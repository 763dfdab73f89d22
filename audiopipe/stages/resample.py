"""Change the sample rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, gcd

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.framing import Concatenate, Framing
from audiopipe.signals import Audio
from audiopipe.stage import Stage, Windowed
from audiopipe.units import Rate

ZEROS = 82
"""Half the filter's length in periods of the lower rate: what 110 dB over this band need."""
CUTOFF = 0.9565
"""The middle of the transition band, in terms of the lower Nyquist frequency."""
BETA = 11.16
"""The Kaiser window's parameter for 110 dB: 0.1102 · (110 - 8.7)."""
PACE = 200
"""Windows a second, where the rates allow it: more cost time, fewer cost latency."""
LARGEST = 1 << 21
"""Elements of the largest kernel that is made in one piece (8 MiB)."""
NODES = 12
"""Kernels between which that of a rare pair of rates is interpolated (error below -140 dB)."""


class Resample(Windowed):
    """Change the sample rate, band-limited and with zero phase.

    Input [channels, time]; output `Audio` [channels, ceil(time * new / old)]; sample `j`
    stands where the input's sample `j * old / new` does. The filter is a sinc under a Kaiser
    window: flat within ±0.001 dB up to 0.913 of the lower Nyquist frequency (as soxr's high
    quality is), and below -110 dB from that frequency on, in float32. It reaches 82 periods of
    the lower rate to either side. The latency is 10 ms from 48 kHz to 16 kHz, 15 ms from
    44.1 kHz. Rates with a small common divisor repeat rarely: from 44100 Hz to 44101 Hz it is
    a second.

    J. O. Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/
    """

    name = "resample"

    rate: Rate = Field(ge=100, le=1_000_000)
    """The new rate."""

    def output(self, source: Audio) -> Audio:
        return Audio.empty(self.rate, source.channels)

    def framing(self, source: Audio) -> Framing:
        if source.rate == self.rate:
            return Framing(window=1, hop=1)
        return _Grid.of(source.rate, self.rate).framing

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> _Kernel | None:
        if source.rate == self.rate:
            return None
        return _Kernel.of(_Grid.of(source.rate, self.rate), device)

    def compute(self, model: _Kernel | None, windows: Tensor) -> Tensor:
        return windows if model is None else model(windows)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (cls(rate=16000), cls(rate=22050), cls(rate=48000))


@dataclass(frozen=True)
class _Grid:
    """Which input a window needs: `hop` input samples yield `size` output samples.

    The outputs of a window are made in `blocks` of `part`, each of `span` input samples.
    There is one block, except for pairs of rates that repeat so rarely that a kernel for all
    outputs would not fit.
    """

    old: int
    new: int
    hop: int
    size: int
    part: int

    @classmethod
    def of(cls, old: int, new: int) -> _Grid:
        divisor = gcd(old, new)
        times = max(1, round(divisor / PACE))
        hop, size = old // divisor * times, new // divisor * times
        grid = cls(old, new, hop, size, part=size)
        if grid.span * size <= LARGEST:
            return grid
        return cls(old, new, hop, size, part=max(1, new // PACE))

    @property
    def width(self) -> int:
        """Input samples on either side of an output that its filter covers."""
        return ceil(ZEROS * max(self.old, self.new) / self.new)

    @property
    def blocks(self) -> int:
        return ceil(self.size / self.part)

    @property
    def span(self) -> int:
        return ceil(self.part * self.old / self.new) + 2 * self.width

    @property
    def framing(self) -> Framing:
        """Window, hop and padding; the last block may reach further than the hop."""
        first = (self.blocks - 1) * self.part * self.old // self.new
        window = max(self.hop + 2 * self.width, first + self.span)
        after = window - self.width - 1
        return Framing(window, self.hop, self.width, after, Concatenate(self.size))

    def taps(self, shift: float) -> Tensor:
        """The kernel [span, part] that reads block samples `shift` after its first."""
        times = torch.arange(self.part, dtype=torch.float64) * (self.old / self.new) + shift
        offsets = torch.arange(self.span, dtype=torch.float64) - self.width
        scale = min(1.0, self.new / self.old)
        return scale * impulse_response((offsets[:, None] - times) * scale)


def impulse_response(periods: Tensor) -> Tensor:
    """The filter at a time in periods of the lower rate.

    >>> impulse_response(torch.tensor([0.0, 82.1]))
    tensor([0.9565, 0.0000])
    """
    inside = (1 - (periods / ZEROS).square()).clamp_min(0).sqrt()
    window: Tensor = torch.special.i0(BETA * inside) / torch.special.i0(torch.tensor(BETA))
    return CUTOFF * torch.sinc(CUTOFF * periods) * window * (periods.abs() <= ZEROS)


@dataclass(frozen=True, eq=False)
class _Kernel:
    """The filter as matrices.

    With one block, outputs are windows times `taps` [1, window, size]. With several, each
    starts a fraction of a sample later than the one before; its kernel is a polynomial of that
    fraction through those at Chebyshev nodes, `taps` [nodes, span, part], with the values of
    the Lagrange polynomials as `weights` [nodes, blocks, 1] (the structure of Farrow 1988).
    """

    grid: _Grid
    taps: Tensor
    starts: Tensor
    weights: Tensor

    @classmethod
    def of(cls, grid: _Grid, device: torch.device) -> _Kernel:
        blocks = torch.arange(grid.blocks) * grid.part
        starts, rest = blocks * grid.old // grid.new, blocks * grid.old % grid.new
        if grid.blocks == 1:
            taps, weights = grid.taps(0.0)[None], torch.ones(1, 1, 1)
        else:
            angles = (torch.arange(NODES, dtype=torch.float64) + 0.5) * (torch.pi / NODES)
            nodes = (1 - torch.cos(angles)) / 2
            taps = torch.stack([grid.taps(float(node)) for node in nodes])
            weights = _lagrange(nodes, rest.double() / grid.new)[..., None]
        return cls(grid, taps.float().to(device), starts.to(device), weights.float().to(device))

    def __call__(self, windows: Tensor) -> Tensor:
        """Map windows [batch, channels, window] to [batch, channels, size]."""
        if self.grid.blocks == 1:
            whole: Tensor = windows @ self.taps[0]
            return whole
        within = torch.arange(self.grid.span, device=windows.device)
        pieces = windows[..., self.starts[:, None] + within]
        parts = windows.new_zeros(*pieces.shape[:-1], self.grid.part)
        for weights, taps in zip(self.weights, self.taps, strict=True):
            parts += weights * (pieces @ taps)
        row: Tensor = parts.flatten(-2)
        return row[..., : self.grid.size]


def _lagrange(nodes: Tensor, at: Tensor) -> Tensor:
    """The Lagrange polynomials of `nodes` [n] at `at` [m]: [n, m].

    >>> _lagrange(torch.tensor([0.0, 1.0]), torch.tensor([0.25]))
    tensor([[0.7500],
            [0.2500]])
    """
    factors = (at - nodes[:, None, None]) / (nodes[None, :, None] - nodes[:, None, None])
    own = torch.eye(len(nodes), dtype=torch.bool)[..., None]
    return factors.masked_fill(own, 1).prod(0)
