"""Batches of sound with its pitch, each made anew: crops of the sets, spoiled as the world does.

What the truth is does not change with what is done to the sound; where rooms and bands take a
frame's sound away, nothing is asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Generator, Tensor

from audiopipe.evidence import BEFORE, HOP, RATE, WINDOW, Tables, evidence, level
from audiopipe.nets.pitch import AHEAD, BEHIND, CONTEXT
from training.keywords.augment import (
    TAIL,
    add_noise,
    chance,
    colour,
    coloured_noise,
    distort,
    microphones,
    rooms,
    uniform,
)

from .sets import PitchSet, read_set

FRAMES = 300
"""Frames of a crop that are asked about; those around them are context."""
ALL = BEHIND + FRAMES + AHEAD
LENGTH = (ALL - 1) * HOP + WINDOW
"""Samples of a crop: frame k stands at BEFORE + k * HOP."""

WIDE = 800
"""Samples about a frame that its level is of."""
LOST = 25.0
"""Decibels by which a frame loses more than the rest before nothing is asked of it."""

PAUSES = 0.35
"""The share of crops in which there is a pause."""
BLEEDS = 0.35
"""The share of crops behind which something sounds that is too soft to be meant: what leaks from
headphones, a hum, people next door."""


@dataclass(frozen=True)
class Source:
    """A set and how much of each batch is of it."""

    data: PitchSet
    weight: float

    def crop(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Sound [LENGTH] float32 and f0 [ALL] from anywhere; speech also faster or slower."""
        f0, sound = self.data.f0, self.data.sound
        alive = self.data.about.category in ("speech", "singing") and random.random() < 0.3
        speed = float(2 ** random.uniform(-0.4, 0.4)) if alive else 1.0
        needed = int(np.ceil(LENGTH * speed)) + 2 * HOP
        frames = min(len(f0), -(-needed // HOP))
        # A little of the silence before the set's first sound, so that beginnings are learnt.
        first = int(random.integers(-30, max(1, len(f0) - frames)))
        start = first * HOP - BEFORE
        at = start + speed * np.arange(LENGTH)
        low, high = int(np.floor(at[0])), int(np.ceil(at[-1])) + 2
        stretch = np.zeros(high - low, np.float32)
        a, b = max(0, low), min(len(sound), high)
        stretch[a - low : b - low] = sound[a:b] / 32767.0
        centres = (start + speed * (BEFORE + HOP * np.arange(ALL))) / HOP
        index = np.rint(centres).astype(int)
        inside = (index >= 0) & (index < len(f0))
        pitch = np.where(inside, f0[np.clip(index, 0, len(f0) - 1)], 0.0) * speed
        if speed == 1.0:
            return stretch[:LENGTH], pitch
        return np.interp(at - low, np.arange(len(stretch)), stretch).astype(np.float32), pitch


@dataclass(frozen=True)
class Background:
    """Long recordings, one after the other: int16."""

    sound: np.ndarray

    @classmethod
    def load(cls, folders: list[Path]) -> Background:
        import soxr

        found = []
        for path in sorted(
            p for f in folders for p in f.rglob("*") if p.suffix in (".wav", ".flac")
        ):
            # Two songs are the test set of the separation.
            if any(song in path.name for song in ("Francium", "Lithium")):
                continue
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
            mono = soxr.resample(samples.mean(1), rate, RATE)
            peak = np.abs(mono).max(initial=0.0)
            if peak > 1e-3:
                found.append((mono * (0.9 / peak) * 32767).astype(np.int16))
        return cls(np.concatenate(found))

    def crop(self, random: np.random.Generator) -> np.ndarray:
        start = int(random.integers(0, len(self.sound) - LENGTH))
        part: np.ndarray = self.sound[start : start + LENGTH] / np.float32(32767)
        return part


class Batches:
    """An endless row of batches: evidence [batch, CONTEXT + FRAMES + AHEAD, SIZE], the levels
    before it [batch, BEHIND - CONTEXT], and f0 [batch, FRAMES].

    `nothing` is the share of crops that hold noise and no pitch.
    """

    def __init__(
        self, sources: list[Source], background: Background, seed: int, nothing: float = 0.04
    ) -> None:
        self.sources, self.background, self.nothing = sources, background, nothing
        self.random = np.random.default_rng(seed)
        self.torch = torch.Generator().manual_seed(seed)
        self.tables = Tables.usual()
        total = sum(source.weight for source in sources)
        self.shares = [source.weight / total for source in sources]

    def next(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        sounds, pitches = [], []
        empty = self.random.random(count) < self.nothing
        for nothing in empty:
            source = self.sources[self.random.choice(len(self.sources), p=self.shares)]
            sound, pitch = source.crop(self.random)
            if nothing:
                sound, pitch = np.zeros_like(sound), np.zeros_like(pitch)
            elif self.random.random() < PAUSES:
                sound, pitch = paused(sound, pitch, self.random)
            if not nothing and self.random.random() < BLEEDS:
                sound = sound + self._bleed(sound)
            sounds.append(sound)
            pitches.append(pitch)
        clips = torch.from_numpy(np.stack(sounds))
        f0 = torch.from_numpy(np.stack(pitches)).float()
        clips, f0 = spoiled(clips, f0, self._noises(empty), self.torch)
        frames, before = heard(clips, self.tables)
        return frames, before, f0[:, BEHIND : BEHIND + FRAMES]

    def _noises(self, empty: np.ndarray) -> tuple[Tensor, Tensor]:
        """Backgrounds [crops, LENGTH], and the least dB that they lie below a voice [crops].

        Those of crops that are otherwise `empty` [crops] have no pitch, as music and babble would.
        """
        coloured = coloured_noise(len(empty), self.torch, LENGTH)
        noises, least = [], []
        for k in range(len(empty)):
            kind = 0.0 if empty[k] else self.random.random()
            if kind < 0.45:
                noises.append(coloured[k])
                least.append(-5.0)
                continue
            if kind < 0.65:
                noise, low = self.background.crop(self.random), -3.0
            else:
                wanted = ("speech",) if kind < 0.85 else ("instruments", "tones")
                noise, low = self._crowd(wanted), -2.0 if kind < 0.85 else 3.0
            noises.append(torch.from_numpy(noise))
            least.append(low)
        return torch.stack(noises), torch.tensor(least)

    def _bleed(self, sound: np.ndarray) -> np.ndarray:
        """Something else [LENGTH], 30 to 58 dB below the sound."""
        if self.random.random() < 0.4:
            other = self.background.crop(self.random)
        else:
            source = self.sources[self.random.integers(len(self.sources))]
            other, _ = source.crop(self.random)
        wanted = np.sqrt(np.square(sound).mean()) * 10 ** (-self.random.uniform(30, 58) / 20)
        level = np.sqrt(np.square(other).mean()) + 1e-6
        quiet: np.ndarray = other * np.float32(wanted / level)
        return quiet

    def _crowd(self, categories: tuple[str, ...]) -> np.ndarray:
        """Several sounds at once: babble, or music."""
        fitting = [s for s in self.sources if s.data.about.category in categories] or self.sources
        total = np.zeros(LENGTH, np.float32)
        for _ in range(int(self.random.integers(4, 8))):
            sound, _ = fitting[self.random.integers(len(fitting))].crop(self.random)
            level = float(np.sqrt(np.square(sound).mean())) + 1e-4
            total += sound / level * np.float32(2 ** self.random.uniform(-1, 1))
        return total


def spoiled(
    clips: Tensor, f0: Tensor, noises: tuple[Tensor, Tensor], random: Generator
) -> tuple[Tensor, Tensor]:
    """Clips in rooms, through microphones, in noise, distorted, at any level, and their f0."""
    count, length = clips.shape
    size = 1 << (length + TAIL - 1).bit_length()
    before = _levels(clips)
    room = chance(count, 0.25, random)
    if room.any():
        clips[room] = colour(clips[room], rooms(4, random, size), random)
    heard = chance(count, 0.5, random)
    if heard.any():
        clips[heard] = colour(clips[heard], microphones(4, random, size), random)
    lost = before - _levels(clips)
    usual = torch.where(before > -60, lost, torch.nan).nanmedian(1, keepdim=True).values
    f0 = torch.where((lost - usual > LOST) & (before > -60) & (f0 != 0), torch.nan, f0)
    noise, least = noises
    silent = clips.abs().amax(1, keepdim=True) < 1e-4
    snr = torch.maximum(uniform(count, -5, 35, random), least)
    mixed = add_noise(
        clips + 1e-3 * silent * torch.randn(count, length, generator=random), noise, snr
    )
    clean = chance(count, 0.3, random)[:, None] & ~silent
    clips = torch.where(clean, clips, mixed)
    clips = distort(clips, random)
    peak = clips.abs().amax(1, keepdim=True).clamp_min(1e-6)
    # Down to -50 dB of full scale, in steps of 16 bits.
    loud = 10 ** (uniform(count, -50, 0, random)[:, None] / 20)
    return (clips / peak * loud * 32767).round() / 32767, f0


def paused(
    sound: np.ndarray, pitch: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same with a pause of 0.3 to 4 s somewhere, faded out and in within 30 ms."""
    count = int(random.integers(30, 400))
    first = int(random.integers(-count // 2, ALL - count // 2))
    begin, end = max(0, first), min(ALL, first + count)
    at = BEFORE + HOP * np.array([begin, begin + 3, end - 3, end])
    gain = np.interp(np.arange(LENGTH), at, [1.0, 0.0, 0.0, 1.0]).astype(np.float32)
    pitch = pitch.copy()
    pitch[begin + 1 : end] = 0.0
    # While it fades nobody can say.
    for edge in (slice(begin, begin + 3), slice(max(0, end - 3), end)):
        pitch[edge] = np.nan
    return sound * gain, pitch


def heard(clips: Tensor, tables: Tables) -> tuple[Tensor, Tensor]:
    """Clips [batch, LENGTH] to evidence [batch, CONTEXT + FRAMES + AHEAD, SIZE], and the levels
    [batch, BEHIND - CONTEXT] of the frames before."""
    windows, first = clips.unfold(1, WINDOW, HOP), BEHIND - CONTEXT
    frames = torch.stack([evidence(part[first:], tables) for part in windows])
    return frames, torch.stack([level(part[:first], tables) for part in windows])


def _levels(clips: Tensor) -> Tensor:
    """The level of each frame in dB: [batch, ALL]."""
    middle = clips[:, BEFORE - WIDE // 2 : clips.shape[1] - (WINDOW - BEFORE) + WIDE // 2]
    power = middle.square().unfold(1, WIDE, HOP).mean(-1)
    return 10 * power.clamp_min(1e-12).log10()


def load(folder: Path, weights: list[str]) -> list[Source]:
    """Sources NAME=WEIGHT from the sets in a folder."""
    pairs = (weight.split("=") for weight in weights)
    return [Source(read_set(folder / name), float(weight)) for name, weight in pairs]
