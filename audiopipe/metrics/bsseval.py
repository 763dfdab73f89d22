"""The measures of BSS Eval, version 4, as `museval` computes them, in bounded memory.

Each estimate is split into what a short filter can make of the true stem (an error of space), what
filters can make of the other stems (interference), and the rest (artifacts). The filters are those
of the whole recording; ratios of energies are taken frame by frame. Vincent et al. 2006,
*Performance measurement in blind audio source separation*; Stöter, Liutkus & Ito 2018, *The 2018
Signal Separation Evaluation Campaign* (arXiv:1804.06267).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import toeplitz

from .separation import Floats, pair

Complexes = np.ndarray[Any, np.dtype[np.complex128]]

SECOND = 44100
TAPS = 512
BLOCK = 1 << 15
"""Samples of a Fourier transform when signals are correlated."""
LONGEST = 1 << 17
"""Samples that are filtered at once, at most."""
RIDGE = 1e-10
"""Of the mean energy, is added to that of each delay where filters are not determined otherwise."""


class BssEval(NamedTuple):
    """Ratios in dB, [stems, frames]; NaN in frames where a stem or an estimate is silent.

    A frame in which one of them is silent is NaN for all, as in `museval`: the other stems cannot
    be told from the silent one's interference there.
    """

    sdr: Floats
    """Signal to distortion: to everything that differs, as `metrics.sdr`."""
    isr: Floats
    """Image to spatial distortion: what a filter would mend."""
    sir: Floats
    """Signal to interference by the other stems."""
    sar: Floats
    """Signal to artifacts: what is in no stem."""

    def medians(self) -> BssEval:
        """Those of each stem over all frames that have a figure, [stems]; NaN of none."""
        return BssEval(*(np.array([_median(row) for row in figure]) for figure in self))


def bss_eval(
    references: ArrayLike,
    estimates: ArrayLike,
    *,
    window: int = SECOND,
    hop: int = SECOND,
    taps: int = TAPS,
) -> BssEval:
    """Measure a separation as `museval.evaluate` with `mode="v4"` does.

    `window` and `hop` are of frames, in samples; a frame that would end behind the recording is
    left out, but one that is longer than it is cut. A single frame gives the figures of
    `mir_eval.separation.bss_eval_images` without permutations. Raises ValueError for shapes that do
    not fit, and for a stem or an estimate without any sound: leave such a stem out.

    As in `museval`, a stem is silent whose channels add up to zero.

    Shape: references and estimates [stems, channels, samples]; figures [stems, frames], float64.

    >>> import numpy as np
    >>> voice, drums = np.random.default_rng(0).standard_normal((2, 1, 8000))
    >>> true, made = np.stack([voice, drums]), np.stack([voice + 0.1 * drums, drums])
    >>> found = bss_eval(true, made, window=8000, hop=8000, taps=16)
    >>> [int(figure[0, 0].round()) for figure in (found.sdr, found.sir)]
    [20, 20]
    >>> bool(found.sar[0, 0] > 100)  # nothing is in it that is not in a stem
    True
    """
    true, made = pair(references, estimates)
    if true.ndim != 3:
        raise ValueError(f"stems are [stems, channels, samples], not {list(true.shape)}")
    if min(window, hop, taps) < 1:
        raise ValueError("window, hop and taps are at least one sample")
    for what, sounds in (("reference", true), ("estimate", made)):
        if silent := [k for k, sound in enumerate(sounds) if _silent(sound)]:
            raise ValueError(f"{what}s without any sound: {silent}; leave these stems out")
    own, mixed = _distortion_filters(true, made, taps)
    frames = _frames(true.shape[-1], window, hop)
    size = min(max(stop - start for start, stop in frames) + taps - 1, LONGEST)
    filters = _Filters.of(own, mixed, size)
    found = np.full((4, len(true), len(frames)), np.nan)
    for k, (start, stop) in enumerate(frames):
        part = true[..., start:stop], made[..., start:stop]
        if not any(_silent(sound) for sounds in part for sound in sounds):
            found[..., k] = _ratios(*part, filters)
    return BssEval(*found)


def _silent(sound: np.ndarray) -> bool:
    return not sound.sum(0).any()


def _median(row: Floats) -> float:
    known = row[~np.isnan(row)]
    return float(np.median(known)) if len(known) else math.nan


def _frames(samples: int, window: int, hop: int) -> list[tuple[int, int]]:
    """Where they begin and end."""
    count = 1 + max(0, samples - window) // hop
    return [(k * hop, min(k * hop + window, samples)) for k in range(count)]


def _stretch(sounds: np.ndarray, start: int, count: int) -> Floats:
    """So many samples from `start` on, in double precision; zeros where there are none.

    Shape: [stems, channels, samples]; gives [stems · channels, count]
    """
    rows = sounds.reshape(-1, sounds.shape[-1])
    found = np.zeros((len(rows), count))
    first, last = max(start, 0), min(start + count, rows.shape[-1])
    found[:, first - start : last - start] = rows[:, first:last]
    return found


def _correlations(true: np.ndarray, made: np.ndarray, taps: int) -> Floats:
    """Σ a(t) b(t + lag) of each channel `a` of the references, and each `b` of both.

    Shape: [references' channels, references' and estimates' channels, taps]
    """
    rows = true.shape[0] * true.shape[1]
    size = max(BLOCK, 4 * taps)
    step = size - taps + 1
    total = np.zeros((rows, 2 * rows, size // 2 + 1), complex)
    for start in range(0, true.shape[-1], step):
        here = rfft(_stretch(true, start, step), size).conj()
        on = np.concatenate([rfft(_stretch(sounds, start, size)) for sounds in (true, made)])
        for row, spectrum in zip(total, here, strict=True):
            row += spectrum * on
    return np.asarray(irfft(total, size)[..., :taps])


def _distortion_filters(true: np.ndarray, made: np.ndarray, taps: int) -> tuple[Floats, Floats]:
    """The filters that bring a stem nearest to its estimate, and all stems together.

    Least squares: the correlations of the references, delayed by up to `taps`, times the filters
    are those with the estimate.

    Shape: [stems, channels from, taps, channels to], [channels of all, taps, channels of all]
    """
    stems, channels = true.shape[:2]
    rows = stems * channels
    cross = _correlations(true, made, taps)
    normal = np.empty((rows, taps, rows, taps))
    for a in range(rows):
        for b in range(rows):
            normal[a, :, b, :] = toeplitz(cross[a, b], cross[b, a])
    wanted = cross[:, rows:].transpose(0, 2, 1)
    mixed = _solved(normal.reshape(rows * taps, -1), wanted.reshape(rows * taps, rows))
    own = np.empty((stems, channels, taps, channels))
    for stem in range(stems):
        one = np.s_[stem * channels : (stem + 1) * channels]
        few = normal[one, :, one].reshape(channels * taps, -1)
        own[stem] = _solved(few, wanted[one, :, one].reshape(-1, channels)).reshape(own[stem].shape)
    return own, mixed.reshape(rows, taps, rows)


def _solved(normal: Floats, wanted: Floats) -> Floats:
    """As `museval` does, unless there are many solutions: then nearly the smallest of them.

    So it is with a voice in the middle, whose channels are equal, or with stems that are copies of
    each other. `museval` has a singular value decomposition for these, which takes minutes.
    """
    unit = np.eye(len(normal))
    try:
        found = np.linalg.solve(normal + np.finfo(float).eps * unit, wanted)
    except np.linalg.LinAlgError:
        found = np.linalg.solve(normal + RIDGE * normal.trace() / len(normal) * unit, wanted)
    return np.asarray(found, np.float64)


@dataclass(frozen=True)
class _Filters:
    """Distortion filters as spectra, for stretches of `size` samples (overlap-save)."""

    own: Complexes
    """[stems, channels from, channels to, bins]"""
    mixed: Complexes
    """[channels from, channels to, bins]"""
    taps: int
    size: int
    count: int
    """Samples of a transform."""

    @classmethod
    def of(cls, own: Floats, mixed: Floats, size: int) -> _Filters:
        taps = own.shape[2]
        count = next_fast_len(size + taps - 1, real=True)
        spectra = [rfft(filters.swapaxes(-1, -2), count) for filters in (own, mixed)]
        return cls(spectra[0], spectra[1], taps, size, count)

    def through(self, true: np.ndarray, start: int) -> tuple[Floats, Floats]:
        """A stretch of the stems through their own filters, and through those of all.

        Shape: [stems, channels, size] each
        """
        stems, channels = true.shape[:2]
        seen = rfft(_stretch(true, start - self.taps + 1, self.size + self.taps - 1), self.count)
        one = np.einsum("sif,siof->sof", seen.reshape(stems, channels, -1), self.own)
        all = np.einsum("if,iof->of", seen, self.mixed).reshape(one.shape)
        valid = np.s_[..., self.taps - 1 : self.taps - 1 + self.size]
        return irfft(one, self.count)[valid], irfft(all, self.count)[valid]


def _ratios(true: np.ndarray, made: np.ndarray, filters: _Filters) -> Floats:
    """SDR, ISR, SIR and SAR of one frame, [4, stems]."""
    end = true.shape[-1] + filters.taps - 1  # a filter rings on behind the frame
    over, under = np.zeros((2, 4, len(true)))
    for start in range(0, end, filters.size):
        s, estimate = (
            _stretch(x, start, filters.size).reshape(*x.shape[:2], -1) for x in (true, made)
        )
        one, all = (x.copy() for x in filters.through(true, start))
        one[..., end - start :] = all[..., end - start :] = 0
        for k, (signal, error) in enumerate(
            ((s, estimate - s), (s, one - s), (one, all - one), (all, estimate - all))
        ):
            over[k] += (signal**2).sum((-2, -1))
            under[k] += (error**2).sum((-2, -1))
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(over / under))
