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
from torch.nn import functional

from audiopipe.nets.frames import MelConfig, Reach
from audiopipe.nets.source import pulses

GAP_SECONDS = 0.5
"""Silence after each utterance: longer than the vocoder's reach, so that no crop hears two."""
GAP_FRAMES = 64
"""The same between rendered sentences, in frames."""


@dataclass(frozen=True)
class Speech:
    """Utterances of one split, end to end with gaps between.

    Attributes:
        samples: int16, shape [time]; the gaps are zeros.
        spans: int64, shape [utterances, 2], begin and end of each in samples; all begin with a
            frame.
        hz: float32, shape [time / hop], the pitch of each frame, in straight lines through what
            has none.
        names: `set/file` of each utterance.
        rate: samples a second.
    """

    samples: Tensor
    spans: Tensor
    hz: Tensor
    names: tuple[str, ...]
    rate: int

    @classmethod
    def load(cls, path: Path) -> Self:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["speech"])
            return cls(
                file.get_tensor("samples"),
                file.get_tensor("spans"),
                file.get_tensor("hz"),
                tuple(about["names"]),
                about["rate"],
            )

    def save(self, path: Path) -> None:
        about = json.dumps({"names": self.names, "rate": self.rate})
        tensors = {"samples": self.samples, "spans": self.spans, "hz": self.hz}
        save_file(tensors, path, metadata={"speech": about})

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Tensor:
        """One utterance as float32 in [-1, 1), shape [time]."""
        begin, end = self.spans[index].tolist()
        return self.samples[begin:end].float() / 32768

    def pitch(self, index: int) -> Tensor:
        """The pitch of each frame of an utterance in Hz, shape [frames]."""
        begin, end = self.spans[index].tolist()
        return self.hz[begin // MelConfig.hop : -(-end // MelConfig.hop)]

    def seconds(self) -> float:
        """Length of the speech, without the gaps."""
        return (self.spans[:, 1] - self.spans[:, 0]).sum().item() / self.rate


class Crops:
    """Draws random pieces of speech, whole frames with context around them, on the device."""

    def __init__(self, speech: Speech, device: torch.device, reach: Reach, frames: int) -> None:
        """Prepare to draw `frames` frames with as many around them as `reach` says."""
        mel = MelConfig()
        self.hop = mel.hop
        around, past = GAP_FRAMES * mel.hop, reach.past
        gap = torch.zeros(around, dtype=torch.int16)
        rest = -len(speech.samples) % mel.hop
        self.samples = functional.pad(torch.cat([gap, speech.samples, gap]), (0, rest)).to(device)
        self.hz = functional.pad(speech.hz[None], (GAP_FRAMES, GAP_FRAMES), mode="replicate")[0]
        self.hz = self.hz.to(device)
        spans = (speech.spans / mel.hop).floor().long().to(device)
        self.begins = spans[:, 0] + GAP_FRAMES
        self.rooms = (spans[:, 1] - spans[:, 0] - frames).clamp(min=1)
        # Cumulative room in float64: drawing by it makes every frame equally likely.
        self.cumulated = self.rooms.double().cumsum(0)
        self.frames = torch.arange(-past, frames + reach.ahead, device=device)
        first, last = -past * mel.hop - mel.margin, (frames + reach.ahead) * mel.hop + mel.margin
        self.offsets = torch.arange(first, last, device=device)

    def draw(self, batch: int) -> tuple[Tensor, Tensor]:
        """Samples with the margin that frames need, at random loudness of -14 to +2 dB, and the
        pitch of the frames."""
        device = self.samples.device
        where = torch.rand(batch, dtype=torch.float64, device=device) * self.cumulated[-1]
        index = torch.searchsorted(self.cumulated, where, right=True)
        index = index.clamp(max=len(self.rooms) - 1)
        within = (torch.rand(batch, device=device) * self.rooms[index]).long()
        begins = (self.begins[index] + within)[:, None]
        audio = self.samples[begins * self.hop + self.offsets].float() / 32768
        decibels = torch.empty(batch, 1, device=device).uniform_(-14.0, 2.0)
        return audio * 10 ** (decibels / 20), self.hz[begins + self.frames]


def sources(hz: Tensor, hop: int, rate: int) -> Tensor:
    """What `Source` makes, of each row of pitches [batch, frames] and with a phase of its own:
    [batch, 2, frames * hop]."""
    before = torch.cat([hz[:, :1], hz[:, :-1]], 1)[..., None]
    line = torch.arange(1, hop + 1, device=hz.device) / hop
    lines = (before + (hz[..., None] - before) * line).flatten(1).double()
    begin = torch.rand(len(hz), 1, dtype=torch.float64, device=hz.device)
    phase = 2 * math.pi * (begin + (lines / rate).cumsum(1))
    return torch.stack([pulses(phase, lines, rate), torch.randn_like(lines).float()], 1)


@dataclass(frozen=True)
class Rendered:
    """Frames that an acoustic model made, and the recordings that they are to sound like.

    Attributes:
        mel: float16, shape [frames, bins]; sentences end to end, silence around each.
        hz: float32, shape [frames], the pitch that they were made with.
        samples: int16, shape [frames * hop].
        spans: int64, shape [sentences, 2], begin and end of each in frames.
        hop: samples a frame.
    """

    mel: Tensor
    hz: Tensor
    samples: Tensor
    spans: Tensor
    hop: int

    @classmethod
    def of(cls, parts: Sequence[tuple[Tensor, Tensor, Tensor]], config: MelConfig) -> Self:
        """Join frames [bins, frames], their pitch [frames] and samples [frames * hop]."""
        gap = torch.full((GAP_FRAMES, config.bins), math.log(config.floor))
        quiet = torch.zeros(GAP_FRAMES * config.hop)
        mels, waves, spans, at = [gap], [quiet], [], GAP_FRAMES
        pitches = [parts[0][1][:1].expand(GAP_FRAMES)]
        for mel, hz, wave in parts:
            mels += [mel.T, gap]
            pitches += [hz, hz[-1:].expand(GAP_FRAMES)]
            waves += [wave, quiet]
            spans.append((at, at + mel.shape[1]))
            at += mel.shape[1] + GAP_FRAMES
        samples = (torch.cat(waves) * 32768).round().clamp(-32768, 32767).to(torch.int16)
        mel, hz = torch.cat(mels).half(), torch.cat(pitches)
        return cls(mel, hz, samples, torch.tensor(spans), config.hop)

    @classmethod
    def load(cls, path: Path) -> Self:
        with safe_open(path, framework="pt") as file:
            tensors = (file.get_tensor(name) for name in ("mel", "hz", "samples", "spans"))
            return cls(*tensors, int(file.metadata()["hop"]))

    def save(self, path: Path) -> None:
        names = ("mel", "hz", "samples", "spans")
        tensors = {name: getattr(self, name) for name in names}
        save_file(tensors, path, metadata={"hop": str(self.hop)})

    def draw(self, batch: int, reach: Reach, frames: int) -> tuple[Tensor, Tensor, Tensor]:
        """Crops with their context, [batch, bins, reach.past + frames + reach.ahead], the pitch of
        these frames, and the samples that are wanted, [batch, frames * hop]; at random loudness of
        -14 to +2 dB."""
        rooms = (self.spans[:, 1] - self.spans[:, 0] - frames).clamp(min=1)
        chosen = torch.multinomial(rooms.float(), batch, replacement=True)
        first = self.spans[chosen, 0] + (torch.rand(batch) * rooms[chosen]).long()
        gain = torch.empty(batch, 1).uniform_(-14.0, 2.0) * (math.log(10) / 20)
        rows = first[:, None] + torch.arange(-reach.past, frames + reach.ahead)
        mel = self.mel[rows].float()
        mel = (mel + gain[..., None]).clamp(min=mel.min().item()).transpose(1, 2)
        wanted = first[:, None] * self.hop + torch.arange(frames * self.hop)
        return mel, self.hz[rows], self.samples[wanted].float() / 32768 * gain.exp()
