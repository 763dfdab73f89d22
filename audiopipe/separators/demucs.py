"""The family of Demucs: `hdemucs` from torchaudio, `htdemucs` and its kin from the package demucs.

A card's network is `hdemucs` (torchaudio's `HDemucs`, whose arguments are the settings but for
`segment`) or `htdemucs`, whose files say in their metadata what the network is built with. One
file makes all stems; where there are as many files as stems, each makes one. `segment` is how many
seconds the network looks at; a fraction is written as a text, "39/5".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audiopipe.cards import Card
from audiopipe.conversion import converted
from audiopipe.errors import MissingDependencyError, ModelError
from audiopipe.framing import Framing, OverlapAdd
from audiopipe.models import Store, load_weights
from audiopipe.separators.base import (
    Choice,
    Remainder,
    Separator,
    arrange,
    separation_card,
    triangle,
)
from audiopipe.signals import Audio
from audiopipe.stage import Stage
from audiopipe.torch_checkpoint import read_state

OVERLAP = 0.25
"""As in Demucs."""
REMAINDER: Remainder = "distribute"
FAINT = 1e-8
"""The level below which a window is not made louder."""
LONGEST = 60
"""Seconds that a card may have a network look at."""
MAKER = "demucs.htdemucs.HTDemucs"
"""What the metadata of a file of `htdemucs` must name."""


class Demucs(Separator):
    """Windows of sound to stems, cross-faded by triangles as long as the windows.

    The network is fed with windows of equal level, and gives its stems at the level that came in.
    Demucs does that with the track as a whole; as its networks scale each window by themselves, it
    is the same but for the 1e-5 that they add to a level before they divide by it.
    """

    name = "demucs"

    @property
    def segment(self) -> Fraction:
        """How many seconds the network looks at."""
        return segment(self.card)

    def framing(self, source: Audio) -> Framing:
        window = int(self.segment * source.rate)
        hop = max(1, int((1 - self.overlap) * window))
        weight = triangle(window)
        return Framing(window, hop, 0, window - 1, OverlapAdd(hop, 0, weight, weight))

    def load(self, source: Audio, device: torch.device, dtype: torch.dtype) -> Sequence[nn.Module]:
        return [net.to(device) for net in demucs_nets(self.model)]

    def compute(self, model: Sequence[nn.Module], windows: Tensor) -> tuple[Tensor, ...]:
        known = windows.nan_to_num(0.0, 0.0, 0.0)
        level = known.std((1, 2), keepdim=True).clamp_min(FAINT)
        stems = [net(known / level) for net in model]
        if len(stems) > 1:
            stems = [torch.stack([made[:, i] for i, made in enumerate(stems)], 1)]
        card = self.card
        return arrange(stems[0] * level[:, None], card.labels, self.keep)


def parts(choice: Choice) -> Sequence[Stage]:
    """The stages that the family makes of a model."""
    segment(separation_card(choice.model))
    overlap = OVERLAP if choice.overlap is None else choice.overlap
    given: dict[str, Any] = {"model": choice.model, "keep": choice.keep, "batch": choice.batch}
    return (Demucs(**given, overlap=overlap),)


def segment(card: Card) -> Fraction:
    """How many seconds the network looks at; raises ModelError where the card does not say."""
    try:
        seconds = Fraction(str(card.settings["segment"]))
    except (KeyError, ValueError, ZeroDivisionError):
        raise ModelError(f"model {card.name!r}: its card must say in seconds, `segment`") from None
    if not 0 < seconds <= LONGEST:
        raise ModelError(f"model {card.name!r}: a segment of {seconds} s is not possible")
    return seconds


def demucs_nets(model: str) -> list[nn.Module]:
    """The networks of a model with their weights, on the CPU, for use and not for training.

    Raises ModelError where card and weights do not fit, MissingDependencyError where the package
    demucs is wanted and not there, and what `Store.path` raises.
    """
    card = separation_card(model)
    files = [file.name for file in card.files]
    if len(files) not in (1, len(card.labels)):
        raise ModelError(
            f"model {model!r}: {len(files)} files for {len(card.labels)} stems; there must be one "
            "file, or one for each stem"
        )
    try:
        if card.network == "hdemucs":
            return [_ready(_hdemucs(card), load_weights(_weights(model, card)))]
        paths = [Store().path(model, name) for name in files]
        return [_ready(_htdemucs(card, path), load_weights(path)) for path in paths]
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        told = " ".join(str(error).split())
        raise ModelError(f"model {model!r}: its weights do not fit its card: {told}") from None


def _weights(model: str, card: Card) -> Path:
    """The weights of `hdemucs`, converted if they are a checkpoint of PyTorch's."""
    if card.files[0].convert:
        return converted(model, _convert)
    return Store().path(model, card.files[0].name)


def _convert(sources: Mapping[str, Path], target: Path) -> None:
    from safetensors.torch import save_file

    (source,) = sources.values()
    save_file({name: t.contiguous() for name, t in read_state(source).items()}, target)


def _hdemucs(card: Card) -> nn.Module:
    from torchaudio.models import HDemucs

    settings = {key: value for key, value in card.settings.items() if key != "segment"}
    net: nn.Module = HDemucs(sources=list(card.labels), **settings)
    return net


def _htdemucs(card: Card, path: Path) -> nn.Module:
    """A network as the metadata of its file says: data alone, no name in it is imported."""
    from safetensors import safe_open

    card.check_engine()
    try:
        from demucs.htdemucs import HTDemucs
    except ImportError:
        raise MissingDependencyError(
            f"model {card.name!r} needs the package demucs; run: pip install 'audiopipe[demucs]'"
        ) from None
    with safe_open(path, framework="pt") as file:
        told = file.metadata() or {}
    if told.get("klass") != MAKER:
        raise ValueError(f"{path.name} is of {told.get('klass')!r}, not of {MAKER}")
    known = signature(HTDemucs).parameters
    settings = {k: _decoded(v) for k, v in json.loads(told["kwargs"]).items() if k in known}
    names = list(settings.pop("sources", card.labels))
    if names != list(card.labels) or json.loads(told["args"]):
        raise ValueError(f"{path.name} makes {', '.join(names)}")
    net: nn.Module = HTDemucs(**{**settings, "sources": names, "segment": segment(card)})
    return net


def _decoded(value: Any) -> Any:
    """A setting as demucs writes it; fractions are tables of their own."""
    if isinstance(value, dict) and value.get("_type") == "fraction":
        return Fraction(value["numerator"], value["denominator"])
    return value


def _ready(net: nn.Module, weights: Mapping[str, Tensor]) -> nn.Module:
    net.load_state_dict({name: t.float() for name, t in weights.items()})
    if odd := [name for name, weight in weights.items() if not weight.isfinite().all()]:
        raise ValueError(f"{odd[0]} holds what is no number")
    return net.eval().requires_grad_(False)
