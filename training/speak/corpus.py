"""Recordings of one speaker with their texts: read, split, and turned into tokens."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from torch import Tensor
from torchaudio.functional import resample

from audiopipe.nets.vocoder import MelConfig
from audiopipe.text import plain, segments
from audiopipe.voices.tokens import labels, tokens

HELD_OUT = re.compile(r"arctic_b0(4[5-9]|[5-9]\d)\d")
"""Sentences for the evaluation; nothing is learned from them, in no step."""
LEVEL = -23.0
"""dB: root mean square of the speech in a recording, which all are brought to."""
GATE = 40.0
"""dB below the loudest 10 ms, from which on a recording is silent."""


@dataclass(frozen=True)
class Recording:
    """One sentence as it was read.

    Attributes:
        name: of the file.
        text: what is said.
        ids: tokens, int64, shape [n].
        held_out: whether it is for the evaluation alone.
    """

    path: Path
    text: str
    ids: Tensor
    held_out: bool

    @property
    def name(self) -> str:
        return self.path.stem

    def samples(self) -> Tensor:
        """float32, shape [time], 24 kHz, at the level of all others."""
        found, rate = soundfile.read(self.path, dtype="float32", always_2d=True)
        audio = torch.from_numpy(found).mean(dim=1)
        if rate != MelConfig.rate:
            audio = resample(audio, rate, MelConfig.rate, lowpass_filter_width=32)
        return levelled(audio)


def levelled(audio: Tensor) -> Tensor:
    """The same sound, its speech at LEVEL; what is quieter than GATE is no speech."""
    size = MelConfig.rate // 100
    power = audio[: len(audio) // size * size].view(-1, size).square().mean(1)
    speech = power[power > power.max() * 10 ** (-GATE / 10)]
    return audio * (10 ** (LEVEL / 20) / speech.mean().clamp(min=1e-8).sqrt())


def read_corpus(
    folder: Path, language: str = "en", held_out: bool | None = None
) -> list[Recording]:
    """The recordings of a folder with `metadata.csv` (columns `file` and `text`): all, or those
    that are held out, or those that are not.

    Texts that are more than one sentence are left out: where one ends is not known.
    """
    names, found = labels(language), []
    with (folder / "metadata.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = folder / row["file"]
            kept = HELD_OUT.search(path.stem) is not None
            if held_out not in (None, kept):
                continue
            sentences = list(segments(plain(row["text"], language)))
            if len(sentences) == 1:
                ids = tokens(sentences[0], names).ids
                found.append(Recording(path, row["text"], ids, kept))
    return found
