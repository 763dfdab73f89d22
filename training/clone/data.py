"""Recordings as the converter sees them: log-mel frames and f0, end to end, with their speakers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from audiopipe.nets.frames import MelConfig, Reach

QUIET = math.log(MelConfig.floor)


@dataclass(frozen=True)
class Utterance:
    """One recording without the quiet around it.

    Attributes:
        name: `set/path` of the file.
        speaker: `set/speaker`.
        text: what is said, empty where it is not known.
        bands: how many mel bands the recording fills; above them is nothing.
        mel: float16, shape [frames, bins].
        hz: f0, 0 where there is none, float16, shape [frames].
    """

    name: str
    speaker: str
    text: str
    bands: int
    mel: Tensor
    hz: Tensor


@dataclass(frozen=True)
class Voices:
    """Utterances end to end.

    Attributes:
        mel: float16, shape [frames, bins].
        hz: float16, shape [frames].
        spans: int64, shape [utterances, 2], begin and end of each in frames.
        names, speakers, texts, bands: of each utterance.
    """

    mel: Tensor
    hz: Tensor
    spans: Tensor
    names: tuple[str, ...]
    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    bands: tuple[int, ...]

    @classmethod
    def of(cls, utterances: Sequence[Utterance]) -> Self:
        """Join utterances."""
        ends = torch.tensor([len(one.mel) for one in utterances]).cumsum(0)
        begins = torch.cat([torch.zeros(1, dtype=torch.long), ends[:-1]])
        facts = ("name", "speaker", "text", "bands")
        about = (tuple(getattr(one, fact) for one in utterances) for fact in facts)
        return cls(
            torch.cat([one.mel for one in utterances]),
            torch.cat([one.hz for one in utterances]),
            torch.stack([begins, ends], dim=1),
            *about,
        )

    def save(self, path: Path) -> None:
        about = {key: getattr(self, key) for key in ("names", "speakers", "texts", "bands")}
        tensors = {key: getattr(self, key) for key in ("mel", "hz", "spans")}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, path, metadata={"voices": json.dumps(about)})

    @classmethod
    def load(cls, path: Path) -> Self:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["voices"])
            tensors = (file.get_tensor(name) for name in ("mel", "hz", "spans"))
            fields = (tuple(about[key]) for key in ("names", "speakers", "texts", "bands"))
            return cls(*tensors, *fields)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Utterance:
        begin, end = self.spans[index].tolist()
        return Utterance(
            self.names[index], self.speakers[index], self.texts[index], self.bands[index],
            self.mel[begin:end], self.hz[begin:end],
        )  # fmt: skip


class Crop(NamedTuple):
    """Pieces of utterances.

    Attributes:
        mel: with their context, [batch, past + frames + ahead, bins]; silence outside of the
            utterance.
        wanted: which frames of all they are, [batch, frames].
        inside: which of these lie in the utterance, [batch, frames].
        owner: the utterance of each, [batch].
    """

    mel: Tensor
    wanted: Tensor
    inside: Tensor
    owner: Tensor


class Crops:
    """Draws pieces of `frames` frames, with the context that a network needs, from the chosen
    utterances."""

    def __init__(
        self, voices: Voices, reach: Reach, frames: int, chosen: Sequence[int] | None = None
    ) -> None:
        self.voices, self.reach, self.frames = voices, reach, frames
        self.chosen = torch.tensor(range(len(voices)) if chosen is None else chosen)
        lengths = voices.spans[self.chosen].diff(dim=1)[:, 0]
        self.shares = lengths.clamp(min=frames // 2).float()

    def draw(self, batch: int, generator: torch.Generator) -> Crop:
        """Each frame of the chosen utterances is as likely as another."""
        picked = torch.multinomial(self.shares, batch, replacement=True, generator=generator)
        return self.of(self.chosen[picked], generator)

    def of(self, owner: Tensor, generator: torch.Generator) -> Crop:
        """A piece of each utterance `owner` [batch]."""
        begin, end = self.voices.spans[owner].T
        room = (end - begin - self.frames).clamp(min=0)
        first = begin + (torch.rand(len(owner), generator=generator) * (room + 1)).long()
        past, ahead = self.reach
        places = first[:, None] + torch.arange(-past, self.frames + ahead)
        there = (places >= begin[:, None]) & (places < end[:, None])
        mel = self.voices.mel[places.clamp(0, len(self.voices.mel) - 1)].float()
        mel = torch.where(there[..., None], mel, QUIET)
        part = slice(past, past + self.frames)
        return Crop(mel, places[:, part].clamp(max=len(self.voices.mel) - 1), there[:, part], owner)
