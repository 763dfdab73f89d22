"""What is known of each frame of a voice that is to be converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from audiopipe.cloning.contour import RATE
from audiopipe.framing import Framing, Windows, cut
from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.signals import Audio, Sampled
from audiopipe.stage import GRID, Fidelity, Reach, Stateful

MEL = MelConfig()
"""Where frames lie, and what is heard of each: as for the vocoder."""
AFTER = MEL.n_fft - MEL.margin - 1
"""Samples behind the first of a frame that it hears."""
FRAMING = Framing(MEL.n_fft, MEL.hop, before=MEL.margin, after=AFTER)
"""A frame for each hop that begins within the sound."""
LOUDEST = 6.0
"""The largest logarithm of a magnitude: a full tone has 5.5."""


@dataclass(frozen=True, eq=False)
class Spoken(Sampled):
    """Frames of a voice: `mel` [bins, frames], `melody` [2, frames] as of `Melody`, and `size`
    [frames], how many samples of the sound a frame has: `hop`, and fewer in the last."""

    mel: Tensor
    melody: Tensor
    size: Tensor
    rate: int = RATE
    hop: int = MEL.hop
    start: int = 0

    series: ClassVar = ("mel", "melody", "size")

    @classmethod
    def empty(cls) -> Spoken:
        """The format."""
        return cls(torch.zeros(MEL.bins, 0), torch.zeros(2, 0), torch.zeros(0, dtype=torch.int64))


@dataclass
class Cutting:
    """The state of a stream: sound and melody that are being cut."""

    sound: Windows = field(default_factory=Windows)
    melody: Windows = field(default_factory=Windows)


class Analyse(Stateful):
    """Frames of a sound, Audio [1, time], and of its melody, as `Follow` gives it, to Spoken."""

    name = "analyse"
    many = True
    rejoins = True

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    def accepts(self, source: Audio, melody: Audio) -> Sequence[Audio]:
        return [Audio.empty(RATE, channels=1), melody]

    def output(self, source: Audio, melody: Audio) -> Spoken:
        return Spoken.empty()

    def reach(self, source: Audio) -> Reach:
        return Reach(behind=MEL.margin, ahead=AFTER, latency=AFTER)

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> LogMel:
        return LogMel(MEL).to(device)

    def start(self, model: LogMel, sources: Sequence[Audio]) -> Cutting:
        return Cutting()

    def step(self, model: LogMel, state: Cutting, blocks: Sequence[Audio], last: bool) -> Spoken:
        sound, melody = (block.samples for block in blocks)
        first = state.sound.given
        # What is no number would spread over all bins of its frames.
        windows = cut(FRAMING, state.sound, sound.nan_to_num(0.0, 0.0, 0.0), last)[:, 0]
        around = cut(FRAMING, state.melody, melody, last)
        begin, middle = MEL.margin, MEL.n_fft // 2
        # The middle of the last frame may lie behind the end.
        tune = torch.where(around[:, 1:, middle] > 0, around[..., middle], around[..., begin])
        left = state.sound.received - MEL.hop * torch.arange(first, state.sound.given)
        size = left.clamp(0, MEL.hop).to(sound.device)
        return Spoken(log_mel(model, windows), tune.mT.contiguous(), size, start=first)


def log_mel(listen: LogMel, windows: Tensor) -> Tensor:
    """Log-mel frames [bins, frames] of windows [frames, n_fft]."""
    if not len(windows):
        return windows.new_zeros(MEL.bins, 0)
    return listen.heard(torch.fft.rfft(windows * listen.window).mT).clamp_max(LOUDEST)
