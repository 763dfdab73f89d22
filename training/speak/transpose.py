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

from ..clone.peers import analysed
from ..keywords.revoice import warped_frequencies
from .corpus import SETS, Recording, Source, levelled, read_corpus

RATE = MelConfig.rate


def transposed(audio: Tensor, pitch: tuple[float, float], *, f0: float, formants: float) -> Tensor:
    """Samples [time] with f0, looked for within `pitch`, times `f0` and formants times `formants`;
    of the same length and level."""
    found, envelope, noise = analysed(audio, pitch)
    envelope = np.exp(warped_frequencies(np.log(envelope), formants))
    noise = warped_frequencies(noise, formants)
    made = pyworld.synthesize(found * f0, envelope, noise, RATE)
    return levelled(torch.from_numpy(made[: len(audio)]).float())


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
