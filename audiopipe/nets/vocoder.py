"""The vocoder: log-mel frames to a waveform, with ConvNeXt blocks at frame rate and an inverse STFT
(after Vocos, H. Siuzdak, 2023, arXiv:2306.00814).

No layer pads. The caller gives `reach.past` frames before and `reach.ahead` frames after the part
it wants; whole files, windows and streams then compute the same numbers by construction. Where the
signal begins or ends, the context is frames of silence, `log(floor)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

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
        return (self.filters @ spectrum.abs()).clamp(min=config.floor).log()


class Reach(NamedTuple):
    """Frames of context needed before and after the frames that are wanted."""

    past: int
    ahead: int


@dataclass(frozen=True)
class VocoderConfig:
    """Size of the network: channels of the backbone, width inside a block in multiples of them,
    and taps of every convolution in time.

    `ahead` has the future frames seen by the first convolution and then by each block: its length
    sets the number of blocks, its sum (and two frames of overlap-add) the look-ahead.
    """

    width: int = 384
    expansion: int = 3
    kernel: int = 7
    ahead: tuple[int, ...] = (3, 2, 2, 1, 1, 0, 0, 0, 0)

    @property
    def blocks(self) -> int:
        """How many blocks follow the first convolution."""
        return len(self.ahead) - 1


class Block(nn.Module):
    """ConvNeXt: a depthwise convolution in time, then two dense layers, added to the input.

    Input [batch, width, frames], output [batch, width, frames - kernel + 1].
    """

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
        y = self.norm(self.depthwise(x).transpose(1, 2))
        y = self.scale * self.narrow(functional.gelu(self.widen(y)))
        out: Tensor = x[..., self.past : x.shape[-1] - self.ahead] + y.transpose(1, 2)
        return out


class InverseSTFT(nn.Module):
    """Overlap-add of windowed frames; only samples that every overlapping frame reaches come out.

    Complex [batch, n_fft // 2 + 1, frames] to [batch, (frames - 2 * context) * hop]. Equal to the
    textbook inverse: the squared Hann windows add to a constant at these hops, so the usual
    division by the window's envelope is one number. Raises ValueError where they do not.
    """

    window: Tensor

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
        frames = torch.fft.irfft(spectrum.transpose(1, 2), n=self.n_fft) * self.window
        batch, count, _ = frames.shape
        parts = frames.view(batch, count, self.overlap, self.hop)
        last = self.overlap - 1
        summed = parts[:, last:, 0]
        for k in range(1, self.overlap):
            summed = summed + parts[:, last - k : count - k, k]
        # Whole blocks start half a hop before the first wanted frame's own samples.
        half = self.hop // 2
        samples: Tensor = summed.reshape(batch, -1)[:, half:-half]
        return samples


class Vocoder(nn.Module):
    """Log-mel frames to a waveform, `hop` samples a frame.

    Input [batch, bins, reach.past + frames + reach.ahead], output samples [batch, frames * hop].

    >>> vocoder = Vocoder.of(width=8, expansion=2, kernel=7, ahead=[3, 0])
    >>> vocoder.reach
    Reach(past=11, ahead=5)
    >>> vocoder.speak(torch.zeros(1, 100, 20)).shape
    torch.Size([1, 5120])
    """

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
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    @classmethod
    def of(cls, *, width: int, expansion: int, kernel: int, ahead: Sequence[int]) -> Self:
        """The vocoder of a card's settings, for the frames that all voices share; raises
        ValueError for sizes that make no network."""
        if not 2 <= len(ahead) <= 64 or not all(0 <= frames < kernel for frames in ahead):
            raise ValueError(f"ahead {list(ahead)} must be 2 to 64 numbers from 0 to {kernel - 1}")
        return cls(VocoderConfig(width, expansion, kernel, tuple(ahead)), MelConfig())

    @property
    def reach(self) -> Reach:
        """Context of the convolutions and of the overlap-add together, in frames."""
        ahead = sum(self.config.ahead)
        past = len(self.config.ahead) * (self.config.kernel - 1) - ahead
        return Reach(past + self.inverse.context, ahead + self.inverse.context)

    def forward(self, mel: Tensor) -> Tensor:
        x: Tensor = self.norm_in(self.embed(mel).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        x = self.head(self.norm_out(x.transpose(1, 2))).transpose(1, 2).float()
        log_magnitude, phase = x.chunk(2, dim=1)
        magnitude = log_magnitude.clamp(max=math.log(1e3)).exp()
        samples: Tensor = self.inverse(torch.polar(magnitude, phase))
        return samples

    @torch.inference_mode()
    def speak(self, mel: Tensor) -> Tensor:
        """A whole utterance: [batch, bins, frames] -> [batch, frames * hop], silence around it."""
        samples: Tensor = self(functional.pad(mel, self.reach, value=math.log(self.mel.floor)))
        return samples
