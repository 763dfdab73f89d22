"""Melodies put together of recorded single notes, as sets for the training.

    python -m training.pitch.notes NOTES OUT --licence CC0 --source URL [--seconds 2400] [--seed 0]
        [--only INSTRUMENT …] [--without INSTRUMENT …]

Reads NOTES/INSTRUMENT/NAME.flac and NAME.csv (`time,f0`), of which only the median is taken: the
truth is measured near it as it is for rendered instruments. Every clip is one instrument, in its
own tuning or another one (sped up or slowed down), its notes held for as long as is drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr  # type: ignore[import-untyped]

from training.pitch.contours import between
from training.pitch.instruments import LENGTH, truth_of_passage
from training.pitch.sets import RATE, About, Clip, SetError, write_set
from training.pitch.soundfont import Floats, Tone

FADE = 0.001
"""Seconds over which a recording begins, for not all of them begin with silence."""
QUIET = 0.003
"""To its peak; what comes before the first sample above it is cut."""


@dataclass(frozen=True)
class Note:
    """A recording of one note, at `rate` samples a second: wave [samples], its pitch in Hz."""

    wave: Floats
    rate: int
    hz: float


def read_notes(folder: Path) -> list[Note]:
    """An instrument's notes, from the lowest on."""
    notes = []
    for path in sorted(folder.glob("*.flac")):
        table = np.loadtxt(path.with_suffix(".csv"), delimiter=",", skiprows=1, ndmin=2)
        voiced = table[table[:, 1] > 0, 1]
        samples, rate = soundfile.read(path, always_2d=True)
        wave = samples.mean(-1)
        loud = np.flatnonzero(np.abs(wave) > QUIET * np.abs(wave).max())
        if len(voiced) >= 10 and len(loud):
            notes.append(Note(wave[loud[0] :], rate, float(np.median(voiced))))
    return sorted(notes, key=lambda note: note.hz)


def tone(note: Note, ratio: float, start: int, end: int) -> Tone:
    """What the score would say of it, with a bend for what its key is off."""
    exact = 69 + 12 * np.log2(note.hz * ratio / 440)
    key = round(float(exact))
    return Tone(start, end, key, 0, np.full(1, 100 * (exact - key)), 0)


def melody(rng: np.random.Generator, notes: list[Note]) -> Clip:
    """A clip of notes that follow each other; the one before may ring into the next."""
    length = 10 * int(LENGTH / 10 * rng.uniform(0.75, 1.25))
    stems = np.zeros((2, length * RATE // 1000))
    cents = 0.0 if rng.uniform() < 0.3 else rng.uniform(-300, 300)
    ratio = 2 ** (cents / 1200)
    each, legato = between(rng, 150, 2000), rng.uniform() < 0.5
    at, index = int(rng.integers(0, 500)), int(rng.integers(len(notes)))
    tones: list[Tone] = []
    while at < length - 120:
        near = index + int(rng.integers(-4, 5))
        close = 0 <= near < len(notes) and rng.uniform() < 0.6
        index = near if close else int(rng.integers(len(notes)))
        note = notes[index]
        wave = soxr.resample(note.wave, note.rate, RATE / ratio)
        held = int(each * np.exp(rng.normal(0, 0.3)) * (1 if legato else rng.uniform(0.4, 1)))
        end = min(at + held, length, at + len(wave) * 1000 // RATE)
        release = between(rng, 0.015, 0.2)
        begin = at * RATE // 1000
        part = wave[: min(end * RATE // 1000 - begin + int(release * RATE), stems.shape[1] - begin)]
        time = np.arange(len(part)) / RATE
        part = part * np.minimum(1, np.minimum(time / FADE, (time[-1] - time) / release))
        gain = 10 ** (-rng.uniform(0, 10) / 20) / max(float(np.abs(part).max()), 1e-6)
        stems[len(tones) % 2, begin : begin + len(part)] += gain * part
        tones.append(tone(note, ratio, at, end))
        at = end + (int(between(rng, 60, 900)) if rng.uniform() < 0.3 else 0)
    heard = stems.sum(0)
    truth = truth_of_passage(tones, list(stems), heard, 0)
    return heard * (between(rng, 0.05, 0.7) / float(np.abs(heard).max())), truth


def all_clips(instruments: list[Path], seed: int, seconds: float) -> Iterator[Clip]:
    """Of every instrument for as long as its number of notes deserves, `seconds` in all."""
    bands = [read_notes(folder) for folder in instruments]
    shares = np.sqrt([len(band) for band in bands])
    for folder, notes, share in zip(instruments, bands, shares / shares.sum(), strict=True):
        rng = np.random.default_rng([seed, len(notes), 7])
        values = []
        for _ in range(max(1, round(seconds * 1000 / LENGTH * share))):
            sound, truth = melody(rng, notes)
            values.append(truth)
            yield sound, truth
        unknown = np.isnan(np.concatenate(values)).mean()
        print(f"{folder.name:20s} {len(notes):3d} notes {unknown:6.1%} unknown")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("notes", type=Path, metavar="NOTES")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the set")
    parser.add_argument("--licence", required=True)
    parser.add_argument("--source", required=True, help="where the recordings come from")
    parser.add_argument("--seconds", type=float, default=2400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], metavar="INSTRUMENT")
    parser.add_argument("--without", nargs="*", default=[], metavar="INSTRUMENT")
    options = parser.parse_args()
    instruments = [
        folder
        for folder in sorted(options.notes.glob("*/"))
        if (not options.only or folder.name in options.only) and folder.name not in options.without
    ]
    if not instruments:
        raise SetError(options.notes, "no instruments", "folders of NAME.flac with NAME.csv")
    about = About(
        name=options.out.name,
        category="instruments",
        licence=options.licence,
        source=options.source,
        how=f"recorded notes of {', '.join(folder.name for folder in instruments)}; "
        f"seed {options.seed}",
    )
    clips = all_clips(instruments, options.seed, options.seconds)
    print(f"{options.out}: {write_set(options.out, clips, about):.0f} s")


if __name__ == "__main__":
    main()
