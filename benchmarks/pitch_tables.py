"""What the benchmark of pitch prints, and what it writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audiopipe.metrics import PitchAccuracy

from .pitch_material import CLEAN

Figures = dict[str, Any]
Scores = Mapping[str, Mapping[str, PitchAccuracy]]
"""By contender and condition."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print(f"### {title}\n\n| {' | '.join(columns)} |\n| --- |{' ---: |' * (len(columns) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def named(condition: str) -> str:
    return condition if condition == CLEAN else f"{condition} dB"


def show_overall(title: str, scores: Scores) -> None:
    """Overall accuracy, the best of each condition in bold."""
    conditions = list(next(iter(scores.values())))
    best = {c: max(row[c].overall for row in scores.values()) for c in conditions}

    def cell(found: PitchAccuracy, most: float) -> str:
        text = f"{100 * found.overall:.1f}"
        return f"**{text}**" if found.overall == most else text

    table(
        f"{title}: overall accuracy in %",
        ("tracker", *map(named, conditions)),
        ([name, *(cell(row[c], best[c]) for c in conditions)] for name, row in scores.items()),
    )


COLUMNS = (
    "tracker",
    "overall",
    "raw pitch",
    "raw chroma",
    "voicing recall",
    "false alarm",
    "median cents",
    "octave errors, ‰",
)


def show_all(title: str, condition: str, scores: Scores) -> None:
    """All figures of one condition; octave errors of the voiced frames."""
    rows = []
    for name, found in ((name, row[condition]) for name, row in scores.items()):
        shares = (
            found.overall,
            found.raw_pitch,
            found.raw_chroma,
            found.voicing_recall,
            found.voicing_false_alarm,
        )
        octaves = 1000 * found.octave_errors / max(1, found.voiced)
        figures = (f"{found.median_cents:.1f}", f"{octaves:.1f}")
        rows.append([name, *(f"{100 * share:.1f}" for share in shares), *figures])
    table(f"{title}, {named(condition)}", COLUMNS, rows)


def figures(found: PitchAccuracy) -> Figures:
    """What is written of them."""
    return {
        "frames": found.frames,
        "voiced": found.voiced,
        "overall": found.overall,
        "raw pitch": found.raw_pitch,
        "raw chroma": found.raw_chroma,
        "voicing recall": found.voicing_recall,
        "voicing false alarm": found.voicing_false_alarm,
        "median cents": found.median_cents,
        "octaves up": found.octaves_up,
        "octaves down": found.octaves_down,
    }
