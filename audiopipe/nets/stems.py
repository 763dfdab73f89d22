"""A network that takes music apart into vocals, drums, bass and the rest, frame after frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STEMS = ("vocals", "drums", "bass", "other")
RATE = 44100
"""Hz."""
WINDOW, HOP = 4096, 1024
"""Samples of a frame (Hann, periodic), and between frames."""
BINS = WINDOW // 2 + 1
AHEAD = 12
"""Frames after a frame that are heard before it is taken apart."""

FINE, COARSE = 736, 8
"""Below so many bins (8 kHz) each is a point of its own; above, so many bins are one."""
SECTIONS = ((24, 4), (24, 12), (16, 22), (10, 10), (4, 16))
"""Bands and the points of each of them, from the lowest up."""
BANDS = sum(bands for bands, _ in SECTIONS)
POINTS = sum(bands * points for bands, points in SECTIONS)
VIEWS = 4
"""What is looked at in a point: middle, side, left and right."""
MASKS = 2 * len(STEMS)
"""Of a point: of each stem, for the middle and for the side."""

DROPOUT = 0.2
"""Share of what all bands tell at once that a step of training does without: a few songs are soon
known by heart."""
MEMORY = 0.994
"""How much of the energy heard so far remains after a frame: the input's level is that of 4 s."""
FAINT = 1e-9
"""Of the level's energy: what is below is nothing."""

State = tuple[Tensor, ...]
"""What a network keeps from one stretch of frames to the next."""


class StemsNet(nn.Module):
    """Spectra of stereo music to spectra of its stems, which add up to the music.

    Features of bands (as in Luo & Yu, "Music source separation with band-split RNN", 2023) go
    through convolutions over bands and time, which are the same for all bands, and through
    recurrent layers that hear all bands at once. What comes out are masks of the middle and of the
    side, which are between 0 and 1 and add up to 1. Only ratios of levels count: a louder input
    gives the same masks.

    Input [batch, 2, BINS, frames], complex, left and right: as many frames as there are. Output
    [batch, stems, 2, BINS, frames], complex, AHEAD frames late: the first that come out are from
    before the music began, and so many frames of silence after it bring out its last. With the
    state that comes back, the next stretch goes on as if it had been one; None begins.

    >>> net = StemsNet(channels=4, hidden=8).eval()
    >>> music = torch.randn(1, 2, BINS, 30, dtype=torch.complex64)
    >>> stems, state = net(music)
    >>> stems.shape
    torch.Size([1, 4, 2, 2049, 30])
    >>> torch.allclose(stems[..., AHEAD:].sum(1), music[..., :-AHEAD], atol=1e-5)
    True
    """

    def __init__(self, channels: int = 32, hidden: int = 256) -> None:
        super().__init__()
        self.channels = channels
        self.enter = PerBand([VIEWS * points for _, points in SECTIONS], channels)
        self.layers = nn.ModuleList(
            layer
            for _ in range(3)
            for layer in (Near(channels, 1), Near(channels, 2), Far(channels, hidden, 1))
        )
        self.last = nn.LayerNorm(channels)
        self.gather = PerBand([2 * channels] * len(SECTIONS), 2 * channels)
        self.leave = nn.ModuleList(
            BandLinear(bands, 2 * channels, MASKS * points) for bands, points in SECTIONS
        )

    def forward(self, spectra: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        sides = middle_and_side(spectra)
        state = self.silence(sides) if state is None else state
        points = look(sides)
        features, level = levelled(points, state[1])
        masks, kept = self.masks(features, state[2:])
        heard = torch.cat([state[0], sides], -1)
        frames = sides.shape[-1]
        stems = spread(masks) * heard[:, None, ..., :frames]
        left, right = stems[:, :, 0] + stems[:, :, 1], stems[:, :, 0] - stems[:, :, 1]
        return torch.stack([left, right], 2), (heard[..., frames:], level, *kept)

    def masks(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The masks of frames, AHEAD frames late.

        Shape: features [batch, frames, POINTS, VIEWS] -> [stems, batch, frames, 2, POINTS]
        """
        frames = features.shape[1]
        entered = self.enter(sections(features))
        hidden, kept, at = entered, [torch.cat([state[0], entered], 1)], 1
        for layer in self.layers:
            hidden, left = layer(hidden, state[at:])
            kept += left
            at += len(left)
        both = torch.cat([self.last(hidden), kept[0][:, :frames]], -1)
        kept[0] = kept[0][:, frames:]
        bands = [count for count, _ in SECTIONS]
        gathered = functional.relu(self.gather(torch.split(both, bands, 2)))
        logits = []
        for part, leave, (_, points) in zip(
            torch.split(gathered, bands, 2), self.leave, SECTIONS, strict=True
        ):
            found = leave(part).unflatten(-1, (len(STEMS), 2, points))
            logits.append(found.permute(3, 0, 1, 4, 2, 5).flatten(-2))
        return torch.cat(logits, -1).softmax(0), tuple(kept)

    def silence(self, sides: Tensor) -> State:
        """The state before anything was heard."""
        batch = sides.shape[0]
        kept = [sides.new_zeros(batch, 2, BINS, AHEAD)]
        like = kept[0].real
        kept += [like.new_zeros(batch, 2), like.new_zeros(batch, AHEAD, BANDS, self.channels)]
        for layer in self.layers:
            assert isinstance(layer, Near | Far)
            kept += layer.silence(batch, like)
        return tuple(kept)


class BandLinear(nn.Module):
    """A linear map of its own for every band: [batch, frames, bands, inputs] -> [..., outputs]."""

    def __init__(self, bands: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(bands, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(bands, 1, outputs))

    def forward(self, values: Tensor) -> Tensor:
        batch, frames, bands, inputs = values.shape
        rows = values.permute(2, 0, 1, 3).reshape(bands, batch * frames, inputs)
        mapped = torch.baddbmm(self.bias, rows, self.weight)
        return mapped.view(bands, batch, frames, -1).permute(1, 2, 0, 3)


class PerBand(nn.Module):
    """Maps of the bands of all sections to as many channels: [batch, frames, BANDS, outputs]."""

    def __init__(self, inputs: list[int], outputs: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            BandLinear(bands, size, outputs)
            for (bands, _), size in zip(SECTIONS, inputs, strict=True)
        )

    def forward(self, parts: tuple[Tensor, ...]) -> Tensor:
        found = [layer(part) for layer, part in zip(self.maps, parts, strict=True)]
        return torch.cat(found, 2).contiguous()


class Near(nn.Module):
    """What is close by in time and among the bands: two maps around a residual."""

    def __init__(self, channels: int, apart: int) -> None:
        super().__init__()
        self.apart = apart
        self.norm = nn.LayerNorm(channels)
        self.around = nn.Conv2d(channels, channels, 3, padding=(0, 1), dilation=(apart, 1))
        self.mix = nn.Linear(channels, channels)

    def forward(self, hidden: Tensor, past: State) -> tuple[Tensor, list[Tensor]]:
        frames = hidden.shape[1]
        heard = torch.cat([past[0], hidden], 1)
        # Channels stay last in memory, as the convolutions of a CPU like it.
        found = self.around(self.norm(heard).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        found = self.mix(functional.relu(found))
        return heard[:, self.apart :][:, :frames] + found, [heard[:, frames:]]

    def silence(self, batch: int, like: Tensor) -> list[Tensor]:
        """Its state before anything was heard."""
        return [like.new_zeros(batch, 2 * self.apart, BANDS, self.mix.in_features)]


class Far(nn.Module):
    """What all bands together say, and said before: a recurrent layer around a residual."""

    def __init__(self, channels: int, hidden: int, late: int) -> None:
        super().__init__()
        self.late = late
        self.norm = nn.LayerNorm(channels)
        self.enter = nn.Linear(BANDS * channels, hidden)
        self.remember = nn.LSTM(hidden, hidden, batch_first=True)
        self.leave = nn.Linear(hidden, BANDS * channels)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, hidden: Tensor, past: State) -> tuple[Tensor, list[Tensor]]:
        frames = hidden.shape[1]
        heard = torch.cat([past[0], hidden], 1)
        told = self.drop(functional.relu(self.enter(self.norm(hidden).flatten(2))))
        told, (short, long) = self.remember(told, (past[1], past[2]))
        found = self.leave(self.drop(told)).view_as(hidden)
        return heard[:, :frames] + found, [heard[:, frames:], short, long]

    def silence(self, batch: int, like: Tensor) -> list[Tensor]:
        """Its state before anything was heard."""
        size = self.remember.hidden_size
        channels = self.enter.in_features // BANDS
        memory = [like.new_zeros(1, batch, size) for _ in range(2)]
        return [like.new_zeros(batch, self.late, BANDS, channels), *memory]


def middle_and_side(spectra: Tensor) -> Tensor:
    """Left and right to what they have in common and what they do not: [batch, 2, ...]."""
    return torch.stack([spectra[:, 0] + spectra[:, 1], spectra[:, 0] - spectra[:, 1]], 1) / 2


def pooled(values: Tensor) -> Tensor:
    """Sums over the bins of each point, but of the highest bin: [..., BINS] -> [..., POINTS]."""
    fine, coarse = values[..., :FINE], values[..., FINE : BINS - 1]
    return torch.cat([fine, coarse.reshape(*coarse.shape[:-1], -1, COARSE).sum(-1)], -1)


def look(sides: Tensor) -> Tensor:
    """The energy of the middle, the side, the left and the right in the points.

    Shape: [batch, 2, BINS, frames] complex -> [batch, frames, VIEWS, POINTS]
    """
    middle, side = sides.mT.unbind(1)
    shared = pooled(2 * (middle.real * side.real + middle.imag * side.imag))
    energy = [pooled(part.real.square() + part.imag.square()) for part in (middle, side)]
    whole = energy[0] + energy[1]
    return torch.stack([*energy, (whole + shared).relu(), (whole - shared).relu()], 2)


def levelled(points: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of energies against the level so far, and the level to go on with.

    Shape: points [batch, frames, VIEWS, POINTS], past [batch, 2]
    -> [batch, frames, POINTS, VIEWS], [batch, 2]
    """
    energy = points[:, :, :2].sum((2, 3))
    levels = []
    for now in energy.unbind(1):
        past = past * MEMORY + torch.stack([now, torch.ones_like(now)], 1) * (1 - MEMORY)
        levels.append(past[:, 0] / past[:, 1])
    level = torch.stack(levels, 1)[:, :, None, None].clamp_min(1e-12)
    return (points.mT / level + FAINT).log10() / 2 + 2.5, past


def sections(features: Tensor) -> tuple[Tensor, ...]:
    """The points of each band side by side: [batch, frames, bands, points · VIEWS] a section."""
    parts = torch.split(features, [bands * points for bands, points in SECTIONS], 2)
    return tuple(
        part.reshape(*part.shape[:2], bands, points * VIEWS)
        for part, (bands, points) in zip(parts, SECTIONS, strict=True)
    )


def spread(masks: Tensor) -> Tensor:
    """Masks of points as masks of bins; the highest bin is like the one below.

    Shape: [stems, batch, frames, 2, POINTS] -> [batch, stems, 2, BINS, frames]
    """
    fine, coarse = masks[..., :FINE], masks[..., FINE:].repeat_interleave(COARSE, -1)
    return torch.cat([fine, coarse, coarse[..., -1:]], -1).permute(1, 0, 3, 4, 2)
