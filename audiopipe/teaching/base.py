"""The network that is taught: all of it but its last layer stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from audiopipe.cards import Card
from audiopipe.errors import ModelError
from audiopipe.models import Store, load_weights
from audiopipe.nets.keywords import KeywordNet
from audiopipe.recognizers import keyword_card, keyword_net
from audiopipe.spotting import alone, latest_sound
from audiopipe.stages.keywords import log_mel

OTHERS = "others.safetensors"
"""The file of a model with what its network hears of sounds that nobody taught."""
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Base:
    """A network with its card.

    `others` holds features [n, features] of other sounds by what they are: a word, or, where
    that begins with `_`, no word. With them, what was not taught is told from what was; they
    come with the model, as nobody has them at hand.
    """

    card: Card
    net: KeywordNet
    others: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def load(cls, model: str) -> Base:
        """Load a keyword model by its name or folder; raises ModelError."""
        card, net, others = keyword_card(model), keyword_net(model), {}
        if any(file.name == OTHERS for file in card.files):
            others = load_weights(Store().path(model, OTHERS))
            size = net.head.in_features
            if any(heard.shape[1:] != (size,) for heard in others.values()):
                raise ModelError(f"model {model!r}: its {OTHERS} do not fit its weights")
            if not all(heard.isfinite().all() for heard in others.values()):
                raise ModelError(f"model {model!r}: its {OTHERS} hold what is no number")
        return cls(card, net, {name: heard.float() for name, heard in others.items()})

    def hear(self, seconds: Tensor) -> Tensor:
        """Features [n, features] of seconds [n, 16000], as the stage `keywords` has them."""
        with torch.no_grad():
            return torch.cat([self._hear(part) for part in torch.split(seconds, _BATCH)])

    def _hear(self, seconds: Tensor) -> Tensor:
        decibels = log_mel(seconds)
        start, _ = latest_sound(decibels)
        return self.net.features(alone(decibels, start))
