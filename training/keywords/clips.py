"""Clips of single words: where they lie, who speaks, which split they belong to.

The layout is that of Speech Commands: `WORD/SPEAKER_nohash_N.wav` (or flac, opus), under
`train/` and `val/` where the data is split already. A folder named `_speech_`, `_noise_`,
`_music_` or `_background_noise_` holds long recordings, of which any second may be taken.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE = 16000
LENGTH = 20800
"""Samples that are kept of a clip: 1.3 s."""
SUFFIXES = (".wav", ".flac", ".opus")

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = ("up", "down", "left", "right", "go", "stop", "yes", "no")
WORDS = DIGITS + COMMANDS
UNKNOWN, SILENCE = "_unknown_", "_silence_"
LABELS = (*WORDS, UNKNOWN, SILENCE)

SPEECH = "_speech_"
LONG = (SPEECH, "_music_", "_noise_", "_background_noise_")
"""Folders of long recordings."""
HOMOPHONES = ("to", "too", "for", "fore", "won", "ate", "know", "write", "wright", "oh", "sicks")
"""What sounds like one of the words, or nearly so."""


@dataclass(frozen=True)
class Clip:
    """A file, the word or kind of sound in it, who speaks, and its split."""

    path: Path
    word: str
    speaker: str
    split: str

    @property
    def label(self) -> str:
        return self.word if self.word in WORDS else UNKNOWN


def find_clips(folder: Path) -> Iterator[Clip]:
    """All clips under a folder, in a fixed order.

    Of long speech, recordings whose text in `metadata.csv` holds one of the words are left out.
    """
    spoken: dict[Path, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        parts = path.relative_to(folder).parts
        given = [part for part in parts if part in ("train", "val", "test")]
        long = [part for part in parts if part in LONG]
        if long:
            root = folder.joinpath(*parts[: parts.index(long[0]) + 1])
            if root not in spoken:
                spoken[root] = _holds_words(root / "metadata.csv")
            if path.relative_to(root).as_posix() in spoken[root]:
                continue
            nested = long[0] == SPEECH and path.parent != root
            speaker = path.parent.name if nested else path.stem
            yield Clip(path, long[0], speaker, given[0] if given else split_of(speaker))
        else:
            speaker = re.split(r"_nohash_|_", path.stem)[0]
            yield Clip(path, path.parent.name, speaker, given[0] if given else split_of(speaker))


def _holds_words(metadata: Path) -> set[str]:
    """The files whose text holds one of the words, or sounds so, or is not known."""
    if not metadata.exists():
        return set()
    with metadata.open(newline="", encoding="utf-8") as rows:
        texts = {row["file"]: row.get("text", "-") for row in csv.DictReader(rows)}
    return {file for file, text in texts.items() if not text or sounds_like_keyword(text)}


def sounds_like_keyword(text: str) -> bool:
    """Whether a sentence has a keyword in it, or a word that sounds as one.

    >>> sounds_like_keyword("He won."), sounds_like_keyword("It's upstairs, anyone saw it.")
    (True, False)
    """
    said = set(re.findall(r"[a-z']+", text.lower()))
    return bool(said & {*WORDS, *HOMOPHONES})


def split_of(speaker: str) -> str:
    """The split of a speaker; only those of Speech Commands have an official test split."""
    split = official_split(speaker)
    official = re.fullmatch("[0-9a-f]{8}", speaker)
    return split if official or split != "test" else "val"


def official_split(speaker: str) -> str:
    """The split of a speaker by the hash that Speech Commands uses (Warden 2018).

    >>> official_split("004ae714")
    'train'
    """
    number = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % (2**27)
    share = number * (100.0 / (2**27 - 1))
    return "val" if share < 10 else "test" if share < 20 else "train"


def read(path: Path) -> NDArray[np.float32]:
    """Samples of a file: mono, 16 kHz."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(1)
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE)
    return np.asarray(mono, np.float32)


def stretches(samples: NDArray[np.float32], hop: int = 160) -> list[tuple[int, int]]:
    """From where to where there is speech, between pauses of 140 ms or more."""
    frames = len(samples) // hop
    power = np.square(samples[: frames * hop].reshape(frames, hop)).mean(1)
    level = 10 * np.log10(np.convolve(power, np.ones(3) / 3, "same") + 1e-9)
    top, low = np.percentile(level, 95), np.percentile(level, 10)
    loud = np.flatnonzero(level > max(top - 30, low + 0.35 * (top - low)))
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > 14)
    firsts = np.concatenate([loud[:1], loud[breaks + 1]])
    lasts = np.concatenate([loud[breaks], loud[-1:]])
    return [
        (int(a) * hop, int(b + 1) * hop) for a, b in zip(firsts, lasts, strict=True) if b - a >= 8
    ]


def extent(samples: NDArray[np.float32], hop: int = 160) -> tuple[int, int]:
    """From where to where there is a word: where the level is nearer to the loudest frame
    than to the quietest, with 30 ms on each side."""
    frames = len(samples) // hop
    if frames < 3:
        return 0, len(samples)
    power = np.square(samples[: frames * hop].reshape(frames, hop)).mean(1)
    power = np.convolve(power, np.ones(3) / 3, "same")
    level = 10 * np.log10(power + 1e-9)
    top, low = float(level.max()), float(np.percentile(level, 10))
    limit = max(top - 35, low + 0.35 * (top - low))
    loud = np.flatnonzero(level > limit)
    if not len(loud):
        return 0, len(samples)
    return max(0, int(loud[0] - 3) * hop), min(len(samples), int(loud[-1] + 4) * hop)
