"""Prepared recordings: one int16 tensor a split, kept whole on the device, cropped there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

GAP_SECONDS = 0.5
"""Silence after each utterance: longer than the vocoder's reach, so that no crop hears two."""


@dataclass(frozen=True)
class Speech:
    """Utterances of one split, end to end with gaps between.

    Attributes:
        samples: int16, shape [time]; the gaps are zeros.
        spans: int64, shape [utterances, 2], begin and end of each in samples.
        names: `set/file` of each utterance.
        rate: samples a second.
    """

    samples: Tensor
    spans: Tensor
    names: tuple[str, ...]
    rate: int

    @classmethod
    def load(cls, path: Path) -> Self:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["speech"])
            return cls(
                file.get_tensor("samples"),
                file.get_tensor("spans"),
                tuple(about["names"]),
                about["rate"],
            )

    def save(self, path: Path) -> None:
        about = json.dumps({"names": self.names, "rate": self.rate})
        tensors = {"samples": self.samples, "spans": self.spans}
        save_file(tensors, path, metadata={"speech": about})

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Tensor:
        """One utterance as float32 in [-1, 1), shape [time]."""
        begin, end = self.spans[index].tolist()
        return self.samples[begin:end].float() / 32768

    def seconds(self) -> float:
        """Length of the speech, without the gaps."""
        return (self.spans[:, 1] - self.spans[:, 0]).sum().item() / self.rate


class Crops:
    """Draws random pieces of speech, with context around them, on the device."""

    def __init__(
        self, speech: Speech, device: torch.device, before: int, length: int, after: int
    ) -> None:
        """Prepare to draw `length` samples with `before` and `after` samples of context."""
        gap = torch.zeros(before + length + after, dtype=torch.int16)
        self.samples = torch.cat([gap[:before], speech.samples, gap[before:]]).to(device)
        spans = speech.spans.to(device)
        self.begins = spans[:, 0]
        self.rooms = (spans[:, 1] - spans[:, 0] - length).clamp(min=1)
        # Cumulative room in float64: drawing by it makes every sample equally likely.
        self.cumulated = self.rooms.double().cumsum(0)
        self.offsets = torch.arange(before + length + after, device=device)

    def draw(self, batch: int) -> Tensor:
        """Shape [batch, before + length + after], at random loudness of -14 to +2 dB."""
        device = self.samples.device
        where = torch.rand(batch, dtype=torch.float64, device=device) * self.cumulated[-1]
        index = torch.searchsorted(self.cumulated, where, right=True)
        index = index.clamp(max=len(self.rooms) - 1)
        within = (torch.rand(batch, device=device) * self.rooms[index]).long()
        begins = self.begins[index] + within
        audio = self.samples[begins[:, None] + self.offsets].float() / 32768
        decibels = torch.empty(batch, 1, device=device).uniform_(-14.0, 2.0)
        return audio * 10 ** (decibels / 20)
