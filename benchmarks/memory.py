"""Peak memory of `audiopipe run` on three hours of stereo against three minutes.

    python benchmarks/memory.py [--hours 3]

Makes the recordings by block (a glide, with noise), runs each pipeline in a process of its
own, and prints the peak resident set of each and their difference in MiB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE = 44100
LIMIT = 150.0
PIPELINES = {
    "resample, spectrogram": """
audiopipe: 1
stages:
  - {use: resample, rate: 16 kHz}
  - {use: spectrogram, scale: log-mel, window: 1024, hop: 256, bands: 80}
outputs: {"{name}.npz": spectrogram, "{name}.png": spectrogram}
""",
    "pitch": """
audiopipe: 1
stages: [{use: pitch}]
outputs: {"{name}.csv": pitch, "{name}.png": pitch}
""",
}


def make_recording(path: Path, seconds: float) -> None:
    """Write a stereo glide with noise, a minute at a time."""
    random = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for start in range(0, round(seconds * RATE), 60 * RATE):
            count = min(60 * RATE, round(seconds * RATE) - start)
            time_s = np.arange(count) / RATE
            wave = 0.3 * np.sin(2 * np.pi * (110 * time_s + 110 / 120 * time_s**2))
            noise = 0.01 * random.standard_normal((count, 2))
            file.write((wave[:, None] + noise).astype(np.float32))


def measure(definition: Path, recording: Path, folder: Path) -> tuple[float, float]:
    """Run once; the peak resident set in MiB, and the time in s."""
    command = [sys.executable, __file__, "--one", str(definition), str(recording), str(folder)]
    began = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(told.split()[-1]), time.perf_counter() - began


def run_one(definition: str, recording: str, folder: str) -> None:
    """Run in this process, and print its peak resident set in MiB."""
    from audiopipe.pipeline import load
    from audiopipe.run.batch import run_batch

    report = run_batch(load(definition), [recording], folder, device="cpu")
    assert report.count("done") == 1, report.files
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> int:
    """Compare; 1 if three hours take more than the limit beyond three minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        run_one(*arguments.one)
        return 0
    over = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = {"3 min": 180.0, f"{arguments.hours:g} h": 3600 * arguments.hours}
        for label, seconds in recordings.items():
            make_recording(folder / f"{label}.flac", seconds)
        print("| pipeline | recording | peak RSS (MiB) | time (s) | × real time |")
        print("| --- | --- | ---: | ---: | ---: |")
        for title, text in PIPELINES.items():
            definition = folder / "pipeline.yaml"
            definition.write_text(text)
            peaks = []
            for label, seconds in recordings.items():
                out = folder / f"{title} {label}"
                peak, took = measure(definition, folder / f"{label}.flac", out)
                peaks.append(peak)
                line = f"| {title} | {label} | {peak:.0f} | {took:.1f} | {seconds / took:.0f} |"
                print(line, flush=True)
            apart = peaks[1] - peaks[0]
            over = over or apart > LIMIT
            print(f"\n{title}: {apart:+.0f} MiB apart (limit {LIMIT:.0f})\n")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
