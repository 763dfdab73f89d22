"""Pitch: ours against the peers, on the same recordings in one run.

    python -m benchmarks.pitch SET ... [--peers PYTHON] [--ours method=yin ...] [--snr clean 20 0]
        [--only accuracy offsets speed live] [--json FILE]

A SET is a folder of recordings, each beside its truth (see the README); the made tones are there
without one. Peers that are not installed are left out, and named.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TypeVar

import numpy as np

from audiopipe.metrics import PitchAccuracy

from . import pitch_speed, pitch_tones
from . import pitch_tables as tables
from .pitch_contenders import Contender, TrackerError
from .pitch_material import CLEAN, Item, Noises, made, of_folder, some
from .pitch_peers import PEERS
from .pitch_tables import Figures, Scores

Found = TypeVar("Found")
Row = dict[str, PitchAccuracy]
"""By condition."""

SLOW = ("crepe-full", "librosa-pyin")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sets", type=Path, nargs="*", help="folders of recordings with truth")
    parser.add_argument("--peers", default=sys.executable, help="the Python that has the peers")
    parser.add_argument("--names", nargs="*", default=list(PEERS), help="NAME or NAME@LOW-HIGH")
    parser.add_argument("--ours", nargs="*", default=["method=yin"], help="OPTION=VALUE,...")
    parser.add_argument("--snr", nargs="+", default=[CLEAN, "20", "10", "0"])
    parser.add_argument("--noise", type=Path, help="a folder of recorded noise")
    parser.add_argument("--babble", type=Path, help="a folder of speech, for babble")
    parser.add_argument("--kinds", nargs="+", choices=Noises.only, default=Noises.only)
    parser.add_argument("--seconds", type=float, default=0, help="at most so much of each set")
    parser.add_argument("--slow", type=float, default=60, help="the same for slow peers")
    parser.add_argument("--no-tones", action="store_true", help="without the made tones")
    parser.add_argument("--rounds", type=int, default=5, help="of the speed")
    parser.add_argument("--cache", type=Path, default=Path("out/pitch-benchmark"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    options = parser.parse_args()
    contenders = [
        *(Contender(f"ours:{told}" if told else "ours", sys.executable) for told in options.ours),
        *(Contender(name, options.peers, options.cache) for name in options.names),
    ]
    figures: Figures = {}
    for part in options.only:
        figures[part] = PARTS[part](options, contenders)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n")


def each(contenders: Sequence[Contender], call: Callable[[Contender], Found]) -> dict[str, Found]:
    """What a call gives, by name; those that fail are named and left out."""
    found = {}
    for contender in contenders:
        try:
            found[contender.name] = call(contender)
        except TrackerError as error:
            print(f"- left out: {error}\n")
    return found


def accuracy(options: argparse.Namespace, contenders: Sequence[Contender]) -> Figures:
    """Tables of each set, and of each category that has several."""
    noises = Noises(options.noise, options.babble, tuple(options.kinds))
    groups = [of_folder(folder, options.seconds) for folder in options.sets]
    if not options.no_tones:
        groups += made(options.seconds)
    figures: Figures = {}
    categories: dict[str, list[Scores]] = {}
    for items in filter(None, groups):
        fewer = some(items, options.slow)

        def scored(c: Contender, items: list[Item] = items, fewer: list[Item] = fewer) -> Row:
            slow = c.name.startswith(SLOW)
            return score(c, fewer if slow else items, options.snr, noises)

        part = " (a part)" if len(fewer) < len(items) else ""
        found = each(contenders, scored)
        scores = {name + part * name.startswith(SLOW): row for name, row in found.items()}
        categories.setdefault(items[0].category, []).append(scores)
        figures[items[0].group] = shown(f"{items[0].category}, {items[0].group}", scores)
    for category, parts in categories.items():
        if len(parts) > 1:
            figures[f"all {category}"] = shown(f"{category}, all sets", pooled(parts))
    return figures


def shown(title: str, scores: Scores) -> Figures:
    """Print the tables of one set; give what is written."""
    tables.show_overall(title, scores)
    for condition in next(iter(scores.values())):
        tables.show_all(title, condition, scores)
    return {
        name: {condition: tables.figures(found) for condition, found in row.items()}
        for name, row in scores.items()
    }


def pooled(parts: Sequence[Scores]) -> Scores:
    """The frames of several sets together, of those who have tracked them all."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {
        name: {c: reduce(add, (part[name][c] for part in parts)) for c in parts[0][name]}
        for name in names
    }


def score(
    contender: Contender, items: Sequence[Item], conditions: Sequence[str], noises: Noises
) -> Row:
    """By condition, over all items."""
    found = {}
    for condition in conditions:
        total: PitchAccuracy | None = None
        for item in items:
            key = noises.key(item, condition)
            track = contender.track(key, partial(noises.mixed, item, condition))
            truth = item.truth()
            one = PitchAccuracy.of(truth, track.at(np.asarray(truth.seconds)))
            total = one if total is None else total + one
        assert total is not None
        found[condition] = total
    return found


def offsets(_: argparse.Namespace, contenders: Sequence[Contender]) -> Figures:
    """Where frames lie: by how much each is late on a pitch that glides fast, and its bias.

    What is off in time is off in pitch by the slope: a line through the errors has both.
    """
    figures: Figures = {}
    for rate in (16000, 44100):
        tone = pitch_tones.glide(rate)

        def fitted(c: Contender, tone: pitch_tones.Tone = tone) -> list[float]:
            key = f"glide {tone.rate} {tone.sound.sum()}"
            found = c.track(key, lambda: (tone.sound, tone.rate))
            cents, off = 1200 * np.log2(tone.hz), np.asarray(found.at(tone.seconds).hz)
            off = 1200 * np.log2(np.maximum(off, 1)) - cents
            fine = np.abs(off) < 100
            slope = np.gradient(cents, tone.seconds)
            late, bias = np.polyfit(slope[fine], off[fine], 1)
            return [-1000 * late, bias, float(fine.mean())]

        told = each([c for c in contenders if rate == 16000 or not c.name.startswith(SLOW)], fitted)
        figures |= {f"{name}, {rate} Hz": row for name, row in told.items()}
    rows = ([name, *(f"{x:.2f}" for x in row)] for name, row in figures.items())
    columns = ("tracker", "late in ms", "bias in cents", "frames within a semitone")
    tables.table("A pitch that glides by up to 3.3 octaves a second", columns, rows)
    return figures


def speed(options: argparse.Namespace, contenders: Sequence[Contender]) -> Figures:
    """Batch, each in turn."""
    return pitch_speed.batch(contenders, options.rounds)


def live(_: argparse.Namespace, contenders: Sequence[Contender]) -> Figures:
    """Streams at the pace of sound."""
    return pitch_speed.live(contenders)


PARTS: dict[str, Callable[[argparse.Namespace, Sequence[Contender]], Figures]] = {
    "offsets": offsets,
    "accuracy": accuracy,
    "speed": speed,
    "live": live,
}

if __name__ == "__main__":
    main()
