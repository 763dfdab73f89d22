"""What the vocoder hears: log-mel frames, and the one definition of where a frame lies in time.

Frame `t` is the Hann window of `n_fft` samples centred on the middle of the samples
`[t * hop, (t + 1) * hop)`. So `T` frames stand for exactly `T * hop` samples, without a frame too
many at the end, and each frame needs `(n_fft - hop) / 2` samples on either side.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class MelConfig:
    """Settings of the analysis; a model card repeats them.

    Attributes:
        rate: samples a second.
        n_fft: length of the window and of the transform, in samples.
        hop: samples from one frame to the next; `n_fft` is a multiple of it.
        bins: mel bands.
        low: lower edge of the first band, in Hz.
        high: upper edge of the last band, in Hz.
        floor: smallest magnitude, so that silence has a finite logarithm.
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


def mel_filters(config: MelConfig) -> Tensor:
    """Triangles of height one, spaced evenly on the HTK mel scale.

    Returns:
        Weights of shape [bins, n_fft // 2 + 1].
    """

    def to_mel(hz: Tensor) -> Tensor:
        return 2595.0 * torch.log10(1.0 + hz / 700.0)

    low, high = to_mel(torch.tensor([config.low, config.high], dtype=torch.float64))
    edges = torch.linspace(low.item(), high.item(), config.bins + 2, dtype=torch.float64)
    edges = 700.0 * (10.0 ** (edges / 2595.0) - 1.0)
    hz = torch.linspace(0.0, config.rate / 2, config.n_fft // 2 + 1, dtype=torch.float64)
    rising = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0.0).float()


class LogMel(nn.Module):
    """Natural logarithm of mel magnitudes (not powers)."""

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("filters", mel_filters(config), persistent=False)

    def forward(self, audio: Tensor, *, pad: bool = True) -> Tensor:
        """Analyse a batch of waveforms.

        Args:
            audio: samples in [-1, 1], shape [batch, time].
            pad: put silence around the signal, so that `ceil(time / hop)` frames come out; without
                it the first and last `margin` samples are context only.

        Returns:
            Shape [batch, bins, frames].
        """
        config = self.config
        if pad:
            rest = -audio.shape[-1] % config.hop
            audio = functional.pad(audio, (config.margin, config.margin + rest))
        spectrum = torch.stft(
            audio.float(), config.n_fft, config.hop, window=self.window, center=False,
            return_complex=True,
        )  # fmt: skip
        return torch.log((self.filters @ spectrum.abs()).clamp(min=config.floor))
