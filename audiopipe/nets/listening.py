"""Who speaks, and what is said: the two parts of the converter that listen.

`Content` hears which sounds are said, whoever says them: it is taught to tell the phones apart,
through a neck of a few numbers a frame (phonetic posteriors do the same in L. Sun et al., 2016).
`Identity` hears who speaks, as one vector of a recording. No layer of `Content` pads in time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.nets.frames import Reach

BANDS = 85
"""Mel bands below 7.6 kHz, which recordings of 16 kHz have, too: all that a voice is known by."""
KERNEL = 7
PARTIALS = 40
"""Bands, up to 1.6 kHz, in which the partials of a voice lie apart."""
QUIET = 4.0
"""Below the loudest frame of a reference, in natural logarithms of magnitude: 35 dB."""
LEAST = 1e-5
"""Power of a frame, below which it is silence."""


class Block(nn.Module):
    """ConvNeXt: a depthwise convolution in time, then two dense layers, added to the input.

    Input [batch, frames, width] and, for the norm's scale and offset, a condition
    [batch, 1, 2 * width]. Output [batch, frames - KERNEL + 1, width] at a `dilation` of 1.
    """

    def __init__(self, width: int, expansion: int, ahead: int, start: float) -> None:
        super().__init__()
        self.past, self.ahead = KERNEL - 1 - ahead, ahead
        self.depthwise = nn.Conv1d(width, width, KERNEL, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), start))

    def forward(self, x: Tensor, dilation: int = 1, condition: Tensor | None = None) -> Tensor:
        kernel = self.depthwise
        y = functional.conv1d(
            x.transpose(1, 2), kernel.weight, kernel.bias, dilation=dilation, groups=x.shape[2]
        )
        y = self.norm(y.transpose(1, 2))
        if condition is not None:
            scale, offset = condition.chunk(2, dim=2)
            y = y * (1 + scale) + offset
        y = self.scale * self.narrow(functional.gelu(self.widen(y)))
        out: Tensor = x[:, dilation * self.past : x.shape[1] - dilation * self.ahead] + y
        return out


class Stack(nn.Module):
    """A convolution, then blocks: [batch, frames, features] to [batch, fewer frames, width].

    `ahead` has the future frames seen by the convolution and then by each block, whose taps are
    `dilation` frames apart. With `every` equal to the dilation, only every so many frames come out,
    for as much less work: what training does.
    """

    def __init__(
        self, features: int, width: int, expansion: int, ahead: Sequence[int], dilation: int = 1
    ) -> None:
        super().__init__()
        self.ahead, self.dilation = tuple(ahead), dilation
        self.embed = nn.Conv1d(features, width, KERNEL)
        self.norm_in = nn.LayerNorm(width, eps=1e-6)
        start = 1 / len(ahead)
        self.blocks = nn.ModuleList(Block(width, expansion, look, start) for look in ahead[1:])
        self.norm_out = nn.LayerNorm(width, eps=1e-6)

    @property
    def reach(self) -> Reach:
        """Context in frames."""
        first, *others = self.ahead
        ahead = first + self.dilation * sum(others)
        past = (KERNEL - 1) * (1 + self.dilation * len(others)) - ahead
        return Reach(past, ahead)

    def forward(self, x: Tensor, every: int = 1, conditions: Sequence[Tensor] = ()) -> Tensor:
        x = functional.conv1d(x.transpose(1, 2), self.embed.weight, self.embed.bias, stride=every)
        x = self.norm_in(x.transpose(1, 2))
        for number, block in enumerate(self.blocks):
            x = block(x, self.dilation // every, conditions[number] if conditions else None)
        out: Tensor = self.norm_out(x)
        return out


class Content(nn.Module):
    """Which sounds are said: [batch, frames, BANDS] to [batch, fewer frames, neck], -1 to 1.

    Input are log-mels; `mean` and `deviation` are those of all speech that it was trained with.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int, expansion: int, ahead: Sequence[int], neck: int) -> None:
        super().__init__()
        self.stack = Stack(BANDS, width, expansion, ahead, dilation=2)
        self.neck = nn.Linear(width, neck)
        self.register_buffer("mean", torch.zeros(BANDS))
        self.register_buffer("deviation", torch.ones(BANDS))

    def forward(self, mel: Tensor, every: int = 1) -> Tensor:
        heard = self.stack((mel - self.mean) / self.deviation, every)
        return torch.tanh(self.neck(heard))


class Identity(nn.Module):
    """Who speaks: log-mels with mean 0 and deviation 1 [batch, frames, BANDS], which frames count
    [batch, frames], and f0 and its spread [batch, 2], to a vector of length 1, [batch, size].

    Statistics over time, of frames that are given weights (K. Okabe et al., 2018,
    arXiv:1803.10963).
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.stack = Stack(BANDS, width, 2, (3, 3, 3, 3), dilation=2)
        self.weigh = nn.Linear(width, width)
        self.narrow = nn.Linear(2 * width + 2, size)

    def forward(self, mel: Tensor, heard: Tensor, pitch: Tensor) -> Tensor:
        x = self.stack(functional.pad(mel, (0, 0, *self.stack.reach)), every=2)
        unheard = ~heard[:, ::2, None]
        weights = self.weigh(x).masked_fill(unheard, -1e4).softmax(dim=1)
        mean = (weights * x).sum(1)
        deviation = ((weights * x.square()).sum(1) - mean.square()).clamp(min=1e-4).sqrt()
        return functional.normalize(self.narrow(torch.cat([mean, deviation, pitch], 1)), dim=1)


def loudness(mel: Tensor) -> Tensor:
    """Natural logarithm of the magnitude of frames: log-mels [batch, frames, bins] to
    [batch, frames]."""
    return 0.5 * (2 * mel[..., :BANDS]).exp().sum(2).clamp(min=LEAST).log()


def audible(mel: Tensor) -> Tensor:
    """Which frames of log-mels [batch, frames, bins] are not quiet beside the loudest."""
    level = loudness(mel)
    return level > level.amax(dim=1, keepdim=True) - QUIET


def level_of(mel: Tensor, heard: Tensor) -> Tensor:
    """Loudness of the mean power of the frames that are heard, [batch]."""
    power = (2 * loudness(mel)).exp() * heard
    return 0.5 * (power.sum(1) / heard.sum(1).clamp(min=1)).clamp(min=1e-8).log()
