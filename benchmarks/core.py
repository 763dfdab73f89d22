"""The core against its peers: the same sound, the same settings, equal results, one run.

    python benchmarks/core.py [--seconds 300] [--rounds 9] [--threads 1 2] [--json FILE]

Streams go through the engine in blocks as `audiopipe run` feeds them; the peers get the whole
recording at once. Every round calls all contenders of a comparison, beginning with another one
each time. The table has the median time, and the median of the rounds' ratios to ours, which
other work on the machine disturbs least; `--clock cpu` counts processor time instead, for a
machine that is not free. The exit status is 1 if results differ by more than the limit.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soxr
import torch
import torchaudio
from threadpoolctl import threadpool_limits

from audiopipe.engine import Engine
from audiopipe.pipeline import BLOCK
from audiopipe.plan import Graph, Node, plan
from audiopipe.registry import find_stage
from audiopipe.signals import Audio, PitchTrack, Sampled
from audiopipe.stage import Windowed

Array = np.ndarray[Any, np.dtype[Any]]
Measure = Callable[[Array, Array], float]

OURS = "audiopipe, streamed"
GOAL_BARE = 1.1
"""At most this many times what the bare torchaudio call takes."""
GOAL_LIBROSA = 3.0
"""At least this many times as fast as librosa."""
WINDOW, HOP, BANDS = 1024, 256, 80


@dataclass(frozen=True)
class Comparison:
    """Contenders by name, ours first, and how far their results may lie from ours."""

    title: str
    contenders: dict[str, Callable[[], Array]]
    differ: Measure
    unit: str
    limit: float
    exempt: tuple[str, ...] = ()
    """Who computes something else on purpose: their difference is told, not limited."""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    title: str
    threads: int
    name: str
    seconds: float
    ratio: float
    difference: float
    unit: str
    fine: bool


PAUSE = 0.2
"""Seconds between two calls."""


def main() -> int:
    """Run all comparisons and print them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=300, help="length of the recording")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--only", default="", help="part of the titles of what is to be run")
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    clock = time.perf_counter if options.clock == "wall" else time.process_time
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, "
          f"torchaudio {torchaudio.__version__}, librosa {librosa.__version__}, "
          f"soxr {soxr.__version__}; {options.seconds} s of sound, "
          f"{options.rounds} rounds, {options.clock} clock\n")  # fmt: skip
    rows: list[Row] = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        with threadpool_limits(threads), torch.inference_mode():
            for comparison in comparisons(options.seconds):
                if options.only in comparison.title:
                    rows += run(comparison, threads, options.rounds, clock)
                    show(rows[-len(comparison.contenders) :])
    goals(rows)
    if options.json:
        options.json.write_text(json.dumps([vars(row) for row in rows], indent=1))
    return 0 if all(row.fine for row in rows) else 1


def comparisons(seconds: int) -> list[Comparison]:
    """What is compared."""
    return [
        mel(seconds, 22050),
        mel(seconds, 44100),
        yin(seconds),
        *(resampling(seconds, old, new) for old, new in RATES),
    ]


def mel(seconds: int, rate: int) -> Comparison:
    """Mel spectra with librosa's mel scale."""
    sound = voice(seconds, rate)
    whole = torch.from_numpy(sound)[None]
    stage = find_stage("spectrogram").model_validate(
        {"scale": "mel", "window": WINDOW, "hop": HOP, "bands": BANDS, "mel": "slaney"}
    )
    shared = {"n_fft": WINDOW, "hop_length": HOP, "n_mels": BANDS, "pad_mode": "constant"}
    theirs = torchaudio.transforms.MelSpectrogram(rate, norm="slaney", mel_scale="slaney", **shared)
    return Comparison(
        f"mel spectrogram, {rate} Hz",
        {
            OURS: streamed(stage, sound, rate),
            "the stage alone, whole file": bare(stage, sound, rate),
            "torchaudio.transforms.MelSpectrogram": lambda: theirs(whole)[0].numpy(),
            "librosa.feature.melspectrogram": lambda: librosa.feature.melspectrogram(
                y=sound, sr=rate, **shared
            ),
        },
        relative,
        "of the largest value",
        limit=1e-5,
    )


def yin(seconds: int) -> Comparison:
    """Fundamental frequency, every frame by itself; and ours with its smoother."""
    rate, window, hop, low, high = 16000, 1024, 160, 80.0, 1000.0
    sound = voice(seconds, rate)
    config = {"method": "yin", "range": (low, high), "hop": hop, "window": window}
    alone = find_stage("pitch").model_validate({**config, "smoothing": 0})
    smooth = find_stage("pitch").model_validate(config)
    return Comparison(
        f"yin, {rate} Hz",
        {
            OURS: streamed(alone, sound, rate),
            "audiopipe, streamed and smoothed": streamed(smooth, sound, rate),
            "librosa.yin": lambda: librosa.yin(
                sound, fmin=low, fmax=high, sr=rate, frame_length=window, hop_length=hop
            ),
        },
        cents,
        "cents, 95th percentile",
        limit=10.0,
    )


RATES = ((44100, 16000), (48000, 16000), (16000, 44100), (44100, 48000))


def resampling(seconds: int, old: int, new: int) -> Comparison:
    """Change of rate; the sound ends where all the filters are still flat."""
    sound = voice(seconds, old, highest=0.4 * min(old, new))
    tensor = torch.from_numpy(sound)
    stage = find_stage("resample").model_validate({"rate": new})
    return Comparison(
        f"resample, {old} Hz to {new} Hz",
        {
            OURS: streamed(stage, sound, old),
            "soxr.resample (HQ)": lambda: soxr.resample(sound, old, new, "HQ"),
            "librosa.resample (soxr_hq)": lambda: librosa.resample(
                sound, orig_sr=old, target_sr=new, res_type="soxr_hq"
            ),
            "torchaudio.functional.resample (short filter)": lambda: torchaudio.functional.resample(
                tensor, old, new
            ).numpy(),
        },
        relative,
        "of the largest value",
        limit=1e-4,
        exempt=("torchaudio.functional.resample (short filter)",),
    )


def voice(seconds: int, rate: int, highest: float | None = None) -> Array:
    """Harmonics of a pitch that wanders between 110 Hz and 330 Hz, with a little noise below
    `highest` Hz, faded in and out."""
    time_s = np.arange(seconds * rate) / rate
    phase = 2 * np.pi * np.cumsum(110 * 3 ** (0.5 - 0.5 * np.cos(0.7 * time_s))) / rate
    wave = sum(np.sin(k * phase) / k for k in range(1, 6))
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(len(time_s)))
    edge = len(spectrum) if highest is None else int(highest * seconds)
    spectrum[edge:] = 0
    noise = np.fft.irfft(spectrum, len(time_s))
    ends = np.minimum(1, np.minimum(time_s, time_s[::-1]) / 0.1)  # a sudden end has all frequencies
    sound: Array = ((0.2 * wave + 0.002 * noise) * ends).astype(np.float32)
    return sound


def streamed(stage: Any, sound: Array, rate: int) -> Callable[[], Array]:
    """A call of the engine, block by block."""
    recording = Audio(torch.from_numpy(sound), rate)
    engine = Engine(plan(Graph((Node("it", stage, ("input",)),)), recording.format))
    blocks = [
        recording.cut(at, min(at + BLOCK, len(recording))) for at in range(0, len(recording), BLOCK)
    ]

    def call() -> Array:
        stream = engine.stream()
        given = [out for block in blocks for out in stream.push(block).values()]
        given += [out for rest in stream.finish() for out in rest.values()]
        return content(type(given[0]).join(given))

    return call


def bare(stage: Any, sound: Array, rate: int) -> Callable[[], Array]:
    """A call of a centred stage's maths on the whole recording, without the engine."""
    assert isinstance(stage, Windowed)
    recording = Audio(torch.from_numpy(sound), rate)
    framing = stage.framing(recording)
    model = stage.load(recording, torch.device("cpu"), torch.float32)

    def call() -> Array:
        sides = (framing.before, framing.after)
        padded = torch.nn.functional.pad(recording.samples, sides)
        windows = padded.unfold(-1, framing.window, framing.hop).movedim(-2, 0)
        array: Array = stage.compute(model, windows)[:, 0, :, 0].T.numpy()
        return array

    return call


def content(signal: Sampled) -> Array:
    """The numbers of a signal, of its first channel."""
    if isinstance(signal, PitchTrack):
        return signal.hz.numpy()
    return signal.tensors[0][0].numpy()


def relative(ours: Array, theirs: Array) -> float:
    """The largest difference, in terms of the largest value."""
    count = min(ours.shape[-1], theirs.shape[-1])
    assert abs(ours.shape[-1] - theirs.shape[-1]) <= 1, (ours.shape, theirs.shape)
    return float(np.abs(ours[..., :count] - theirs[..., :count]).max() / np.abs(theirs).max())


def cents(ours: Array, theirs: Array) -> float:
    """How far pitches lie apart, in cents; frames at the ends see silence, and are left out."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.percentile(np.abs(1200 * np.log2(ours / theirs))[8:-8], 95))


def run(comparison: Comparison, threads: int, rounds: int, clock: Callable[[], float]) -> list[Row]:
    """Time all contenders in turn."""
    names = list(comparison.contenders)
    results = {name: call() for name, call in comparison.contenders.items()}  # and warm up
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            # Threads of the one before wait for more work, and keep a core busy meanwhile.
            time.sleep(PAUSE)
            began = clock()
            comparison.contenders[name]()
            times[name].append(clock() - began)
    rows = []
    for name in names:
        ratios = [a / b for a, b in zip(times[name], times[names[0]], strict=True)]
        difference = comparison.differ(results[names[0]], results[name])
        fine = name in comparison.exempt or difference <= comparison.limit
        rows.append(
            Row(
                comparison.title,
                threads,
                name,
                statistics.median(times[name]),
                statistics.median(ratios),
                difference,
                comparison.unit,
                fine,
            )
        )
    return rows


def show(rows: Sequence[Row]) -> None:
    """Print a comparison as a Markdown table."""
    plural = "" if rows[0].threads == 1 else "s"
    print(f"### {rows[0].title}, {rows[0].threads} thread{plural}\n")
    print(f"| | time | times ours | largest difference ({rows[0].unit}) |")
    print("| --- | ---: | ---: | ---: |")
    for row in rows:
        mark = "" if row.fine else " **too far**"
        print(
            f"| {row.name} | {row.seconds * 1000:.0f} ms | {row.ratio:.2f} | "
            f"{row.difference:.1e}{mark} |"
        )
    print(flush=True)


def goals(rows: Sequence[Row]) -> None:
    """Say what has become of the goals."""
    for row in rows:
        where = f"{row.title}, {row.threads} thread{'' if row.threads == 1 else 's'}"
        if "torchaudio.transforms" in row.name:
            met = "met" if 1 / row.ratio <= GOAL_BARE else "MISSED"
            print(f"- {where}: the engine takes {1 / row.ratio:.2f} times as long as the bare "
                  f"torchaudio call (goal: at most {GOAL_BARE:g}): {met}")  # fmt: skip
        elif row.name.startswith("librosa") and "resample" not in row.name:
            met = "met" if row.ratio >= GOAL_LIBROSA else "MISSED"
            print(f"- {where}: {row.ratio:.1f} times as fast as {row.name} "
                  f"(goal: {GOAL_LIBROSA:g}): {met}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
