"""What the decoder learns from: pieces of utterances, and other pieces of the same voice."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import torch
from torch import Tensor

from audiopipe.nets.converter import bridged
from audiopipe.nets.frames import MelConfig, Reach
from audiopipe.nets.listening import audible, loudness

from .data import QUIET, Crops, Voices
from .disturb import Warp

ALONE = 1800.0
"""Seconds of a speaker from which on more of them are not drawn more often: few have hours."""
OTHER_THROATS = 0.5
"""Share of a batch whose voices are made larger or smaller, f0 and formants together: other people
in effect."""
SHAKE = 0.2
"""By how much loudness is disturbed, as the one who is heard is not the one who is made."""


class Batch(NamedTuple):
    """Pieces, and what is known of who speaks.

    Attributes:
        mel: to be made, [batch, frames, bins].
        known: which of its bins there are, [batch, bins].
        inside: which of its frames there are, [batch, frames].
        content, level, pitch: of the pieces with their context, [batch, past + frames + ahead, …].
        other, other_content: other frames of the same voice, [batch, size, …].
        heard: which of these count, [batch, size].
        f0, spread, who: of the speaker, [batch].
    """

    mel: Tensor
    known: Tensor
    inside: Tensor
    content: Tensor
    level: Tensor
    pitch: Tensor
    other: Tensor
    other_content: Tensor
    heard: Tensor
    f0: Tensor
    spread: Tensor
    who: Tensor


class Pairs:
    """Draws batches.

    Args:
        content: of all frames, as recorded and disturbed, [1 + copies, frames, neck].
        reach: of the decoder.
        frames: of a piece; `others` of each of the two pieces that tell who speaks.
    """

    def __init__(
        self, voices: Voices, content: Tensor, reach: Reach, frames: int, others: int, seed: int
    ) -> None:
        self.voices, self.content, self.reach = voices, content, reach
        self.generator = torch.Generator().manual_seed(seed)
        self.pieces = Crops(voices, reach, frames)
        self.beside = Crops(voices, Reach(0, 0), others)
        self.warp = Warp(MelConfig())
        self.melody = torch.cat([bridged(voices[k].hz) for k in range(len(voices))])
        self.bands = torch.tensor(voices.bands)
        names = sorted(set(voices.speakers))
        self.speakers = len(names)
        self.speaker = torch.tensor([names.index(name) for name in voices.speakers])
        self.own: dict[int, Tensor] = {}
        self.median, self.spread = torch.zeros(len(names)), torch.zeros(len(names))
        by_speaker = defaultdict(list)
        for number, who in enumerate(self.speaker.tolist()):
            by_speaker[who].append(number)
        limit = ALONE * MelConfig.rate / MelConfig.hop
        for who, numbers in by_speaker.items():
            self.own[who] = torch.tensor(numbers)
            hz = torch.cat([voices[k].hz for k in numbers]).float()
            found = (12 * hz[hz > 0].log2()).quantile(torch.tensor([0.16, 0.5, 0.84]))
            self.median[who], self.spread[who] = found[1], (found[2] - found[0]) / 2
            total = sum(len(voices[k].mel) for k in numbers)
            self.pieces.shares[numbers] *= min(1.0, limit / total)

    def draw(self, batch: int) -> Batch:
        """A batch of pieces of different speakers, most likely."""
        generator = self.generator
        crop = self.pieces.draw(batch, generator)
        who = self.speaker[crop.owner]
        factor = 2 ** torch.empty(batch).uniform_(-0.28, 0.28, generator=generator)
        other_throat = torch.rand(batch, generator=generator) < OTHER_THROATS
        factor = torch.where(other_throat, factor, 1.0)
        bucket = torch.where(other_throat, 1 + (factor > 1).long(), 0)
        bands = self.bands[crop.owner]
        past, ahead = self.reach
        louder = torch.empty(batch, 1).uniform_(-0.9, 0.5, generator=generator)
        level = loudness(crop.mel + louder[..., None])
        level = level + SHAKE * torch.randn(level.shape, generator=generator)
        inner = crop.mel[:, past : crop.mel.shape[1] - ahead] + louder[..., None]
        mel, known = self.warp(inner.clamp(min=QUIET), factor, bands)
        places = crop.wanted[:, :1] + torch.arange(-past, crop.wanted.shape[1] + ahead)
        begin, end = self.voices.spans[crop.owner].T[..., None]
        places = places.maximum(begin).minimum(end - 1)
        copies = len(self.content)
        copy = torch.randint(copies, (batch, 1), generator=generator)
        shift = 12 * factor.log2()
        f0 = self.median[who] + shift
        others = [self.beside.of(self.another(crop.owner), generator) for _ in range(2)]
        other = torch.cat([one.mel for one in others], dim=1)
        other, _ = self.warp(other, factor, bands)
        inside = torch.cat([one.inside for one in others], dim=1)
        wanted = torch.cat([one.wanted for one in others], dim=1)
        another = torch.randint(copies, (batch, 1), generator=generator)
        return Batch(
            mel=mel,
            known=known,
            inside=crop.inside,
            content=self.content[copy, places].float(),
            level=level,
            pitch=self.melody[places] - self.median[who][:, None],
            other=other,
            other_content=self.content[another, wanted].float(),
            heard=inside & audible(other),
            f0=f0,
            spread=self.spread[who],
            who=who + self.speakers * bucket,
        )

    def another(self, owner: Tensor) -> Tensor:
        """Of the same speaker as each, another utterance where there is one."""
        rows = []
        for number in owner.tolist():
            own = self.own[int(self.speaker[number])]
            own = own[own != number] if len(own) > 1 else own
            rows.append(own[torch.randint(len(own), (1,), generator=self.generator)])
        return torch.cat(rows)
