"""Folders of clips -> one array of samples and an index, so that training reads no small files.

    python -m training.keywords.prepare shared=../shared/keywords synthetic=DIR:train --to DATA

Each source becomes `DATA/NAME.npz`; a source that is there already is kept. Of `DIR:train` all
is for training, of `DIR:val` nothing, whatever the hash of the speakers says.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from .clips import LENGTH, LONG, RATE, SPEECH, extent, find_clips, read

log = logging.getLogger(__name__)

PIECE = 8 * RATE
"""Long recordings are kept in pieces of 8 s."""
HELD_OUT = 5
"""One piece of so many of a noise is held out."""

Wanted = Callable[[str], bool]
"""Whether a speaker's clips are wanted."""


def prepare(name: str, folder: Path, to: Path, forced: str, wanted: Wanted) -> None:
    """Write what is in `folder` to `to/NAME.npz`: int16 samples, and who says what.

    All of it belongs to the split that is `forced`, if one is.
    """
    words, rows = [], []
    long, kinds = [], []
    for clip in find_clips(folder):
        split = forced or clip.split
        if split == "test" or not wanted(clip.speaker):
            continue
        samples = read(clip.path)
        if clip.word in LONG:
            for number, at in enumerate(range(0, max(1, len(samples) - PIECE // 4), PIECE)):
                piece = np.zeros(PIECE, np.int16)
                part = samples[at : at + PIECE]
                piece[: len(part)] = _pcm(part)
                long.append(piece)
                held_out = clip.word != SPEECH and number % HELD_OUT == HELD_OUT - 1
                kinds.append((clip.word, "val" if held_out else split, clip.path.stem, len(part)))
            continue
        start, stop = extent(samples)
        if stop - start < RATE // 20 or not samples.any():
            continue
        first = max(0, min(start, stop - LENGTH))
        samples = samples[first : first + LENGTH]
        padded = np.zeros(LENGTH, np.int16)
        padded[: len(samples)] = _pcm(samples)
        words.append(padded)
        row = (clip.word, clip.label, clip.speaker, split)
        rows.append((*row, len(samples), start - first, min(stop - first, len(samples))))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    table = dict(
        zip(("word", "label", "speaker", "split", "length", "start", "stop"), columns, strict=True)
    )
    kind = list(zip(*kinds, strict=True)) if kinds else [()] * 4
    np.savez(
        to / f"{name}.npz",
        samples=np.stack(words) if words else np.zeros((0, LENGTH), np.int16),
        **{key: np.array(value) for key, value in table.items()},
        long=np.stack(long) if long else np.zeros((0, PIECE), np.int16),
        long_kind=np.array(kind[0]),
        long_split=np.array(kind[1]),
        long_name=np.array(kind[2]),
        long_length=np.array(kind[3]),
    )
    log.info("%s: %d clips, %d pieces of long recordings", name, len(words), len(long))


def _pcm(samples: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--only", default="*", help="speakers that are wanted, as a pattern")
    parser.add_argument("--without", default="", help="speakers that are not")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    def wanted(speaker: str) -> bool:
        return fnmatch(speaker, arguments.only) and not fnmatch(speaker, arguments.without)

    arguments.to.mkdir(parents=True, exist_ok=True)
    for source in arguments.sources:
        name, folder = source.split("=", 1)
        if not (arguments.to / f"{name}.npz").exists():
            path, _, forced = folder.partition(":")
            prepare(name, Path(path), arguments.to, forced, wanted)


if __name__ == "__main__":
    main()
