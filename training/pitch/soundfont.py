"""Notes as MIDI, and their sound by FluidSynth.

Notes that follow each other go to two channels by turns, and each channel is rendered by itself:
so each note's level and pitch can be measured where the one before still rings.
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from audiopipe.errors import AudiopipeError
from training.pitch.sets import RATE

Floats = NDArray[np.float64]

FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RENDERED = 2 * RATE
"""FluidSynth's rate in Hz; what lies above 8 kHz is filtered away, not folded."""
BEND_RANGE = 200.0
"""Cents; General MIDI's own."""
GRAIN = 4
"""Milliseconds between bends."""
MODULATION, SOUND_OFF = 1, 120
"""MIDI's controllers."""


class SoundfontError(AudiopipeError):
    """FluidSynth or its sounds are missing."""

    exit_code = 2


@dataclass(frozen=True)
class Tone:
    """A note: from `start` to `end` in milliseconds, with bends in cents every GRAIN.

    It sounds `shift` half tones above its key.
    """

    start: int
    end: int
    key: int
    velocity: int
    bends: Floats
    modulation: int
    shift: int = 0

    def hz(self, times: Floats) -> Floats:
        """What the score says at so many milliseconds from the beginning."""
        bend = np.interp(times - self.start, np.arange(len(self.bends)) * GRAIN, self.bends)
        pitch: Floats = 440 * 2 ** ((self.key + self.shift - 69) / 12 + bend / 1200)
        return pitch


def events(tone: Tone, channel: int) -> list[tuple[int, bytes]]:
    """What MIDI says of a note, with times in milliseconds."""
    steps = 8192 + np.clip(tone.bends / BEND_RANGE * 8192, -8192, 8191).astype(int)
    changes = np.flatnonzero(np.diff(steps, prepend=-1))
    bends = [
        (tone.start + int(index) * GRAIN, bytes([0xE0 + channel, value % 128, value // 128]))
        for index, value in zip(changes, steps[changes].tolist(), strict=True)
    ]
    return [
        (tone.start, bytes([0xB0 + channel, MODULATION, tone.modulation])),
        bends[0],
        (tone.start, bytes([0x90 + channel, tone.key, tone.velocity])),
        *bends[1:],
        (tone.end, bytes([0x80 + channel, tone.key, 0])),
    ]


def variable(number: int) -> bytes:
    """A number in MIDI's way: seven bits a byte, the highest first."""
    parts = [number % 128]
    while number := number // 128:
        parts.append(128 + number % 128)
    return bytes(reversed(parts))


def score(
    passages: Sequence[Sequence[Tone]],
    ends: Sequence[int],
    program: int,
    channels: Sequence[int] = (0, 1),
) -> bytes:
    """A MIDI file with the notes on `channels`, a tick of 1 ms; at `ends` all sound stops."""
    said = [(0, bytes([0xC0 + channel, program])) for channel in (0, 1)]
    for tones, end in zip(passages, ends, strict=True):
        for index, tone in enumerate(tones):
            if index % 2 in channels:
                said += events(tone, index % 2)
        said += [(end, bytes([0xB0 + channel, SOUND_OFF, 0])) for channel in (0, 1)]
    # Half a second a quarter note, of 500 ticks; and the end of the track.
    track, at = b"\x00\xff\x51\x03" + (500_000).to_bytes(3, "big"), 0
    for time, message in sorted(said, key=lambda event: event[0]):
        track += variable(time - at) + message
        at = time
    # FluidSynth stops with the track: some more time lets the last passage be complete.
    track += variable(500) + b"\xff\x2f\x00"
    return (
        b"MThd"
        + struct.pack(">IHHH", 6, 0, 1, 500)
        + b"MTrk"
        + struct.pack(">I", len(track))
        + track
    )


def rendered(midi: bytes, rooms: bool, font: Path = FONT) -> Floats:
    """Its sound at 16 kHz, mono; with FluidSynth's reverb and chorus, or dry."""
    if not font.is_file():
        raise SoundfontError(f"{font} is not there (apt-get install fluidsynth fluid-soundfont-gm)")
    switch = "1" if rooms else "0"
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        source.write_bytes(midi)
        command = ["fluidsynth", "-niq", "-R", switch, "-C", switch, "-g", "0.5"]
        command += ["-o", "synth.dynamic-sample-loading=1", "-O", "float", "-T", "wav"]
        command += ["-r", str(RENDERED), "-F", str(target), str(font), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SoundfontError(f"fluidsynth: {error} (apt-get install fluidsynth)") from error
        samples, rate = soundfile.read(target, always_2d=True)
    sound: Floats = resample_poly(samples.mean(-1), RATE, rate)
    return sound
