"""From recordings of voices to a model folder, in one command that can be cut off and repeated.

    python -m training.pitch VOICES... --to models/pitch --work WORK --backgrounds FOLDER...
        [--noises FOLDER...] [--notes FOLDER] [--minutes 90] [--seconds 3600]

VOICES are folders of speech (wav, flac, opus), a speaker's files in a folder with a number for a
name or with names that begin with the speaker's. Instruments are rendered where fluidsynth and its
soundfont are installed. BACKGROUNDS are any noises and music; `--noises` adds recordings without a
pitch, and `--notes` recorded notes (see `training.pitch.notes`).
"""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from .sets import is_set

log = logging.getLogger(__name__)

WEIGHTS = {"speech-world": 1.6, "speech-agreed": 2.0, "instruments": 1.2, "tones": 0.8}
WEIGHTS |= {"singing-world": 0.9, "notes": 0.5, "plain": 0.45, "noises": 0.3}
CODED = 0.3
"""Of the sets in a batch, and of each that went through codecs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voices", type=Path, nargs="+", metavar="VOICES")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="for sets and checkpoints")
    parser.add_argument("--backgrounds", type=Path, nargs="+", required=True, metavar="FOLDER")
    parser.add_argument("--noises", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--notes", type=Path, metavar="FOLDER")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--seconds", type=float, default=3600, help="of each set")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data = arguments.work / "data"
    long, short = f"--seconds={arguments.seconds}", f"--seconds={arguments.seconds / 6}"
    voices = [*arguments.voices, "--to"]
    makers: dict[str, list[object]] = {
        "tones": ["tones", data / "tones", long],
        "plain": ["plain", data / "plain", long],
        "speech-world": ["voices", *voices, data / "speech-world", long],
        "singing-world": ["voices", *voices, data / "singing-world", long, "--sung", "--seed=1"],
        "speech-agreed": ["agreed", *voices, data / "speech-agreed", long],
    }
    if shutil.which("fluidsynth"):
        makers["instruments"] = ["instruments", data / "instruments", long]
    else:
        log.info("without rendered instruments: fluidsynth is not installed")
    if arguments.noises:
        makers["noises"] = ["plain", data / "noises", "--noises", *arguments.noises]
    if arguments.notes:
        stated = ["--licence", "see the folder", "--source", arguments.notes.name]
        makers["notes"] = ["notes", arguments.notes, data / "notes", long, *stated]
    if shutil.which("ffmpeg"):
        for name in [name for name in makers if name not in ("plain", "noises")]:
            makers[f"{name}-coded"] = ["codecs", data / name, data / f"{name}-coded", short]
    else:
        log.info("without codecs: ffmpeg is not installed")
    held_out = {
        "tones-val": ["tones", data / "tones-val", short, "--held-out", "--seed=9"],
        "speech-val": ["voices", *voices, data / "speech-val", short, "--held-out"],
    }
    for name, step in (makers | held_out).items():
        if not is_set(data / name):
            run(*step)
    weights = [f"{name}={CODED if name.endswith('-coded') else WEIGHTS[name]}" for name in makers]
    out = arguments.work / "run"
    given = ["--data", data, "--out", out, "--minutes", arguments.minutes]
    run("train", *weights, *given, "--backgrounds", *arguments.backgrounds, "--held-out", *held_out)
    run("card", out, "--to", arguments.to)


def run(step: object, *words: object) -> None:
    """Run a step of the recipe; its output is ours."""
    command = [sys.executable, "-m", f"{__package__}.{step}", *map(str, words)]
    log.info("== %s", step)
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
