"""Songs on disk: a folder of parts, each of which belongs to a stem.

`STEM.NAME.npy` is [samples, 2] int16 at 44.1 kHz; the parts of a song begin together and have one
length, and a stem is the sum of its parts. A song need not have every stem.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 44100
STEMS = ("vocals", "drums", "bass", "other")

Sound = NDArray[np.int16]


@dataclass(frozen=True)
class Song:
    """The parts of a song by stem; they are mapped, not read.

    Shape: each part [samples, 2] int16
    """

    name: str
    stems: Mapping[str, tuple[Sound, ...]]

    @property
    def samples(self) -> int:
        """How long it is."""
        return len(next(parts[0] for parts in self.stems.values() if parts))

    def stem(self, stem: str, start: int, count: int) -> NDArray[np.float32]:
        """The sum of a stem's parts, zeros where the song has none.

        Shape: [samples, 2]
        """
        total = np.zeros((count, 2), np.float32)
        for part in self.stems.get(stem, ()):
            stretch = part[start : start + count]
            total[: len(stretch)] += stretch
        return total / np.float32(32768)


def write_song(folder: Path, parts: Mapping[tuple[str, str], NDArray[np.int16]]) -> None:
    """Write the parts of a song, by stem and name; what was there before is removed."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for (stem, name), sound in parts.items():
        np.save(partial / f"{stem}.{name.replace('/', ' ')}.npy", np.ascontiguousarray(sound))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def read_song(folder: Path) -> Song:
    """Map the parts of a song."""
    stems: dict[str, list[Sound]] = {stem: [] for stem in STEMS}
    for path in sorted(folder.glob("*.npy")):
        stems[path.name.split(".")[0]].append(np.load(path, mmap_mode="r"))
    return Song(folder.name, {stem: tuple(parts) for stem, parts in stems.items()})


def read_songs(folder: Path) -> list[Song]:
    """Map all songs of a set."""
    return [read_song(path) for path in sorted(folder.iterdir()) if path.suffix != ".partial"]
