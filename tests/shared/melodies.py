"""Melodies whose notes are known, as sound and as pitch tracks."""

import numpy as np
import torch

from audiopipe.signals import Audio, PitchTrack

SCALE = [(0.5 + k / 8, 0.5 + (k + 1) / 8, 60 + k) for k in range(13)]
"""Semitones at eight notes a second: (begin, end, MIDI number)."""


def sung(notes, seconds, rate=44100, vibrato=0.0, beat=6.0, glide=0.0, harmonics=8, noise=1e-4):
    """Notes with overtones; `vibrato` is in cents to either side, `glide` in s."""
    time = np.arange(round(seconds * rate)) / rate
    number, level = np.full(len(time), np.nan), np.zeros(len(time))
    for begin, end, pitch in notes:
        here = (time >= begin) & (time < end)
        number[here] = pitch
        level[here] = np.minimum(1, np.minimum(time[here] - begin, end - time[here]) / 0.008)
    known = np.where(np.isfinite(number), np.arange(len(number)), 0)
    number = np.nan_to_num(number[np.maximum.accumulate(known)], nan=notes[0][2])
    if glide:
        count = round(glide * rate)
        padded = np.pad(number, (count // 2, count - count // 2 - 1), mode="edge")
        number = np.convolve(padded, np.ones(count) / count, "valid")
    number = number + vibrato / 100 * np.sin(2 * np.pi * beat * time)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((number - 69) / 12)) / rate
    wave = 0.2 * level * sum(np.sin(h * phase) / h for h in range(1, harmonics + 1))
    wave = wave + noise * np.random.default_rng(0).standard_normal(len(wave))
    return Audio(torch.tensor(wave[None], dtype=torch.float32), rate)


def track(numbers, hop=160, rate=16000):
    """A pitch track of MIDI numbers, one a frame, NaN for unvoiced."""
    numbers = torch.as_tensor(np.asarray(numbers, float))
    voiced = numbers.isfinite()
    hz = (440 * 2 ** ((numbers.nan_to_num(69.0) - 69) / 12)).float()
    return PitchTrack(hz, voiced, torch.where(voiced, 0.9, 0.1).float(), rate, hop)
