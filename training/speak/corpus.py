"""Recordings of one speaker with their texts: read, split, and turned into tokens."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from torch import Tensor
from torchaudio.functional import resample

from audiopipe.nets.frames import MelConfig
from audiopipe.text import plain, segments
from audiopipe.voices.tokens import labels, tokens

SETS = Path(__file__).with_name("sets.toml")
LEVEL = -23.0
"""dB: root mean square of the speech in a recording, which all are brought to."""
GATE = 40.0
"""dB below the loudest 10 ms, from which on a recording is silent."""


def table(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files and texts of a `metadata.csv` with the columns `file` and `text`."""
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield folder / row["file"], row["text"]


def ljspeech(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files and texts of a `metadata.csv` as LJ Speech has it: `name|text`, a line a file."""
    sounds = {path.stem: path for path in folder.glob("*.*") if path.suffix != ".csv"}
    for line in (folder / "metadata.csv").read_text("utf-8").splitlines():
        name, text = line.split("|")[:2]
        yield sounds[name], text


READERS: dict[str, Callable[[Path], Iterator[tuple[Path, str]]]] = {
    "table": table,
    "ljspeech": ljspeech,
}


@dataclass(frozen=True)
class Source:
    """A set of recordings: what `sets.toml` says of it, and the folder where it lies.

    Attributes:
        language: of its texts.
        texts: how they are written down, a name of `READERS`.
        held_out: a regular expression on names of files, for the evaluation: nothing is learned
            from these, in no step.
        pitch: Hz, what the speaker's f0 is looked for in.
    """

    name: str
    folder: Path
    language: str
    texts: str
    held_out: str
    pitch: tuple[float, float]

    @classmethod
    def of(cls, entry: str) -> Source:
        """What `NAME=FOLDER` stands for, or the path of a folder that has the set's name; raises
        ValueError if `sets.toml` does not know it."""
        name, _, folder = entry.rpartition("=")
        name = name or Path(folder).name
        known = tomllib.loads(SETS.read_text("utf-8"))
        if name not in known:
            raise ValueError(f"{name!r} is none of {', '.join(known)}; write NAME=FOLDER")
        facts = known[name]["recordings"]
        return cls(name, Path(folder), **facts | {"pitch": tuple(facts["pitch"])})


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


def read_corpus(source: Source, held_out: bool | None = None) -> list[Recording]:
    """The recordings of a set: all, or those that are held out, or those that are not.

    Texts that are more than one sentence are left out: where one ends is not known.
    """
    names, found = labels(source.language), []
    for path, text in READERS[source.texts](source.folder):
        kept = re.search(source.held_out, path.name) is not None
        if held_out not in (None, kept):
            continue
        sentences = list(segments(plain(text, source.language)))
        if len(sentences) == 1:
            found.append(Recording(path, text, tokens(sentences[0], names).ids, kept))
    return found
