"""Speech sung by the WORLD vocoder, doubled, in harmony, in rooms: a voice as in a record.

    python -m training.separate.singing FOLDER... --to DATA/singing --songs 60 [--seed 0]

Vowels are stretched, the pitch follows melodies with portamento and vibrato, tracts are longer or
shorter. What a recording lacks above its own limit is noise that follows its highest octave, as
breath and consonants do: a model must not learn that voices end at 8 kHz.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import pyworld  # type: ignore[import-untyped]
import soundfile
from numpy.typing import NDArray
from scipy.signal import lfilter, oaconvolve

from training.keywords.revoice import Analysis, warped_frequencies
from training.pitch.voices import PERIOD, recordings, speaker, steady, stretched, sung

from .songs import RATE, write_song

Floats = NDArray[np.float64]

log = logging.getLogger("singing")

SIZE = 2048
"""WORLD's FFT at 44.1 kHz."""
LOWEST, HIGHEST = 80.0, 1000.0
"""Hz."""
SHORTEST, LONGEST = 1.5, 6.0
"""Seconds of a recording."""
HARMONIES = (-12, -5, -4, 3, 4, 5, 7, 12)
"""Half tones of other voices from the first."""


def analysed(path: Path) -> Analysis | None:
    """WORLD's analysis of a recording on the grid of 44.1 kHz, if somebody speaks in it."""
    samples, rate = soundfile.read(path, always_2d=True)
    wave = samples.mean(1)[: int(LONGEST * rate)]
    if len(wave) < SHORTEST * rate or np.abs(wave).max() < 1e-3:
        return None
    heard = wave * (0.5 / np.abs(wave).max())
    heard = heard + np.random.default_rng(0).normal(0, 1e-5, len(heard))
    coarse, times = pyworld.dio(heard, rate, f0_floor=60, f0_ceil=600, frame_period=PERIOD)
    f0 = steady(pyworld.stonemask(heard, coarse, times, rate))
    if (f0 > 0).sum() < 60:
        return None
    envelope = pyworld.cheaptrick(heard, f0, times, rate)
    rough = pyworld.d4c(heard, f0, times, rate, threshold=0.0)
    return raised(Analysis(f0, envelope, rough), rate)


def raised(clip: Analysis, rate: int) -> Analysis:
    """The same on the grid of 44.1 kHz; what lies above the recording's limit is breath."""
    bins = np.arange(SIZE // 2 + 1) * RATE / SIZE
    own = np.linspace(0, rate / 2, clip.envelope.shape[1])
    limit = 0.46 * rate
    places = np.interp(np.minimum(bins, limit), own, np.arange(len(own)))
    low = np.minimum(places.astype(int), len(own) - 2)
    share = places - low
    logs = np.log(clip.envelope + 1e-16)
    envelope = logs[:, low] * (1 - share) + logs[:, low + 1] * share
    top = logs[:, (own > 0.6 * limit) & (own < limit)].mean(1, keepdims=True)
    above = bins > limit
    # 9 dB an octave less than the highest octave that is there.
    envelope[:, above] = top - 0.9 - 2.07 * np.log2(bins[above] / limit)[None]
    rough = clip.aperiodicity[:, low] * (1 - share) + clip.aperiodicity[:, low + 1] * share
    rough[:, above] = 0.95
    return Analysis(clip.f0, np.exp(envelope), rough)


def voice(clip: Analysis, f0: Floats, tract: float, rng: np.random.Generator) -> Floats:
    """The sound of a clip at a new f0: [samples], its loud parts at 0.1."""
    rough = np.clip(warped_frequencies(clip.aperiodicity, tract), 1e-6, 1)
    rough = rough ** np.exp(rng.uniform(np.log(0.7), np.log(2.0)))
    rough[f0 == 0] = 1
    envelope = warped_frequencies(clip.envelope, tract)
    # Even loudness, as singers and compressors make it.
    power = np.log(envelope.sum(1) + 1e-9)
    loud = np.percentile(power, 90)
    even = np.clip(loud - power, 0, 5) * rng.uniform(0, 0.4) * (power > loud - 7)
    envelope = envelope * np.exp(even)[:, None]
    wave = np.asarray(pyworld.synthesize(f0, envelope, np.clip(rough, 1e-6, 1), RATE, PERIOD))
    return wave * (0.1 / max(1e-4, float(np.sqrt(np.square(wave).mean()))))


def room(rng: np.random.Generator) -> Floats:
    """The response of a room or a plate: [samples, 2], energy 1."""
    lasts = float(np.exp(rng.uniform(np.log(0.25), np.log(3.0))))
    count = int(min(lasts * 1.2, 2.5) * RATE)
    time = np.arange(count) / RATE
    noise = rng.normal(0, 1, (count, 2)) * np.exp(-6.9 * time / lasts)[:, None]
    dull = float(rng.uniform(0.3, 0.9))
    noise = lfilter([1 - dull], [1, -dull], noise, axis=0)
    noise[: int(rng.uniform(0, 0.04) * RATE)] = 0
    return noise / np.sqrt(np.square(noise).sum(0).mean())


def placed(wave: Floats, pan: float, count: int, at: int) -> Floats:
    """A voice in a stereo track of so many samples, from `at` on: [samples, 2]."""
    track = np.zeros((count, 2))
    stretch = wave[: max(0, count - at)]
    angle = (pan + 1) * np.pi / 4
    track[at : at + len(stretch)] = stretch[:, None] * [np.cos(angle), np.sin(angle)]
    return track


def song(
    paths: list[Path], seconds: float, rng: np.random.Generator
) -> dict[tuple[str, str], Floats]:
    """A track of a lead voice and one of those behind it."""
    count = int(seconds * RATE)
    lead, back = np.zeros((count, 2)), np.zeros((count, 2))
    height = float(np.exp(rng.uniform(np.log(0.75), np.log(1.6))))
    tract = float(np.exp(rng.normal(0, 0.08)))
    crowd, doubled = rng.random() < 0.5, rng.random() < 0.4
    at = int(rng.uniform(0, 2) * RATE)
    for path in paths:
        clip = analysed(path)
        if clip is None:
            continue
        speaks = rng.random() < 0.12
        clip = clip if speaks else stretched(clip, rng, rng.uniform(1.3, 3.5))
        f0 = clip.f0 * rng.uniform(0.9, 1.2) if speaks else sung(clip.f0, rng)
        if not speaks:
            middle = np.median(f0[f0 > 0])
            f0 = f0 * 2 ** (round(np.log2(260 * height / middle) * 12) / 12)
        f0 = np.where(f0 > 0, np.clip(f0, LOWEST, HIGHEST), 0)
        wave = voice(clip, f0, tract, rng)
        lead += placed(wave, rng.uniform(-0.1, 0.1), count, at)
        if doubled:
            for side in (-1, 1):
                near = voice(clip, f0 * 2 ** (rng.normal(0, 0.12) / 12), tract * 1.02, rng)
                late = at + int(rng.uniform(0.01, 0.035) * RATE)
                back += 0.5 * placed(near, side * rng.uniform(0.4, 1), count, late)
        if crowd and rng.random() < 0.6:
            for _ in range(int(rng.integers(1, 4))):
                other = f0 * 2 ** (int(rng.choice(HARMONIES)) / 12)
                other = np.where(other > 0, np.clip(other, LOWEST, HIGHEST), 0)
                sings = voice(clip, other, tract * float(np.exp(rng.normal(0, 0.06))), rng)
                late = at + int(rng.uniform(0.0, 0.04) * RATE)
                back += rng.uniform(0.3, 0.8) * placed(sings, rng.uniform(-1, 1), count, late)
        at += int(len(wave) * rng.uniform(0.85, 1.05) + rng.exponential(0.5) * RATE)
        if at > count - RATE:
            break
    tracks = {("vocals", "lead"): lead, ("vocals", "back"): back}
    return {name: finished(track, rng) for name, track in tracks.items() if track.any()}


def finished(track: Floats, rng: np.random.Generator) -> Floats:
    """A track with reverberation, perhaps an echo, and its peak at one half."""
    found = track
    if rng.random() < 0.85:
        wet = oaconvolve(track, room(rng), axes=0)
        level = np.exp(rng.uniform(np.log(0.05), np.log(0.8)))
        found = found + level * wet[: len(track)]
    if rng.random() < 0.35:
        late = int(rng.uniform(0.12, 0.5) * RATE)
        for turn in range(1, 4):
            echo = np.roll(track, turn * late, 0) * rng.uniform(0.3, 0.6) ** turn
            echo[: turn * late] = 0
            found = found + echo[:, :: -1 if turn % 2 else 1]
    return found * (0.5 / np.abs(found).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60, help="of a song")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    voices = [recordings([folder], False, arguments.seed) for folder in arguments.folders]
    for number in range(arguments.songs):
        rng = np.random.default_rng([arguments.seed, number])
        # Each song has the voice of one speaker where there is enough of it.
        paths = voices[number % len(voices)]
        first = paths[int(rng.integers(len(paths)))]
        own = [path for path in paths if speaker(path) == speaker(first)]
        own = own if len(own) > 5 else paths
        order = [own[index] for index in rng.permutation(len(own))[:40]]
        found = song(order, arguments.seconds, rng)
        parts = {name: np.rint(32767 * track).astype(np.int16) for name, track in found.items()}
        write_song(arguments.to / f"{arguments.seed}-{number:03d}", parts)
        log.info("%d: %s", number, first.name)


if __name__ == "__main__":
    main()
