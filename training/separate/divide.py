"""Songs for training from those of the album: what is bass in a synthesiser goes to the bass.

    python -m training.separate.divide DATA/album --to DATA/lessons Hydrogen Potassium …

In some songs one synthesiser plays the bass and the chords. A listener expects its low end in the
bass, so it is divided by a crossover of linear phase; voices lose the rumble below theirs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve

from .songs import RATE, write_song

CROSSOVER, RUMBLE = 120.0, 70.0
"""Hz."""
LOW = 0.3
"""The share of a part's energy below the crossover from which on it plays the bass too."""
TAPS = 4095


def below(sound: NDArray[np.int16], hertz: float) -> NDArray[np.float32]:
    """What is below a frequency: [samples, 2], as the sound lies in time."""
    taps = firwin(TAPS, hertz, fs=RATE).astype(np.float32)[:, None]
    return np.asarray(oaconvolve(sound.astype(np.float32), taps, "same", axes=0))


def rounded(sound: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def divided(folder: Path) -> dict[tuple[str, str], NDArray[np.int16]]:
    """The parts of a song as they are to be learnt."""
    found: dict[tuple[str, str], NDArray[np.int16]] = {}
    for path in sorted(folder.glob("*.npy")):
        stem, name = path.stem.split(".", 1)
        sound = np.load(path)
        if stem == "drums":
            found[stem, name] = sound
            continue
        low = below(sound, RUMBLE if stem == "vocals" else CROSSOVER)
        high = rounded(sound - low)
        if stem == "vocals":
            found[stem, name] = high
        elif np.square(low).sum() < LOW * np.square(sound.astype(np.float32)).sum():
            found[stem, name] = sound
        else:
            found["bass", name] = rounded(low)
            found["other", name] = high
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("album", type=Path)
    parser.add_argument("songs", nargs="+")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    for song in arguments.songs:
        write_song(arguments.to / song, divided(arguments.album / song))


if __name__ == "__main__":
    main()
