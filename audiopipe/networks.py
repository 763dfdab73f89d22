"""From a card and its weights to a network that is ready for use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import nn

from audiopipe.errors import ModelError
from audiopipe.models import Store, load_weights

WEIGHTS = "weights.safetensors"

Network = TypeVar("Network", bound=nn.Module)


def load_network(
    model: str,
    settings: Mapping[str, Any],
    most: Mapping[str, int],
    make: Callable[..., Network],
) -> Network:
    """The network `make(**settings)` with a model's weights, on the CPU, ready for use.

    `most` is how large settings may be: a card that asks for more would fill the memory before its
    weights are looked at. Raises ModelError where card and weights do not fit, and what
    `Store.path` raises.
    """
    weights = load_weights(Store().path(model, WEIGHTS))
    try:
        for key in settings.keys() & most.keys():
            if not 1 <= settings[key] <= most[key]:
                raise ValueError(f"{key} are {settings[key]}, and at most {most[key]} are possible")
        net = make(**settings)
        net.load_state_dict(weights)
        if odd := [name for name, weight in weights.items() if not weight.isfinite().all()]:
            raise ValueError(f"{odd[0]} holds what is no number")
    except (TypeError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise ModelError(f"model {model!r}: its weights do not fit its card: {told}") from None
    return net.eval().requires_grad_(False)
