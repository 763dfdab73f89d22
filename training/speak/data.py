"""Prepared sentences, and batches of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

FIELDS = ("ids", "frames", "f0", "energy", "mel", "hz")


@dataclass(frozen=True)
class Spoken:
    """One sentence as it was said.

    Attributes:
        name: of the recording.
        first: the first frame of the recording that was kept.
        ids: tokens, int64, shape [n].
        frames: how long each is, int64, shape [n].
        f0: semitones, shape [n]: above 1 Hz as measured, above the voice's mean once loaded.
        energy: dB, shape [n]: as measured, above the voice's mean once loaded.
        mel: shape [frames, bands].
        hz: f0 of each frame, 0 where there is none, shape [frames].
    """

    name: str
    first: int
    ids: Tensor
    frames: Tensor
    f0: Tensor
    energy: Tensor
    mel: Tensor
    hz: Tensor


@dataclass(frozen=True)
class Voice:
    """What is measured of the speaker, over the training sentences: f0 in semitones above 1 Hz and
    energy in dB, means by time over the sounds; mean and deviation of the mel bands."""

    f0: float
    energy: float
    mean: Tensor
    deviation: Tensor

    @classmethod
    def measured(cls, sentences: Sequence[Spoken]) -> Self:
        """`sentences` as they were measured."""
        hz = torch.cat([one.hz for one in sentences])
        levels = torch.cat([one.energy.repeat_interleave(one.frames)[4:-12] for one in sentences])
        mel = torch.cat([one.mel for one in sentences])
        f0 = 12 * torch.log2(hz[hz > 0])
        return cls(
            round(f0.mean().item(), 3),
            round(levels.mean().item(), 3),
            mel.mean(0),
            mel.std(0).clamp(min=0.1),
        )


def save(sentences: Sequence[Spoken], voice: Voice, language: str, path: Path) -> None:
    """Write sentences, relative to the voice."""
    tensors = {
        "lengths": torch.tensor([[len(one.ids), len(one.mel), one.first] for one in sentences])
    }
    for field in FIELDS:
        tensors[field] = torch.cat([getattr(one, field) for one in sentences])
    tensors["f0"] = tensors["f0"] - voice.f0
    tensors["energy"] = tensors["energy"] - voice.energy
    tensors["mel"] = tensors["mel"].half()
    tensors |= {"mean": voice.mean, "deviation": voice.deviation}
    about = {"names": [one.name for one in sentences], "language": language}
    about |= {"f0": voice.f0, "energy": voice.energy}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"spoken": json.dumps(about)})


def load(path: Path) -> tuple[list[Spoken], Voice, str]:
    """Sentences, the voice, its language."""
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["spoken"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tokens, frames, firsts = tensors["lengths"].T.tolist()
    sizes = {"ids": tokens, "frames": tokens, "f0": tokens, "energy": tokens}
    parts = [tensors[name].float() if name in ("f0", "energy", "mel") else tensors[name]
             for name in FIELDS]  # fmt: skip
    rows = [part.split(sizes.get(name, frames)) for name, part in zip(FIELDS, parts, strict=True)]
    sentences = [Spoken(*row) for row in zip(about["names"], firsts, *rows, strict=True)]
    voice = Voice(about["f0"], about["energy"], tensors["mean"], tensors["deviation"])
    return sentences, voice, about["language"]


@dataclass(frozen=True)
class Batch:
    """Sentences side by side, padded with zeros.

    Attributes:
        ids, frames, f0, energy: shape [batch, n].
        tokens: 1 where there is a token, shape [batch, n, 1].
        mel: shape [batch, frames, bands].
        hz: f0 of each frame, 0 where there is none, shape [batch, frames].
        inside: 1 where there is a frame, shape [batch, frames, 1].
    """

    ids: Tensor
    frames: Tensor
    f0: Tensor
    energy: Tensor
    tokens: Tensor
    mel: Tensor
    hz: Tensor
    inside: Tensor

    @classmethod
    def of(cls, sentences: Sequence[Spoken]) -> Self:
        """Put sentences side by side."""
        ids, frames, f0, energy, mel, hz = (
            pad_sequence([getattr(one, field) for one in sentences], batch_first=True)
            for field in FIELDS
        )
        tokens = pad_sequence([torch.ones(len(one.ids), 1) for one in sentences], batch_first=True)
        inside = pad_sequence([torch.ones(len(one.mel), 1) for one in sentences], batch_first=True)
        return cls(ids, frames, f0, energy, tokens, mel, hz, inside)


def batches(sentences: Sequence[Spoken], size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Without end: batches of similar lengths, in another order and other company each time."""
    lengths = torch.tensor([len(one.mel) for one in sentences]).float()
    while True:
        shaken = lengths * (1 + 0.1 * torch.randn(len(lengths), generator=generator))
        groups = list(shaken.argsort().split(size))
        for k in torch.randperm(len(groups), generator=generator).tolist():
            yield Batch.of([sentences[n] for n in groups[k].tolist()])
