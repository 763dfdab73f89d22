"""Long sounds for tests: words placed in quiet or noise with their times, and hours without any.

Everything is made from recordings that are at hand and from a seeded generator: the same seed
gives the same stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiopipe.signals import Audio, Detection, Detections

from .clips import RATE, extent

Sound = NDArray[np.float32]

LEVEL = -26.0
"""Of a word or of speech, dB below full scale (RMS), as ITU-T P.56 has it for telephones."""
ROOM = -70.0
"""Of the noise of a quiet room, dB below full scale."""
MARGIN = RATE // 10
"""What is kept of a clip before and after its word, in samples."""
FADE = RATE // 100
PIECE = 300 * RATE
"""Samples of a recording without words: 5 min, so that hours need little memory."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Sound, the keywords that are said in it (`truth`), and all that is `said`."""

    name: str
    audio: Audio
    truth: Detections
    said: Detections


@dataclass(frozen=True, eq=False)
class Spoken:
    """A word's sound at `LEVEL`, which lies from sample `start` to `stop` of it."""

    sound: Sound
    start: int
    stop: int
    label: str

    @classmethod
    def of(cls, clip: Sound, label: str) -> Spoken:
        """Cut a word out of its clip, with a little of what is around it faded in and out."""
        start, stop = extent(clip)
        first, last = max(0, start - MARGIN), min(len(clip), stop + MARGIN)
        sound = leveled(clip[first:last], slice(start - first, stop - first))
        return cls(faded(sound), start - first, stop - first, label)


def rms(sound: Sound) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0


def leveled(sound: Sound, where: slice = slice(None), level: float = LEVEL) -> Sound:
    """The same at `level` dB below full scale, measured `where`; silence stays silence.

    >>> round(rms(leveled(np.full(100, 0.5, np.float32), level=-20.0)), 6)
    0.1
    """
    measured = rms(sound[where])
    if measured == 0:
        return sound
    return np.asarray(sound * (10 ** (level / 20) / measured), np.float32)


def faded(sound: Sound) -> Sound:
    """The same without a step at its ends: 10 ms of a raised cosine."""
    count = min(FADE, len(sound) // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(1, count))).astype(np.float32)
    sound = sound.copy()
    sound[:count] *= ramp
    sound[len(sound) - count :] *= ramp[::-1]
    return sound


def room_noise(length: int, random: np.random.Generator, level: float = ROOM) -> Sound:
    """Noise that falls by 4.5 dB an octave, between pink and brown, as in a quiet room."""
    bins = np.fft.rfftfreq(length, 1 / RATE)
    shape = np.maximum(bins, 40.0) ** -0.75
    phases = np.exp(2j * np.pi * random.random(len(bins)))
    return leveled(np.fft.irfft(shape * phases, length).astype(np.float32), level=level)


def looped(sound: Sound, length: int, random: np.random.Generator) -> Sound:
    """`length` samples of a recording from a random place on, again and again, cross-faded."""
    if len(sound) <= 2 * FADE:
        raise ValueError(f"{len(sound)} samples are too short to be repeated")
    cycle = sound.copy()
    ramp = np.sqrt((np.arange(FADE) + 0.5) / FADE).astype(np.float32)
    cycle = cycle[:-FADE]
    cycle[:FADE] = sound[:FADE] * ramp + sound[-FADE:] * ramp[::-1]
    first = int(random.integers(len(cycle)))
    return np.resize(np.roll(cycle, -first), length)


def babble(
    voices: Sequence[Sound], length: int, random: np.random.Generator, count: int = 6
) -> Sound:
    """Several voices at once, equally loud, each beginning somewhere."""
    chosen = random.choice(len(voices), count, replace=len(voices) < count)
    parts = [looped(leveled(voices[k]), length, random) for k in chosen]
    return np.asarray(np.sum(parts, axis=0), np.float32)


def with_noise(sound: Sound, word: slice, noise: Sound, snr: float) -> Sound:
    """Noise added `snr` dB below the level of a word, both RMS while the word lasts.

    >>> tone = np.sin(np.arange(16000)).astype(np.float32)
    >>> noisy = with_noise(tone, slice(0, 8000), np.ones(16000, np.float32), 20.0)
    >>> float(round(20 * np.log10(rms(tone[:8000]) / rms((noisy - tone)[:8000])), 1))
    20.0
    """
    loud = rms(noise[word])
    if loud == 0:
        return sound
    gain = rms(sound[word]) / loud * 10 ** (-snr / 20)
    return np.asarray(sound + gain * noise, np.float32)


def words_in(
    words: Sequence[Spoken],
    random: np.random.Generator,
    *,
    name: str,
    noise: Sound | None = None,
    snr: float = np.inf,
    gap: tuple[float, float] = (0.7, 2.0),
) -> Recording:
    """Words one after the other, with `gap` seconds between them, in the noise of a quiet room,
    or in `noise` whose level over the whole recording lies `snr` dB below that of the words."""
    places, at = [], 0
    for word in words:
        at += int(random.uniform(*gap) * RATE)
        places.append(at)
        at += len(word.sound)
    length = at + 2 * RATE
    if noise is None:
        sound = room_noise(length, random)
    else:
        sound = leveled(looped(noise, length, random), level=LEVEL - snr)
    events = []
    for word, place in zip(words, places, strict=True):
        sound[place : place + len(word.sound)] += word.sound
        events.append(Detection(place + word.start, place + word.stop, word.label, 1.0))
    audio = Audio(np.clip(sound, -1, 1), RATE)
    truth = Detections(tuple(events), RATE)
    return Recording(name, audio, truth, truth)


def without_words(
    sounds: Iterable[tuple[str, Sound]],
    random: np.random.Generator,
    *,
    name: str,
    gap: tuple[float, float] = (0.2, 1.2),
    noise: Sound | None = None,
    snr: float = np.inf,
) -> Iterator[Recording]:
    """Recordings of some minutes that hold sounds in turn, in the noise of a quiet room, or in
    `noise` `snr` dB below them; nobody says a keyword. The sounds' names tell what is `said`."""
    parts: list[Sound] = []
    said: list[Detection] = []
    length = 0
    for text, sound in sounds:
        pause = np.zeros(int(random.uniform(*gap) * RATE), np.float32)
        parts += [faded(leveled(sound)), pause]
        said.append(Detection(length, length + len(sound), text, 1.0))
        length += len(sound) + len(pause)
        if length >= PIECE:
            yield _without(name, parts, said, random, noise, snr)
            parts, said, length = [], [], 0
    if parts:
        yield _without(name, parts, said, random, noise, snr)


def _without(
    name: str,
    parts: Sequence[Sound],
    said: Sequence[Detection],
    random: np.random.Generator,
    noise: Sound | None,
    snr: float,
) -> Recording:
    whole = np.concatenate(parts)
    around = room_noise(len(whole), random)
    if noise is not None:
        around = leveled(looped(noise, len(whole), random), level=LEVEL - snr)
    audio = Audio(np.clip(whole + around, -1, 1), RATE)
    return Recording(name, audio, Detections((), RATE), Detections(tuple(said), RATE))
