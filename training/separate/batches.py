"""Mixes made while training: stems of one song or of several, at all levels, widths and timbres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from audiopipe.nets.stems import BINS, HOP, WINDOW, middle_and_side

from .songs import RATE, STEMS, Song, read_song

Floats = NDArray[np.float32]

BLOCK = 22050
"""Samples of which a stem's level is measured."""
QUIET = 1e-3
"""Amplitude below which a block does not count."""
LEVELS = {"vocals": -3.0, "drums": 0.0, "bass": -2.0, "other": -1.0}
"""Decibels of the stems among each other where they come from several songs, on average."""
SPREAD = 5.0
"""Decibels by which they differ from that."""
ABSENT = {"vocals": 0.15, "drums": 0.12, "bass": 0.12, "other": 0.06}
"""How often a stem is left out."""
TOGETHER = 0.4
"""How often the stems come from the same place of one song."""
SLOWEST = 0.82
"""The least speed of a stem; the highest is as far above its own."""


@dataclass(frozen=True)
class Heard:
    """A song, and how loud each stem is: the amplitude in its blocks, and where it plays."""

    song: Song
    blocks: Mapping[str, Floats]

    @classmethod
    def of(cls, song: Song) -> Heard:
        blocks = {}
        for stem in STEMS:
            if song.stems.get(stem):
                sound = sum(part[::7].astype(np.float32) for part in song.stems[stem]) / 32768
                count = max(1, len(sound) // (BLOCK // 7))
                power = np.square(sound[: count * (BLOCK // 7)]).reshape(count, -1).mean(1)
                blocks[stem] = np.sqrt(power).astype(np.float32)
        return cls(song, blocks)

    def level(self, stem: str) -> float:
        """The amplitude of a stem where it plays."""
        loud = self.blocks[stem][self.blocks[stem] > QUIET]
        return float(np.sqrt(np.square(loud).mean())) if len(loud) else 1.0

    def plays(self, stem: str) -> bool:
        return stem in self.blocks and bool((self.blocks[stem] > QUIET).any())

    def place(self, stem: str, count: int, rng: np.random.Generator) -> int:
        """Where a stretch begins; mostly one in which the stem plays."""
        last = max(1, self.song.samples - count)
        if rng.random() < 0.15:
            return int(rng.integers(last))
        block = int(rng.choice(np.flatnonzero(self.blocks[stem] > QUIET)))
        return int(np.clip(block * BLOCK - rng.integers(count), 0, last - 1))


class Batches:
    """Batches of mixes: spectra of stems, [batch, stems, 2 (middle, side), BINS, frames].

    Songs are looked for again every `again` batches: sets may grow meanwhile.
    """

    def __init__(self, data: Path, weights: Mapping[str, float], frames: int, seed: int) -> None:
        self.data, self.weights = data, weights
        self.samples = (frames - 1) * HOP + WINDOW
        self.rng = np.random.default_rng(seed)
        self.window = torch.hann_window(WINDOW)
        self.songs: dict[str, dict[str, Heard]] = {name: {} for name in weights}
        self.look()

    def look(self) -> None:
        """Take in songs that are new."""
        for name, songs in self.songs.items():
            for folder in sorted((self.data / name).iterdir()):
                if folder.suffix != ".partial" and folder.name not in songs:
                    songs[folder.name] = Heard.of(read_song(folder))

    def pick(self, stem: str) -> Heard:
        """A song that has a stem."""
        found = {
            name: [song for song in songs.values() if song.plays(stem)]
            for name, songs in self.songs.items()
        }
        names = [name for name in found if found[name]]
        shares = np.array([self.weights[name] for name in names])
        name = names[self.rng.choice(len(names), p=shares / shares.sum())]
        return found[name][self.rng.integers(len(found[name]))]

    def next(self, size: int) -> Tensor:
        """Stems of mixes."""
        mixes = np.stack([self.mix() for _ in range(size)])
        frames = torch.from_numpy(mixes).unfold(-1, WINDOW, HOP) * self.window
        spectra = torch.fft.rfft(frames).mT * self.timbres(size)
        return middle_and_side(spectra.transpose(1, 2)).transpose(1, 2)

    def mix(self) -> Floats:
        """The stems of a mix: [stems, 2, samples]."""
        rng = self.rng
        shared = self.rate()
        found = np.zeros((len(STEMS), 2, self.samples), np.float32)
        together = None
        if rng.random() < TOGETHER:
            leading = STEMS[rng.integers(len(STEMS))]
            together = self.pick(leading)
            start = together.place(leading, self.taken(shared), rng)
        for row, stem in enumerate(STEMS):
            if rng.random() < ABSENT[stem]:
                continue
            rate = self.rate() if together is None else shared
            count = self.taken(rate)
            if together is not None and together.plays(stem):
                sound = self.stretch(together, stem, start, count)
                gain = 10 ** (rng.normal(0, 3) / 20) / max(
                    together.level(other) for other in together.blocks
                )
            else:
                heard = self.pick(stem)
                sound = self.stretch(heard, stem, heard.place(stem, count, rng), count)
                gain = 10 ** ((LEVELS[stem] + rng.normal(0, SPREAD)) / 20) / heard.level(stem)
            if rate != 1.0:
                sound = soxr.resample(sound, rate, 1.0, "LQ")
            sound = sound[: self.samples].T * np.float32(0.1 * gain)
            found[row, :, : sound.shape[1]] = self.shaped(sound)
        return self.mastered(found)

    def rate(self) -> float:
        """How much faster and higher a stem becomes: another voice, another instrument."""
        if self.rng.random() < 0.3:
            return 1.0
        return float(np.exp(self.rng.uniform(np.log(SLOWEST), -np.log(SLOWEST))))

    def taken(self, rate: float) -> int:
        """Samples that are taken of a song to make a mix of at this rate."""
        return int(self.samples * rate) + 64

    def stretch(self, heard: Heard, stem: str, start: int, count: int) -> Floats:
        """A stretch of a stem, some of its parts louder, softer or left out: [samples, 2]."""
        parts = heard.song.stems[stem]
        total = np.zeros((count, 2), np.float32)
        for part in parts:
            if len(parts) > 1 and self.rng.random() < 0.1:
                continue
            stretch = part[start : start + count]
            total[: len(stretch)] += stretch * np.float32(
                10 ** (self.rng.normal(0, 2.5) / 20) / 32768
            )
        return total

    def shaped(self, sound: Floats) -> Floats:
        """Another width, place and polarity; some saturation: [2, samples]."""
        rng = self.rng
        if rng.random() < 0.5:
            sound = sound[::-1]
        if rng.random() < 0.4:
            middle, side = sound.mean(0), (sound[0] - sound[1]) / 2
            side = side * np.float32(rng.uniform(0, 1.6))
            sound = np.stack([middle + side, middle - side])
        if rng.random() < 0.3:
            pan = rng.uniform(-0.6, 0.6)
            sound = sound * np.array([[1 - max(pan, 0)], [1 + min(pan, 0)]], np.float32)
        if rng.random() < 0.15:
            peak = float(np.abs(sound).max()) + 1e-6
            drive = np.float32(np.exp(rng.uniform(np.log(0.5), np.log(4))) / peak)
            sound = np.tanh(sound * drive) / drive
        return -sound if rng.random() < 0.5 else sound

    def mastered(self, stems: Floats) -> Floats:
        """As a limiter would do to all stems alike, which keeps their sum that of the mix."""
        rng = self.rng
        if rng.random() < 0.65:
            return stems
        peaks = np.abs(stems.sum(0)).max(0)
        peaks = np.pad(peaks, (0, -len(peaks) % 256)).reshape(-1, 256).max(1)
        loud = np.percentile(peaks, 95) * 10 ** (-rng.uniform(0, 8) / 20) + 1e-6
        gain = np.minimum(1, loud / np.maximum(peaks, 1e-6))
        kernel = np.hanning(int(rng.integers(4, 24)) + 2)[1:-1]
        gain = np.convolve(np.pad(gain, len(kernel), mode="edge"), kernel / kernel.sum(), "same")
        gain = gain[len(kernel) : -len(kernel)]
        place = np.arange(stems.shape[-1]) / 256 - 0.5
        return stems * np.interp(place, np.arange(len(gain)), gain).astype(np.float32)

    def timbres(self, size: int) -> Tensor:
        """Equalisers, and limits of bandwidth that hold for a whole mix.

        Shape: [batch, stems, 1, BINS, 1]
        """
        rng = self.rng
        hertz = np.maximum(np.arange(BINS) * RATE / WINDOW, 20.0)
        knots = np.log([20, 100, 250, 700, 1800, 5000, 11000, 22050])
        curves = np.zeros((size, len(STEMS), BINS), np.float32)
        for mix in range(size):
            for stem in range(len(STEMS)):
                if rng.random() < 0.6:
                    gains = rng.normal(0, rng.uniform(0.5, 3.5), len(knots))
                    curves[mix, stem] = np.interp(np.log(hertz), knots, gains)
            if rng.random() < 0.15:
                limit = rng.uniform(5000, 18000)
                curves[mix] += np.clip((limit - hertz) / 20, -90, 0)
        return torch.from_numpy(10 ** (curves / 20))[:, :, None, :, None]
