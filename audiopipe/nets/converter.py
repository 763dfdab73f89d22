"""The converter: log-mel frames of one voice to those of another, words and melody kept.

What is said and who speaks is heard by `audiopipe.nets.listening`. The decoder makes frames of the
content, of a melody and of the other voice: of its vector, and of its own frames, which it looks up
by their content (after FragmentVC, Y. Lin et al., 2021, arXiv:2010.14150), so that more of a voice
gives more likeness. It is trained to make a recording again from a copy whose formants, pitch and
colour were changed (after NANSY, H.-S. Choi et al., 2021, arXiv:2110.14513).

No layer pads in time. The caller gives `reach.past` frames before and `reach.ahead` frames after
the part it wants; whole files, windows and streams then compute the same by construction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from audiopipe.mel import mel_points
from audiopipe.nets.frames import MelConfig, Reach
from audiopipe.nets.listening import (
    BANDS,
    KERNEL,
    PARTIALS,
    Content,
    Identity,
    Stack,
    audible,
    level_of,
    loudness,
)

FRAMES = 12_000
"""Frames of a reference that are kept, 128 s: longer ones are thinned out evenly."""
LEVEL = 3.67
"""Loudness (as `level_of`) of speech at -23 dB, which all that is learned from has."""
CALIBRATED, FEW = 1500, 50
"""Frames of each half of a reference that its colour is measured on, and how many frames without
any difference are added to them."""
MIDDLE = 88.0
"""Semitones above 1 Hz that lie in the middle of human voices: 161 Hz."""


class Likeness(NamedTuple):
    """What is taken of a reference.

    Attributes:
        identity: who speaks, [1, identity].
        keys: content of the reference's frames, [1, frames, neck], of length 1 each.
        values: what those frames sound like, [1, frames, width].
        f0: median, in semitones above 1 Hz, [1].
        spread: half the distance of the percentiles 16 and 84, in semitones, [1].
        colour: what is added to frames, [1, bins]: by how much the reference differs from what is
            made of it, in the mean.
    """

    identity: Tensor
    keys: Tensor
    values: Tensor
    f0: Tensor
    spread: Tensor
    colour: Tensor


class Converter(nn.Module):
    """Frames of one voice to frames of another.

    Mels are natural logarithms as `LogMel` gives them, of speech at one level (-23 dB); `mean` and
    `deviation` are those of all speech that it was trained with.

    >>> sizes = {"width": 8, "expansion": 2, "heard": [3, 1], "said": [3, 0], "neck": 4}
    >>> converter = Converter.of(**sizes, identity=8, heads=2)
    >>> converter.reach
    Reach(past=22, ahead=8)
    >>> likeness = converter.likeness(torch.zeros(100, 50), torch.full((50,), 200.0))
    >>> converter(torch.zeros(1, 100, 40), torch.zeros(1, 40), likeness).shape
    torch.Size([1, 100, 10])
    """

    mean: Tensor
    deviation: Tensor
    centres: Tensor

    def __init__(
        self, width: int, expansion: int, heard: Sequence[int], said: Sequence[int], neck: int,
        identity: int, heads: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mel, self.heads = MelConfig(), heads
        self.content = Content(width, expansion, heard, neck)
        self.identity = Identity(identity, identity)
        self.match = nn.Linear(neck, identity)
        self.sharpness = nn.Parameter(torch.full((heads,), math.log(10.0)))
        self.sample = nn.Sequential(
            nn.Linear(BANDS + neck, width), nn.GELU(), nn.Linear(width, identity)
        )
        self.decoder = Stack(neck + identity + 3 + PARTIALS, width, expansion, said)
        self.conditions = nn.Linear(identity + 2, 2 * width * (len(said) - 1))
        self.head = nn.Linear(width, self.mel.bins)
        self.register_buffer("mean", torch.zeros(self.mel.bins))
        self.register_buffer("deviation", torch.ones(self.mel.bins))
        points = mel_points(self.mel.bins, (self.mel.low, self.mel.high), "htk")
        centres = torch.as_tensor(points, dtype=torch.float32)[1 : 1 + PARTIALS]
        self.register_buffer("centres", centres, persistent=False)

    @classmethod
    def of(
        cls, *, width: int, expansion: int, heard: Sequence[int], said: Sequence[int], neck: int,
        identity: int, heads: int,
    ) -> Self:  # fmt: skip
        """The converter of a card's settings; raises ValueError for sizes that make no network."""
        for name, ahead in (("heard", heard), ("said", said)):
            if not 2 <= len(ahead) <= 64 or not all(0 <= frames < KERNEL for frames in ahead):
                raise ValueError(f"{name} {list(ahead)} must be 2 to 64 numbers from 0 to 6")
        sizes = {"width": width, "expansion": expansion, "neck": neck, "identity": identity}
        for name, size in sizes.items():
            if not 1 <= size <= 2048:
                raise ValueError(f"{name} {size} must be from 1 to 2048")
        if heads < 1 or identity % heads:
            raise ValueError(f"heads {heads} must divide the identity's {identity} numbers")
        return cls(width, expansion, heard, said, neck, identity, heads)

    @property
    def reach(self) -> Reach:
        """Context of both networks together, in frames."""
        heard, said = self.content.stack.reach, self.decoder.reach
        return Reach(heard.past + said.past, heard.ahead + said.ahead)

    def forward(self, mel: Tensor, pitch: Tensor, likeness: Likeness) -> Tensor:
        """What `mel` [1, bins, past + frames + ahead] would be in the other voice.

        Returns [1, bins, frames]. `pitch` [1, past + frames + ahead] is semitones above the median
        of the other voice, with lines through what has none.
        """
        frames, (past, ahead) = mel.transpose(1, 2), self.content.stack.reach
        content = self.content(frames[..., :BANDS])
        inner = slice(past, frames.shape[1] - ahead)
        said = self.say(content, loudness(frames[:, inner]), pitch[:, inner], likeness)
        return said.transpose(1, 2)

    @torch.no_grad()
    def likeness(self, mel: Tensor, hz: Tensor) -> Likeness:
        """What is taken of a reference: `mel` [bins, frames], f0 `hz` [frames], 0 where unvoiced.

        Its level does not matter, and quiet frames are left out. Raises ValueError where there is
        no frame.
        """
        frames, floor = mel.T[None], math.log(self.mel.floor)
        if not frames.shape[1]:
            raise ValueError("a reference without a frame is like nobody")
        heard = audible(frames)
        frames = (frames + (LEVEL - level_of(frames, heard))[:, None, None]).clamp(min=floor)
        context = functional.pad(
            frames[..., :BANDS], (0, 0, *self.content.stack.reach), value=floor
        )
        content = self.content(context)
        f0 = 12 * hz[hz > 0].log2()
        low, median, high = quantiles(f0, (0.16, 0.5, 0.84)) if len(f0) else [MIDDLE] * 3
        pitch = frames.new_tensor([median]), frames.new_tensor([(high - low) / 2])
        found = self.describe(frames, content, heard, *pitch)
        kept = heard[0].nonzero()[:, 0]
        if len(kept) > FRAMES:
            kept = kept[torch.linspace(0, len(kept) - 1, FRAMES).long()]
        return found._replace(
            keys=found.keys[:, kept],
            values=found.values[:, kept],
            colour=self.colour_of(frames, content, heard, bridged(hz) - median, pitch),
        )

    def colour_of(
        self, frames: Tensor, content: Tensor, heard: Tensor, melody: Tensor,
        pitch: tuple[Tensor, Tensor],
    ) -> Tensor:  # fmt: skip
        """By how much a reference differs, in the mean, from what is made of each half of it in the
        likeness of the other half, [1, bins]."""
        (past, ahead), count = self.decoder.reach, frames.shape[1]
        total, number = frames.new_zeros(frames.shape[2]), 0
        for own in (slice(0, count // 2), slice(count // 2, count)):
            others = torch.ones(count, dtype=torch.bool, device=frames.device)
            others[own] = False
            part = slice(own.start, min(own.stop, own.start + CALIBRATED))
            inner = slice(part.start + past, part.stop - ahead)
            chosen = heard[:, inner]
            if inner.stop <= inner.start or not chosen.any() or not heard[:, others].any():
                continue
            theirs = self.describe(frames[:, others], content[:, others], heard[:, others], *pitch)
            level = loudness(frames[:, part])
            made = self.say(content[:, part], level, melody[None, part], theirs)
            total += (frames[:, inner] - made)[chosen].sum(0)
            number += int(chosen.sum())
        colour = total / (number + FEW)
        # Above BANDS many recordings have nothing.
        colour[BANDS:] = colour[BANDS - 5 : BANDS].mean()
        return colour[None]

    def describe(
        self, mel: Tensor, content: Tensor, heard: Tensor, f0: Tensor, spread: Tensor
    ) -> Likeness:
        """The likeness of many references of one length: mels [batch, frames, bins], their content
        [batch, frames, neck], which frames count [batch, frames], f0 and spread [batch]."""
        bands = self.normal(mel, heard)
        keys = self.split(self.match(content))
        keys = functional.normalize(keys, dim=3) * heard[:, :, None, None]
        values = self.sample(torch.cat([bands, content], dim=2))
        identity = self.recognise(mel, heard, f0, spread)
        colour = self.mean.new_zeros(len(mel), self.mel.bins)
        return Likeness(identity, keys.flatten(2), values, f0, spread, colour)

    def recognise(self, mel: Tensor, heard: Tensor, f0: Tensor, spread: Tensor) -> Tensor:
        """Who speaks, [batch, identity], of what `describe` is given."""
        pitch = torch.stack([(f0 - MIDDLE) / 12, spread / 4], dim=1)
        found: Tensor = self.identity(self.normal(mel, heard), heard, pitch)
        return found

    def normal(self, mel: Tensor, heard: Tensor) -> Tensor:
        """The bands that all recordings have, at one level, with mean 0 and deviation 1; zeros
        where nothing is heard."""
        bands = (mel - level_of(mel, heard)[:, None, None])[..., :BANDS]
        return (bands - self.mean[:BANDS]) / self.deviation[:BANDS] * heard[..., None]

    def split(self, x: Tensor) -> Tensor:
        """[batch, frames, identity] to [batch, frames, heads, identity / heads]."""
        return x.view(*x.shape[:2], self.heads, -1)

    def look_up(self, content: Tensor, likeness: Likeness) -> Tensor:
        """What the reference sounds like where it says what `content` [batch, frames, neck] says,
        [batch, frames, identity]."""
        wanted = functional.normalize(self.split(self.match(content)), dim=3)
        wanted = wanted * self.sharpness.exp()[:, None]
        found = functional.scaled_dot_product_attention(
            wanted.transpose(1, 2),
            self.split(likeness.keys).transpose(1, 2),
            self.split(likeness.values).transpose(1, 2),
            scale=1.0,
        )
        return found.transpose(1, 2).flatten(2)

    def say(self, content: Tensor, level: Tensor, pitch: Tensor, likeness: Likeness) -> Tensor:
        """Frames of content [batch, frames, neck], loudness [batch, frames] and pitch
        [batch, frames] in a voice, [batch, fewer frames, bins]."""
        f0 = likeness.f0[:, None] + pitch
        # Where the partials lie: 1 on each, -1 between two.
        partials = torch.cos(2 * math.pi * self.centres / torch.exp2(f0 / 12)[..., None])
        melody = torch.stack([level / 2, pitch / 4, (f0 - MIDDLE) / 12], dim=2)
        x = torch.cat([content, self.look_up(content, likeness), melody, partials], dim=2)
        who = torch.stack([(likeness.f0 - MIDDLE) / 12, likeness.spread / 4], dim=1)
        conditions = self.conditions(torch.cat([likeness.identity, who], dim=1))[:, None]
        blocks = len(self.decoder.blocks)
        made: Tensor = self.head(self.decoder(x, conditions=conditions.chunk(blocks, dim=2)))
        return made * self.deviation + self.mean + likeness.colour[:, None]


def bridged(hz: Tensor) -> Tensor:
    """Semitones above 1 Hz of f0 [frames], with straight lines through what has none (0)."""
    found = hz.float().cpu().numpy()
    known = np.flatnonzero(found > 0)
    if not len(known):
        return torch.full_like(hz, MIDDLE, dtype=torch.float32)
    semitones = np.interp(np.arange(len(found)), known, 12 * np.log2(found[known]))
    return torch.from_numpy(semitones).float().to(hz.device)


def quantiles(values: Tensor, shares: Sequence[float]) -> list[float]:
    """Quantiles of `values` [n]."""
    found: list[float] = values.float().cpu().quantile(torch.tensor(shares)).tolist()
    return found
