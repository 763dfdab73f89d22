"""Keyword models: from a card and its weights to a network that is ready for use.

A card of such a model has the task `keywords` and the network `keyword-net`. Its `labels` are
the network's outputs in order; those that begin with `_` are of what is not a word. `settings`
are the arguments of `KeywordNet` but for the labels, and may hold a `threshold`: how sure the
network must be of a word.
"""

from __future__ import annotations

from audiopipe.cards import Card
from audiopipe.errors import ModelError
from audiopipe.models import Store, load_weights
from audiopipe.nets.keywords import KeywordNet

TASK, NETWORK = "keywords", "keyword-net"
"""What the card must say."""
WEIGHTS = "weights.safetensors"
RATE = 16000
BANDS = 40
"""Of the spectra that every such network is fed with."""
MOST = {"channels": 1024, "blocks": 64, "kernel": 99}
"""A card that asks for more would fill the memory before its weights are looked at."""
THRESHOLD = 0.6
"""For models whose card states none."""


def keyword_card(model: str) -> Card:
    """The card of a keyword model, by its name or folder; raises ModelError if it is of another
    kind."""
    card = Store().card(model)
    said = {"task": card.task, "network": card.network, "rate": card.rate}
    wanted = {"task": TASK, "network": NETWORK, "rate": RATE}
    if wrong := [
        f"{key} {said[key]}, not {wanted[key]}" for key in wanted if said[key] != wanted[key]
    ]:
        raise ModelError(f"model {model!r} finds no keywords: its card says {'; '.join(wrong)}")
    if not card.labels or len(set(card.labels)) < len(card.labels):
        raise ModelError(f"model {model!r}: its card must name the labels, each of them once")
    if not any(map(is_word, card.labels)):
        raise ModelError(f"model {model!r}: all its labels begin with _, and so give no events")
    return card


def keyword_threshold(model: str) -> float:
    """How sure the network must be of a word, unless the user says otherwise; raises ModelError."""
    threshold = keyword_card(model).settings.get("threshold", THRESHOLD)
    if (
        isinstance(threshold, bool)
        or not isinstance(threshold, int | float)
        or not 0 <= threshold <= 1
    ):
        raise ModelError(
            f"model {model!r}: its threshold is {threshold!r}, not a number from 0 to 1"
        )
    return float(threshold)


def keyword_net(model: str) -> KeywordNet:
    """The network with its weights, on the CPU, for use and not for training.

    Raises ModelError where card and weights do not fit, and what `Store.path` raises.
    """
    card = keyword_card(model)
    settings = {key: value for key, value in card.settings.items() if key != "threshold"}
    weights = load_weights(Store().path(model, WEIGHTS))
    try:
        if settings.get("bands", BANDS) != BANDS:
            raise ValueError(f"bands are {settings['bands']}, and must be {BANDS}")
        if settings.get("kernel", 1) % 2 == 0:
            raise ValueError(f"a kernel of {settings['kernel']} is even, and must be odd")
        for key in settings.keys() & MOST.keys():
            if not 1 <= settings[key] <= MOST[key]:
                raise ValueError(f"{key} are {settings[key]}, and at most {MOST[key]} are possible")
        net = KeywordNet(len(card.labels), **settings)
        net.load_state_dict(weights)
        if odd := [name for name, weight in weights.items() if not weight.isfinite().all()]:
            raise ValueError(f"{odd[0]} holds what is no number")
    except (TypeError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise ModelError(f"model {model!r}: its weights do not fit its card: {told}") from None
    return net.eval().requires_grad_(False)


def is_word(label: str) -> bool:
    """Whether a label is of a word.

    >>> is_word("yes"), is_word("_unknown_")
    (True, False)
    """
    return not label.startswith("_")
