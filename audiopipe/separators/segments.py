"""Segments of sound as frames of a short-time Fourier transform, and sound of them again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from audiopipe.framing import Framing, OverlapAdd, add_up

WINDOW, HOP = 4096, 1024
"""Samples of a frame (Hann, periodic), and from one to the next."""
BINS = WINDOW // 2 + 1


@dataclass(frozen=True)
class Segments:
    """Segments of `frames`, of which the last `shared` are the first of the next segment.

    There the frames of both fade into each other. The first frame ends where the sound begins.

    >>> segments = Segments(frames=512, shared=128)
    >>> segments.samples, segments.framing.hop
    (527360, 393216)
    """

    frames: int
    shared: int

    @property
    def samples(self) -> int:
        """Samples that a segment reaches over."""
        return WINDOW + (self.frames - 1) * HOP

    @property
    def framing(self) -> Framing:
        """How sound is cut into segments, and what `synthesized` gives of them is joined."""
        hop = (self.frames - self.shared) * HOP
        norm = add_up(self.fades[:, None] * hann().square(), HOP, self.samples)
        join = OverlapAdd(hop, WINDOW, torch.ones(self.samples), norm)
        return Framing(self.samples, hop, WINDOW, self.samples - 1, join)

    @property
    def fades(self) -> Tensor:
        """Weights [frames], which rise and fall where segments overlap.

        >>> ramp = Segments(512, 128).fades
        >>> len(ramp), float(ramp[0]), float(ramp[128]), float(ramp[127] + ramp[-1])
        (512, 0.00390625, 1.0, 1.0)
        """
        if not self.shared:
            return torch.ones(self.frames)
        rising = (torch.arange(self.frames) + 0.5) / self.shared
        return rising.minimum(rising.flip(0)).clamp_max(1)


def hann(device: torch.device | None = None) -> Tensor:
    """The window of a frame: [WINDOW]."""
    return torch.hann_window(WINDOW, device=device)


def analyzed(sound: Tensor, window: Tensor) -> Tensor:
    """Spectra [..., frames, BINS] of segments of sound [..., samples]."""
    spectra: Tensor = torch.fft.rfft(sound.unfold(-1, WINDOW, HOP) * window)
    return spectra


def synthesized(spectra: Tensor, window: Tensor) -> Tensor:
    """Sound [..., samples] of spectra [..., frames, bins], of which the highest may be left out.

    It is windowed once more: by `window` [WINDOW] or, with fades, [frames, WINDOW]. The sum is
    not divided by what the windows add up to: that is up to the framing.
    """
    frames = torch.fft.irfft(spectra, n=WINDOW).mul_(window)
    return add_up(frames.movedim(-2, 0), HOP, WINDOW + (spectra.shape[-2] - 1) * HOP)
