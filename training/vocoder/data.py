"""Prepared recordings: one int16 tensor a split, kept whole on the device, cropped there."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from audiopipe.nets.vocoder import MelConfig

GAP_SECONDS = 0.5
"""Silence after each utterance: longer than the vocoder's reach, so that no crop hears two."""
GAP_FRAMES = 64
"""The same between rendered sentences, in frames."""


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


@dataclass(frozen=True)
class Rendered:
    """Frames that an acoustic model made, and the recordings that they are to sound like.

    Attributes:
        mel: float16, shape [frames, bins]; sentences end to end, silence around each.
        samples: int16, shape [frames * hop].
        spans: int64, shape [sentences, 2], begin and end of each in frames.
        hop: samples a frame.
    """

    mel: Tensor
    samples: Tensor
    spans: Tensor
    hop: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[Tensor, Tensor]], config: MelConfig) -> Self:
        """Join pairs of frames [bins, frames] and samples [frames * hop]."""
        gap = torch.full((GAP_FRAMES, config.bins), math.log(config.floor))
        quiet = torch.zeros(GAP_FRAMES * config.hop)
        mels, waves, spans, at = [gap], [quiet], [], GAP_FRAMES
        for mel, wave in pairs:
            mels += [mel.T, gap]
            waves += [wave, quiet]
            spans.append((at, at + mel.shape[1]))
            at += mel.shape[1] + GAP_FRAMES
        samples = (torch.cat(waves) * 32768).round().clamp(-32768, 32767).to(torch.int16)
        return cls(torch.cat(mels).half(), samples, torch.tensor(spans), config.hop)

    @classmethod
    def load(cls, path: Path) -> Self:
        with safe_open(path, framework="pt") as file:
            tensors = (file.get_tensor(name) for name in ("mel", "samples", "spans"))
            return cls(*tensors, int(file.metadata()["hop"]))

    def save(self, path: Path) -> None:
        tensors = {"mel": self.mel, "samples": self.samples, "spans": self.spans}
        save_file(tensors, path, metadata={"hop": str(self.hop)})

    def draw(self, batch: int, past: int, frames: int, ahead: int) -> tuple[Tensor, Tensor]:
        """Crops with their context, [batch, bins, past + frames + ahead], and the samples that are
        wanted of them, [batch, frames * hop]; at random loudness of -14 to +2 dB."""
        rooms = (self.spans[:, 1] - self.spans[:, 0] - frames).clamp(min=1)
        chosen = torch.multinomial(rooms.float(), batch, replacement=True)
        first = self.spans[chosen, 0] + (torch.rand(batch) * rooms[chosen]).long()
        gain = torch.empty(batch, 1).uniform_(-14.0, 2.0) * (math.log(10) / 20)
        mel = self.mel[first[:, None] + torch.arange(-past, frames + ahead)].float()
        mel = (mel + gain[..., None]).clamp(min=mel.min().item()).transpose(1, 2)
        wanted = first[:, None] * self.hop + torch.arange(frames * self.hop)
        return mel, self.samples[wanted].float() / 32768 * gain.exp()
