"""The networks of a model that clones: its converter, and the vocoder that makes sound of frames.

A card of such a model has the task `clone`. `settings` are the arguments of the network's
`Converter.of`, and there may be a `vocoder`, the name of a model, if it is not the one that our
voices have. `FAMILIES` says which module of
`audiopipe.nets` has the class `Converter` that a card's `network` means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from audiopipe.cards import Card
from audiopipe.errors import ModelError, did_you_mean
from audiopipe.models import Store
from audiopipe.nets.frames import Reach
from audiopipe.nets.vocoder import Vocoder
from audiopipe.networks import load_network
from audiopipe.voices.embedded import MOST_VOCODER

TASK = "clone"
"""What a card of such a model must say."""
VOCODER = "vocoder-24k"
"""What makes sound of frames, if a card names nothing else."""
FAMILIES = {"converter": "audiopipe.nets.converter"}
"""The network of a card, and the module that has its class `Converter`."""


class Likeness(Protocol):
    """What is taken of a reference: the rest is the network's own."""

    @property
    def identity(self) -> Tensor:
        """Who speaks [1, size]."""

    @property
    def f0(self) -> Tensor:
        """The median of its pitch, semitones above 1 Hz."""

    @property
    def spread(self) -> Tensor:
        """The deviation of its pitch in semitones."""


class Converter(Protocol):
    """A network that gives frames another voice."""

    reach: Reach

    def likeness(self, mel: Tensor, hz: Tensor) -> Likeness:
        """What frames [bins, frames] of a reference are like; `hz` [frames] is 0 where unvoiced."""

    def __call__(self, mel: Tensor, pitch: Tensor, likeness: Likeness) -> Tensor:
        """Frames [1, bins, frames] of that voice, of [1, bins, past + frames + ahead] of another,
        and their pitch in semitones above its median [1, …]."""


def converter_card(model: str) -> Card:
    """The card of a model, by its name or folder; raises ModelError if it converts no voices."""
    card = Store().card(model)
    if card.task != TASK:
        raise ModelError(f"model {model!r} converts no voices: its card says task {card.task}")
    if card.network not in FAMILIES:
        hint = did_you_mean(card.network, FAMILIES)
        raise ModelError(f"model {model!r}: no network {card.network!r} is known here; {hint}")
    return card


def vocoder_of(model: str) -> str:
    """The name of a model's vocoder; raises ModelError."""
    vocoder = str(converter_card(model).settings.get("vocoder", VOCODER))
    return str(Path(model).expanduser() / vocoder) if vocoder.startswith(".") else vocoder


def load_converter(model: str, device: torch.device) -> Converter:
    """The converter with its weights, ready for use.

    Raises ModelError where card and weights do not fit, and what `Store.path` raises.
    """
    card = converter_card(model)
    module = import_module(FAMILIES[card.network])
    net = load_network(model, _sizes(card), {}, module.Converter.of)
    return cast(Converter, net.to(device))


def load_vocoder(model: str) -> Vocoder:
    """The vocoder of a model that clones, on the CPU; raises as `load_converter` does."""
    vocoder = vocoder_of(model)
    return load_network(vocoder, Store().card(vocoder).settings, MOST_VOCODER, Vocoder.of)


def reach_of_converter(model: str) -> Reach:
    """Frames that a model's converter hears around those it gives; no weights are read."""
    card = converter_card(model)
    return _reach(FAMILIES[card.network], "Converter", json.dumps(_sizes(card)))


def reach_of_vocoder(model: str) -> Reach:
    """The same of its vocoder."""
    settings = dict(Store().card(vocoder_of(model)).settings)
    return _reach(Vocoder.__module__, "Vocoder", json.dumps(settings))


def _sizes(card: Card) -> Mapping[str, Any]:
    return {key: value for key, value in card.settings.items() if key != "vocoder"}


@lru_cache
def _reach(module: str, name: str, sizes: str) -> Reach:
    with torch.random.fork_rng(devices=[]):
        network: nn.Module = getattr(import_module(module), name).of(**json.loads(sizes))
    return cast(Reach, network.reach)
