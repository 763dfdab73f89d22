"""A multichannel Wiener filter behind any network: stems that share the mix among themselves.

What a network takes for its stems says how loud each is, at every time and frequency, and from
where between left and right it comes. The filter takes them out of the mix by just that, and may
look at what it made once more (expectation-maximisation): A. A. Nugraha, A. Liutkus, E. Vincent,
"Multichannel audio source separation with deep neural networks", IEEE/ACM TASLP 24(9), 2016; as in
norbert and Open-Unmix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from audiopipe.framing import Framing
from audiopipe.separators.base import CHANNELS, arrange, separation_card, sums
from audiopipe.separators.segments import Segments, analyzed, hann, synthesized
from audiopipe.signals import Audio
from audiopipe.stage import GRID, Fidelity, Reach, Stateful, Windowed

FRAMES, SHARED = 300, 75
"""Frames over which a stem comes from one place, 7 s as in Open-Unmix, and how many of them are
also the next segment's."""
PEAK = 10.0
"""The magnitude that the loudest bin of a segment is brought to, as in norbert."""
EPSILON = torch.finfo(torch.float64).eps
"""Power that is added to a stem's; its root, to the mix's, where it is 98 dB below that of the
loudest bin: as in norbert."""
FAINT = 1e-8
"""The magnitude below which a segment is not made louder."""
GROUP = 128
"""Bins that are filtered at once: more would fall out of the cache."""


class Gather(Stateful):
    """Put the mix and its stems side by side: Audio [2, time] each to Audio [2 + 2 * stems, time].

    The source first, as mixed and resampled for the network, then the stems in their order.
    """

    name = "gather"
    many = True
    rejoins = True

    def accepts(self, source: Audio, *stems: Audio) -> Sequence[Audio]:
        return [Audio.empty(stems[0].rate, CHANNELS)] * (1 + len(stems))

    def output(self, source: Audio, *stems: Audio) -> Audio:
        return Audio.empty(source.rate, CHANNELS * (1 + len(stems)))

    def reach(self, source: Audio) -> Reach:
        return Reach(behind=0, ahead=0, latency=0)

    def start(self, model: None, sources: Sequence[Audio]) -> None:
        return None

    def step(self, model: None, state: None, blocks: Sequence[Audio], last: bool) -> Audio:
        side_by_side = torch.cat([block.samples for block in blocks])
        return blocks[0].like(side_by_side, start=blocks[0].start)


class Wiener(Windowed):
    """Filter a mix into stems: what `Gather` gives to Audio [2, time], a port a stem.

    All stems of the model go in, whatever is kept: what comes out does not depend on it.
    """

    name = "wiener"
    heavy = True

    model: str
    keep: tuple[str, ...] = ()
    iterations: int = 1

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def output(self, source: Audio) -> Mapping[str, Audio]:
        names = sums(separation_card(self.model).labels, self.keep)
        return dict.fromkeys(names, Audio.empty(source.rate, CHANNELS))

    def framing(self, source: Audio) -> Framing:
        return Segments(FRAMES, SHARED).framing

    def load(
        self, source: Audio, device: torch.device, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        window = hann(device)
        return window, window * Segments(FRAMES, SHARED).fades[:, None].to(device)

    def compute(self, model: tuple[Tensor, Tensor], windows: Tensor) -> tuple[Tensor, ...]:
        labels = separation_card(self.model).labels
        window, faded = model
        found = []
        for sounds in windows:  # one at a time: the spectra of several would take much memory
            known = sounds.unflatten(0, (-1, CHANNELS)).nan_to_num(0.0, 0.0, 0.0)
            spectra = analyzed(known, window)  # [1 + stems, 2, frames, BINS]
            filtered = wiener(spectra[1:], spectra[0], self.iterations)
            kept = arrange(filtered[None], labels, self.keep)
            found.append([synthesized(stem[0], faded) for stem in kept])
        return tuple(torch.stack(column) for column in zip(*found, strict=True))


def wiener(stems: Tensor, mix: Tensor, iterations: int) -> Tensor:
    """Stems filtered out of their mix, from estimates of them.

    Shape: stems [stems, 2, frames, bins] complex, mix [2, frames, bins] complex -> like stems.

    A stem has a power at every frame and bin, and at every bin a covariance of the two channels;
    both follow from its estimate. Each iteration estimates the stems by them. Their sum is the
    mix, but for what is fainter than EPSILON says, or in none of the stems.

    >>> voice, band = torch.randn(2, 2, 20, 3, dtype=torch.complex64)
    >>> found = wiener(torch.stack([2 * voice, band]), voice + band, iterations=1)
    >>> torch.allclose(found.sum(0), voice + band, atol=1e-3)
    True
    """
    scale = (mix.abs().max() / PEAK).clamp_min(FAINT)
    found = torch.empty_like(stems)
    for first in range(0, mix.shape[-1], GROUP):
        bins = slice(first, first + GROUP)
        found[..., bins] = _of_bins(stems[..., bins] / scale, mix[..., bins] / scale, iterations)
    return found.mul_(scale)


def _of_bins(stems: Tensor, mix: Tensor, iterations: int) -> Tensor:
    """The same of some bins, at a level at which EPSILON makes sense."""
    # What is equal left and right has a covariance without an inverse but for EPSILON, which
    # single precision loses. An Apple GPU knows no other.
    device = stems.device if stems.device.type != "mps" else torch.device("cpu")
    found = stems.to(device, torch.complex128)
    left, right = mix.to(device, torch.complex128)
    for _ in range(iterations):
        squares = torch.view_as_real(found).square().sum(-1)
        powers = squares.mean(1)  # [stems, frames, bins]
        total = powers.sum(1, keepdim=True) + EPSILON
        # The covariance of each stem, [[a, b], [b*, d]], each [stems, 1, bins]; then of the mix.
        a, d = (squares.sum(2, keepdim=True) / total[:, None]).unbind(1)
        b = (found[:, 0] * found[:, 1].conj()).sum(1, keepdim=True) / total
        mix_a, mix_b, mix_d = ((powers * part).sum(0) for part in (a, b, d))
        mix_a, mix_d = mix_a + EPSILON**0.5, mix_d + EPSILON**0.5
        determinant = mix_a * mix_d - torch.view_as_real(mix_b).square().sum(-1)
        first = (mix_d * left - mix_b * right) / determinant
        second = (mix_a * right - mix_b.conj() * left) / determinant
        shares = [a * first + b * second, b.conj() * first + d * second]
        found = torch.stack(shares, 1) * powers[:, None]
    return found.to(stems.device, stems.dtype)
