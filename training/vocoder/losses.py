"""What is minimised: distances between spectrograms, and the game against the critics."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .discriminators import Judgement

Features = list[Tensor]
"""What two waves are compared by; the distance is the sum of their distances."""


def energy(made: Features, other: Features, real: Features) -> Tensor:
    """How far what is made is from what is real, where both have chance in them.

    `made` and `other` are two draws of the same. Their own distance is taken off that to the real
    one: without it noise would be punished for not being the noise of the recording, and a hum
    would be made of every hiss (A. Gritsenko et al., 2020, arXiv:2008.01160).
    """
    return distance(made, real) + distance(other, real) - distance(made, other)


def distance(some: Features, others: Features) -> Tensor:
    """Mean absolute difference, mean over the features."""
    terms = [functional.l1_loss(a, b) for a, b in zip(some, others, strict=True)]
    return torch.stack(terms).mean()


class Spectra(nn.Module):
    """Logarithms of magnitude spectra at several resolutions; windows overlap by three quarters.

    [batch, time] to a [batch, bins, frames] for each window length.
    """

    def __init__(
        self, lengths: tuple[int, ...] = (2048, 1024, 512, 256), floor: float = 1e-4
    ) -> None:
        super().__init__()
        self.lengths, self.floor = lengths, floor
        for length in lengths:
            self.register_buffer(f"window_{length}", torch.hann_window(length), persistent=False)

    def forward(self, audio: Tensor) -> Features:
        return [self.magnitude(audio, length).log() for length in self.lengths]

    def magnitude(self, audio: Tensor, length: int) -> Tensor:
        """[batch, time] -> [batch, bins, frames], a full-scale sine near one half."""
        window = getattr(self, f"window_{length}")
        spectrum = torch.stft(audio, length, length // 4, window=window, return_complex=True)
        return (spectrum.abs() / window.sum()).clamp(min=self.floor / length**0.5)


def critic_loss(real: list[Judgement], made: list[Judgement]) -> Tensor:
    """Hinge loss of the critics, mean over them: real above one, made below minus one."""
    terms = [
        functional.relu(1 - good).mean() + functional.relu(1 + bad).mean()
        for (good, _), (bad, _) in zip(real, made, strict=True)
    ]
    return torch.stack(terms).mean()


def adversarial_loss(made: list[Judgement]) -> Tensor:
    """Hinge loss of the vocoder, mean over the critics."""
    return torch.stack([functional.relu(1 - score).mean() for score, _ in made]).mean()


def matching_loss(real: list[Judgement], made: list[Judgement]) -> Tensor:
    """Distance of the critics' activations, each relative to the size of the real one's."""
    terms = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean().clamp(min=1e-3)
        for (_, good), (_, bad) in zip(real, made, strict=True)
        for a, b in zip(good, bad, strict=True)
    ]
    return torch.stack(terms).mean()
