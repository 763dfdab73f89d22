"""From clones of public repositories to a model folder, in one command that can be cut off.

    python -m training.separate REMIXED FREE --samples SONIC_PI --voices FOLDER... \\
        --to models/stems --work WORK [--minutes 98] [--songs 75]

REMIXED and FREE are clones of the album's repositories (`training.separate.album`), SONIC_PI is
`etc/samples` of sonic-pi-net/sonic-pi, and the FOLDERs hold speech, a speaker's files in a folder
with a number for a name or with names that begin with the speaker's. FluidSynth and its sounds
must be installed. What is there is not made again.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from pathlib import Path

from .album import TABLE

log = logging.getLogger(__name__)

WEIGHTS = {"lessons": 1.5, "general": 1.0, "singing": 0.8, "electronic": 0.7}
"""Of the sets, where a stem is drawn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clones", type=Path, nargs="+", metavar="CLONE")
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--voices", type=Path, nargs="+", required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="for sets and checkpoints")
    parser.add_argument("--minutes", type=float, default=98)
    parser.add_argument("--songs", type=int, default=75, help="made up, of each kind")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data = arguments.work / "data"
    taught = [song for song, about in TABLE.items() if about["set"] == "training"]
    checked = [song for song, about in TABLE.items() if about["set"] == "validation"]
    album = data / "album"
    songs = ["--songs", arguments.songs]
    makers: dict[str, list[object]] = {
        "album": ["album", *arguments.clones, "--to", album, "--songs", *taught, *checked],
        "lessons": ["divide", album, *taught, "--to", data / "lessons"],
        "general": ["general", "--to", data / "general", *songs],
        "electronic": ["electronic", arguments.samples, "--to", data / "electronic", *songs],
        "singing": ["singing", *arguments.voices, "--to", data / "singing", *songs],
    }
    for name, step in makers.items():
        if not (data / name).exists():
            run(*step)
    out = arguments.work / "run"
    weights = [f"{name}={weight}" for name, weight in WEIGHTS.items()]
    given = ["--data", data, "--out", out, "--minutes", arguments.minutes]
    run("train", *weights, *given, "--held-out", *(album / song for song in checked))
    run("card", out, "--to", arguments.to)


def run(step: object, *words: object) -> None:
    """Run a step of the recipe; its output is ours."""
    command = [sys.executable, "-m", f"{__package__}.{step}", *map(str, words)]
    log.info("== %s", step)
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
