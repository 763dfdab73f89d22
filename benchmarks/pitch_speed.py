"""How fast pitch is tracked: each in turn on the same sound, one thread, and streams live."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from . import pitch_tones
from .pitch_contenders import Contender, TrackerError
from .pitch_tables import Figures, table

RATE = 16000
SECONDS = 60
LIVE_SECONDS = 30
RESTING = 8.0
"""Seconds that a call may take to be timed in every round; a slower one is timed once."""


def sound(seconds: int) -> np.ndarray:
    """Tones and pauses."""
    notes = (pitch_tones.make("additive", 2 * n).sound for n in range(-(-seconds // 10)))
    return np.concatenate(list(notes))[: seconds * RATE]


def batch(contenders: Sequence[Contender], rounds: int) -> Figures:
    """Times real time of each, and the median of the rounds' ratios to the first of ours."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "sound.wav")
        soundfile.write(path, sound(SECONDS), RATE, subtype="FLOAT")
        first = {}
        for c in contenders:
            try:
                first[c.name] = c.ask(path=path)["wall"]
            except TrackerError as error:
                print(f"- left out: {error}\n")
        contenders = [c for c in contenders if c.name in first]
        times: dict[str, list[dict[str, float]]] = {name: [] for name in first}
        for k in range(rounds):
            for c in (*contenders[k % len(contenders) :], *contenders[: k % len(contenders)]):
                if first[c.name] < RESTING or not times[c.name]:
                    times[c.name].append(c.ask(path=path))
    ours = next((c.name for c in contenders if c.ours), contenders[0].name)
    base = times[ours]
    figures: Figures = {}
    rows = []
    for name, spent in times.items():
        wall = statistics.median(s["wall"] for s in spent)
        ratios = [s["wall"] / b["wall"] for s, b in zip(spent, base, strict=False)]
        figures[name] = {
            "times real time": SECONDS / wall,
            "times real time, processor": SECONDS / statistics.median(s["cpu"] for s in spent),
            "time in terms of ours": statistics.median(ratios),
        }
        rows.append(
            [
                name,
                *(f"{figure:.0f}" for figure in list(figures[name].values())[:2]),
                f"{statistics.median(ratios):.2f} ×",
            ]
        )
    columns = ("tracker", "× real time", "of the processor's time", f"time in terms of {ours}")
    table(f"Speed on {SECONDS} s at {RATE} Hz, one thread", columns, rows)
    return figures


def live(contenders: Sequence[Contender]) -> Figures:
    """The share of one core that a stream takes in blocks of 10 ms."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "sound.wav")
        soundfile.write(path, sound(LIVE_SECONDS + 1), RATE, subtype="FLOAT")
        for c in contenders:
            try:
                spent = c.ask(path=path, live=True)
            except TrackerError:
                continue
            figures[c.name] = spent["cpu"] / spent["seconds"]
    rows = ([name, f"{100 * share:.1f} %"] for name, share in figures.items())
    table(f"Live, {LIVE_SECONDS} s in blocks of 10 ms", ("tracker", "of one core"), rows)
    return figures
