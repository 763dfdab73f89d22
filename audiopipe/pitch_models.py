"""Pitch models: from a card and its weights to a network that is ready for use.

A card of such a model has the task `pitch` and the network `pitch-net`; `settings` are the
arguments of `PitchNet`.
"""

from __future__ import annotations

from audiopipe.cards import Card
from audiopipe.errors import ModelError
from audiopipe.evidence import RATE
from audiopipe.models import Store
from audiopipe.nets.pitch import PitchNet
from audiopipe.networks import load_network

TASK, NETWORK = "pitch", "pitch-net"
"""What the card must say."""
MOST = {"channels": 256, "hidden": 1024}
"""A card that asks for more would fill the memory before its weights are looked at."""


def pitch_card(model: str) -> Card:
    """The card of a pitch model, by its name or folder; raises ModelError if it is of another
    kind."""
    card = Store().card(model)
    said = {"task": card.task, "network": card.network, "rate": card.rate}
    wanted = {"task": TASK, "network": NETWORK, "rate": RATE}
    if wrong := [
        f"{key} {said[key]}, not {wanted[key]}" for key in wanted if said[key] != wanted[key]
    ]:
        raise ModelError(f"model {model!r} tracks no pitch: its card says {'; '.join(wrong)}")
    return card


def pitch_net(model: str) -> PitchNet:
    """The network with its weights, on the CPU, for use and not for training.

    Raises ModelError where card and weights do not fit, and what `Store.path` raises.
    """
    return load_network(model, pitch_card(model).settings, MOST, PitchNet)
