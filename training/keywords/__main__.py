"""From a folder of recordings to a model folder, in one command that can be cut off and repeated.

    python -m training.keywords ../shared/keywords --to models/keywords-18 --work WORK \\
        [--minutes 60] [NAME=FOLDER ...]

Synthesised words and other voices are made where flite, festival and espeak-ng, and pyworld, are
installed. `NAME=FOLDER` adds sources.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from .clips import DIGITS

log = logging.getLogger(__name__)

WEIGHTS = {"synthetic": 0.4, "revoiced": 0.5}
"""Of sources that are not real; the real ones have 1."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("more", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="for data and checkpoints")
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    work, data = arguments.work, arguments.work / "data"
    sources = [f"real={arguments.folder}", *arguments.more]
    if all(map(shutil.which, ("flite", "festival", "espeak-ng"))):
        if not (work / "synthetic" / "SOURCES.md").exists():
            run("synthesize", work / "synthetic")
        sources.append(f"synthetic={work / 'synthetic'}:train")
    else:
        log.info("without synthesised words: flite, festival or espeak-ng is not installed")
    if importlib.util.find_spec("pyworld"):
        train = arguments.folder / "train"
        of = train if train.is_dir() else arguments.folder
        if not (work / "revoiced").exists():
            run("revoice", of, work / "revoiced", "--labels", *DIGITS, "--copies", 8)
        sources.append(f"revoiced={work / 'revoiced'}:train")
    else:
        log.info("without other voices: pyworld is not installed")
    run("prepare", *sources, "--to", data)
    names = [source.partition("=")[0] for source in sources]
    weights = [f"{name}={WEIGHTS.get(name, 1)}" for name in names]
    out = work / "run"
    run("train", *weights, "--data", data, "--out", out, "--minutes", arguments.minutes)
    run("card", out, "--to", arguments.to)
    run("others", arguments.to, arguments.folder)


def run(step: str, *words: object) -> None:
    """Run a step of the recipe; its output is ours."""
    command = [sys.executable, "-m", f"{__package__}.{step}", *map(str, words)]
    log.info("== %s", step)
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
