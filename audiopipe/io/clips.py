"""Sounds that lie beside a script: jingles and music."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from audiopipe.errors import AudioError
from audiopipe.io.read import open_audio
from audiopipe.signals import Audio

LONGEST = 600
"""Seconds of a clip: it is in memory while it is played, and beds are looped."""


class Clips:
    """Sound files by their names, from a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self, name: str) -> None:
        """Make sure that a file is there, is audio, and not too long; raises AudioError."""
        path = self.folder / name
        with open_audio(path) as reader:
            if reader.duration is not None and reader.duration > LONGEST:
                told = f"lasts {reader.duration / 60:.1f} min; a clip has {LONGEST // 60} at most"
                raise AudioError(path, f"{told}, and music is looped: cut it")
            if reader.format.channels > 2:
                raise AudioError(path, "has more than two channels; mix it to stereo")

    def read(self, name: str, rate: int) -> Tensor:
        """A sound [2, time] at a rate in Hz; raises AudioError."""
        self.check(name)
        with open_audio(self.folder / name) as reader:
            found = [reader.format, *reader.blocks(1 << 18)]
        samples = Audio.join(found).samples if len(found) > 1 else reader.format.samples
        if reader.format.rate != rate and samples.shape[1]:
            from torchaudio.functional import resample

            samples = resample(samples, reader.format.rate, rate, lowpass_filter_width=32)
        return samples.expand(2, -1).to(torch.float32)
