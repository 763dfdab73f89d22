"""Pitch models: from a card and its weights to a network that is ready for use.

A card of such a model has the task `pitch` and the network `pitch-net`; `settings` are the
arguments of `PitchNet`.
"""

from __future__ import annotations

from audiopipe.cards import Card
from audiopipe.errors import ModelError
from audiopipe.evidence import RATE
from audiopipe.models import Store, load_weights
from audiopipe.nets.pitch import PitchNet

TASK, NETWORK = "pitch", "pitch-net"
"""What the card must say."""
WEIGHTS = "weights.safetensors"
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
    card = pitch_card(model)
    weights = load_weights(Store().path(model, WEIGHTS))
    try:
        for key in card.settings.keys() & MOST.keys():
            if not 1 <= card.settings[key] <= MOST[key]:
                most = f"{key} are {card.settings[key]}, and at most {MOST[key]} are possible"
                raise ValueError(most)
        net = PitchNet(**card.settings)
        net.load_state_dict(weights)
        if odd := [name for name, weight in weights.items() if not weight.isfinite().all()]:
            raise ValueError(f"{odd[0]} holds what is no number")
    except (TypeError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise ModelError(f"model {model!r}: its weights do not fit its card: {told}") from None
    return net.eval().requires_grad_(False)
