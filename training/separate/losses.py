"""How far stems are from what they should be, from sums over points alone."""

from __future__ import annotations

from torch import Tensor

from audiopipe.nets.stems import look, pooled

SHARE = 0.75
"""The power of the energies whose shares the masks are to be: between the amplitudes' and their
squares'."""
AUDIBLE = 0.25
"""The power of the mix's energy by which its points count."""
WEIGHTS = (2.5, 1.0, 1.0, 1.0)
"""Of vocals, drums, bass and other."""
FLOOR = 1e-2
"""Of the mix's energy: an error that is smaller counts as none."""


class Targets:
    """What masks are to be judged by: energies of mix and stems, and what they share.

    Shape: spectra [batch, stems, 2, BINS, frames] -> mix [batch, frames, 2, POINTS], shared and
    stems [stems, batch, frames, 2, POINTS]
    """

    def __init__(self, spectra: Tensor) -> None:
        mix = spectra.sum(1)
        self.views = look(mix)
        self.mix = self.views[:, :, :2]
        turned = spectra.permute(1, 0, 4, 2, 3)
        whole = mix.permute(0, 3, 1, 2)
        self.shared = pooled(turned.real * whole.real + turned.imag * whole.imag)
        self.stems = pooled(turned.real.square() + turned.imag.square())


def losses(masks: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Cross entropy of the masks to the stems' shares, and decibels of error to stem, weighted.

    The first teaches every audible point, and from the start on: errors alone let masks of a voice
    vanish, from where they hardly come back. The second is what is measured in the end.

    Shape: masks [stems, batch, frames, 2, POINTS], for the first frames of the targets
    """
    frames = masks.shape[2]
    mix = targets.mix[:, :frames]
    shared, stems = targets.shared[:, :, :frames], targets.stems[:, :, :frames]
    weights = masks.new_tensor(WEIGHTS)
    shares = (stems + 1e-9) ** SHARE
    shares = shares / shares.sum(0)
    audible = (mix + 1e-9) ** AUDIBLE
    audible = audible / audible.sum((1, 2, 3), keepdim=True)
    surprise = -(shares * (masks + 1e-8).log() * audible).sum((2, 3, 4)).mean(1)
    wrong = (stems + masks * (masks * mix - 2 * shared)).relu().sum((2, 3, 4))
    least = FLOOR * mix.sum((1, 2, 3)) + 1e-6
    ratio = 10 * ((wrong + least) / (stems.sum((2, 3, 4)) + least)).log10()
    return (surprise * weights).sum(), (ratio.mean(1) * weights).sum() / weights.sum()
