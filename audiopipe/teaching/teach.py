"""Teach a network one's own words and sounds, from a few recordings of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from audiopipe.metrics import Confusion
from audiopipe.metrics.intervals import Interval
from audiopipe.recognizers import is_word
from audiopipe.teaching.base import Base
from audiopipe.teaching.examples import BACKGROUND, Examples, read_examples
from audiopipe.teaching.lesson import COPIES, prepare
from audiopipe.teaching.package import check_output, write_model
from audiopipe.teaching.trial import Trial, hold, warnings

BASE = "keywords-18"
LICENCE = "LicenseRef-own-recordings"
RECIPE = (
    "audiopipe teach: the layers of {base} as they are, {copies} changed copies of each "
    "recording, multinomial logistic regression on what the network hears, seed {seed}"
)

Progress = Callable[[str, int, int], None]
"""Told of a step (reading, listening, checking), what is done of it, and how much there is."""


@dataclass(frozen=True, eq=False)
class Taught:
    """A taught model and how good it is, on recordings that were held out.

    `folder` is the model; `clips` counts the recordings of each label, and the seconds of
    `_background_`. `confusion` counts what they, and other sounds, were taken for. The rest is
    about the recordings of labels alone: `accuracy` lies in `interval` with 95 % confidence. At
    `threshold` a share of `missed` recordings is not reported; `false` is, for `_background_` and
    `_unknown_` (other words), the share that is reported as a label. `by_speaker` tells whether
    the held-out speakers were never heard before.
    """

    folder: Path
    labels: tuple[str, ...]
    clips: Mapping[str, int]
    confusion: Confusion
    accuracy: float
    interval: Interval
    recall: Mapping[str, float]
    precision: Mapping[str, float]
    threshold: float
    missed: float
    false: Mapping[str, float]
    by_speaker: bool
    warnings: tuple[str, ...]
    seconds: float


def teach(
    folder: str | Path,
    output: str | Path,
    *,
    base: str = BASE,
    licence: str = LICENCE,
    overwrite: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Taught:
    """Teach the labels of `folder`, and write the model to the folder `output`.

    `folder` holds a folder for each label with at least five recordings; folders whose names
    begin with `_` hold background. `output` can be used as `model` of the stage `keywords`.
    `base` is the model that hears, `licence` that of the recordings, told in the card.

    Raises ExamplesError (with all that is wrong), OutputError where `output` cannot be
    written or is there, ModelError where `base` cannot be used, and ValueError for a licence
    without a name.
    """
    began = time.monotonic()
    output = Path(output)
    tell = progress or (lambda step, done, total: None)
    if not licence.strip():
        raise ValueError("a licence must have a name; LicenseRef-own-recordings will do")
    check_output(output, overwrite)
    network = Base.load(base)
    examples = read_examples(folder, lambda *so_far: tell("reading", *so_far))
    lesson = prepare(examples, network, seed, lambda *so_far: tell("listening", *so_far))
    trial = hold(lesson, seed, lambda *so_far: tell("checking", *so_far))
    head = lesson.fit(torch.ones(len(lesson.target), dtype=torch.bool))
    clips = _counted(examples)
    warned = [*examples.warnings, *warnings(trial)]
    if not network.others:
        warned.append(
            f"the model {base!r} brings no sounds of others: much of what is said will be taken "
            "for a label"
        )
    write_model(
        output,
        network,
        head,
        lesson.labels,
        threshold=trial.threshold,
        about=f"{', '.join(examples.labels)}: taught by examples.",
        licence=licence,
        recipe=RECIPE.format(base=network.card.name, copies=COPIES, seed=seed),
        figures=_figures(trial, clips, examples.by_speaker),
    )
    words = trial.words
    return Taught(
        folder=output,
        labels=lesson.labels,
        clips=clips,
        confusion=trial.confusion,
        accuracy=words.accuracy,
        interval=words.interval,
        recall={label: words.recall[label] for label in examples.labels},
        precision={label: words.precision[label] for label in examples.labels},
        threshold=trial.threshold,
        missed=trial.missed,
        false=trial.false,
        by_speaker=examples.by_speaker,
        warnings=tuple(warned),
        seconds=time.monotonic() - began,
    )


def _counted(examples: Examples) -> dict[str, int]:
    counts = Counter(clip.label for clip in examples.clips)
    return {
        **{label: counts[label] for label in examples.labels},
        BACKGROUND: len(examples.background),
    }


def _figures(trial: Trial, clips: Mapping[str, int], by_speaker: bool) -> dict[str, Any]:
    """What the card tells of the examples and of the trial."""
    shares = {"recall": trial.words.recall, "precision": trial.words.precision}
    return {
        "held out": "speakers" if by_speaker else "recordings",
        "accuracy": str(trial.words),
        "missed at the threshold": _percent(trial.missed),
        **{f"{name} taken for a label": _percent(share) for name, share in trial.false.items()},
        **{
            f"{'recordings' if is_word(label) else 'seconds'} of {label}": count
            for label, count in clips.items()
        },
        **{
            f"{kind} of {label}": _percent(share[label])
            for kind, share in shares.items()
            for label in clips
            if is_word(label)
        },
    }


def _percent(share: float) -> str:
    """A share as a figure of the card; of nothing there is none."""
    return "–" if share != share else f"{100 * share:.1f} %"
