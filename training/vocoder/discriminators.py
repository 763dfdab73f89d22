"""The critics: of the waveform folded at prime periods (HiFi-GAN, Kong 2020), and of spectrograms
cut into bands (after Jang 2021, UnivNet, and Kumar 2023, DAC). Used in training only."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

Judgement = tuple[Tensor, list[Tensor]]
"""Scores of any shape (higher: more real), and the activations that led to them."""

SLOPE = 0.1
BANDS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class CriticConfig:
    """Sizes of the critics.

    Attributes:
        periods: samples a row of each period critic.
        period_width: channels of a period critic's first layer; they grow to 16 times that.
        transforms: length of each spectrogram critic's STFT, in samples.
        band_width: channels in a spectrogram critic.
        band_strides: steps along frequency of a spectrogram critic's layers.
    """

    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    period_width: int = 16
    transforms: tuple[int, ...] = (2048, 1024, 512)
    band_width: int = 32
    band_strides: tuple[int, ...] = (1, 2, 2, 2, 1)


class PeriodCritic(nn.Module):
    """Folds the wave into rows of `period` samples and looks along the columns."""

    def __init__(self, period: int, width: int) -> None:
        super().__init__()
        self.period = period
        widths = [1, width, 4 * width, 8 * width, 16 * width, 16 * width]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (3 if i < 4 else 1, 1), padding=(2, 0)))
            for i, (a, b) in enumerate(pairwise(widths))
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, audio: Tensor) -> Judgement:
        """Judge waves of shape [batch, time]."""
        audio = functional.pad(audio, (0, -audio.shape[-1] % self.period))
        x = audio.view(audio.shape[0], 1, -1, self.period)
        activations = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), SLOPE)
            activations.append(x)
        return self.score(x), activations


class BandCritic(nn.Module):
    """Looks at a complex spectrogram, each band of frequencies with layers of its own."""

    def __init__(self, n_fft: int, width: int, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.n_fft = n_fft
        bins = n_fft // 2 + 1
        edges = [round(edge * bins) for edge in BANDS]
        self.bands = list(pairwise(edges))
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.stacks = nn.ModuleList(self._stack(width, strides) for _ in self.bands)
        self.score = weight_norm(nn.Conv2d(width, 1, (3, 3), padding=(1, 1)))

    @staticmethod
    def _stack(width: int, strides: tuple[int, ...]) -> nn.ModuleList:
        widths = [2] + [width] * len(strides)
        return nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (3, 9), (1, stride), padding=(1, 4)))
            for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )

    def forward(self, audio: Tensor) -> Judgement:
        """Judge waves of shape [batch, time]."""
        spectrum = torch.stft(
            audio.float(), self.n_fft, self.n_fft // 4, window=self.window, return_complex=True
        )
        # Unit-power noise has unit-power bins at any n_fft; [batch, 2, frames, bins].
        spectrum = spectrum / self.window.square().sum().sqrt()
        image = torch.view_as_real(spectrum.transpose(1, 2)).permute(0, 3, 1, 2)
        activations, ends = [], []
        for (low, high), stack in zip(self.bands, self.stacks, strict=True):
            x = image[..., low:high]
            for layer in stack:
                x = functional.leaky_relu(layer(x), SLOPE)
                activations.append(x)
            ends.append(x)
        return self.score(torch.cat(ends, dim=-1)), activations


class Critics(nn.Module):
    """All critics, side by side."""

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            [PeriodCritic(period, config.period_width) for period in config.periods]
            + [
                BandCritic(n_fft, config.band_width, config.band_strides)
                for n_fft in config.transforms
            ]
        )

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Judge waves of shape [batch, time], each critic in turn."""
        return [member(audio) for member in self.members]
