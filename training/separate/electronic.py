"""Made-up songs of synthesisers and sampled drums.

    python -m training.separate.electronic SAMPLES --to DATA/electronic --songs 60 [--seed 0]

SAMPLES is `etc/samples` of sonic-pi-net/sonic-pi (CC0 1.0). Oscillators go through filters that
open and close, the kick ducks the rest, and there are rooms, echoes and sweeps of noise.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, oaconvolve, sosfilt

from .scores import CLAP, KICK, SNARE, Note, compose
from .singing import room
from .songs import RATE, write_song

Floats = NDArray[np.float64]

log = logging.getLogger("electronic")

KICKS, SNARES = ("bd_", "drum_heavy_kick", "elec_soft_kick"), ("sn_", "drum_snare", "elec_snare")
HATS = ("hat_", "drum_cymbal_closed", "drum_cymbal_pedal", "elec_tick")
OTHERS = (
    "elec_",
    "perc_",
    "tabla_",
    "drum_tom",
    "drum_cowbell",
    "ride_",
    "drum_cymbal",
    "glitch_perc",
)
LOOPS = (
    "loop_amen",
    "loop_breakbeat",
    "loop_compus",
    "loop_industrial",
    "loop_mehackit",
    "loop_perc",
)
LOOPS += ("loop_tabla", "loop_safari", "loop_mika", "arovane_beat")
BACK = (SNARE, CLAP, 37, 40)


def oscillator(shape: str, hertz: Floats, rng: np.random.Generator) -> Floats:
    """A wave whose frequency may move; its edges are rounded by a sample each (polyBLEP)."""
    step = hertz / RATE
    phase = (rng.random() + np.cumsum(step)) % 1.0
    if shape == "sine":
        return np.asarray(np.sin(2 * np.pi * phase))
    if shape == "triangle":
        return np.asarray(4 * np.abs(phase - 0.5) - 1)
    if shape == "saw":
        return np.asarray(2 * phase - 1 - edge(phase, step))
    width = 0.5 if shape == "square" else rng.uniform(0.1, 0.4)
    other = (phase + 1 - width) % 1.0
    wave = np.where(phase < width, 1.0, -1.0) + edge(phase, step) - edge(other, step)
    return np.asarray(wave + 1 - 2 * width)


def edge(phase: Floats, step: Floats) -> Floats:
    """What rounds a step of two at phase 0."""
    after, before = phase / step, (phase - 1) / step
    return np.where(
        after < 1,
        2 * after - after**2 - 1,
        np.where(before > -1, before**2 + 2 * before + 1, 0.0),
    )


def low_passed(wave: Floats, hertz: float) -> Floats:
    sections = butter(2, min(hertz, 20000) / (RATE / 2), output="sos")
    return np.asarray(sosfilt(sections, wave, axis=0))


class Patch:
    """A sound of a synthesiser, drawn for a role."""

    def __init__(self, role: str, rng: np.random.Generator) -> None:
        low = role == "bass"
        shapes = ["saw", "square", "pulse", "triangle", "sine"]
        shares = [0.25, 0.15, 0.1, 0.15, 0.35] if low else [0.4, 0.15, 0.15, 0.15, 0.15]
        self.shape = str(rng.choice(shapes, p=shares))
        self.voices = 1 if low and rng.random() < 0.7 else int(rng.choice([1, 2, 3, 5]))
        self.apart = rng.uniform(2, 18)
        self.wide = 0.2 if low else rng.uniform(0.2, 1.0)
        self.attack = rng.uniform(0.1, 0.6) if role == "pad" else rng.uniform(0.002, 0.02)
        plucked = role == "arpeggio" or rng.random() < 0.3
        self.decay = rng.uniform(0.08, 0.6) if plucked and role != "pad" else 4.0
        self.dull = float(
            np.exp(rng.uniform(np.log(80 if low else 300), np.log(900 if low else 3000)))
        )
        self.bright = self.dull * float(np.exp(rng.uniform(0.5, 3)))
        self.closing = float(np.exp(rng.uniform(np.log(0.05), np.log(1.0))))
        self.vibrato = rng.uniform(0, 0.3) if role == "lead" else 0.0
        self.sub = low and rng.random() < 0.4
        self.octave = -12 if role == "bass" and rng.random() < 0.3 else 0

    def sound(self, key: int, seconds: float, rng: np.random.Generator) -> Floats:
        """A note: [samples, 2]."""
        tail = min(0.3, self.decay)
        time = np.arange(int((seconds + tail) * RATE)) / RATE
        hertz = 440 * 2 ** ((key + self.octave - 69) / 12)
        pitch = hertz * 2 ** (self.vibrato * np.sin(2 * np.pi * 5.5 * time) / 12)
        sides = np.zeros((len(time), 2))
        for voice in range(self.voices):
            place = 2 * voice / max(1, self.voices - 1) - 1 if self.voices > 1 else 0.0
            wave = oscillator(self.shape, pitch * 2 ** (place * self.apart / 1200), rng)
            sides += wave[:, None] * [1 - self.wide * place / 2, 1 + self.wide * place / 2]
        dull, bright = low_passed(sides, self.dull), low_passed(sides, self.bright)
        found = dull + (bright - dull) * np.exp(-time / self.closing)[:, None]
        if self.sub:
            found = found + self.voices * np.sin(np.pi * np.cumsum(pitch) / RATE)[:, None]
        swell = np.minimum(1, time / self.attack) * np.exp(-time / self.decay)
        return found * (swell * np.clip((seconds + tail - time) / tail, 0, 1))[:, None]


def played(notes: list[Note], role: str, count: int, rng: np.random.Generator) -> Floats:
    """A synthesiser's part: [samples, 2]."""
    patch = Patch(role, rng)
    track = np.zeros((count, 2))
    made: dict[tuple[int, int], Floats] = {}
    for begin, end, key, velocity in notes:
        lasting = int(20 * (end - begin)) + 1
        if (key, lasting) not in made:
            made[key, lasting] = patch.sound(key, lasting / 20, rng)
        add(track, made[key, lasting] * (velocity / 100), begin)
    return track


def add(track: Floats, sound: Floats, begin: float) -> None:
    """Mix a sound into a track from so many seconds on."""
    at = int(begin * RATE)
    stretch = track[at : at + len(sound)]
    stretch += sound[: len(stretch)]


class Kit:
    """Samples for the keys of the drums."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng = folder, rng
        self.sounds: dict[int, Floats] = {}

    def sound(self, key: int) -> Floats:
        """The sample of a key, drawn when it is first played."""
        if key not in self.sounds:
            kinds = KICKS if key in (35, KICK) else SNARES if key in BACK else OTHERS
            kinds = HATS if key in (42, 44, 46) else kinds
            self.sounds[key] = sample(self.folder, kinds, self.rng)[: 2 * RATE]
        return self.sounds[key]


def sample(folder: Path, kinds: tuple[str, ...], rng: np.random.Generator) -> Floats:
    """A sample of some kinds, at another speed, with its peak at 1: [samples, 2]."""
    paths = [path for path in sorted(folder.glob("*.flac")) if path.name.startswith(kinds)]
    sound, rate = soundfile.read(paths[rng.integers(len(paths))], always_2d=True)
    speed = float(np.exp(rng.normal(0, 0.15)))
    sound = soxr.resample(sound, rate * speed, RATE)
    sound = np.repeat(sound, 2, 1) if sound.shape[1] == 1 else sound[:, :2]
    return np.asarray(sound / (np.abs(sound).max() + 1e-6))


def drummed(notes: list[Note], folder: Path, count: int, rng: np.random.Generator) -> Floats:
    """The part of the drums, or a loop: [samples, 2]."""
    track = np.zeros((count, 2))
    if rng.random() < 0.25:
        loop = sample(folder, LOOPS, rng)
        for at in range(0, count, len(loop)):
            add(track, loop, at / RATE)
    if not track.any() or rng.random() < 0.5:
        kit = Kit(folder, rng)
        for begin, _, key, velocity in notes:
            loud = 1.0 if key in (35, KICK) else 0.6 if key in BACK else 0.3
            add(track, kit.sound(key) * (loud * velocity / 100), begin)
    return track


def ducking(notes: list[Note], count: int, rng: np.random.Generator) -> Floats:
    """What the kick leaves of the rest: [samples, 1]."""
    gain = np.ones(count)
    lasts, deep = rng.uniform(0.1, 0.35), rng.uniform(0.3, 0.95)
    dip = 1 - deep * np.exp(-np.arange(int(3 * lasts * RATE)) / (lasts * RATE))
    for begin, _, key, _ in notes:
        if key in (35, KICK):
            at = int(begin * RATE)
            stretch = gain[at : at + len(dip)]
            np.minimum(stretch, dip[: len(stretch)], out=stretch)
    return low_passed(gain[:, None] - 1, 200.0) + 1


def sweeps(count: int, rng: np.random.Generator) -> Floats:
    """Noise that rises or falls: [samples, 2]."""
    track = np.zeros((count, 2))
    for _ in range(int(rng.integers(1, 5))):
        length = int(rng.uniform(1, 8) * RATE)
        noise = rng.normal(0, 1, (length, 2))
        shape = np.linspace(0, 1, length)[:, None] ** rng.uniform(1, 3)
        dull, bright = low_passed(noise, 600), low_passed(noise, rng.uniform(3000, 15000))
        swept = (dull * (1 - shape) + bright * shape) * shape
        add(track, swept[:: int(rng.choice([-1, 1]))], rng.uniform(0, count / RATE))
    return track


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60, help="of a song")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for number in range(arguments.songs):
        rng = np.random.default_rng([arguments.seed, number, 7])
        score = compose(rng, arguments.seconds)
        count = int(score.seconds * RATE)
        ducked = ducking(score.roles["drums"], count, rng) if rng.random() < 0.5 else 1.0
        parts = {("drums", "drums"): drummed(score.roles["drums"], arguments.samples, count, rng)}
        for role in ("bass", "chords", "arpeggio", "pad", "lead"):
            if role != "bass" and rng.random() < 0.3:
                continue
            track = played(score.roles[role], role, count, rng) * ducked
            if role != "bass" and rng.random() < 0.7:
                wet = oaconvolve(track, room(rng), axes=0)[:count]
                track = track + wet * rng.uniform(0.1, 1.0)
            parts["bass" if role == "bass" else "other", role] = track
        if rng.random() < 0.4:
            parts["other", "sweeps"] = sweeps(count, rng)
        whole = {
            name: np.rint(track * (16000 / np.abs(track).max())).astype(np.int16)
            for name, track in parts.items()
            if track.any()
        }
        write_song(arguments.to / f"{arguments.seed}-{number:03d}", whole)
        log.info("%d: %.0f s, %d parts", number, score.seconds, len(whole))


if __name__ == "__main__":
    main()
