"""Make `words.flac`: words that flite, a synthesiser, says, with pauses: `python samples/words.py`.

flite's voices may be used for anything, and what they say is not restricted (its COPYING).
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
WORDS = ("yes", "no", "stop", "go", "seven", "left", "three", "down")
VOICES = ("slt", "rms")
PAUSE = 0.6
"""Seconds."""
ROOM = 10 ** (-65 / 20)
"""The level of the room, of full scale."""


def say(word: str, voice: str) -> np.ndarray:
    """A word by a voice of flite: [samples] at 16 kHz."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "-t", word, "-o", file.name], check=True)
        samples, rate = soundfile.read(file.name)
    assert rate == RATE
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return 0.3 * samples[loud[0] : loud[-1]] / np.abs(samples).max()


def main() -> None:
    """Write it beside this file."""
    pause = np.zeros(int(PAUSE * RATE))
    spoken = [say(word, VOICES[k % len(VOICES)]) for k, word in enumerate(WORDS)]
    sound = np.concatenate([pause, *(part for word in spoken for part in (word, pause))])
    sound += ROOM * np.random.default_rng(0).standard_normal(len(sound))
    soundfile.write(Path(__file__).with_name("words.flac"), sound, RATE, "PCM_16")


if __name__ == "__main__":
    main()
