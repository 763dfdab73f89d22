"""Songs whose stems are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Sound = NDArray[np.float32]
"""Shape: [channels, samples]"""
Stems = Mapping[str, Sound]

MIXTURE = "mixture"
SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")


@dataclass(frozen=True)
class Song:
    """A mix and the stems that it is the sum of, at `rate` Hz."""

    name: str
    rate: int
    mixture: Sound
    stems: Stems

    @classmethod
    def of(cls, folder: Path) -> Song:
        """Read `FOLDER/STEM.*`; the mix is the sum of the stems if no file has it.

        Raises ValueError if there is no stem, or if files differ in rate, channels or length.
        """
        sounds, rates = {}, set()
        for path in sorted(folder.iterdir()):
            if path.suffix in SUFFIXES:
                samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
                sounds[path.stem] = np.ascontiguousarray(samples.T)
                rates.add(rate)
        shapes = {sound.shape for sound in sounds.values()}
        mixture = sounds.pop(MIXTURE, None)
        if not sounds or len(rates) > 1 or len(shapes) > 1:
            told = ", ".join(sorted(sounds)) or "no stems"
            raise ValueError(
                f"{folder}: {told}, at {sorted(rates)} Hz, of {sorted(shapes)} samples"
            )
        if mixture is None:
            mixture = np.sum(list(sounds.values()), axis=0)
        return cls(folder.name, rates.pop(), mixture, sounds)

    def but(self, stem: str) -> Sound:
        """Everything but one stem."""
        return np.sum([sound for name, sound in self.stems.items() if name != stem], axis=0)

    def truth(self, stem: str) -> Sound | None:
        """What an estimate of that name should be; `accompaniment` is all but the voice."""
        if stem == "accompaniment" and "vocals" in self.stems:
            return self.but("vocals")
        return self.stems.get(stem)


def songs(folders: list[Path]) -> list[Song]:
    """The songs of these folders; a folder with recordings is a song itself."""
    found = []
    for folder in folders:
        inner = [path for path in sorted(folder.iterdir()) if path.is_dir()]
        found += [Song.of(path) for path in inner or [folder]]
    return found
