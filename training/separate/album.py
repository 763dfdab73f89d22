"""The songs of the album *Everything is free* as aligned stems.

    python -m training.separate.album REMIXED FREE --to DATA/album

REMIXED and FREE are clones of ichbinsoftware/everythingisremixed and …/everythingisfree (CC0 1.0).
Every file is a part of a stem, as `album.toml` tells. The better coding of a part is taken where
both are there; the parts of a song begin together and get one length.
"""

from __future__ import annotations

import argparse
import logging
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .songs import RATE, STEMS, write_song

log = logging.getLogger("album")

TABLE: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("album.toml").read_text())
"""The stems of each song and their parts, and the set that it belongs to."""


def listed(clone: Path) -> dict[str, str]:
    """The objects of a clone's m4a files by their paths; those it lacks are left out."""
    tree = subprocess.run(
        ["git", "-C", clone, "ls-tree", "-r", "-l", "-z", "HEAD"], capture_output=True, check=True
    )
    found = {}
    for line in tree.stdout.decode().split("\0"):
        about, _, path = line.partition("\t")
        if path.endswith(".m4a") and about.split()[3].isdigit():
            found[path] = about.split()[2]
    return found


def decoded(clone: Path, blob: str) -> NDArray[np.int16]:
    """The sound of a file in a clone.

    Shape: [samples, 2]
    """
    scratch = Path(f"/tmp/{blob}.m4a")  # an m4a is read by seeking
    try:
        with scratch.open("wb") as file:
            subprocess.run(["git", "-C", clone, "cat-file", "blob", blob], stdout=file, check=True)
        command = ["ffmpeg", "-v", "error", "-i", scratch, "-f", "s16le", "-ac", "2", "-ar"]
        raw = subprocess.run([*command, str(RATE), "-"], capture_output=True, check=True).stdout
    finally:
        scratch.unlink()
    return np.frombuffer(raw, np.int16).reshape(-1, 2)


def parts(clones: list[Path], song: str) -> dict[str, NDArray[np.int16]]:
    """The parts of a song by name; of clones that have a part, the last is believed."""
    found: dict[str, tuple[Path, str]] = {}
    for clone in clones:
        for path, blob in sorted(listed(clone).items(), key=lambda item: "_mobile" not in item[0]):
            match = re.search(rf"\.{song}_Stem_(.+?)(_mobile)?\.m4a$", path)
            if match:
                name = match[1].replace("_", " ")
                if not (match[2] and name in found):
                    found[name] = clone, blob
    return {name: decoded(*where) for name, where in sorted(found.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clones", type=Path, nargs="+", metavar="CLONE")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--songs", nargs="+", default=list(TABLE), choices=TABLE)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for song in arguments.songs:
        found = parts(arguments.clones, song)
        longest = max(map(len, found.values()))
        write_song(
            arguments.to / song,
            {
                (stem, name): np.pad(found[name], ((0, longest - len(found[name])), (0, 0)))
                for stem in STEMS
                for name in TABLE[song][stem]
            },
        )
        log.info("%s: %.0f s, %d parts", song, longest / RATE, len(found))


if __name__ == "__main__":
    main()
