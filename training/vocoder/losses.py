"""What is minimised: distances between spectrograms, and the game against the critics."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.nets.vocoder import LogMel, MelConfig

from .discriminators import Judgement


class SpectralLoss(nn.Module):
    """Distance between two waves by their magnitude spectra at several resolutions.

    For each window length: the mean absolute difference of log-magnitudes, which hears weak
    components, and the relative Frobenius distance (spectral convergence), which hears strong ones
    (Yamamoto 2020). Windows overlap by three quarters.
    """

    def __init__(
        self, lengths: tuple[int, ...] = (2048, 1024, 512, 256), floor: float = 1e-4
    ) -> None:
        super().__init__()
        self.lengths, self.floor = lengths, floor
        for length in lengths:
            self.register_buffer(f"window_{length}", torch.hann_window(length), persistent=False)

    def magnitude(self, audio: Tensor, length: int) -> Tensor:
        """[batch, time] -> [batch, bins, frames], a full-scale sine near one half."""
        window = getattr(self, f"window_{length}")
        spectrum = torch.stft(audio, length, length // 4, window=window, return_complex=True)
        return (spectrum.abs() / window.sum()).clamp(min=self.floor / length**0.5)

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """Mean over the resolutions, for waves of shape [batch, time]."""
        total = made.new_zeros(())
        for length in self.lengths:
            a, b = self.magnitude(made, length), self.magnitude(real, length)
            difference = torch.linalg.vector_norm(a - b, dim=(1, 2))
            convergence = difference / torch.linalg.vector_norm(b, dim=(1, 2)).clamp(min=1e-3)
            total = total + functional.l1_loss(a.log(), b.log()) + convergence.clamp(max=2).mean()
        return total / len(self.lengths)


class MelLoss(nn.Module):
    """Mean absolute difference of log-mel frames: what the vocoder was asked for."""

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.mel = LogMel(config)

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """Waves of shape [batch, time]; frames that would need context are left out."""
        return functional.l1_loss(self.mel(made, pad=False), self.mel(real, pad=False))


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
