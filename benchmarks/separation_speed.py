"""Native Spleeter against Deezer's own, with the same weights: how fast, and in how much memory.

    audiopipe engines install spleeter
    python -m benchmarks.separation_speed [--model 2stems] [--seconds 60 600] [--rounds 3]
        [--threads 2] [--work FOLDER]

Each runs in a process of its own, in turn, on the same cores. "Start-up" is the time from the
beginning of the program until it can separate; the first separation is given apart, as TensorFlow
builds its graph in each. Ours is timed with `overlap` 0, where the stems are equal, and with its
default.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

BEGIN = time.perf_counter()
REPEATS = 2
"""Separations a process."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="2stems")
    parser.add_argument("--seconds", nargs="+", type=float, default=[60, 600])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--ours", nargs=3, metavar=("FOLDER", "IN", "OVERLAP"))
    arguments = parser.parse_args()
    if arguments.ours:
        folder, source, overlap = arguments.ours
        print(json.dumps(ours(folder, source, float(overlap), arguments.threads)))
        return
    with TemporaryDirectory() as temporary:
        compare(arguments, arguments.work or Path(temporary))


def compare(arguments: argparse.Namespace, work: Path) -> None:
    """Print a table for each length of sound."""
    from .separation_oracle import made_sound, model

    work.mkdir(parents=True, exist_ok=True)
    folder = model(arguments.model, work / arguments.model)
    cores = sorted(os.sched_getaffinity(0))[: arguments.threads]
    os.sched_setaffinity(0, cores)  # what is started from here on has these
    for seconds in arguments.seconds:
        source = work / "sound.npy"
        np.save(source, made_sound(seconds, 2))
        found: dict[str, list[dict[str, Any]]] = {}
        for _ in range(arguments.rounds):
            for name, overlap in (("Deezer's", None), ("ours", 0.0), ("ours, overlap 0.25", 0.25)):
                done = process(folder, source, overlap, arguments.threads)
                found.setdefault(name, []).append(done)
        print(f"\n{arguments.model}, {seconds:g} s of stereo, {len(cores)} cores\n")
        show(found, seconds)


def process(folder: Path, source: Path, overlap: float | None, threads: int) -> dict[str, Any]:
    """What a process of its own has measured."""
    if overlap is None:
        from .separation_oracle import run

        return run("time", folder, source, REPEATS)
    command = [sys.executable, "-m", "benchmarks.separation_speed", "--threads", str(threads)]
    command += ["--ours", str(folder), str(source), str(overlap)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(folder: str, source: str, overlap: float, threads: int) -> dict[str, Any]:
    """Start-up in s, wall and processor time of each separation in s, and peak memory in bytes."""
    import torch

    from audiopipe import Audio, Pipeline
    from audiopipe.separators.base import Choice
    from audiopipe.separators.spleeter import parts

    torch.set_num_threads(threads)
    sound = Audio(torch.from_numpy(np.load(source).T.copy()), 44100)
    pipeline = Pipeline([*parts(Choice(folder, overlap=overlap))])
    pipeline.engine(sound)
    began = time.perf_counter() - BEGIN
    took = []
    for _ in range(REPEATS):
        start, used = time.perf_counter(), time.process_time()
        pipeline.run(sound)
        took.append((time.perf_counter() - start, time.process_time() - used))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"began": began, "took": took, "peak": peak}


def show(found: dict[str, list[dict[str, Any]]], seconds: float) -> None:
    """A row each: medians over the rounds."""
    print("| | start-up | first | next | times real time | processor | peak memory | speed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    theirs = [done["took"][-1][0] for done in found["Deezer's"]]
    for name, rounds in found.items():
        began, first, following, used = (
            statistics.median(values)
            for values in (
                [done["began"] for done in rounds],
                [done["took"][0][0] for done in rounds],
                [done["took"][-1][0] for done in rounds],
                [done["took"][-1][1] for done in rounds],
            )
        )
        ratios = [a / done["took"][-1][0] for a, done in zip(theirs, rounds, strict=True)]
        peak = max(done["peak"] for done in rounds) / 2**30
        print(
            f"| {name} | {began:.1f} s | {first:.1f} s | {following:.1f} s "
            f"| {seconds / following:.1f} | {used:.1f} s | {peak:.2f} GiB "
            f"| {statistics.median(ratios):.1f} × |",
            flush=True,
        )


if __name__ == "__main__":
    main()
