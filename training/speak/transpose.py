"""Recordings of one voice -> recordings of a lower one that nobody has, for a voice of its own.

    python -m training.speak.transpose keith --of FOLDER --to FOLDER

f0 and formants are moved by rule, with WORLD, as the table `made` of the voice in `sets.toml` says:
`every` so many of the recordings to train with, and all that are held out. Times stay as they
are, so that `prepare --timing` need not align again. What is made already is kept.
"""

from __future__ import annotations

import argparse
import csv
import tomllib
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import torch
from torch import Tensor

from audiopipe.nets.frames import MelConfig

from .corpus import SETS, Recording, Source, levelled, read_corpus
from .prepare import SPEED

RATE = MelConfig.rate


def moved(rows: np.ndarray, factor: float) -> np.ndarray:
    """Spectra [time, bins] with all frequencies times `factor`; above the highest, its value."""
    last = rows.shape[1] - 1
    places = np.minimum(np.arange(last + 1) / factor, last)
    below = np.minimum(places.astype(int), last - 1)
    share = places - below
    return np.ascontiguousarray(rows[:, below] * (1 - share) + rows[:, below + 1] * share)


def transposed(audio: Tensor, pitch: tuple[float, float], *, f0: float, formants: float) -> Tensor:
    """Samples [time] with f0, looked for within `pitch`, times `f0` and formants times `formants`;
    of the same length and level."""
    samples = audio.double().numpy()
    low, high = pitch
    raw, times = pyworld.dio(samples, RATE, f0_floor=low, f0_ceil=high, speed=SPEED)
    found = pyworld.stonemask(samples, raw, times, RATE)
    envelope = pyworld.cheaptrick(samples, found, times, RATE)
    noise = pyworld.d4c(samples, found, times, RATE)
    made = pyworld.synthesize(
        found * f0, np.exp(moved(np.log(envelope), formants)), moved(noise, formants), RATE
    )
    return levelled(torch.from_numpy(made[: len(samples)]).float())


def drawn(corpus: list[Recording], every: int) -> list[Recording]:
    """Every so many recordings to train with, and all held-out ones."""
    known = [one for one in corpus if not one.held_out]
    return known[::every] + [one for one in corpus if one.held_out]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voice", help="a set of sets.toml that is made of another")
    parser.add_argument("--of", type=Path, required=True, metavar="FOLDER", help="of the other")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    facts = tomllib.loads(SETS.read_text("utf-8"))[arguments.voice]["made"]
    source = Source.of(f"{facts['of']}={arguments.of}")
    chosen = drawn(read_corpus(source), facts["every"])
    arguments.to.mkdir(parents=True, exist_ok=True)
    with (arguments.to / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "text"])
        table.writerows([f"{one.name}.flac", one.text] for one in chosen)
    for one in chosen:
        path = arguments.to / f"{one.name}.flac"
        if not path.exists():
            made = transposed(
                one.samples(), source.pitch, f0=facts["f0"], formants=facts["formants"]
            )
            soundfile.write(path, made.clamp(-1, 1).numpy(), RATE)


if __name__ == "__main__":
    main()
