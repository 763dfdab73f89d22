"""Cross-validation: every recording is judged by a head that was not taught with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

MOST = 10


def fold_of_each(labels: Sequence[int], groups: Sequence[str], seed: int) -> Tensor:
    """The fold [n] in which each recording is held out.

    A group is held out as a whole, and the groups of a label are dealt out evenly. There are
    as many folds as the label with the fewest groups has groups, but at most ten: with five
    recordings of each label, one of each is held out at a time.

    >>> fold_of_each([0, 0, 0, 1, 1, 1], ["a", "a", "b", "c", "d", "d"], seed=0)
    tensor([0, 0, 1, 0, 1, 1])
    """
    of_label: dict[int, set[str]] = defaultdict(set)
    sizes: dict[str, int] = defaultdict(int)
    for label, group in zip(labels, groups, strict=True):
        of_label[label].add(group)
        sizes[group] += 1
    count = min(MOST, *map(len, of_label.values())) if of_label else 1
    random = torch.Generator().manual_seed(seed)
    fold: dict[str, int] = {}
    load = [0] * count
    # Labels with few groups first: they have the least choice.
    for label in sorted(of_label, key=lambda each: (len(of_label[each]), each)):
        names = sorted(of_label[label])
        names = [names[k] for k in torch.randperm(len(names), generator=random).tolist()]
        taken = [0] * count
        for name in names:
            if name in fold:
                taken[fold[name]] += 1
        for name in sorted((n for n in names if n not in fold), key=lambda n: -sizes[n]):
            place = min(range(count), key=lambda k: (taken[k], load[k]))
            fold[name] = place
            taken[place] += 1
            load[place] += sizes[name]
    return torch.tensor([fold[group] for group in groups])
