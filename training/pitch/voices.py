"""Recorded voices at new pitches: taken apart by WORLD and put together anew.

    python -m training.pitch.voices FOLDER... --to DATA/speech-world --seconds 3600 [--sung]

The truth is exact by construction, for the pitch is what the synthesiser is given (as in Salamon et
al., "An analysis/synthesis framework for automatic f0 annotation", ISMIR 2017). Speech gets another
height, melody and tempo; with `--sung` its vowels are stretched and follow melodies of notes, with
portamento and vibrato. Every twelfth folder or name of a speaker is held out: `--held-out` takes
those, and no others.
"""

from __future__ import annotations

import argparse
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyworld  # type: ignore[import-untyped]
import soundfile
import soxr
from numpy.typing import NDArray

from training.keywords.revoice import Analysis, warped_frequencies

from .sets import HOP, RATE, About, Clip, write_set

Floats = NDArray[np.float64]

log = logging.getLogger("voices")

PERIOD = 5.0
"""Milliseconds between WORLD's frames."""
LOWEST, HIGHEST = 45.0, 1100.0
"""Hz; no voice is put lower or higher."""
QUIET = 40.0
"""Decibels below the clip's loud frames from which on nobody can say whether a frame is voiced."""
LEAP = 0.08
"""Octaves within 5 ms that are no voice's, but the tracker's mistake."""
SHORTEST, LONGEST = 1.0, 12.0
"""Seconds of a recording that are taken."""
HELD_OUT = 12
"""One speaker of so many."""
LATE = "arctic_b0450"
"""Of the sentences of `kathleen`, those from here on are the test set of the voice."""


def recordings(folders: list[Path], held_out: bool, seed: int) -> list[Path]:
    """Files of the speakers who are held out or of the others, in an order drawn by `seed`."""
    found = [
        path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".wav", ".flac", ".opus")
        and not ("arctic" in path.stem and path.stem >= LATE)
        and (zlib.crc32(speaker(path).encode()) % HELD_OUT == 0) is held_out
    ]
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[index] for index in order]


def speaker(path: Path) -> str:
    """Who speaks: the name of the file up to `_`, or the folder where that is a speaker's."""
    return path.parent.name if path.parent.name.isdigit() else path.name.split("_")[0]


def read(path: Path) -> Floats:
    """Samples at 16 kHz, mono, with a peak of one half."""
    samples, rate = soundfile.read(path, always_2d=True)
    mono: Floats = soxr.resample(samples.mean(1), rate, RATE)[: int(LONGEST * RATE)]
    return mono * (0.5 / max(1e-4, float(np.abs(mono).max(initial=0.0))))


def analysed(wave: Floats) -> Analysis:
    """WORLD's analysis; a floor of noise keeps digital silence defined."""
    heard = wave + np.random.default_rng(0).normal(0, 1e-5, len(wave))
    coarse, times = pyworld.dio(heard, RATE, f0_floor=55, f0_ceil=700, frame_period=PERIOD)
    f0 = steady(pyworld.stonemask(heard, coarse, times, RATE))
    envelope = pyworld.cheaptrick(heard, f0, times, RATE)
    # By default D4C turns frames into noise that it takes for unvoiced, whatever their f0.
    return Analysis(f0, envelope, pyworld.d4c(heard, f0, times, RATE, threshold=0.0))


def steady(f0: Floats) -> Floats:
    """Only stretches of at least 40 ms in which the pitch does not leap: the rest is unvoiced.

    Shape: f0 [frames] -> [frames], Hz, 0 where unvoiced
    """
    octaves = np.log2(np.where(f0 > 0, f0, 1.0))
    apart = (f0[1:] > 0) != (f0[:-1] > 0)
    apart |= np.abs(np.diff(octaves)) > LEAP
    kept = np.zeros(len(f0))
    for stretch in np.split(np.arange(len(f0)), np.flatnonzero(apart) + 1):
        if len(stretch) * PERIOD >= 40:
            kept[stretch] = f0[stretch]
    return kept


def spoken(f0: Floats, rng: np.random.Generator) -> Floats:
    """Another height and another liveliness; some creak at the end of what is said.

    Shape: f0 [frames] -> [frames], Hz, 0 where unvoiced
    """
    voiced = f0 > 0
    middle = np.median(np.log(f0[voiced]))
    height = rng.uniform(np.log(60), np.log(450))
    contour = height + rng.uniform(0.2, 1.6) * (np.log(np.where(voiced, f0, 1)) - middle)
    if rng.random() < 0.15:
        last = np.flatnonzero(voiced)[-1]
        time = np.arange(len(f0)) - (last - rng.integers(40, 120))
        contour -= np.clip(time / 80, 0, 1) * rng.uniform(0.2, 0.9)
    return np.where(voiced, np.clip(np.exp(contour), LOWEST, HIGHEST), 0.0)


def sung(f0: Floats, rng: np.random.Generator) -> Floats:
    """A melody: notes that glide into each other, with vibrato, drift and a little jitter.

    Shape: f0 [frames] -> [frames], Hz, 0 where unvoiced
    """
    count = len(f0)
    notes, at = np.zeros(count), 0
    note = 0.0
    while at < count:
        length = int(rng.integers(20, 160))
        note = float(np.clip(note + rng.integers(-5, 6), -9, 9))
        notes[at : at + length] = note
        at += length
    glide = int(rng.integers(3, 25))
    kernel = np.hanning(2 * glide + 3)[1:-1]
    smooth = np.convolve(np.pad(notes, glide, mode="edge"), kernel / kernel.sum(), "valid")
    time = np.arange(count) * PERIOD / 1000
    depth = rng.uniform(0, 1.2) * np.clip(np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * time), 0, 1)
    vibrato = depth * np.sin(2 * np.pi * np.cumsum(rng.normal(5.5, 0.6) * np.ones(count)) * 0.005)
    drift = 0.15 * np.cumsum(rng.normal(0, 0.05, count))
    height = np.exp(rng.uniform(np.log(90), np.log(750)))
    contour = height * 2 ** ((smooth + vibrato + np.clip(drift, -1, 1)) / 12)
    return np.where(f0 > 0, np.clip(contour, LOWEST, HIGHEST), 0.0)


def stretched(clip: Analysis, rng: np.random.Generator, vowels: float) -> Analysis:
    """The same at another tempo; voiced frames last `vowels` times as long again."""
    pace = np.exp(rng.uniform(np.log(0.7), np.log(1.35)))
    lasting = np.where(clip.f0 > 0, vowels, 1.0) * pace
    ends = np.cumsum(lasting)
    places = np.interp(np.arange(int(ends[-1])), ends, np.arange(len(ends)))
    low = np.minimum(places.astype(int), len(ends) - 2)
    share = (places - low)[:, None]
    envelope, rough = np.log(clip.envelope), clip.aperiodicity
    return Analysis(
        clip.f0[np.rint(places).astype(int)],
        np.exp(envelope[low] * (1 - share) + envelope[low + 1] * share),
        rough[low] * (1 - share) + rough[low + 1] * share,
    )


def put_together(clip: Analysis, f0: Floats, rng: np.random.Generator) -> Clip:
    """The sound of a clip at a new f0, and the truth for every 10 ms."""
    # High voices have short tracts: a third of the pitch's change, and some of their own.
    change = np.median(f0[f0 > 0]) / np.median(clip.f0[clip.f0 > 0])
    formants = float(np.clip(change ** (1 / 3) * np.exp(rng.normal(0, 0.06)), 0.8, 1.3))
    rough = np.clip(warped_frequencies(clip.aperiodicity, formants), 1e-6, 1)
    rough = rough ** np.exp(rng.uniform(np.log(0.6), np.log(1.7)))
    rough[f0 == 0] = 1
    envelope = warped_frequencies(clip.envelope, formants)
    wave = np.asarray(pyworld.synthesize(f0, envelope, rough, RATE, PERIOD))
    wave *= 0.5 / max(1e-4, float(np.abs(wave).max()))
    truth = f0[:: round(10 / PERIOD)][: -(-len(wave) // HOP)]
    wave = wave[: len(truth) * HOP]
    return wave, np.where(faint(wave, len(truth)), -truth, truth)


def faint(wave: Floats, frames: int) -> NDArray[np.bool_]:
    """Which frames are far softer than the clip's loud ones."""
    padded = np.pad(np.square(wave), (240, 240 + HOP))
    total = np.concatenate([[0.0], np.cumsum(padded)])
    at = HOP * np.arange(frames)
    level = 10 * np.log10((total[at + 480] - total[at]) / 480 + 1e-10)
    return np.asarray(level < np.percentile(level, 95) - QUIET)


def clips(paths: list[Path], seconds: float, singing: bool, seed: int) -> Iterator[Clip]:
    """Voices at new pitches until there are so many seconds of them."""
    rng = np.random.default_rng(seed)
    made = 0.0
    while made < seconds:
        before = made
        for path in paths:
            wave = read(path)
            if len(wave) < SHORTEST * RATE:
                continue
            clip = analysed(wave)
            if (clip.f0 > 0).sum() < 40:
                continue
            clip = stretched(clip, rng, rng.uniform(1.5, 3.5) if singing else 1.0)
            f0 = (sung if singing else spoken)(clip.f0, rng)
            sound, truth = put_together(clip, f0, rng)
            made += len(sound) / RATE
            yield sound, truth
            if made >= seconds:
                return
        if made == before:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--sung", action="store_true")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--licence", default="that of the recordings")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    about = About(
        arguments.to.name,
        "singing" if arguments.sung else "speech",
        arguments.licence,
        ", ".join(folder.name for folder in arguments.folders),
        f"WORLD at new pitches, seed {arguments.seed}",
    )
    paths = recordings(arguments.folders, arguments.held_out, arguments.seed)
    found = clips(paths, arguments.seconds, arguments.sung, arguments.seed)
    log.info("%s: %.0f s", arguments.to, write_set(arguments.to, found, about))


if __name__ == "__main__":
    main()
