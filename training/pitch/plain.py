"""What rich timbres do not teach: sines and tones of a few partials, and noises without a pitch.

    python -m training.pitch.plain OUT [--seconds 1200] [--seed 0]
    python -m training.pitch.plain OUT --noises FOLDER...

Tones lie anywhere from 27.5 Hz to 4.3 kHz, hold or glide or waver, and stop for a while. Of noises,
recordings in FOLDER that nobody would hum (rain, waves, fire), every frame is unvoiced.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .sets import HOP, RATE, About, Clip, write_set
from .voices import read

Floats = NDArray[np.float64]

LENGTH = 3 * RATE
"""Samples of a tone's clip."""
LOWEST, HIGHEST = 28.0, 4290.0
TOP = 7800.0
"""Hz; no partial is higher."""


def contour(rng: np.random.Generator) -> Floats:
    """Hz at every sample: held, gliding, wavering, or in steps."""
    time = np.arange(LENGTH) / RATE
    octaves = np.full(LENGTH, rng.uniform(np.log2(LOWEST), np.log2(HIGHEST)))
    kind = rng.integers(4)
    if kind == 1:
        octaves += rng.uniform(-1, 1) * time / time[-1]
    elif kind == 2:
        octaves += rng.uniform(0, 0.1) * np.sin(2 * np.pi * rng.uniform(3, 8) * time)
    elif kind == 3:
        steps = rng.integers(-12, 13, 12) / 12
        octaves += np.repeat(steps, LENGTH // 12)[:LENGTH]
    return np.exp2(np.clip(octaves, np.log2(LOWEST), np.log2(HIGHEST)))


def tone(rng: np.random.Generator) -> Clip:
    """A clip of one to four partials, and the truth of its frames."""
    hz = contour(rng)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    wave = np.zeros(LENGTH)
    for partial in range(1, 1 + int(rng.choice([1, 1, 2, 3, 4]))):
        heard = np.clip((TOP - partial * hz) / 300, 0, 1)
        size = 1.0 if partial == 1 else rng.uniform(0.02, 0.8)
        wave += size * heard * np.sin(partial * phase + rng.uniform(0, 2 * np.pi))
    start, stop = np.sort(rng.integers(0, LENGTH, 2))
    if stop - start > RATE // 10:
        fade = np.minimum(np.arange(stop - start), np.arange(stop - start)[::-1]) / 160
        wave[start:stop] *= 1 - np.clip(fade, 0, 1)
        hz[start:stop] = 0
    # From a slice that is silent before its frame's own sample on, both answers are right.
    truth = hz[::HOP]
    edges = np.flatnonzero(np.diff(truth > 0))
    truth[edges], truth[edges + 1] = -truth[edges], -truth[edges + 1]
    return 0.3 * wave, truth


def tones(seconds: float, seed: int) -> Iterator[Clip]:
    """Clips of tones, so many seconds of them."""
    rng = np.random.default_rng(seed)
    for _ in range(max(1, round(seconds * RATE / LENGTH))):
        yield tone(rng)


def noises(folders: list[Path]) -> Iterator[Clip]:
    """Recordings, all of whose frames are unvoiced."""
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.suffix in (".wav", ".flac", ".opus"):
            wave = read(path)
            yield wave, np.zeros(-(-len(wave) // HOP))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the set")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noises", type=Path, nargs="+", metavar="FOLDER")
    given = parser.parse_args()
    if given.noises:
        source = ", ".join(folder.name for folder in given.noises)
        about = About(given.out.name, "speech", "that of the recordings", source, "unvoiced")
        write_set(given.out, noises(given.noises), about)
    else:
        about = About(given.out.name, "tones", "CC0-1.0", __name__, f"seed {given.seed}")
        write_set(given.out, tones(given.seconds, given.seed), about)


if __name__ == "__main__":
    main()
