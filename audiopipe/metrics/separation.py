"""How well stems are separated: the plain ratio of signal to distortion, and the scale-invariant.

Both are in dB, the more the better; 0 dB is what silence gets. `bsseval` has the measures of
BSS Eval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Floats = np.ndarray[Any, np.dtype[np.float64]]

EPSILON = 1e-7
"""Is added to both energies, so that silence has a ratio (Mitsufuji et al. 2022)."""
STEP = 1 << 18
"""Samples that are converted to double precision at once."""


def pair(references: ArrayLike, estimates: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Check that there is an estimate of each reference, sample for sample.

    Shape: both [..., channels, samples]
    """
    true, made = np.asarray(references), np.asarray(estimates)
    if true.shape != made.shape or true.ndim < 2 or not true.size:
        raise ValueError(
            f"references {list(true.shape)} and estimates {list(made.shape)} are not of one shape "
            "[..., channels, samples]; cut both to one length first"
        )
    return true, made


def sdr(references: ArrayLike, estimates: ArrayLike) -> Floats:
    """The ratio of signal to distortion: everything that differs counts, loudness and delay too.

    10 log₁₀ of (Σ s² + ε) / (Σ (s - ŝ)² + ε), over all channels, as in the Music Demixing challenge
    (Mitsufuji et al. 2022, arXiv:2108.13559).

    Shape: references and estimates [..., channels, samples]; gives [...], float64, in dB.

    >>> import numpy as np
    >>> voice = np.sin(np.arange(44100) / 10)[None]
    >>> float(sdr(voice, 0.9 * voice).round(3)), float(sdr(voice, 0 * voice).round(3))
    (20.0, 0.0)
    """
    true, made = pair(references, estimates)
    energy, error = np.zeros(true.shape[:-2]), np.zeros(true.shape[:-2])
    for start in range(0, true.shape[-1], STEP):
        s = true[..., start : start + STEP].astype(np.float64)
        energy += (s**2).sum((-2, -1))
        error += ((s - made[..., start : start + STEP]) ** 2).sum((-2, -1))
    return np.asarray(10 * np.log10((energy + EPSILON) / (error + EPSILON)))


def framewise_sdr(references: ArrayLike, estimates: ArrayLike, frame: int) -> Floats:
    """`sdr` of each stretch of `frame` samples; what is left over at the end does not count.

    Where the reference is silent it is NaN; `np.nanmedian` gives the usual score of a recording.

    Shape: references and estimates [..., channels, samples]; gives [..., frames], float64, in dB.

    >>> import numpy as np
    >>> voice = np.repeat([1.0, 0.0, 1.0], 100)[None]
    >>> framewise_sdr(voice, voice + 0.1, frame=100).round(3)
    array([20., nan, 20.])
    """
    true, made = pair(references, estimates)
    if frame < 1:
        raise ValueError(f"a frame has at least one sample, not {frame}")
    found = np.full((*true.shape[:-2], true.shape[-1] // frame), np.nan)
    for k in range(found.shape[-1]):
        part = np.s_[..., k * frame : (k + 1) * frame]
        sounds = true[part].any((-2, -1))
        found[..., k] = np.where(sounds, sdr(true[part], made[part]), np.nan)
    return found


def si_sdr(references: ArrayLike, estimates: ArrayLike) -> Floats:
    """The scale-invariant ratio of signal to distortion: how loud the estimate is does not count.

    10 log₁₀ of Σ (αs)² / Σ (αs - ŝ)², where α = Σ sŝ / Σ s² is the best scale, one for all
    channels, so that the balance of left and right does count (Le Roux et al. 2019,
    arXiv:1811.02508). NaN where the reference or the estimate is silent, infinite where nothing is
    wrong but the scale.

    Shape: references and estimates [..., channels, samples]; gives [...], float64, in dB.

    >>> import numpy as np
    >>> time = np.arange(44100) / 44100
    >>> voice, hum = np.sin(2 * np.pi * 440 * time)[None], np.sin(2 * np.pi * 50 * time)[None]
    >>> float(si_sdr(voice, 0.3 * (voice + 0.1 * hum)).round(3))
    20.0
    """
    true, made = pair(references, estimates)
    blocks = [np.s_[..., start : start + STEP] for start in range(0, true.shape[-1], STEP)]
    energy, common = np.zeros(true.shape[:-2]), np.zeros(true.shape[:-2])
    for block in blocks:
        s = true[block].astype(np.float64)
        energy += (s**2).sum((-2, -1))
        common += (s * made[block]).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = common / energy
        error = np.zeros_like(energy)
        for block in blocks:
            target = scale[..., None, None] * true[block].astype(np.float64)
            error += ((target - made[block]) ** 2).sum((-2, -1))
        return np.asarray(10 * np.log10(scale**2 * energy / error))
