"""What pitch is tracked in: recordings with their truth, made tones, and noise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from audiopipe.metrics import Contour

from . import pitch_tones
from .pitch_peers import HIGH, LOW

Floats = NDArray[np.float64]

CLEAN = "clean"
SUFFIXES = (".wav", ".flac")
FRAME = 0.02
"""Seconds over which the level is measured."""
ACTIVE = -35.0
"""Of the frames' levels, what lies so many dB below the loudest is a pause."""
VOICES = 6
"""Talkers of the babble."""
TONES = 6
"""Made recordings of each kind."""


@dataclass(frozen=True)
class Item:
    """A recording: a file beside its truth, or a made tone (`kind` and number)."""

    group: str
    category: str
    name: str
    place: int
    path: Path | None = None
    kind: str = ""

    @property
    def key(self) -> str:
        """What names its sound once and for all."""
        if self.path is None:
            return f"{self.kind} {self.place} {_hash(Path(pitch_tones.__file__))}"
        return _hash(self.path)

    def sound(self) -> tuple[Floats, int]:
        """Samples [time], and their rate in Hz."""
        if self.path is None:
            tone = pitch_tones.make(self.kind, self.place)
            return tone.sound, tone.rate
        samples, rate = soundfile.read(self.path, dtype="float64", always_2d=True)
        return samples.mean(1), rate

    def truth(self) -> Contour:
        """The pitch in Hz, 0 for none, at times in s; other times do not count.

        Nor do pitches that nobody is asked for.
        """
        if self.path is None:
            tone = pitch_tones.make(self.kind, self.place)
            return Contour(tone.seconds, tone.hz)
        return _truth(self.path.with_suffix(".csv"))

    @property
    def seconds(self) -> float:
        if self.path is None:
            return float(pitch_tones.SECONDS)
        return float(soundfile.info(self.path).duration)


def of_folder(folder: Path, seconds: float) -> list[Item]:
    """The recordings of a set, evenly chosen so that they are at most so long together."""
    told = json.loads((folder / "set.json").read_text())
    paths = sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES)
    paths = [p for p in paths if p.with_suffix(".csv").exists()]
    items = [Item(told["name"], told["category"], p.stem, k, path=p) for k, p in enumerate(paths)]
    return some(items, seconds)


def made(seconds: float) -> list[list[Item]]:
    """Made tones, a set a kind."""
    return [
        some([Item(f"made, {kind}", "tones", str(n), n, kind=kind) for n in range(TONES)], seconds)
        for kind in pitch_tones.KINDS
    ]


def some(items: Sequence[Item], seconds: float) -> list[Item]:
    """Every so many-th, so that they are at most so long together; all where 0 is given."""
    whole = sum(item.seconds for item in items)
    if not seconds or whole <= seconds:
        return list(items)
    wanted = max(1, int(len(items) * seconds / whole))
    return [items[int((k + 0.5) * len(items) / wanted)] for k in range(wanted)]


@dataclass(frozen=True)
class Noises:
    """Noise that is added, another kind from file to file: white, pink, recorded, babble."""

    recorded: Path | None = None
    """A folder of recorded noise."""
    speech: Path | None = None
    """A folder of speech that babble is made of."""
    only: tuple[str, ...] = ("white", "pink", "recorded", "babble")
    seed: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        missing = {"recorded": self.recorded is None, "babble": self.speech is None}
        return tuple(kind for kind in self.only if not missing.get(kind))

    def kind_of(self, item: Item) -> str:
        return self.kinds[item.place % len(self.kinds)]

    def key(self, item: Item, condition: str) -> str:
        """What names the sound of an item in a condition."""
        if condition == CLEAN:
            return item.key
        return f"{item.key} {condition} {self.kind_of(item)} {self.seed}"

    def mixed(self, item: Item, condition: str) -> tuple[Floats, int]:
        """The sound of an item with noise at so many dB below its active parts; never clipped."""
        sound, rate = item.sound()
        if condition == CLEAN:
            return sound, rate
        random = np.random.default_rng([self.seed, item.place, *item.name.encode()])
        noise = self._noise(self.kind_of(item), len(sound), rate, random)
        noise *= active_rms(sound, rate) / rms(noise) / 10 ** (float(condition) / 20)
        mix = sound + noise
        return mix * min(1.0, 0.99 / np.abs(mix).max(initial=1e-9)), rate

    def _noise(self, kind: str, count: int, rate: int, random: np.random.Generator) -> Floats:
        if kind == "recorded":
            assert self.recorded is not None
            return _cut(random.choice(np.array(_files(self.recorded))), count, rate, random)
        if kind == "babble":
            assert self.speech is not None
            chosen = random.choice(np.array(_files(self.speech)), VOICES)
            voices = [_cut(path, count, rate, random) for path in chosen]
            return np.sum([voice / rms(voice) for voice in voices], axis=0)
        white = random.standard_normal(count)
        if kind == "white":
            return white
        spectrum = np.fft.rfft(white)
        hertz = np.fft.rfftfreq(count, 1 / rate)
        return np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20)), count)


def rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) + 1e-12


def active_rms(sound: Floats, rate: int) -> float:
    """The level of a sound without its pauses."""
    size = round(FRAME * rate)
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    if not len(frames):
        return rms(sound)
    power = np.mean(np.square(frames), 1)
    return float(np.sqrt(power[power >= power.max() * 10 ** (ACTIVE / 10)].mean())) + 1e-12


@cache
def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _truth(path: Path) -> Contour:
    rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    seconds, hz = rows[(rows[:, 1] <= 0) | ((rows[:, 1] >= LOW) & (rows[:, 1] <= HIGH))].T
    return Contour(seconds, hz)


@cache
def _files(folder: Path) -> tuple[str, ...]:
    """At most 64 files of sound."""
    found = (p for p in sorted(folder.rglob("*")) if p.suffix in (*SUFFIXES, ".opus", ".ogg"))
    return tuple(str(p) for p in islice(found, 64))


@cache
def _read(path: str, rate: int) -> Floats:
    samples, own = soundfile.read(path, dtype="float64", always_2d=True)
    sound: Floats = soxr.resample(samples.mean(1), own, rate)
    return sound


def _cut(path: str, count: int, rate: int, random: np.random.Generator) -> Floats:
    """Any part of a file, which is repeated where it is too short."""
    sound = _read(str(path), rate)
    start = int(random.integers(len(sound)))
    return np.take(sound, np.arange(start, start + count), mode="wrap")
