"""A set: many clips with the pitch of every 10 ms, as four files in a folder.

`sound.npy` int16 [samples] holds all clips one after the other, `f0.npy` float32 [samples / 160] a
value for each frame, `clips.npy` int64 [clips, 2] the first sample and the number of samples of
each, and `set.json` says what they are. Frame k has its centre at sample 160 · k, and its value is

- the pitch in Hz where the sound is voiced, and 0 where it is not;
- NaN where nothing is known: the frame is not counted;
- minus the pitch where that is known, but not whether the frame counts as voiced.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiopipe.errors import AudiopipeError

RATE = 16000
HOP = 160
"""Samples between frames."""
CATEGORIES = ("speech", "singing", "instruments", "tones")

Clip = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Samples between -1 and 1, and f0 [ceil(samples / 160)] or longer."""


class SetError(AudiopipeError):
    """A folder that is no set, or clips that make none."""

    exit_code = 2

    def __init__(self, folder: Path, what: str, cure: str) -> None:
        super().__init__(f"{folder}: {what} ({cure})")


@dataclass(frozen=True)
class About:
    """What a set is: `seconds` are filled in when it is written."""

    name: str
    category: str
    licence: str
    source: str
    how: str
    seconds: float = 0.0


@dataclass(frozen=True)
class PitchSet:
    """A set as it is on disk; the sound is mapped, not read.

    Shape: sound [samples] int16, f0 [samples // 160] float32, clips [clips, 2] int64
    """

    about: About
    sound: NDArray[np.int16]
    f0: NDArray[np.float32]
    clips: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clips)

    def clip(self, index: int) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """Samples and f0 of one clip."""
        first, count = (int(value) for value in self.clips[index])
        frames = slice(first // HOP, (first + count) // HOP)
        return self.sound[first : first + count], self.f0[frames]

    def __iter__(self) -> Iterator[tuple[NDArray[np.int16], NDArray[np.float32]]]:
        return (self.clip(index) for index in range(len(self)))


def pcm(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Samples as 16-bit integers; what is louder than 1 makes the whole clip softer."""
    peak = float(np.abs(samples).max(initial=0.0))
    whole: NDArray[np.int16] = np.rint(samples * (32767.0 / max(peak, 1.0))).astype(np.int16)
    return whole


def write_set(folder: Path, clips: Iterable[Clip], about: About) -> float:
    """Write `clips` to `folder`, which is complete or not there at all; gives its seconds.

    A clip is padded with silence to whole frames; frames that begin in it are unvoiced.
    """
    if about.category not in CATEGORIES:
        raise SetError(folder, f"category {about.category}", f"one of {', '.join(CATEGORIES)}")
    sounds: list[NDArray[np.int16]] = []
    pitches: list[NDArray[np.float32]] = []
    table: list[tuple[int, int]] = []
    at = 0
    for samples, f0 in clips:
        frames = -(-len(samples) // HOP)
        if len(f0) < frames or not np.isfinite(samples).all():
            what = f"clip {len(table)}: {len(f0)} values of f0 for {frames} frames, or NaN in it"
            raise SetError(folder, what, "give one value of f0 for every 160 samples")
        sounds.append(np.pad(pcm(samples), (0, frames * HOP - len(samples))))
        pitches.append(np.asarray(f0[:frames], np.float32))
        table.append((at, frames * HOP))
        at += frames * HOP
    if not table:
        raise SetError(folder, "no clips", "see whether the source folders are there")
    made = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    np.save(made / "sound.npy", np.concatenate(sounds))
    np.save(made / "f0.npy", np.concatenate(pitches))
    np.save(made / "clips.npy", np.array(table, np.int64))
    seconds = at / RATE
    text = json.dumps(asdict(about) | {"seconds": round(seconds, 2)}, indent=1)
    (made / "set.json").write_text(text + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)
    return seconds


def is_set(folder: Path) -> bool:
    """Whether a whole set is there: `set.json` appears with the rest or not at all."""
    return (folder / "set.json").is_file()


def read_set(folder: Path) -> PitchSet:
    """The set in `folder`, checked for what the training relies on."""
    try:
        about = About(**json.loads((folder / "set.json").read_text()))
        sound = np.load(folder / "sound.npy", mmap_mode="r")
        f0, clips = np.load(folder / "f0.npy"), np.load(folder / "clips.npy")
    except (OSError, ValueError, TypeError) as error:
        raise SetError(folder, f"no set: {error}", "make it anew") from error
    if len(sound) != len(f0) * HOP or (clips % HOP).any() or clips[:, 1].sum() != len(sound):
        raise SetError(folder, "sound, f0 and clips do not fit", "make it anew")
    return PitchSet(about, sound, f0, clips)
