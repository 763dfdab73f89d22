"""Separation live: how long a step takes, and how late sound comes out against what is declared.

    python -m benchmarks.separation_live MODEL ... [--song FILE] [--seconds 30] [--threads 2]

A stream is fed with blocks as long as the hop of its coarsest window. Latency is measured with an
impulse, fed in small blocks: how much sound had gone in when the impulse came out.
"""

from __future__ import annotations

import argparse
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import torch

from audiopipe.engine import Engine
from audiopipe.pipeline import chain
from audiopipe.signals import Audio, Sampled, Signal, Stems
from audiopipe.stage import Windowed
from audiopipe.stages.separate import Separate

from .pitch_tables import table
from .separation_memory import SONG

FINE = 128
"""Samples of a block while latency is measured."""
PLACES = 8
"""Impulses, at different places of the hop."""
BEFORE = 1.0
"""Seconds of music before an impulse."""


def engine(model: str, form: Audio) -> tuple[Engine, str]:
    """A loaded engine, and the name of its output."""
    made = chain(Separate(model=model)).engine(form, device="cpu")
    return made, next(iter(made.plan.outputs))


def coarsest(made: Engine) -> Fraction:
    """The longest hop of the windows of a plan, in s."""
    hops = [Fraction(0)]
    for step in made.plan.steps:
        source = step.formats[0]
        if isinstance(step.stage, Windowed) and isinstance(source, Sampled):
            hop = step.stage.framing(source).hop
            hops.append(Fraction(hop * source.hop, source.rate))
    return max(hops)


def out(made: Engine, samples: np.ndarray, rate: int, block: int) -> tuple[np.ndarray, list[int]]:
    """What comes out without an end, and how much of it is there after each block.

    Shape: [stems, channels, samples]
    """
    stream, parts, counts = made.stream(), [], []
    for start in range(0, samples.shape[-1], block):
        found = stream.push(Audio(samples[:, start : start + block], rate))
        parts += [np.stack([a.numpy() for a in stems.values()]) for stems in found.values()]
        counts.append(sum(part.shape[-1] for part in parts))
    return np.concatenate(parts, -1), counts


def latency(made: Engine, samples: np.ndarray, rate: int, name: str) -> tuple[float, float]:
    """How late an impulse comes out in s, at most, and the samples that it is displaced by."""
    declared, hop = made.plan.output_latency(name), coarsest(made)
    count = round((BEFORE + float(declared + 2 * hop) + 0.1) * rate)
    music = samples[:, :count]
    plain, _ = out(made, music, rate, FINE)
    late, displaced = 0.0, 0
    for k in range(PLACES):
        at = round((BEFORE + float(k * hop / PLACES)) * rate)
        hit = music.copy()
        hit[:, at] += 1.0
        sound, counts = out(made, hit, rate, FINE)
        change = np.abs(sound - plain[..., : sound.shape[-1]]).sum((0, 1))
        peak = int(change.argmax())
        displaced = max(displaced, abs(peak - at))
        blocks = next(i for i, count in enumerate(counts) if count > peak)
        late = max(late, (blocks * FINE - at) / rate)
    return late, displaced


def steps(made: Engine, samples: np.ndarray, rate: int, block: int) -> np.ndarray:
    """The time of each step, and of the processor, in s, once sound has begun to come out.

    Shape: [2, steps]
    """
    stream, spent, sounding = made.stream(), [], False
    for start in range(0, samples.shape[-1] - block + 1, block):
        piece = Audio(samples[:, start : start + block], rate)
        began, busy = time.perf_counter(), time.process_time()
        found = stream.push(piece)
        took = time.perf_counter() - began, time.process_time() - busy
        sounding = sounding or any(map(length, found.values()))
        if sounding:
            spent.append(took)
    return np.array(spent).T


def length(stems: Signal) -> int:
    """Samples of each stem."""
    assert isinstance(stems, Stems)
    return len(next(iter(stems.values())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--song", type=Path, default=SONG)
    parser.add_argument("--seconds", type=float, default=30, help="of steps that are timed")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    samples, rate = soundfile.read(options.song, dtype="float32", always_2d=True)
    samples = samples.T
    long = np.tile(samples, -(-round(options.seconds * rate) // samples.shape[-1]))
    rows = []
    for model in options.models:
        made, name = engine(model, Audio.empty(rate, len(samples)))
        hop = coarsest(made)
        fed = long[:, : round(options.seconds * rate)]
        times, busy = 1000 * steps(made, fed, rate, round(hop * rate))
        late, displaced = latency(made, long, rate, name)
        declared = made.plan.output_latency(name)
        quantiles = (f"{q:.1f}" for q in np.percentile(times, [50, 95, 99]))
        figures = [f"{1000 * float(hop):.1f}", *quantiles, f"{(times > 1000 * hop).mean():.2%}"]
        figures.append(f"{np.median(busy):.1f}")
        ends = [f"{1000 * float(declared):.1f}", f"{1000 * late:.1f}", str(displaced)]
        rows.append([model, *figures, *ends])
    table(
        f"Live, {options.threads} threads, {options.seconds:g} s",
        (
            *("model", "hop, ms", "step p50, ms", "p95", "p99", "longer than the hop"),
            "processor p50, ms",
            *("latency declared, ms", "measured", "impulse displaced by, samples"),
        ),
        rows,
    )


if __name__ == "__main__":
    main()
