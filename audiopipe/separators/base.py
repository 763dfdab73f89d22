"""What all separators share: their cards, which stems come out, and how stems are summed.

A family of networks is a file beside this one with a function `parts(choice)`: the stages, first
to last, that make one port a stem of stereo sound. `FAMILIES` says which file a card's `network`
means. Where the network looks at windows of sound, its stage is a `Separator`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Literal, Protocol

import torch
from pydantic import Field
from torch import Tensor

from audiopipe.cards import Card
from audiopipe.errors import ModelError, did_you_mean
from audiopipe.models import Store
from audiopipe.signals import Audio
from audiopipe.stage import GRID, Fidelity, Stage, Windowed

TASK = "separate"
"""What a card of such a model must say."""
FAMILIES = {
    "spleeter": "audiopipe.separators.spleeter",
    "hdemucs": "audiopipe.separators.demucs",
    "htdemucs": "audiopipe.separators.demucs",
    "stems-net": "audiopipe.separators.embedded",
}
"""The network of a card, and the module that makes stages of it."""
CHANNELS = 2
"""All networks hear stereo."""
VOICE, BACKING, REST = "vocals", "accompaniment", "rest"
"""The stem of the voice, and what the sum of all that was not asked for is called: `BACKING` where
the voice alone was."""
REMAINDER = "remainder"
"""What the mix is more than the sum of its stems, as a stem of its own."""

Share = Annotated[float, Field(ge=0, lt=1)]
Remainder = Literal["distribute", "keep", "none"]


@dataclass(frozen=True)
class Choice:
    """What was asked for of a model."""

    model: str
    keep: tuple[str, ...] = ()
    """The stems that are wanted, each by itself; none means all."""
    overlap: float | None = None
    """The share of a window that it has in common with the next; None leaves it to the family."""
    batch: int | None = None
    """Windows that are computed at once; None leaves it to the engine."""
    high_band: str | None = None
    """What becomes of the bins above Spleeter's masks; None leaves it to the card."""


class Family(Protocol):
    """What a module of `FAMILIES` has."""

    REMAINDER: Remainder
    """What becomes of what its stems lack, unless something else is asked for."""

    def parts(self, choice: Choice) -> Sequence[Stage]:
        """The stages, first to last: the last one gives one port a stem, as `sums` names them."""


def separation_card(model: str) -> Card:
    """The card of a model, by its name or folder; raises ModelError if it separates nothing."""
    card = Store().card(model)
    if card.task != TASK:
        raise ModelError(f"model {model!r} makes no stems: its card says task {card.task}")
    if card.network not in FAMILIES:
        hint = did_you_mean(card.network, FAMILIES)
        raise ModelError(f"model {model!r}: no network {card.network!r} is known here; {hint}")
    if len(card.labels) < 2 or len(set(card.labels)) < len(card.labels):
        raise ModelError(f"model {model!r}: its card must name two stems or more, each once")
    if taken := {REST, REMAINDER} & set(card.labels):
        raise ModelError(f"model {model!r}: no stem may be called {taken.pop()!r}")
    return card


def family(card: Card) -> Family:
    """The module that makes stages of a card's network."""
    return import_module(FAMILIES[card.network])


def sums(labels: Sequence[str], keep: Sequence[str] = ()) -> dict[str, tuple[int, ...]]:
    """What comes out, and which of the model's stems it is the sum of.

    Raises ValueError for a stem that the model does not have.

    >>> sums(["vocals", "drums", "bass"], ["vocals"])
    {'vocals': (0,), 'accompaniment': (1, 2)}
    >>> sums(["vocals", "drums", "bass"], ["drums"])
    {'drums': (1,), 'rest': (0, 2)}
    >>> sums(["vocals", "drums", "bass"], ["bass", "drums"])
    {'bass': (2,), 'drums': (1,), 'vocals': (0,)}
    """
    for name in keep:
        if name not in labels:
            hint = did_you_mean(name, labels)
            raise ValueError(f"there is no stem {name!r} in this model; {hint}")
    found: dict[str, tuple[int, ...]] = {}
    for name in keep or labels:
        found[name] = (labels.index(name),)
    if others := tuple(i for i, name in enumerate(labels) if name not in found):
        only = len(others) == 1
        found[BACKING if set(keep) == {VOICE} else labels[others[0]] if only else REST] = others
    return found


def arrange(stems: Tensor, labels: Sequence[str], keep: Sequence[str]) -> tuple[Tensor, ...]:
    """What `sums` names, of stems [n, stems, channels, time]: [n, channels, time] each.

    >>> [part.tolist() for part in arrange(torch.eye(3)[None, :, None], ["a", "b", "c"], ["b"])]
    [[[[0.0, 1.0, 0.0]]], [[[1.0, 0.0, 1.0]]]]
    """
    return tuple(
        stems[:, which[0]] if len(which) == 1 else stems[:, list(which)].sum(1)
        for which in sums(labels, keep).values()
    )


class Separator(Windowed):
    """A network over windows of stereo sound: Audio [2, time] to Audio [2, time], one port a stem.

    A family states its `framing`, whose join is an `OverlapAdd`, `load`, and `compute`, which ends
    with `arrange`: windows [n, 2, window] to a tuple of stretches [n, 2, stretch], one a port.
    """

    heavy = True

    model: str
    keep: tuple[str, ...] = ()
    overlap: Share
    batch: int | None = None

    @property
    def card(self) -> Card:
        """The model's card."""
        return separation_card(self.model)

    @property
    def fidelity(self) -> Fidelity:
        return GRID

    @property
    def models(self) -> Sequence[str]:
        return (self.model,)

    @property
    def at_once(self) -> int | None:
        return self.batch

    def accepts(self, source: Audio) -> Sequence[Audio]:
        return [Audio.empty(self.card.rate, CHANNELS)]

    def output(self, source: Audio) -> Mapping[str, Audio]:
        return dict.fromkeys(sums(self.card.labels, self.keep), source.format)


def triangle(window: int) -> Tensor:
    """Weights [window] that rise to the middle and fall again, nowhere zero.

    >>> triangle(4)
    tensor([0.5000, 1.0000, 1.0000, 0.5000])
    """
    rising = torch.arange(1, window + 1).minimum(torch.arange(window, 0, -1))
    return rising / rising.max()
