"""Sound of voices that leave silence around it, and have one speed and one pitch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from audiopipe.voices.base import RATE

FRAME, FADE = 240, 120
"""Samples of a stretch that is silent or not, and in which sound begins and ends beside silence."""
SILENT = 10 ** (-54 / 20)
"""The peak below which a frame is silent."""
SEED = 0


def trimmed(pieces: Iterator[Tensor]) -> Iterator[Tensor]:
    """Sound [1, time] without the silence at its ends; those are faded.

    >>> sound = torch.cat([torch.zeros(1, 960), torch.ones(1, 960), torch.zeros(1, 960)], 1)
    >>> torch.cat(list(trimmed(iter([sound]))), 1).shape[1]
    960
    """
    held = torch.zeros(1, 0)
    began = False
    for piece in pieces:
        held = torch.cat([held, piece], 1)
        whole = held.shape[1] // FRAME * FRAME
        peaks = held[0, :whole].reshape(-1, FRAME).abs().amax(1)
        loud = (peaks >= SILENT).nonzero()[:, 0]
        if not len(loud):
            if not began:
                held = held[:, whole:]
            continue
        if not began:
            first = int(loud[0]) * FRAME
            held, began = held[:, first:].clone(), True
            loud = loud - loud[0]
            held[:, :FADE] *= torch.linspace(0, 1, held[:, :FADE].shape[1])
        # The last frame that sounds waits: it may be the end.
        if stop := int(loud[-1]) * FRAME:
            yield held[:, :stop]
            held = held[:, stop:]
    if began:
        heard = (functional.pad(held, (0, -held.shape[1] % FRAME)))[0].reshape(-1, FRAME)
        loud = (heard.abs().amax(1) >= SILENT).nonzero()[:, 0]
        last = held[:, : (int(loud[-1]) + 1) * FRAME].clone()
        size = last[:, -FADE:].shape[1]
        last[:, -size:] *= torch.linspace(1, 0, size)
        yield last


def stretched(samples: Tensor, rate: float, pitch: float) -> Tensor:
    """Sound [1, time] that is `rate` times as fast and `pitch` semitones higher."""
    if (rate, pitch) == (1.0, 0.0) or not samples.shape[1]:
        return samples
    import soxr
    from python_stretch import Signalsmith

    higher = 2 ** (pitch / 12)
    stretcher = Signalsmith.Stretch(SEED)
    stretcher.preset(1, RATE)
    stretcher.setTimeFactor(rate / higher)
    made = np.asarray(stretcher.process(np.ascontiguousarray(samples.numpy())))
    if pitch:
        made = np.asarray(soxr.resample(made.T, higher, 1.0)).T
    return torch.from_numpy(np.array(made, np.float32))
