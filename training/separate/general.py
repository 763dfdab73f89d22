"""Made-up songs played by General MIDI instruments, a part for each.

apt-get install fluidsynth fluid-soundfont-gm
python -m training.separate.general --to DATA/general --songs 90 [--seed 0]
"""

from __future__ import annotations

import argparse
import logging
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from training.pitch.soundfont import FONT, variable

from .scores import Note, compose
from .songs import RATE, write_song

log = logging.getLogger("general")

PROGRAMS: dict[str, Sequence[int]] = {
    "bass": (32, 33, 33, 33, 34, 34, 35, 36, 37, 38, 38, 39, 39, 87),
    "chords": (
        0,
        0,
        1,
        2,
        4,
        4,
        5,
        7,
        16,
        17,
        18,
        24,
        25,
        25,
        26,
        27,
        27,
        28,
        29,
        30,
        30,
        61,
        62,
        21,
    ),
    "arpeggio": (
        0,
        4,
        6,
        8,
        10,
        11,
        12,
        24,
        25,
        27,
        45,
        46,
        80,
        81,
        84,
        98,
        99,
        104,
        107,
        108,
        114,
    ),
    "pad": (48, 49, 50, 51, 52, 88, 89, 90, 91, 92, 93, 94, 95, 19, 16),
    "lead": (
        40,
        42,
        56,
        57,
        60,
        61,
        64,
        65,
        66,
        68,
        71,
        73,
        75,
        78,
        79,
        80,
        81,
        82,
        84,
        86,
        29,
        30,
        0,
        22,
        11,
    ),
}
KITS = (0, 0, 8, 16, 24, 25, 32, 40)
"""Programs of the drums' channel: standard, room, power, electronic, TR-808, jazz, brush."""
STEM = {"drums": "drums", "bass": "bass"}
DRUMS = 9
"""MIDI's channel of the drums, counted from 0."""


def midi(notes: Sequence[Note], program: int, channel: int) -> bytes:
    """A MIDI file of one part, a tick of 1 ms."""
    said = [(0, bytes([0xC0 + channel, program]))]
    for begin, end, key, velocity in notes:
        key = min(127, max(0, key))
        said.append((round(1000 * begin), bytes([0x90 + channel, key, velocity])))
        said.append((round(1000 * end), bytes([0x80 + channel, key, 0])))
    track, at = b"\x00\xff\x51\x03" + (500_000).to_bytes(3, "big"), 0
    for time, message in sorted(said, key=lambda event: (event[0], event[1][0])):
        track += variable(time - at) + message
        at = time
    track += variable(1000) + b"\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


def rendered(score: bytes, room: bool) -> NDArray[np.float32]:
    """Its sound by FluidSynth.

    Shape: [samples, 2]
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        source.write_bytes(score)
        switch = "1" if room else "0"
        command = ["fluidsynth", "-niq", "-R", switch, "-C", switch, "-g", "0.6"]
        command += ["-o", "synth.dynamic-sample-loading=1", "-O", "s16", "-T", "wav"]
        command += ["-r", str(RATE), "-F", str(target), str(FONT), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        return np.asarray(soundfile.read(target, dtype="float32", always_2d=True)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=90)
    parser.add_argument("--seconds", type=float, default=60, help="of a song")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for number in range(arguments.songs):
        rng = np.random.default_rng([arguments.seed, number])
        score = compose(rng, arguments.seconds)
        count = int(score.seconds * RATE)
        parts = {}
        for role, notes in score.roles.items():
            if not notes or (role in ("arpeggio", "pad", "lead") and rng.random() < 0.25):
                continue
            program = int(rng.choice(KITS if role == "drums" else PROGRAMS[role]))
            channel = DRUMS if role == "drums" else 0
            sound = rendered(midi(notes, program, channel), bool(rng.random() < 0.6))[:count]
            peak = float(np.abs(sound).max(initial=1e-4))
            whole = np.zeros((count, 2), np.int16)
            whole[: len(sound)] = np.rint(sound * (16000 / peak))
            parts[STEM.get(role, "other"), f"{role} {program}"] = whole
        write_song(arguments.to / f"{arguments.seed}-{number:03d}", parts)
        log.info("%d: %.0f s, %d parts", number, score.seconds, len(parts))


if __name__ == "__main__":
    main()
