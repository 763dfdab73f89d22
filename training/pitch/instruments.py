"""Single notes and melodies of General MIDI instruments, as sets for the training.

    apt-get install fluidsynth fluid-soundfont-gm
    python -m training.pitch.instruments OUT [--seconds 3600] [--seed 0] [--held-out]

Every program plays in its instrument's range. The truth is the score's pitch, corrected by what is
measured within 60 cents of it: samples are some cents off and have vibrato of their own. Where the
measurement is unclear, nothing is said. `--held-out` plays the programs that are in no other set.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from training.pitch.contours import between
from training.pitch.programs import HELD_OUT, PROGRAMS, Program
from training.pitch.refine import measured
from training.pitch.sets import HOP, RATE, About, Clip, write_set
from training.pitch.soundfont import GRAIN, Floats, Tone, rendered, score
from training.pitch.tones import GONE, VOICED, levels

SPAN = 60.0
"""Cents around the score's pitch."""
CLEAR, OPEN = 0.85, 0.7
"""Autocorrelation: below the first it is not known whether the frame is voiced, below the second
neither is the pitch."""
ABOVE, BELOW = 0.03, 0.03
"""By how much the pitch must be clearer than the octave and the twelfth above, and by how much one
below may be clearer."""
DOUBTFUL = 0.3
"""The share of a note's frames whose octave is unclear, from which on none of them is believed."""
MASKED = 12.0
"""dB; a note that is so much louder than another one is heard alone."""
LENGTH = 4000
"""Milliseconds of a passage, on average."""
GAP = 200
"""Milliseconds between passages."""
AT_ONCE = 24
"""Passages in a file."""
ROOMS = 0.2
"""The share of files with FluidSynth's reverb and chorus."""

STEPS: dict[str, tuple[int, ...]] = {
    "scale": (1, 2, 2, 2, 3),
    "chord": (3, 4, 5, 12),
    "melody": (1, 2, 2, 3, 4, 5, 7),
    "leaps": (7, 12, 12, 19, 24),
}
KINDS = list(STEPS)


def line(rng: np.random.Generator, program: Program, count: int) -> list[int]:
    """Keys that follow each other by the intervals of one of STEPS, within the range."""
    kind = KINDS[rng.choice(len(KINDS), p=[0.3, 0.15, 0.35, 0.2])]
    key, up = int(rng.integers(program.low, program.high + 1)), rng.uniform() < 0.5
    keys = [key]
    for _ in range(count - 1):
        if kind in ("melody", "leaps"):
            up = rng.uniform() < 0.5
        step = int(rng.choice(STEPS[kind])) * (1 if up else -1)
        if not program.low <= key + step <= program.high:
            up, step = not up, -step
        key = int(np.clip(key + step, program.low, program.high))
        keys.append(key)
    return keys


def bends(rng: np.random.Generator, length: int) -> Floats:
    """In cents every GRAIN: none, a slide into the note, a bend away from it, or vibrato."""
    time = np.arange(0, max(length, GRAIN) + 1000, GRAIN) / 1000
    kind = rng.uniform()
    if kind < 0.7:
        return np.zeros(1)
    if kind < 0.8:
        slide: Floats = rng.uniform(-200, 200) * np.exp(-time / rng.uniform(0.02, 0.15))
        return slide
    if kind < 0.88:
        begin, took = rng.uniform(0, length / 1000), rng.uniform(0.05, 0.5)
        away: Floats = rng.uniform(-200, 200) * np.clip((time - begin) / took, 0, 1)
        return away
    swell = np.clip((time - rng.uniform(0, 0.3)) / 0.3, 0, 1)
    turns = rng.uniform(0, 1) + rng.uniform(4, 7.5) * time
    return between(rng, 8, 80) * swell * np.sin(2 * np.pi * turns)


def passage(rng: np.random.Generator, program: Program, begin: int, end: int) -> list[Tone]:
    """What is played from `begin` to `end`: long notes or many short ones, legato or apart."""
    each, legato = between(rng, 90, 1800), rng.uniform() < 0.5
    loud, live = int(rng.integers(30, 120)), rng.uniform() < 0.6
    rings = program.rings and rng.uniform() < 0.7
    at = begin + int(rng.integers(30, 600) * (rng.uniform() < 0.5))
    tones: list[Tone] = []
    for key in line(rng, program, 40):
        lasts = int(each * np.exp(rng.normal(0, 0.3)))
        if at + min(lasts, 200) > end:
            break
        held = lasts if legato or rings else int(lasts * rng.uniform(0.3, 0.95))
        held = max(60, min(held + int(rng.uniform(0, 25) * legato), end - at))
        modulated = int(rng.integers(15, 100)) if live and rng.uniform() < 0.2 else 0
        velocity = int(np.clip(loud + rng.integers(-15, 16), 15, 127))
        bent = bends(rng, held) if live and not program.fixed else np.zeros(1)
        modulated = 0 if program.fixed else modulated
        tones.append(Tone(at, at + held, key, velocity, bent, modulated, program.shift))
        at += lasts
        if rng.uniform() < 0.2:
            at += int(between(rng, 80, 1200))
    return tones


def decibels(level: Floats) -> Floats:
    loudness: Floats = 20 * np.log10(np.maximum(level, 1e-7))
    return loudness


def truth_of_note(tone: Tone, stem: Floats, begin: int, frames: range) -> tuple[Floats, Floats]:
    """What a note alone would be, and its level in dB, in some frames of a passage.

    Shape: stem [samples] of the passage, which begins at millisecond `begin` -> [frames] twice
    """
    places = np.arange(frames.start, frames.stop) * HOP
    nominal = tone.hz(np.asarray(begin + places * (1000 / RATE), np.float64))
    loudness = decibels(levels(stem, places, max(RATE // 50, int(2 * RATE / nominal.min()))))
    below = loudness - loudness.max()
    truth = np.zeros(len(places))
    there = below > GONE
    found = measured(stem, places[there], nominal[there], SPAN)
    octave = (found.above > -ABOVE) | (found.below > BELOW)
    unclear = (found.clarity < OPEN) | octave | (octave.mean() > DOUBTFUL)
    sure = (below[there] > VOICED) & (found.clarity > CLEAR)
    truth[there] = np.where(unclear, np.nan, np.where(sure, found.hz, -found.hz))
    return truth, loudness


def truth_of_passage(
    tones: Sequence[Tone], stems: Sequence[Floats], heard: Floats, begin: int
) -> Floats:
    """The truth of all frames: of the last note that began, or of the one before that still rings.

    Shape: stems two of [samples], heard [samples] -> [frames]
    """
    count = len(heard) // HOP
    truth, level = np.zeros((2, count)), np.full((2, count), -140.0)
    joined = np.zeros(count)
    for index, tone in enumerate(tones):
        mine, other = index % 2, 1 - index % 2
        starts = [-(-(later.start - begin) // 10) for later in tones[index : index + 3]]
        starts = [min(value, count) for value in [*starts, count, count]]
        if starts[0] == starts[2]:
            continue
        own = range(starts[0], starts[2])
        truth[mine, own], level[mine, own] = truth_of_note(tone, stems[mine], begin, own)
        now = slice(starts[0], starts[1])
        apart = level[mine, now] - level[other, now]
        old, new = truth[other, now], truth[mine, now]
        mixed = np.where(apart < -MASKED, old, np.nan)
        mixed = np.where(apart > MASKED, new, np.where(old == 0, new, mixed))
        joined[now] = np.where(new == 0, old, mixed)
    # Frames that should be silent, but are not: rooms, and notes that ring on behind two others.
    loudness = decibels(levels(heard, np.arange(count) * HOP, RATE // 50))
    rings = loudness > loudness.max() + GONE
    rings &= np.arange(count) * 10 + begin >= tones[0].start
    return np.where((joined == 0) & rings, np.nan, joined)


def played(rng: np.random.Generator, program: Program, number: int) -> Iterator[Clip]:
    """`number` passages on one instrument."""
    begins, ends, at = [], [], GAP
    for _ in range(number):
        begins.append(at)
        ends.append(at + 10 * int(LENGTH / 10 * rng.uniform(0.75, 1.25)))
        at = ends[-1] + GAP
    passages = [passage(rng, program, *part) for part in zip(begins, ends, strict=True)]
    stems = [
        rendered(score(passages, ends, program.number, [channel]), False) for channel in (0, 1)
    ]
    shortest = min(len(stem) for stem in stems)
    whole = stems[0][:shortest] + stems[1][:shortest]
    if rng.uniform() < ROOMS:
        whole = rendered(score(passages, ends, program.number), True)
    for tones, begin, end in zip(passages, begins, ends, strict=True):
        part = slice(begin * RATE // 1000, end * RATE // 1000)
        if not tones or part.stop > min(shortest, len(whole)):
            continue
        heard = whole[part]
        truth = truth_of_passage(tones, [stem[part] for stem in stems], heard, begin)
        yield heard * (between(rng, 0.05, 0.7) / max(float(np.abs(heard).max()), 1e-6)), truth


def all_clips(programs: Sequence[Program], seed: int, seconds: float) -> Iterator[Clip]:
    """As long of each program, about `seconds` in all; says how much of each is known."""
    each = max(1, round(seconds * 1000 / LENGTH / len(programs)))
    for program in programs:
        rng = np.random.default_rng([seed, program.number, 5])
        values = []
        for first in range(0, each, AT_ONCE):
            for sound, truth in played(rng, program, min(AT_ONCE, each - first)):
                values.append(truth)
                yield sound, truth
        shares = np.concatenate(values)
        unknown, silent = np.isnan(shares).mean(), (shares == 0).mean()
        print(f"{program.number:4d} {program.name:20s} {unknown:6.1%} unknown {silent:6.1%} silent")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the set")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true", help="the programs of no other set")
    options = parser.parse_args()
    about = About(
        name=options.out.name,
        category="instruments",
        licence="MIT",
        source="FluidR3_GM.sf2 (Debian fluid-soundfont-gm) by FluidSynth",
        how=f"seed {options.seed}, " + ("held-out programs" if options.held_out else "the others"),
    )
    programs = HELD_OUT if options.held_out else PROGRAMS
    clips = all_clips(programs, options.seed, options.seconds)
    print(f"{options.out}: {write_set(options.out, clips, about):.0f} s")


if __name__ == "__main__":
    main()
