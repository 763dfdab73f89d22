"""How good a taught head is, found with recordings that it was not taught with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from audiopipe.metrics import Confusion
from audiopipe.recognizers import is_word
from audiopipe.teaching.examples import BACKGROUND
from audiopipe.teaching.lesson import Lesson, Progress

LOWEST, HIGHEST, STEP = 0.3, 0.95, 0.05
"""Of thresholds that are tried."""
PRICE = 5.0
"""A share of other sounds taken for a label weighs as much as five times that share missed."""
_CONFUSED = 0.15
_HARD = 0.7
_MANY = 0.03


@dataclass(frozen=True, eq=False)
class Trial:
    """What became of every recording when it was held out.

    `confusion` counts what each was taken for, other words and background too. At `threshold` a
    share of `missed` of the labelled recordings is not reported; `false` is, for `_background_`
    and `_unknown_`, the share that is reported as a label.
    """

    confusion: Confusion
    threshold: float
    missed: float
    false: dict[str, float]

    @property
    def words(self) -> Confusion:
        """The confusion without what was not taught: its accuracy is that of the labels."""
        counts = self.confusion.counts.copy()
        for row, label in enumerate(self.confusion.labels):
            counts[row] *= is_word(label)
        return Confusion(counts, self.confusion.labels)


def hold(lesson: Lesson, seed: int, progress: Progress) -> Trial:
    """Hold out every fold in turn, and judge it by a head that was taught with the others."""
    folds = lesson.folds(seed)
    scores = torch.zeros(len(lesson.target), len(lesson.labels))
    count = int(folds.max()) + 1
    for fold in range(count):
        progress(fold, count)
        scores[folds == fold] = lesson.scores(lesson.fit(folds != fold), folds == fold)
    progress(count, count)
    return judge(scores, lesson.target, lesson.labels)


def judge(scores: Tensor, target: Tensor, labels: tuple[str, ...]) -> Trial:
    """Count scores [recordings, labels] of held-out recordings with their `target` labels."""
    guesses = scores.argmax(1)
    confusion = Confusion.of(
        [labels[k] for k in target.tolist()], [labels[k] for k in guesses.tolist()], labels
    )
    words = sum(map(is_word, labels))
    right = torch.where(guesses == target, scores.amax(1), 0.0)[target < words]
    alarms = {
        label: scores[target == k, :words].amax(1)
        for k, label in enumerate(labels)
        if not is_word(label)
    }

    def missed(threshold: float) -> float:
        return float((right < threshold).float().mean())

    def false(threshold: float) -> dict[str, float]:
        return {name: float((each >= threshold).float().mean()) for name, each in alarms.items()}

    steps = torch.arange(LOWEST, HIGHEST + STEP / 2, STEP).tolist()
    threshold = min(steps, key=lambda at: missed(at) + PRICE * sum(false(at).values()))
    return Trial(confusion, round(threshold, 2), missed(threshold), false(threshold))


def warnings(trial: Trial) -> Iterator[str]:
    """What the user should know: labels that are confused, or hardly recognised."""
    counts, labels = trial.confusion.counts, trial.confusion.labels
    said = counts.sum(1)
    words = [label for label in labels if is_word(label)]
    for i, first in enumerate(words):
        for j, second in enumerate(words[:i]):
            times, least = counts[i, j] + counts[j, i], min(said[i], said[j])
            if times >= 2 and times >= _CONFUSED * least:
                yield (
                    f"{second!r} and {first!r} are confused ({times} times in "
                    f"{said[i] + said[j]}): record more of both, or choose ones that differ more"
                )
        lost = counts[i, len(words) :].sum()
        if lost >= 2 and said[i] - lost < _HARD * said[i]:
            yield (
                f"{first!r} is often taken for something else ({lost} of {said[i]} times): record "
                "more of it, near the microphone, or choose what is easier to tell from others"
            )
    if trial.false[BACKGROUND] > _MANY:
        yield (
            f"{100 * trial.false[BACKGROUND]:.0f} % of the background is taken for a label: "
            "record more background"
        )
