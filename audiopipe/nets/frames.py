"""The frames that voices speak in and the vocoder makes sound of: log-mel, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.mel import mel_bank, mel_points


@dataclass(frozen=True)
class MelConfig:
    """What the vocoder hears, and the one definition of where a frame lies in time.

    Frame `t` is the Hann window of `n_fft` samples centred on the middle of the samples
    `[t * hop, (t + 1) * hop)`. So `T` frames stand for exactly `T * hop` samples, and each needs
    `margin` samples on either side. `bins` mel bands (HTK) lie between `low` and `high` Hz;
    `floor` is the smallest magnitude, so that silence has a finite logarithm.
    """

    rate: int = 24_000
    n_fft: int = 1024
    hop: int = 256
    bins: int = 100
    low: float = 0.0
    high: float = 12_000.0
    floor: float = 1e-5

    @property
    def margin(self) -> int:
        """Samples of context that a frame needs on either side of its own `hop` samples."""
        return (self.n_fft - self.hop) // 2


class LogMel(nn.Module):
    """Natural logarithm of mel magnitudes (not powers).

    Input [batch, samples] in [-1, 1], output [batch, bins, frames]. With `pad` silence is put
    around the signal, so that `ceil(samples / hop)` frames come out; without it the first and last
    `margin` samples are context only.

    >>> LogMel(MelConfig())(torch.zeros(1, 24_000)).shape
    torch.Size([1, 100, 94])
    """

    window: Tensor
    filters: Tensor

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config = config
        points = mel_points(config.bins, (config.low, config.high), "htk")
        bank = mel_bank(points, config.rate, config.n_fft, "htk")
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("filters", bank.T.contiguous(), persistent=False)

    def forward(self, audio: Tensor, *, pad: bool = True) -> Tensor:
        config = self.config
        if pad:
            rest = -audio.shape[-1] % config.hop
            audio = functional.pad(audio, (config.margin, config.margin + rest))
        spectrum = torch.stft(
            audio.float(), config.n_fft, config.hop, window=self.window, center=False,
            return_complex=True,
        )  # fmt: skip
        return self.heard(spectrum)

    def heard(self, spectrum: Tensor) -> Tensor:
        """The frames of complex spectra [..., n_fft // 2 + 1, frames]."""
        return (self.filters @ spectrum.abs()).clamp(min=self.config.floor).log()


class Reach(NamedTuple):
    """Frames of context needed before and after the frames that are wanted."""

    past: int
    ahead: int
