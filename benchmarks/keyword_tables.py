"""What the benchmark of keywords prints, and what it writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audiopipe.metrics import Confusion, Curve, Spotting

Figures = dict[str, Any]

GOALS = {
    "commands": 0.96,
    "digits, Speech Commands": 0.9,
    "digits, other speakers": 0.9,
    "unknown": 0.85,
    "silence, made": 0.99,
    "silence, noise": 0.99,
}
LONGEST = 12
"""Lines of a list of what went wrong."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table, each row as soon as it is there."""
    print(f"### {title}\n\n| {' | '.join(columns)} |\n| --- |{' ---: |' * (len(columns) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print(flush=True)


def show_groups(told: Mapping[str, Confusion]) -> None:
    """Who is right how often, and whether that is enough."""

    def against(group: str, found: Confusion) -> str:
        if group not in GOALS:
            return ""
        return (
            f"{100 * GOALS[group]:.0f} %: {'met' if found.accuracy >= GOALS[group] else 'MISSED'}"
        )

    rows = [(group, str(found), against(group, found)) for group, found in told.items()]
    table("One second, one of 20", ("group", "right (95 % interval)", "goal"), rows)


def show_mistakes(found: Confusion) -> None:
    """What is taken for what, and what is recognised least."""
    taken = (f"{m.truth} → {m.guess} {m.times} ×" for m in found.mistakes[:LONGEST])
    weakest = sorted((share, label) for label, share in found.recall.items())[:6]
    print(f"- most frequent mistakes: {', '.join(taken)}")
    shares = (f"{label} {100 * share:.1f} %" for share, label in weakest)
    print(f"- recognised least: {', '.join(shares)}\n", flush=True)


def rejects(found: Spotting) -> str:
    """Words missed, with the interval."""
    low, high = (100 * end for end in found.false_rejects_interval)
    return f"{100 * found.false_rejects:.1f} % ({low:.1f} to {high:.1f}) of {found.words}"


def alarms(found: Spotting) -> str:
    """False alarms an hour, with the interval."""
    low, high = found.false_alarms_interval
    rate = f"{found.false_alarms_per_hour:.2f}"
    return f"{rate} ({low:.2f} to {high:.2f}): {len(found.false)} in {found.hours:.2f} h"


def show_thresholds(
    marks: Mapping[str, float],
    words: Mapping[str, Mapping[float, Spotting]],
    others: Mapping[str, Mapping[float, Spotting]],
) -> None:
    """What is missed and what is falsely heard, a column a threshold."""
    columns = ("sound", *(f"{name}: {threshold:.3g}" for name, threshold in marks.items()))
    table(
        "Words missed",
        columns,
        ([name, *(rejects(row[t]) for t in marks.values())] for name, row in words.items()),
    )
    sounds = {**words, **others}
    table(
        "False alarms an hour",
        columns,
        ([name, *(alarms(row[t]) for t in marks.values())] for name, row in sounds.items()),
    )


def show_curves(curves: Mapping[str, Curve]) -> None:
    """What each threshold costs."""
    columns = ["threshold", *(f"missed / alarms an hour {name}" for name in curves)]
    rows = zip(*(curve.points for curve in curves.values()), strict=True)
    table(
        "What a threshold costs",
        columns,
        (
            [
                f"{row[0].threshold:.3g}",
                *(f"{100 * p.false_rejects:.1f} % / {p.false_alarms:.1f}" for p in row),
            ]
            for row in rows
        ),
    )


def show_culprits(name: str, found: Counter[tuple[str, str]]) -> None:
    """What was heard that nobody said, and where."""
    if not found:
        return
    labels: Counter[str] = Counter()
    for (label, _), count in found.items():
        labels[label] += count
    print(f"- false in {name}: {', '.join(f'{x} {n} ×' for x, n in labels.most_common())}")
    for (label, text), count in found.most_common(LONGEST):
        print(f"  - {label} {count} ×: {text}")
    print(flush=True)


def show_missed(name: str, found: Spotting) -> None:
    """Which words are missed most."""
    missed = Counter(word.label for word in found.missed)
    said = missed + Counter(hit.word.label for hit in found.hits)
    rows = sorted(((missed[label] / count, label, count) for label, count in said.items()))
    worst = (f"{label} {100 * share:.0f} % of {n}" for share, label, n in rows[:-9:-1])
    print(f"- missed most, {name}: {', '.join(worst)}\n", flush=True)


def of_group(found: Confusion) -> Figures:
    """What is written of clips."""
    return {
        "right": found.right,
        "count": found.total,
        "interval": found.interval,
        "recall": {label: share for label, share in found.recall.items() if share == share},
        "mistakes": found.mistakes[:LONGEST],
    }


def of_stream(found: Spotting) -> Figures:
    """What is written of a stream."""
    return {
        "words": found.words,
        "missed": len(found.missed),
        "false": len(found.false),
        "hours": found.hours,
    }
