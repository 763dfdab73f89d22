"""How far stems are from what they should be, from sums over points alone."""

from __future__ import annotations

from torch import Tensor

from audiopipe.nets.stems import look, pooled

WEIGHTS = (1.5, 1.0, 1.0, 1.0)
"""Of vocals, drums, bass and other."""
FLOOR = 1e-3
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
    """The mean magnitude of the error against the mix's, and decibels of error to stem, weighted.

    Shape: masks [stems, batch, frames, 2, POINTS], for the first frames of the targets
    """
    frames = masks.shape[2]
    mix = targets.mix[:, :frames]
    shared, stems = targets.shared[:, :, :frames], targets.stems[:, :, :frames]
    wrong = (stems + masks * (masks * mix - 2 * shared)).relu()
    weights = masks.new_tensor(WEIGHTS)
    power = mix.sum((1, 2, 3)) + 1e-6
    loud = mix.sqrt().mean((1, 2, 3)) + 1e-6
    off = (wrong + 1e-6 * mix.mean((1, 2, 3), keepdim=True) + 1e-10).sqrt().mean((2, 3, 4)) / loud
    least = FLOOR * power
    error = (wrong.sum((2, 3, 4)) + least) / (stems.sum((2, 3, 4)) + least)
    ratio = 10 * error.log10()
    return (off.mean(1) * weights).sum(), (ratio.mean(1) * weights).sum() / weights.sum()
