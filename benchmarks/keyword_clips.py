"""One second, one of twenty labels: right or wrong, by group, in quiet and in noise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from audiopipe.metrics import Confusion
from training.keywords.clips import (
    COMMANDS,
    LABELS,
    LONG,
    RATE,
    SILENCE,
    UNKNOWN,
    WORDS,
    extent,
    find_clips,
    read,
)
from training.keywords.streams import babble, leveled, looped, room_noise, with_noise

Sound = NDArray[np.float32]
Classify = Callable[[torch.Tensor], Sequence[str]]
"""Clips [n, samples] of a second at 16 kHz to a label each."""

BATCH = 256
RATIOS = (20, 10, 5, 0)
"""Signal to noise in dB."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A second of sound [samples], its label, and the group that it is counted in."""

    sound: Sound
    label: str
    group: str


def held_out(folder: Path) -> list[Sample]:
    """The clips of the speakers of the validation split, or of all where there is but one split."""
    clips = [clip for clip in find_clips(folder) if clip.word not in LONG]
    chosen = [clip for clip in clips if clip.split == "val"]
    return [
        Sample(second(read(clip.path)), clip.label, group(clip.label, clip.speaker))
        for clip in chosen
    ]


def test_words(folder: Path) -> list[Sample]:
    """The clips WORD-N.wav of test speakers."""
    names = [(path, path.stem.split("-")[0]) for path in sorted(folder.glob("*-*.wav"))]
    return [Sample(second(read(path)), word, "test clips") for path, word in names if word in WORDS]


def group(label: str, speaker: str) -> str:
    """Where a clip is counted; speakers of Speech Commands are called by eight digits.

    >>> group("go", "2f813234"), group("two", "2f813234"), group("two", "fsdd-theo")
    ('commands', 'digits, Speech Commands', 'digits, other speakers')
    """
    if label in COMMANDS:
        return "commands"
    if label == UNKNOWN:
        return "unknown"
    known = re.fullmatch(r"[0-9a-f]{8}", speaker)
    return "digits, Speech Commands" if known else "digits, other speakers"


def second(sound: Sound) -> Sound:
    """The middle second of a clip, or the clip in the middle of a silent second."""
    over = max(0, len(sound) - RATE)
    sound = sound[over // 2 : over // 2 + RATE]
    before = (RATE - len(sound)) // 2
    return np.pad(sound, (before, RATE - len(sound) - before))


def silence(noises: Mapping[str, Sound], random: np.random.Generator) -> list[Sample]:
    """Seconds in which nobody says anything: nothing at all, noise of rooms, and recorded noise."""

    def coloured(tilt: float, level: float) -> Sound:
        bins = np.fft.rfftfreq(RATE, 1 / RATE)
        phases = np.exp(2j * np.pi * random.random(len(bins)))
        sound = np.fft.irfft(np.maximum(bins, 30) ** tilt * phases, RATE).astype(np.float32)
        return leveled(sound, level=level)

    made = [np.zeros(RATE, np.float32)]
    made += [room_noise(RATE, random, level) for level in random.uniform(-80, -40, 30)]
    made += [coloured(random.uniform(-1.5, 0.5), random.uniform(-60, -15)) for _ in range(69)]
    found = [Sample(sound, SILENCE, "silence, made") for sound in made]
    for name, noise in noises.items():
        found += [
            Sample(noise[at : at + RATE], SILENCE, f"silence, {name.split('/')[0]}")
            for at in range(0, len(noise) - RATE + 1, RATE)
        ]
    return found


def disturbed(
    samples: Sequence[Sample], noise: Callable[[], Sound], snr: float
) -> Iterator[Sample]:
    """The samples in another second of noise each, `snr` dB below the word."""
    for sample in samples:
        sound = with_noise(sample.sound, slice(*extent(sample.sound)), noise(), snr)
        yield Sample(sound, sample.label, sample.group)


def noises_of(
    noises: Mapping[str, Sound],
    music: Mapping[str, Sound],
    voices: Sequence[Sound],
    random: np.random.Generator,
) -> dict[str, Callable[[], Sound]]:
    """What gives the next second of each kind of noise."""

    def any_of(sounds: Sequence[Sound]) -> Sound:
        return looped(sounds[int(random.integers(len(sounds)))], RATE, random)

    recorded, pieces = list(noises.values()), list(music.values())
    return {
        "noise": lambda: any_of(recorded),
        "music": lambda: any_of(pieces),
        "babble": lambda: babble(voices, RATE, random),
    }


def judge(samples: Sequence[Sample], classify: Classify) -> dict[str, Confusion]:
    """Who is taken for whom, by group, in the order in which the groups come."""
    guesses: list[str] = []
    for at in range(0, len(samples), BATCH):
        batch = np.stack([sample.sound for sample in samples[at : at + BATCH]])
        guesses += classify(torch.from_numpy(batch))
    pairs: dict[str, tuple[list[str], list[str]]] = {}
    for sample, guess in zip(samples, guesses, strict=True):
        truth, told = pairs.setdefault(sample.group, ([], []))
        truth.append(sample.label)
        told.append(guess)
    return {name: Confusion.of(*pair, LABELS) for name, pair in pairs.items()}
