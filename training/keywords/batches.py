"""Batches for training: which clips, and what is done to them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from audiopipe.stages.keywords import log_mel

from . import augment
from .clips import LABELS, LENGTH, RATE, SILENCE, SPEECH, UNKNOWN, WORDS, stretches

SHARES = {UNKNOWN: 0.27, SILENCE: 0.09}
"""How much of a batch these labels have; the words share the rest equally."""

RUNNING = 0.6
"""How much of what is unknown is running speech; the rest is other words."""
BEGUN = 0.7
"""How much of the running speech begins after a pause and ends anywhere, as what the stage listens
to does; the rest is any second."""
AGAIN = 0.25
"""How much of what is unknown was lately taken for a word, and is heard again."""
REMEMBERED = 3000
TRIMMED = 0.3
"""How many words lack something at their ends, up to 0.1 s: an s of "six" may be gone."""
RESPONSES = 1200
"""How many simulated paths from mouth to file, and coloured noises, there are."""


@dataclass
class Source:
    """A prepared set of clips. Where a label has several sources, each has a share by `weight` and
    the square root of its clips, so that a few real speakers do not drown among synthetic ones."""

    name: str
    weight: float
    data: dict[str, NDArray[Any]]

    @classmethod
    def load(cls, path: Path, weight: float) -> Source:
        with np.load(path) as file:
            return cls(path.stem, weight, dict(file))

    def rows(self, label: str, split: str) -> NDArray[np.int64]:
        return np.flatnonzero((self.data["label"] == label) & (self.data["split"] == split))


@dataclass
class Batches:
    """An endless row of batches, the same for the same seed."""

    sources: list[Source]
    random: Generator
    pools: dict[str, list[tuple[Source, NDArray[np.int64], float]]] = field(init=False)

    def __post_init__(self) -> None:
        self.pools = {label: [] for label in LABELS}
        for label in LABELS:
            for source in self.sources:
                rows = source.rows(label, "train")
                if len(rows):
                    weight = source.weight * len(rows) ** 0.5
                    self.pools[label].append((source, rows, weight))
        self.speech = _long(self.sources, lambda kind: kind == SPEECH)
        self.begun = [stretches(piece.astype(np.float32) / 32768) for piece in self.speech]
        self.hard: deque[tuple[NDArray[np.int16], float, float]] = deque(maxlen=REMEMBERED)
        self.noise = _long(self.sources, lambda kind: kind != SPEECH)
        self.responses = augment.microphones(RESPONSES, self.random) + 0j
        wet = augment.chance(RESPONSES, 0.35, self.random)
        self.responses[wet] *= augment.rooms(int(wet.sum()), self.random)
        self.hiss = augment.coloured_noise(RESPONSES, self.random)
        self.warps = augment.warp_tables(40, 16)
        words = (1 - sum(SHARES.values())) / len(WORDS)
        self.shares = torch.tensor([SHARES.get(label, words) for label in LABELS])

    def next(self, size: int) -> tuple[Tensor, Tensor]:
        """Log-mel spectra [size, bands, frames], and how much each label holds [size, labels]."""
        random = self.random
        labels = torch.multinomial(self.shares, size, replacement=True, generator=random)
        clips, start, stop = self._draw(labels)
        speed = torch.exp(0.09 * torch.randn(size, generator=random)).clamp(0.75, 1.3)
        sound = augment.place(clips, start, stop, speed, 0.03, random)
        sound = self._partial(sound, clips, start, stop, labels)
        sound = self._neighbours(sound, labels)
        sound = augment.colour(sound, self.responses, random)
        sound = self._noisy(sound, labels)
        sound = augment.distort(sound, random)
        level = 10 ** (augment.uniform(size, -45, 0, random) / 20)
        peak = sound.abs().amax(1).clamp_min(1e-5)
        sound = sound * (level / peak)[:, None]
        return self._finish(augment.narrow(log_mel(sound), random), labels)

    def _draw(self, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Clips [batch, LENGTH] with the extents of their words."""
        size = len(labels)
        clips = np.zeros((size, LENGTH), np.int16)
        start, stop = np.zeros(size, np.float32), np.full(size, 1600, np.float32)
        silence = LABELS.index(SILENCE)
        for row, label in enumerate(labels.tolist()):
            if label == silence:
                continue
            pool = self.pools[LABELS[label]]
            weights = torch.tensor([weight for _, _, weight in pool])
            if LABELS[label] == UNKNOWN and self.hard and self._one(AGAIN):
                clips[row], start[row], stop[row] = self.hard[self._number(len(self.hard))]
                continue
            if LABELS[label] == UNKNOWN and self.speech and self._one(RUNNING):
                speech = self._running()
                clips[row, : len(speech)] = speech
                start[row], stop[row] = (0, len(speech)) if len(speech) < LENGTH else (2000, 18800)
                continue
            source, rows, _ = pool[int(torch.multinomial(weights, 1, generator=self.random))]
            index = rows[self._number(len(rows))]
            clips[row] = source.data["samples"][index]
            start[row], stop[row] = source.data["start"][index], source.data["stop"][index]
            if label < len(WORDS) and self._one(TRIMMED):
                self._trim(clips, start, stop, row)
        self.drawn, self.unknown = (clips, start, stop), labels == LABELS.index(UNKNOWN)
        return (
            torch.from_numpy(clips.astype(np.float32) / 32768),
            torch.from_numpy(start),
            torch.from_numpy(stop),
        )

    def _trim(
        self,
        clips: NDArray[np.int16],
        start: NDArray[np.float32],
        stop: NDArray[np.float32],
        row: int,
    ) -> None:
        """Cut a little off both ends of a word, as those who cut recordings to words do."""
        most = int(min(0.1 * RATE, 0.2 * (stop[row] - start[row]))) + 1
        start[row] += self._number(most)
        stop[row] -= self._number(most)
        clips[row, : int(start[row])] = 0
        clips[row, int(stop[row]) :] = 0

    def _running(self) -> NDArray[np.int16]:
        """A second of running speech, or what is heard of it from a pause on."""
        number = self._number(len(self.speech))
        piece, begun = self.speech[number], self.begun[number]
        if not begun or not self._one(BEGUN):
            at = self._number(len(piece) - LENGTH)
            return piece[at : at + LENGTH]
        start, stop = begun[self._number(len(begun))]
        heard = RATE * 7 // 20 + self._number(RATE * 13 // 20)
        return piece[max(0, start - 800) : min(start + heard, stop + 800)]

    def remember(self, taken: Tensor) -> None:
        """Note which of the last batch were taken for words, and are not [batch]."""
        # Not of words that were cut short: whole, they are what they are.
        for row in torch.nonzero(taken & self.unknown)[:, 0].tolist():
            self.hard.append(tuple(column[row].copy() for column in self.drawn))

    def _partial(
        self, sound: Tensor, clips: Tensor, start: Tensor, stop: Tensor, labels: Tensor
    ) -> Tensor:
        """Make some words `_unknown_` by cutting half of them off, as a window that slides over
        a word does; `labels` are changed in place."""
        words = labels < len(WORDS)
        chosen = words & augment.chance(len(labels), 0.04, self.random)
        count = int(chosen.sum())
        start, stop = start[chosen], stop[chosen]
        kept = (stop - start) * augment.uniform(count, 0.2, 0.5, self.random)
        entering = augment.chance(count, 0.5, self.random)
        first = torch.where(entering, start + kept - RATE, stop - kept)
        at = first.long()[:, None] + torch.arange(RATE)
        inside = (at >= 0) & (at < LENGTH)
        sound[chosen] = clips[chosen].gather(1, at.clamp(0, LENGTH - 1)) * inside
        labels[chosen] = LABELS.index(UNKNOWN)
        return sound

    def _neighbours(self, sound: Tensor, labels: Tensor) -> Tensor:
        """Let another voice end or begin at the edge of some windows, as in running speech."""
        size = len(labels)
        if not len(self.speech):
            return sound
        chosen = torch.nonzero(augment.chance(size, 0.12, self.random))[:, 0]
        for row in chosen.tolist():
            loud = torch.nonzero(sound[row].abs() > 0.1 * sound[row].abs().max())[:, 0]
            if not len(loud):
                continue
            before, after = int(loud[0]) - 800, RATE - int(loud[-1]) - 800
            room = max(before, after)
            if room < 1600:
                continue
            piece = self.speech[self._number(len(self.speech))]
            at = self._number(len(piece) - room)
            other = torch.from_numpy(piece[at : at + room].astype(np.float32) / 32768)
            level = other.square().mean().sqrt().clamp_min(1e-4)
            gain = float(augment.active_level(sound[row : row + 1])) / level
            place = slice(0, room) if before >= after else slice(RATE - room, RATE)
            sound[row, place] += other * gain * 0.7
        return sound

    def _noisy(self, sound: Tensor, labels: Tensor) -> Tensor:
        """Add everyday noise, music, coloured noise or babble; of silence nothing else remains."""
        size, random = len(labels), self.random
        noise = self.hiss[torch.randint(RESPONSES, (size,), generator=random)]
        noise = noise.roll(self._number(RATE), 1)
        for row in range(size):
            if self._one(0.6):
                piece = self.noise[self._number(len(self.noise))]
                at = self._number(len(piece) - RATE)
                noise[row] = torch.from_numpy(piece[at : at + RATE].astype(np.float32) / 32768)
        babble = sum(sound[torch.randperm(size, generator=random)] for _ in range(5))
        silent = labels == LABELS.index(SILENCE)
        talk = augment.chance(size, 0.12, random) & ~silent
        noise = torch.where(talk[:, None], babble, noise)
        snr = augment.uniform(size, -4, 40, random)
        snr = torch.where(augment.chance(size, 0.15, random), 70.0, snr)
        noisy = augment.add_noise(sound, noise, snr)
        empty = silent & augment.chance(size, 0.1, random)
        return torch.where(empty[:, None], 0.0, torch.where(silent[:, None], noise, noisy))

    def _finish(self, decibels: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """SpecAugment and mixup (Zhang et al. 2018)."""
        decibels = augment.spoil(decibels, self.warps, self.random)
        targets = functional.one_hot(labels, len(LABELS)).float()
        size = len(labels)
        other = torch.randperm(size, generator=self.random)
        share = augment.uniform(size, 0.6, 1, self.random)
        share = torch.where(augment.chance(size, 0.25, self.random), share, 1.0)
        decibels = torch.lerp(decibels[other], decibels, share[:, None, None])
        return decibels, torch.lerp(targets[other], targets, share[:, None])

    def _number(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.random))

    def _one(self, share: float) -> bool:
        return bool(torch.rand(1, generator=self.random) < share)


def _long(sources: list[Source], wanted: Any) -> list[NDArray[np.int16]]:
    """Pieces of long recordings for training."""
    pieces = []
    for source in sources:
        for piece, kind, split, length in zip(
            *(source.data[key] for key in ("long", "long_kind", "long_split", "long_length")),
            strict=True,
        ):
            if wanted(str(kind)) and split == "train" and length >= 2 * LENGTH:
                pieces.append(piece[:length])
    return pieces
