"""Seams: how much more a stem changes where two of a model's segments meet than elsewhere.

    python -m benchmarks.separation_seams MODEL [FILE] [--overlaps 0 0.125 0.25 0.5]

MODEL is of Spleeter's kind, a name or a folder; without a FILE, the sound is 40 s of noise and
gliding tones. The share of the mix that a stem has in each bin is looked at 23 ms before and after;
a seam of 1 is none.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import soundfile
import torch
from torch import Tensor

from audiopipe.nets.spleeter import FRAMES
from audiopipe.separators.segments import HOP

from .separation_oracle import made_sound, stems

NEAR = 12
"""Frames on either side of the place where segments meet in which the largest change counts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("file", nargs="?")
    parser.add_argument("--overlaps", nargs="+", type=float, default=[0, 0.125, 0.25, 0.5])
    arguments = parser.parse_args()
    sound = made_sound(40, 2)
    if arguments.file:
        sound, rate = soundfile.read(arguments.file, dtype="float32", always_2d=True)
        if rate != 44100:
            sys.exit(f"{arguments.file}: {rate} Hz, and 44100 Hz is needed")
    print("| overlap | seam: median | largest |\n| --- | --- | --- |")
    for overlap in arguments.overlaps:
        found = seams(sound, stems(arguments.model, sound, overlap), overlap)
        print(f"| {overlap:g} | {np.median(found):.2f} | {found.max():.2f} |", flush=True)


def seams(sound: np.ndarray, parts: np.ndarray, overlap: float) -> np.ndarray:
    """For each meeting of segments, the change there in terms of the median change."""
    mix = magnitudes(sound)
    change = sum(
        (magnitudes(part) / (mix + 1e-3)).clamp_max(1).diff(dim=-1).abs().mean((0, 1))
        for part in parts
    )
    assert isinstance(change, Tensor)
    first = FRAMES - 4  # the grid begins four hops before the sound
    step = FRAMES - round(overlap * FRAMES)
    meetings = range(first if not overlap else step - 4, change.numel() - NEAR, step)
    usual = change[NEAR:-NEAR].median()
    return np.array([float(change[m - NEAR : m + NEAR].max() / usual) for m in meetings])


def magnitudes(sound: np.ndarray) -> Tensor:
    """[channels, bins, frames] of sound [samples, channels], bins up to 11 kHz."""
    samples = torch.from_numpy(np.ascontiguousarray(sound.T))
    window = torch.hann_window(2 * HOP)
    spectra = torch.stft(samples, 2 * HOP, HOP, window=window, return_complex=True)
    return spectra.abs()[:, : HOP // 2]


if __name__ == "__main__":
    main()
