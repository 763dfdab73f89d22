"""Synthetic tones whose f0 is exact by construction, as sets for the training.

    python -m training.pitch.tones OUT [--seconds 3600] [--seed 0] [--held-out]

Melodies from 30 to 4300 Hz, most of them between 40 and 2000, on timbres that are drawn anew for
each clip. `--held-out` takes half of the clips from timbres that are in no other set: a set to
validate with. The same seed gives the same set.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import jv

from training.pitch import timbres
from training.pitch.contours import CLIP, Floats, Note, between, melody, smooth_noise
from training.pitch.sets import HOP, RATE, About, Clip, write_set
from training.pitch.timbres import Play, Played, noise, phases_of, summed
from training.pitch.vowels import vowel

LOWEST, HIGHEST = 30.0, 4300.0
VOICED, GONE = -35.0, -50.0
"""dB to a note's peak: voiced above the first, not voiced below the second, open between them."""

Timbre = Callable[[np.random.Generator], Play]


def drawbars(rng: np.random.Generator) -> Play:
    """An organ: the partials of nine drawbars, the fundamental among them."""
    sizes = dict(zip((2, 3, 4, 6, 8, 10, 12, 16), rng.uniform(0, 1, 8), strict=True)) | {1: 0.8}
    phases = phases_of(rng)

    def play(hz: Floats) -> Played:
        return Played(summed(hz, lambda h, at: np.full(len(at), sizes.get(h, 0.0)), phases), hz)

    return play


def folded(rng: np.random.Generator) -> Play:
    """A sine bent back where it is too loud: odd partials as Bessel's functions have them."""
    depth = rng.uniform(0.5, 3)

    def play(hz: Floats) -> Played:
        return Played(summed(hz, lambda h, at: np.full(len(at), h % 2 * jv(h, depth))), hz)

    return play


def grains(rng: np.random.Generator) -> Play:
    """A decaying burst at a frequency of its own in every period, as in old speech synthesis."""
    centre, width = between(rng, 300, 3500), between(rng, 60, 600)

    def play(hz: Floats) -> Played:
        wave = summed(
            hz, lambda h, at: centre**2 / (centre**2 - (h * at) ** 2 + 1j * h * at * width)
        )
        return Played(wave, hz)

    return play


TIMBRES: dict[Timbre, tuple[float, float, float]] = {
    timbres.sine: (0.8, LOWEST, HIGHEST),
    timbres.additive: (2.0, LOWEST, HIGHEST),
    timbres.classic: (1.5, LOWEST, HIGHEST),
    timbres.odd_only: (1.0, 40, 2500),
    timbres.missing: (1.0, LOWEST, 1200),
    timbres.octave_trap: (1.0, LOWEST, 1500),
    timbres.fm: (1.2, LOWEST, HIGHEST),
    timbres.plucked: (1.0, LOWEST, 1000),
    timbres.stiff: (0.8, LOWEST, HIGHEST),
    timbres.bowed: (1.0, 40, 3500),
    timbres.blown: (1.2, 60, HIGHEST),
    vowel: (2.5, 55, 1200),
}
"""How often, and from where to where in Hz."""
HELD_OUT: dict[Timbre, tuple[float, float, float]] = {
    drawbars: (1.0, LOWEST, 2500),
    folded: (1.0, LOWEST, 2500),
    grains: (1.0, LOWEST, 1500),
}
STEADY = (timbres.plucked,)
SELF_DECAYING = (timbres.plucked, timbres.stiff)


def envelope(rng: np.random.Generator, samples: int, decaying: bool) -> Floats:
    """Attack, decay or swell, release, tremolo: 1 at its loudest, more or less."""
    time = np.arange(samples) / RATE
    attack = between(rng, 0.001, 0.01 if decaying else 0.15)
    release = between(rng, 0.003, 0.02 if decaying or rng.uniform() < 0.5 else 0.3)
    shape = np.minimum(1, time / attack)
    if rng.uniform() < 0.5 and not decaying:
        # In dB a second; most of these notes fade, some swell.
        shape *= 10 ** (rng.choice([-1, -1, -1, 0.3]) * between(rng, 1, 60) * time / 20)
        shape /= shape.max()
    if rng.uniform() < 0.2:
        rate = rng.uniform(3, 9) * (1 + 0.05 * smooth_noise(rng, samples, 3))
        depth = rng.uniform(0.1, 0.8)
        shape *= 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(rate) / RATE))
    left = time[::-1]
    end = np.minimum(1, left / release)
    if rng.uniform() < 0.5:
        # Evenly in dB, to -60; the last millisecond closes it.
        end = 10 ** (3 * (end - 1)) * np.minimum(1, left / 0.001)
    closed: Floats = shape * end
    return closed


def levels(wave: Floats, places: NDArray[np.int64], width: int) -> Floats:
    """Root mean square over `width` samples about each place."""
    energy = np.concatenate([np.zeros(1), np.cumsum(wave**2)])
    after = np.minimum(places + width // 2, len(wave))
    before = np.maximum(places - width // 2, 0)
    means: Floats = np.maximum(energy[after] - energy[before], 0) / width
    return np.sqrt(means)


def judged(hz: Floats, sound: Floats, places: NDArray[np.int64], floor: float) -> Floats:
    """The truth of a note at some of its samples by the level there: see VOICED and GONE.

    Shape: hz and sound [samples], places [frames] -> [frames]; floor: the noise's level
    """
    period = RATE / float(np.nanmedian(np.abs(hz))) if np.isfinite(hz).any() else RATE / 100
    level = levels(sound, places, max(RATE // 100, int(2 * period)))
    loudness = 20 * np.log10(np.maximum(level, 1e-9) / max(level.max(initial=0), 1e-9))
    # Below the noise, and within half a period of its ends, nobody can say that there is a tone.
    hidden = (level < floor) | (np.minimum(places, len(hz) - places) < period / 2)
    known = np.where((loudness > VOICED) & ~hidden, hz[places], -hz[places])
    return np.where(loudness > GONE, known, 0.0)


def rest(rng: np.random.Generator, samples: int) -> Floats:
    """What is in a rest at times: a hiss, a knock. It has no pitch."""
    burst = noise(rng, samples)
    if rng.uniform() < 0.5:
        return burst * np.sin(np.pi * np.arange(samples) / samples) ** rng.uniform(0.3, 3)
    return burst * np.exp(-np.arange(samples) / (RATE * between(rng, 0.002, 0.05)))


def clip(rng: np.random.Generator, timbre: Timbre, low: float, high: float) -> Clip:
    """About four seconds on one timbre."""
    samples = HOP * round(CLIP * RATE / HOP * rng.uniform(0.75, 1.25))
    # Most of them where most music and speech are.
    low, high = (max(low, 40), min(high, 2000)) if rng.uniform() < 0.85 else (low, high)
    notes = melody(rng, samples, low, high, timbre in STEADY)
    play, loudest = timbre(rng), between(rng, 0.05, 0.6)
    floor = 0.0 if rng.uniform() < 0.4 else loudest * 10 ** (rng.uniform(-70, -40) / 20)
    wave = floor * noise(rng, samples)
    truth = np.zeros(samples // HOP)
    bursts, dynamics = rng.uniform() < 0.35, rng.uniform(0, 12)
    ends = [Note(0, np.zeros(0)), *notes]
    for before, note in pairwise(ends):
        if bursts and note.start - before.end > 1600 and rng.uniform() < 0.7:
            level = loudest * 10 ** (rng.uniform(-30, 0) / 20) / 4
            wave[before.end : note.start] += level * rest(rng, note.start - before.end)
        result = play(note.hz)
        sound = result.wave * envelope(rng, len(note.hz), timbre in SELF_DECAYING)
        peak = loudest * 10 ** (-rng.uniform(0, dynamics) / 20)
        sound *= peak / max(float(np.abs(sound).max()), 1e-9)
        wave[note.start : note.end] += sound
        frames = slice(-(-note.start // HOP), -(-note.end // HOP))
        places = np.arange(frames.start, frames.stop) * HOP - note.start
        truth[frames] = judged(result.hz, sound, places, floor)
    return wave, truth


def sets_clips(seed: int, seconds: float, held_out: bool) -> Iterator[Clip]:
    """Clips of about so many seconds in all."""
    rng = np.random.default_rng([seed, 4])
    made = 0
    while made < seconds * RATE:
        table = HELD_OUT if held_out and rng.uniform() < 0.5 else TIMBRES
        kinds, weights = list(table), np.array([row[0] for row in table.values()])
        kind = kinds[rng.choice(len(kinds), p=weights / weights.sum())]
        wave, truth = clip(rng, kind, *table[kind][1:])
        made += len(wave)
        yield wave, truth


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the set")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true", help="timbres of no other set, too")
    options = parser.parse_args()
    about = About(
        name=options.out.name,
        category="tones",
        licence="MIT",
        source="training.pitch.tones",
        how=f"seed {options.seed}"
        + (", half of it on held-out timbres" if options.held_out else ""),
    )
    clips = sets_clips(options.seed, options.seconds, options.held_out)
    print(f"{options.out}: {write_set(options.out, clips, about):.0f} s")


if __name__ == "__main__":
    main()
