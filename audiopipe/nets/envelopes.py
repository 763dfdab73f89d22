"""Envelopes of spectra: their phase, and their contrast."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NEIGHBOURS = 16
"""Bins on either side that a bin is compared with: 375 Hz."""


def minimum_phase(log_magnitude: Tensor) -> Tensor:
    """The complex logarithm of the minimum-phase filter with these log-magnitudes.

    [..., n // 2 + 1, frames] to the same, by folding the cepstrum (A. Oppenheim and R. Schafer,
    Discrete-Time Signal Processing, ch. 12).
    """
    log_magnitude = log_magnitude.transpose(-1, -2)
    cepstrum = torch.fft.irfft(log_magnitude)
    n = cepstrum.shape[-1]
    fold = cepstrum.new_zeros(n)
    fold[0] = fold[n // 2] = 1
    fold[1 : n // 2] = 2
    folded: Tensor = torch.fft.rfft(cepstrum * fold).transpose(-1, -2)
    return folded


def sharpened(magnitude: Tensor, contrast: float) -> Tensor:
    """Log-magnitudes [..., bins, frames] whose peaks stand out more, as loud as before.

    The post-filter of statistical voices (T. Yoshimura et al., "Incorporating a mixed excitation
    model and postfilter into HMM-based text-to-speech synthesis", 2005), of smoothed spectra.

    >>> flat, peak = torch.zeros(1, 40, 1), torch.eye(40)[None, :, 20:21]
    >>> bool((sharpened(flat, 0.5) == flat).all())
    True
    >>> found = sharpened(peak, 0.5)
    >>> round((found.exp().square().sum() / peak.exp().square().sum()).item(), 4)
    1.0
    >>> bool(found[0, 20] - found[0, 0] > 1.4)
    True
    """
    if not contrast:
        return magnitude
    wide = functional.pad(magnitude, (0, 0, NEIGHBOURS, NEIGHBOURS), mode="replicate")
    sums = functional.pad(wide.cumsum(-2), (0, 0, 1, 0))
    width = 2 * NEIGHBOURS + 1
    smooth = (sums[..., width:, :] - sums[..., :-width, :]) / width
    found = torch.lerp(smooth, magnitude, 1 + contrast)
    louder = (2 * found).logsumexp(-2, keepdim=True) - (2 * magnitude).logsumexp(-2, keepdim=True)
    return found - louder / 2
