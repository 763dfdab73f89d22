"""The vocoder: ConvNeXt blocks at frame rate and an inverse STFT (after Vocos, Siuzdak 2023).

No layer pads. The caller gives `reach.past` frames before and `reach.ahead` frames after the part
it wants; whole files, windows and streams then compute the same numbers by construction. Where the
signal begins or ends, the context is frames of silence, `log(floor)`.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .mel import MelConfig


class Reach(NamedTuple):
    """Frames of context needed before and after the frames that are wanted."""

    past: int
    ahead: int


@dataclass(frozen=True)
class VocoderConfig:
    """Size of the network.

    Attributes:
        width: channels of the backbone.
        expansion: width inside a block, in multiples of `width`.
        kernel: taps of every convolution in time.
        ahead: future frames seen by the first convolution and then by each block: its length
            sets the number of blocks, its sum (and two frames of overlap-add) the look-ahead.
    """

    width: int = 384
    expansion: int = 3
    kernel: int = 7
    ahead: tuple[int, ...] = (3, 2, 2, 1, 1, 0, 0, 0, 0)

    @property
    def blocks(self) -> int:
        return len(self.ahead) - 1


class Block(nn.Module):
    """ConvNeXt: a depthwise convolution in time, then two dense layers, added to the input."""

    def __init__(self, config: VocoderConfig, ahead: int) -> None:
        super().__init__()
        width, inner = config.width, config.width * config.expansion
        self.past, self.ahead = config.kernel - 1 - ahead, ahead
        self.depthwise = nn.Conv1d(width, width, config.kernel, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.scale = nn.Parameter(torch.full((width,), 1.0 / config.blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Shape [batch, width, frames] -> [batch, width, frames - kernel + 1]."""
        y = self.norm(self.depthwise(x).transpose(1, 2))
        y = self.scale * self.narrow(functional.gelu(self.widen(y)))
        return x[..., self.past : x.shape[-1] - self.ahead] + y.transpose(1, 2)


class InverseSTFT(nn.Module):
    """Overlap-add of windowed frames; only samples that every overlapping frame reaches come out.

    Equal to the textbook inverse: the squared Hann windows add to a constant at these hops, so the
    usual division by the window's envelope is one number.
    """

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.overlap, rest = divmod(config.n_fft, config.hop)
        if rest or self.overlap < 4 or self.overlap % 2:
            raise ValueError(f"n_fft {config.n_fft} must be 4, 6, 8 … hops of {config.hop}")
        self.hop, self.n_fft = config.hop, config.n_fft
        window = torch.hann_window(config.n_fft)
        gain = window.square().sum() / config.hop
        self.register_buffer("window", window / gain, persistent=False)

    @property
    def context(self) -> int:
        """Frames on either side that give no samples of their own."""
        return self.overlap // 2

    def forward(self, spectrum: Tensor) -> Tensor:
        """Complex [batch, n_fft // 2 + 1, frames] -> [batch, (frames - 2 * context) * hop]."""
        frames = torch.fft.irfft(spectrum.transpose(1, 2), n=self.n_fft) * self.window
        batch, count, _ = frames.shape
        parts = frames.view(batch, count, self.overlap, self.hop)
        last = self.overlap - 1
        summed = sum(parts[:, last - k : count - k, k] for k in range(self.overlap))
        # Whole blocks start half a hop before the first wanted frame's own samples.
        half = self.hop // 2
        return summed.reshape(batch, -1)[:, half:-half]


class Vocoder(nn.Module):
    """Log-mel frames to a waveform, `hop` samples a frame."""

    def __init__(self, config: VocoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.config, self.mel = config, mel
        self.embed = nn.Conv1d(mel.bins, config.width, config.kernel)
        self.norm_in = nn.LayerNorm(config.width, eps=1e-6)
        self.blocks = nn.ModuleList(Block(config, ahead) for ahead in config.ahead[1:])
        self.norm_out = nn.LayerNorm(config.width, eps=1e-6)
        self.head = nn.Linear(config.width, mel.n_fft + 2)
        self.inverse = InverseSTFT(mel)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    @property
    def reach(self) -> Reach:
        """Context of the convolutions and of the overlap-add together, in frames."""
        ahead = sum(self.config.ahead)
        past = len(self.config.ahead) * (self.config.kernel - 1) - ahead
        return Reach(past + self.inverse.context, ahead + self.inverse.context)

    def forward(self, mel: Tensor) -> Tensor:
        """Turn frames with their context into samples.

        Args:
            mel: shape [batch, bins, reach.past + frames + reach.ahead].

        Returns:
            Samples, shape [batch, frames * hop].
        """
        x = self.norm_in(self.embed(mel).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        x = self.head(self.norm_out(x.transpose(1, 2))).transpose(1, 2).float()
        log_magnitude, phase = x.chunk(2, dim=1)
        magnitude = log_magnitude.clamp(max=math.log(1e3)).exp()
        return self.inverse(torch.polar(magnitude, phase))

    @torch.inference_mode()
    def speak(self, mel: Tensor) -> Tensor:
        """A whole utterance: [batch, bins, frames] -> [batch, frames * hop], silence around it."""
        return self(functional.pad(mel, self.reach, value=math.log(self.mel.floor)))
