"""librosa's pYIN as a stage, to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from audiopipe.signals import Audio, PitchTrack
from audiopipe.stage import Fidelity, Reach, Stateful
from audiopipe.trackers.yin import hop_samples, lags, rate
from audiopipe.units import Hertz, Span

STEP = 10.0
"""The grid of pitches in cents on which it looks for the best path, as in librosa."""

OFFLINE = Fidelity(
    "offline",
    why="pYIN decides its path when it has heard everything",
    instead="the methods neural and yin track a stream",
)


@dataclass
class Collected:
    """The state: the sound so far."""

    blocks: list[Tensor] = field(default_factory=list)


class Pyin(Stateful):
    """Mauch & Dixon 2014, by librosa: Audio [1, time] to PitchTrack [frames].

    Whether a frame is voiced is its own decision; its confidence is pYIN's probability. The
    recording is held in memory whole.
    """

    name = "pyin"

    hop: Span
    range: tuple[Hertz, Hertz]
    window: Span | None

    @property
    def fidelity(self) -> Fidelity:
        return OFFLINE

    def accepts(self, source: Audio) -> Sequence[Audio]:
        wanted = Audio.empty(rate(source.rate, self.range[1]), channels=1)
        lags(wanted.rate, self.range, self.window)  # refuses a window that is too short
        return [wanted]

    def output(self, source: Audio) -> PitchTrack:
        return PitchTrack.empty(source.rate, hop_samples(self.hop, source))

    def reach(self, source: Audio) -> Reach:
        return Reach(behind=None, ahead=0, latency=0)

    def start(self, model: None, sources: Sequence[Audio]) -> Collected:
        return Collected()

    def step(
        self, model: None, state: Collected, blocks: Sequence[Audio], last: bool
    ) -> PitchTrack:
        (block,) = blocks
        state.blocks.append(block.samples[0].cpu())
        hop = hop_samples(self.hop, block)
        if not last or not (sound := torch.cat(state.blocks)).numel():
            return PitchTrack.empty(block.rate, hop)
        import librosa

        window = lags(block.rate, self.range, self.window).window
        hz, voiced, share = librosa.pyin(
            np.nan_to_num(sound.numpy(), posinf=0.0, neginf=0.0),
            fmin=self.range[0],
            fmax=self.range[1],
            sr=block.rate,
            frame_length=window + window % 2,
            hop_length=hop,
            resolution=STEP / 100,
            fill_na=None,
        )
        return PitchTrack(
            torch.from_numpy(hz).float().clamp(*self.range),
            torch.from_numpy(voiced),
            torch.from_numpy(share).float().clamp(0, 1),
            block.rate,
            hop,
        )
