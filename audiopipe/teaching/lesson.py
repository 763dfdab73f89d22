"""What is learnt from: features of every recording, as it is and as it might have sounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from audiopipe.recognizers import is_word
from audiopipe.teaching.augment import augment, equalised, the_second
from audiopipe.teaching.base import Base
from audiopipe.teaching.examples import BACKGROUND, Examples
from audiopipe.teaching.folds import fold_of_each
from audiopipe.teaching.head import Head, fit
from audiopipe.teaching.noises import made_up_noises

UNKNOWN = "_unknown_"
"""The label of words that were not taught."""
SPEECH = "_speech_"
"""What a model calls seconds of running speech among the other sounds that it brings."""
OTHERS = 3.0
"""How much the labels of other sounds weigh, in terms of a label that is taught."""
COPIES = 16
"""Changed copies of each example."""
NOISES = 128
"""Seconds of made-up noise; the room is heard as often, however short its recording is."""
MOST_COPIES = 8
"""Of a second of the room."""
TOGETHER = 5
"""Seconds of the room that are held out together: those beside each other are alike."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Lesson:
    """Features [n, features] of recordings and their copies.

    `item` [n] says of which recording, `plain` [n] whether it is the recording as it is.
    `target` [recordings] is the place of its label in `labels`, `groups` what it is held out
    with. The first labels are those of the user; others begin with `_`.
    """

    labels: tuple[str, ...]
    features: Tensor
    item: Tensor
    plain: Tensor
    target: Tensor
    groups: tuple[str, ...]

    def folds(self, seed: int) -> Tensor:
        """The fold in which each recording is held out: [recordings]."""
        return fold_of_each(self.target.tolist(), self.groups, seed)

    def fit(self, recordings: Tensor) -> Head:
        """A head from all copies of the recordings in a mask [recordings]."""
        chosen = recordings[self.item]
        targets = self.target[self.item]
        weights = torch.tensor([1.0 if is_word(label) else OTHERS for label in self.labels])
        return fit(self.features[chosen], targets[chosen], weights)

    def scores(self, head: Head, recordings: Tensor) -> Tensor:
        """What a head says of the recordings in a mask, as they are: [n, labels]."""
        return head.scores(self.features[self.plain & recordings[self.item]])


@dataclass(frozen=True, eq=False)
class _Part:
    """Recordings of one kind: `heard` holds features [recordings, features] of them as they
    are, then of all of them again for each copy."""

    labels: list[str]
    groups: list[str]
    heard: list[Tensor]


def prepare(examples: Examples, base: Base, seed: int, progress: Progress) -> Lesson:
    """Make copies, and have the network hear them."""
    random = torch.Generator().manual_seed(seed)
    made_up = made_up_noises(NOISES, random)
    noises = made_up
    parts = [_Part([BACKGROUND] * NOISES, [f"made up {k}" for k in range(NOISES)], [])]
    parts[0].heard.append(base.hear(made_up))
    if examples.background:
        rooms = torch.stack([second.samples for second in examples.background])
        noises = torch.cat([made_up, rooms.repeat(-(-NOISES // len(rooms)), 1)])
        parts.append(_room(examples, rooms, base, random))
    if others := _untaught(base.others, examples.labels):
        parts.append(_others(others))
    parts.insert(0, _taught(examples, noises, base, random, progress))

    labels = [label for part in parts for label in part.labels]
    known = (*examples.labels, *sorted(set(labels) - set(examples.labels)))
    firsts = torch.tensor([0, *(len(part.labels) for part in parts)]).cumsum(0).tolist()
    rows = [
        (first + torch.arange(len(part.labels)), heard, copy == 0)
        for first, part in zip(firsts, parts, strict=False)
        for copy, heard in enumerate(part.heard)
    ]
    return Lesson(
        labels=known,
        features=torch.cat([heard for _, heard, _ in rows]),
        item=torch.cat([item for item, _, _ in rows]),
        plain=torch.cat([torch.full((len(item),), plain) for item, _, plain in rows]),
        target=torch.tensor([known.index(label) for label in labels]),
        groups=tuple(group for part in parts for group in part.groups),
    )


def _taught(
    examples: Examples, noises: Tensor, base: Base, random: torch.Generator, progress: Progress
) -> _Part:
    clips = torch.stack([clip.samples for clip in examples.clips])
    heard = [base.hear(the_second(clips))]
    for copy in range(COPIES):
        progress(copy, COPIES)
        heard.append(base.hear(augment(clips, noises, random)))
    progress(COPIES, COPIES)
    groups = [clip.group for clip in examples.clips]
    return _Part([clip.label for clip in examples.clips], groups, heard)


def _room(examples: Examples, rooms: Tensor, base: Base, random: torch.Generator) -> _Part:
    copies = min(MOST_COPIES, NOISES // len(rooms))
    heard = [base.hear(rooms), *(base.hear(equalised(rooms, random)) for _ in range(copies))]
    groups = [f"{second.path} {k // TOGETHER}" for k, second in enumerate(examples.background)]
    return _Part([BACKGROUND] * len(rooms), groups, heard)


def _untaught(others: Mapping[str, Tensor], taught: tuple[str, ...]) -> dict[str, Tensor]:
    """What nobody taught: a word that the user teaches is no longer one of the others."""
    ours = {_plain(label) for label in taught}
    return {name: heard for name, heard in others.items() if _plain(name) not in ours}


def _others(others: Mapping[str, Tensor]) -> _Part:
    """A word is held out as a whole, so that the check is made with words that are new."""
    names = [name for name, heard in others.items() for _ in heard]
    labels = [UNKNOWN if is_word(name) or name == SPEECH else BACKGROUND for name in names]
    # Sounds that are no words have one name for many: they are held out one by one.
    groups = [
        f"other {name}" if is_word(name) else f"other {name} {k}" for k, name in enumerate(names)
    ]
    return _Part(labels, groups, [torch.cat(list(others.values()))])


def _plain(word: str) -> str:
    return word.casefold().strip("_").replace("_", " ").replace("-", " ")
