"""The vocoder: log-mel frames and a pitch to a waveform.

A source of pulses and noise is shaped by filters that ConvNeXt blocks give at frame rate, and an
inverse STFT adds it up (as Vocos does, H. Siuzdak, 2023, arXiv:2306.00814). The pulses' filter has
minimum phase, as a vocal tract has (M. Morise, 2016, WORLD), and what is learned beside it.

No layer pads. The caller gives `reach.past` frames before and `reach.ahead` frames after the part
it wants; whole files, windows and streams then compute the same numbers by construction. Where the
signal begins or ends, the context is frames of silence, `log(floor)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.mel import mel_points
from audiopipe.nets.envelopes import minimum_phase, sharpened
from audiopipe.nets.frames import LogMel, MelConfig, Reach
from audiopipe.nets.source import HIGHEST, LOWEST, Source, pulses


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


class Comb(nn.Module):
    """What the source's pulses alone look like in log-mel frames, by their pitch.

    Pitch [batch, frames] in Hz to [batch, bins, frames].
    """

    table: Tensor
    STEPS = 24
    """Pitches an octave."""

    def __init__(self, mel: MelConfig) -> None:
        super().__init__()
        count = 1 + math.ceil(self.STEPS * math.log2(HIGHEST / LOWEST))
        hz = LOWEST * 2 ** (torch.arange(count, dtype=torch.float64) / self.STEPS)
        turns = hz[:, None] * torch.arange(mel.n_fft, dtype=torch.float64) / mel.rate
        hz = hz[:, None].expand_as(turns)
        # Of the ways in which pulses can lie in a window, the mean of eight.
        waves = [pulses(2 * math.pi * (turns + k / 8), hz, mel.rate) for k in range(8)]
        frames = torch.stack([LogMel(mel)(wave, pad=False)[..., 0] for wave in waves])
        self.register_buffer("table", frames.mean(0), persistent=False)

    def forward(self, hz: Tensor) -> Tensor:
        place = self.STEPS * torch.log2(hz.clamp(LOWEST, HIGHEST) / LOWEST)
        low = place.floor().long().clamp(max=len(self.table) - 2)
        share = (place - low)[..., None]
        return torch.lerp(self.table[low], self.table[low + 1], share).transpose(1, 2)


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


def between_bands(mel: MelConfig) -> Tensor:
    """What makes of values at the bands' centres those at the spectrum's bins, by straight lines on
    the mel scale: [n_fft // 2 + 1, bins]."""
    centres = mel_points(mel.bins, (mel.low, mel.high), "htk")[1:-1]
    hz = torch.linspace(0, mel.rate / 2, mel.n_fft // 2 + 1)
    place = torch.searchsorted(centres, hz.to(centres.dtype)).clamp(1, mel.bins - 1)
    low, high = centres[place - 1], centres[place]
    share = ((hz - low) / (high - low)).clamp(0, 1).float()
    rows = torch.arange(len(hz))
    matrix = torch.zeros(len(hz), mel.bins)
    matrix[rows, place - 1] = 1 - share
    matrix[rows, place] = share
    return matrix


QUIETEST, LOUDEST = -16.0, 7.0
"""Natural logarithms of what a filter may do."""
CONTRAST = 0.15
"""How much more a sound's peaks stand out than the network would have them: what is learned as the
likeliest is smoother than speech, as for every statistical voice."""


class Vocoder(nn.Module):
    """Log-mel frames, their pitch and a source to a waveform, `hop` samples a frame.

    Input: mel [batch, bins, reach.past + frames + reach.ahead]; pitch in Hz of the same frames,
    [batch, …], which goes on through what has none; and their blocks of a `Source`, [batch, 2, … *
    hop].
    Output: samples [batch, frames * hop].

    >>> vocoder = Vocoder.of(width=8, expansion=2, kernel=7, ahead=[3, 0])
    >>> vocoder.reach
    Reach(past=11, ahead=5)
    >>> vocoder.speak(torch.zeros(100, 20), torch.full((20,), 150.0)).shape
    torch.Size([5120])
    """

    window: Tensor
    noise: Tensor
    spread: Tensor

    def __init__(self, config: VocoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.config, self.mel = config, mel
        self.comb = Comb(mel)
        self.embed = nn.Conv1d(2 * mel.bins, config.width, config.kernel)
        self.norm_in = nn.LayerNorm(config.width, eps=1e-6)
        self.blocks = nn.ModuleList(Block(config, ahead) for ahead in config.ahead[1:])
        self.norm_out = nn.LayerNorm(config.width, eps=1e-6)
        self.bins = mel.n_fft // 2 + 1
        self.head = nn.Linear(config.width, 3 * self.bins)
        self.inverse = InverseSTFT(mel)
        window = torch.hann_window(mel.n_fft)
        self.register_buffer("window", window, persistent=False)
        listen = LogMel(mel)
        # The mean magnitude of noise with a deviation of 1, in each band.
        magnitude = torch.sqrt(math.pi / 4 * window.square().sum())
        self.register_buffer("noise", (listen.filters.sum(1) * magnitude).log(), persistent=False)
        self.register_buffer("spread", between_bands(mel), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.zeros_(self.head.weight[2 * self.bins :])

    @classmethod
    def of(cls, *, width: int, expansion: int, kernel: int, ahead: Sequence[int]) -> Self:
        """The vocoder of a card's settings, for the frames that all voices share; raises
        ValueError for sizes that make no network."""
        if not 2 <= len(ahead) <= 64 or not all(0 <= frames < kernel for frames in ahead):
            raise ValueError(f"ahead {list(ahead)} must be 2 to 64 numbers from 0 to {kernel - 1}")
        if sum(ahead) < 2:
            raise ValueError(f"ahead {list(ahead)}: the source is needed for 2 frames more")
        return cls(VocoderConfig(width, expansion, kernel, tuple(ahead)), MelConfig())

    @property
    def reach(self) -> Reach:
        """Context of the convolutions and of the overlap-add together, in frames."""
        ahead = sum(self.config.ahead)
        past = len(self.config.ahead) * (self.config.kernel - 1) - ahead
        return Reach(past + self.inverse.context, ahead + self.inverse.context)

    @property
    def lead(self) -> Reach:
        """Blocks of the source that are needed before and after those of the frames wanted."""
        half = self.mel.n_fft // (2 * self.mel.hop)
        return Reach(self.inverse.context + half - 1, self.inverse.context + half)

    def forward(self, mel: Tensor, hz: Tensor, source: Tensor) -> Tensor:
        past, ahead = self.reach.past - self.lead.past, self.reach.ahead - self.lead.ahead
        near = source[..., past * self.mel.hop : source.shape[-1] - ahead * self.mel.hop]
        return self.shaped(near, self.filters(mel, hz, CONTRAST))

    def shaped(self, source: Tensor, filters: Tensor) -> Tensor:
        """What the filters make of a source [batch, 2, (lead.past + frames + lead.ahead) * hop]:
        the second half of `forward`."""
        batch, _, time = source.shape
        spectra = torch.stft(
            source.reshape(2 * batch, time), self.mel.n_fft, self.mel.hop, window=self.window,
            center=False, return_complex=True,
        )  # fmt: skip
        both = spectra.view(batch, 2, self.bins, -1) * filters
        samples: Tensor = self.inverse(both.sum(1))
        return samples

    def filters(self, mel: Tensor, hz: Tensor, contrast: float = 0.0) -> Tensor:
        """For pulses and noise, complex [batch, 2, n_fft // 2 + 1, frames], fewer by the context of
        the convolutions."""
        comb = self.comb(hz)
        x: Tensor = self.norm_in(self.embed(torch.cat([mel, comb], 1)).transpose(1, 2))
        x = x.transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        x = self.head(self.norm_out(x.transpose(1, 2))).transpose(1, 2).float()
        # Where the frames alone tell how loud each band is, the network only has to correct that.
        past = self.reach.past - self.inverse.context
        mel, comb = (frames[..., past : past + x.shape[-1]] for frames in (mel, comb))
        told = [self.spread @ (mel - comb), self.spread @ (mel - self.noise[:, None])]
        voiced, hiss, turn = x.view(len(x), 3, self.bins, -1).unbind(1)
        voiced = sharpened((voiced + told[0]).clamp(QUIETEST, LOUDEST), contrast)
        hiss = sharpened((hiss + told[1]).clamp(QUIETEST, LOUDEST), contrast)
        shape = minimum_phase(voiced) + 1j * turn
        return torch.stack([shape, hiss.to(shape.dtype)], dim=1).exp()

    @torch.inference_mode()
    def speak(self, mel: Tensor, hz: Tensor, seed: int = 0) -> Tensor:
        """A whole utterance, silence around it: [bins, frames] and [frames] -> [frames * hop]."""
        mel = functional.pad(mel[None], self.reach, value=math.log(self.mel.floor))
        hz = functional.pad(hz[None], self.reach, mode="replicate")
        samples: Tensor = self(mel, hz, Source(self.mel.hop, self.mel.rate, seed)(hz[0])[None])
        return samples[0]
