"""The sounds that keywords are tested on, as they lie on the disk."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, cycle, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from training.keywords.clips import (
    LONG,
    RATE,
    UNKNOWN,
    WORDS,
    find_clips,
    read,
    sounds_like_keyword,
    split_of,
)
from training.keywords.streams import (
    Recording,
    Spoken,
    babble,
    without_words,
    words_in,
)

Sound = NDArray[np.float32]
Named = tuple[str, Sound]
Item = TypeVar("Item")

AT_ONCE = 60
"""Words of a recording."""
MOST = 60
"""How often each word is said in the streams, at most."""
VOICES = 24
"""Sentences that babble is made of."""
MINUTES = 3
"""Of babble, that are repeated."""
RATIO = 10.0
"""Signal to noise in dB of the noisy streams."""
SUFFIXES = (".flac", ".wav", ".opus", ".ogg", ".mp3")


@dataclass(frozen=True)
class Said:
    """A recording of speech, and its text."""

    path: Path
    text: str


@dataclass(frozen=True)
class Material:
    """Folders: `words` as in Speech Commands; `speech` with `metadata.csv` that has file, text or
    word, and perhaps speaker; recordings of `noise` and `music`. All that the recipe trains on is
    left out; of the speech in folders `unseen` it trains on none. Of clips and sentences one of
    `every` so many is taken."""

    words: Sequence[Path]
    speech: Sequence[Path]
    unseen: Sequence[Path]
    noise: Sequence[Path]
    music: Sequence[Path]
    every: int = 1

    @cached_property
    def noises(self) -> dict[str, Sound]:
        """Everyday noise, by its folder's name and its own."""
        return dict(_sounds(self.noise))

    @cached_property
    def pieces(self) -> dict[str, Sound]:
        """Music, by its folder's name and its own."""
        return dict(_sounds(self.music))

    @cached_property
    def spoken(self) -> dict[str, list[Said]]:
        """Recordings in which nobody says a keyword, or a word that sounds as one, by folder."""
        folders = dict.fromkeys(self.speech, True) | dict.fromkeys(self.unseen, False)
        return {
            str(folder): list(_spoken(folder, held_out))[:: self.every]
            for folder, held_out in folders.items()
        }

    @cached_property
    def voices(self) -> list[Sound]:
        """Some sentences of all folders of speech, for babble."""
        paths = [said.path for folder in self.spoken.values() for said in folder]
        return [read(path) for path in paths[:: max(1, len(paths) // VOICES)]]

    def around(self) -> Iterator[Named]:
        """The noises of the noisy streams in turn, without end, each kind as often."""
        talk = babble(self.voices, MINUTES * 60 * RATE, random(1))
        for noise, piece in zip(
            cycle(self.noises.values()), cycle(self.pieces.values()), strict=False
        ):
            yield from (("noise", noise), ("music", piece), ("babble", talk))

    def clips(self) -> list[Spoken]:
        """Words of speakers who were held out, each about as often, in a random order."""
        found: dict[str, list[Path]] = {word: [] for word in WORDS}
        for clip in chain.from_iterable(map(find_clips, self.words)):
            if clip.split == "val" and clip.label in found:
                found[clip.label].append(clip.path)
        chosen = [
            (path, word)
            for word, paths in found.items()
            for path in random(2).permutation(np.array(paths, object))[: MOST : self.every]
        ]
        random(3).shuffle(chosen)
        return [Spoken.of(read(path), word) for path, word in chosen]

    def words_in_quiet(self) -> Iterator[Recording]:
        """Keywords one by one in a quiet room."""
        chance = random(4)
        for words in _chunks(self.clips(), AT_ONCE):
            yield words_in(words, chance, name="words in quiet")

    def words_in_noise(self) -> Iterator[Recording]:
        """The same words in noise, each recording in another."""
        chance = random(5)
        for words, (kind, noise) in zip(
            _chunks(self.clips(), AT_ONCE // 2), self.around(), strict=False
        ):
            yield words_in(words, chance, name=f"words in {kind}", noise=noise, snr=RATIO)

    def speech_in_quiet(self, folder: str) -> Iterator[Recording]:
        """What is spoken in a folder."""
        sounds = ((said.text, read(said.path)) for said in self.spoken[folder])
        yield from without_words(sounds, random(6), name=folder)

    def speech_in_noise(self) -> Iterator[Recording]:
        """A third of what is spoken in all folders, in noise that changes every few minutes."""
        chance = random(7)
        chosen = [said for folder in self.spoken.values() for said in folder[::3]]
        sounds = ((said.text, read(said.path)) for said in chosen)
        for part, (kind, noise) in zip(_chunks(sounds, AT_ONCE), self.around(), strict=False):
            name = f"speech in {kind}"
            yield from without_words(part, chance, name=name, noise=noise, snr=RATIO)

    def music_alone(self) -> Iterator[Recording]:
        """Music, and nobody speaks."""
        yield from without_words(self.pieces.items(), random(8), name="music")

    def noise_alone(self) -> Iterator[Recording]:
        """Noise, and nobody speaks."""
        yield from without_words(self.noises.items(), random(9), name="noise")

    def other_words(self) -> Iterator[Recording]:
        """Single words of held-out speakers that are no keywords."""
        clips = chain.from_iterable(map(find_clips, self.words))
        chosen = [c.path for c in clips if c.split == "val" and c.label == UNKNOWN][:: self.every]
        sounds = ((path.stem, Spoken.of(read(path), UNKNOWN).sound) for path in chosen)
        yield from without_words(sounds, random(10), name="other words", gap=(0.7, 2.0))


def random(purpose: int) -> np.random.Generator:
    """Chance that is the same in every run, of another kind for each purpose."""
    return np.random.default_rng([2026, purpose])


def _sounds(folders: Iterable[Path]) -> Iterator[Named]:
    """Long recordings by folder and name, but for those that the recipe trains on."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            trained = {*path.parts} & {*LONG} and split_of(path.stem) == "train"
            if path.suffix.lower() in SUFFIXES and not trained:
                yield f"{folder.name}/{path.stem}", read(path)


def _spoken(folder: Path, held_out: bool) -> Iterator[Said]:
    """What is said in a folder without keywords; if `held_out`, not by speakers for training."""
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path, text = folder / row["file"], row.get("text", row.get("word", ""))
            trained = held_out and split_of(row.get("speaker", path.stem)) == "train"
            if text and not trained and not sounds_like_keyword(text):
                yield Said(path, text)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
