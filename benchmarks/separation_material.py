"""The test songs of separation: the album's Francium and Lithium, and Sodium to validate with.

    python -m benchmarks.separation_material CLONE ... --to DATA [--songs Francium Lithium Sodium]

A CLONE is one of GitHub's ichbinsoftware/everythingisfree and …/everythingisremixed (CC0 1.0), bare
or not; files that it lacks are passed over. `training/separate/album.toml` tells to which stem each
file belongs. Writes `DATA/SONG/{mixture,vocals,drums,bass,other}.flac`, 44.1 kHz, 24 bits: the mix
is the sum of its stems to the last bit, and a stem that a song has not is silence.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

TABLE = Path(__file__).parents[1] / "training/separate/album.toml"
RATE = 44100
STEMS = ("vocals", "drums", "bass", "other")
FULL = 1 << 23
"""Full scale of 24 bits."""
HEADROOM = 0.98
"""The highest peak that a song may have; a louder one is made softer as a whole."""

Sound = NDArray[np.float32]
"""Shape: [samples, 2]"""


@dataclass(frozen=True)
class File:
    """A recording of one part of a song, in a clone."""

    clone: Path
    blob: str
    small: bool
    """Coded for mobile phones: 48 kbit/s, those in stereo without anything above 12 kHz."""

    def read(self) -> Sound:
        """Decode; the encoder's delay is cut off, so that all files of a song begin together."""
        with tempfile.NamedTemporaryFile(suffix=".m4a") as file:  # it is read by seeking
            git = ["git", "-C", self.clone, "cat-file", "blob", self.blob]
            subprocess.run(git, stdout=file, check=True)
            file.flush()
            ffmpeg = ["ffmpeg", "-v", "error", "-i", file.name, "-f", "f32le", "-ac", "2"]
            done = subprocess.run([*ffmpeg, "-ar", str(RATE), "-"], stdout=-1, check=True)
        return np.frombuffer(done.stdout, np.float32).reshape(-1, 2)


def files(clones: Sequence[Path], song: str) -> dict[str, File]:
    """The best recording of each part of a song."""
    found: dict[str, File] = {}
    for clone in clones:
        git = ["git", "-C", clone, "ls-tree", "-r", "-l", "-z", "HEAD"]
        listed = subprocess.run(git, stdout=-1, stderr=-3, check=True).stdout.decode()
        for line in filter(None, listed.split("\0")):
            about, path = line.split("\t")
            _, _, blob, size = about.split()
            name = re.fullmatch(rf"src/.*\.{song}_Stem_(.+?)(_mobile)?\.m4a", path)
            if name and size.isdigit():  # else the clone has not got it
                part, file = name[1].replace("_", " "), File(clone, blob, bool(name[2]))
                if part not in found or found[part].small:
                    found[part] = file
    return found


def mixed(parts: Sequence[Sound]) -> Sound:
    """Their sum; the shorter ones end in silence."""
    total = np.zeros((max(map(len, parts), default=0), 2), np.float32)
    for part in parts:
        total[: len(part)] += part
    return total


def make(clones: Sequence[Path], song: str, folder: Path) -> None:
    """Write the stems of a song and their sum; says what was not of full quality."""
    found = files(clones, song)
    groups = tomllib.loads(TABLE.read_text())[song]
    wanted = [part for stem in STEMS for part in groups[stem]]
    if absent := [part for part in wanted if part not in found]:
        raise SystemExit(f"{song}: no clone has {', '.join(absent)}")
    stems = {stem: mixed([found[part].read() for part in groups[stem]]) for stem in STEMS}
    # The small files of stereo parts are 20 ms longer than the others.
    length = min(len(sound) for stem, sound in stems.items() if groups[stem])
    stems = {s: w[:length] if groups[s] else np.zeros((length, 2), "f4") for s, w in stems.items()}
    peak = max(float(np.abs(sum(stems.values())).max()), *(np.abs(w).max() for w in stems.values()))
    gain = min(1.0, HEADROOM / peak)
    whole = {s: np.rint(wave * np.float64(gain * FULL)).astype("i4") for s, wave in stems.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in {**whole, "mixture": sum(whole.values())}.items():
        soundfile.write(folder / f"{name}.flac", samples << 8, RATE, "PCM_24")
    small = [part for part in wanted if found[part].small]
    print(
        f"{song}: {length / RATE:.1f} s, {len(wanted)} parts, peak {peak:.2f}, gain {gain:.3f}"
        + (f"; coded for phones: {', '.join(small)}" if small else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("clones", type=Path, nargs="+", metavar="CLONE")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--songs", nargs="+", default=["Francium", "Lithium", "Sodium"])
    options = parser.parse_args()
    for song in options.songs:
        make(options.clones, song, options.to / song)


if __name__ == "__main__":
    main()
