"""Peak memory of `audiopipe separate` on ten minutes and on three hours.

    python -m benchmarks.separation_memory MODEL ... [--song FILE] [--minutes 10 180]

A song is repeated until it is so long; each run is a process of its own, and writes 16-bit FLAC.
Fails if one takes more than 1.5 GiB, or if the longest takes 100 MiB more than the shortest. Three
hours of four stems take about 6 GB of disk.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import soundfile

from .pitch_tables import table

SONG = Path(__file__).parents[1] / "samples/song.flac"
LIMIT = 1536.0
APART = 100.0
"""MiB."""


def repeated(song: Path, seconds: float, to: Path) -> None:
    """Write a song again and again, as 16-bit FLAC, a round at a time."""
    samples, rate = soundfile.read(song, dtype="int16", always_2d=True)
    left = round(seconds * rate)
    with soundfile.SoundFile(to, "w", rate, samples.shape[1], "PCM_16") as file:
        while left > 0:
            file.write(samples[:left])
            left -= len(samples)


def separate(recording: Path, model: str, to: Path, more: Sequence[str]) -> tuple[float, float]:
    """The peak resident set of a run in MiB, and its time in s.

    Linux counts a process as at least as large as the one that started it: this one is smaller.
    """
    command = [sys.executable, "-m", "audiopipe", "separate", recording, "--model", model]
    command += ["--output", to, "--format", "flac", "--bits", "16", *more]
    began = time.perf_counter()
    pid = os.posix_spawn(sys.executable, list(map(os.fspath, command)), os.environ)
    _, status, used = os.wait4(pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"audiopipe separate ended with {code}")
    return used.ru_maxrss / 1024, time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--song", type=Path, default=SONG)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 180])
    parser.add_argument("--set", dest="settings", action="append", default=[], help="of the run")
    options = parser.parse_args()
    rows, over = [], False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in options.models:
            peaks = []
            for minutes in sorted(options.minutes):
                recording = folder / f"{minutes:g} min.flac"
                if not recording.exists():
                    repeated(options.song, 60 * minutes, recording)
                more = [word for setting in options.settings for word in ("--set", setting)]
                peak, took = separate(recording, model, folder / "out", more)
                shutil.rmtree(folder / "out")
                peaks.append(peak)
                speed = f"{60 * minutes / took:.0f}"
                rows.append([model, f"{minutes:g} min", f"{peak:.0f}", f"{took:.0f}", speed])
            over = over or max(peaks) > LIMIT or peaks[-1] - peaks[0] > APART
    table("Memory", ("model", "recording", "peak RSS (MiB)", "time (s)", "× real time"), rows)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
