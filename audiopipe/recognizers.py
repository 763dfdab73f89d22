"""Keyword models: from a card and its weights to a network that is ready for use.

A card of such a model has the task `keywords` and the network `keyword-net`. Its `labels` are
the network's outputs in order; those that begin with `_` are of what is not a word. `settings`
are the arguments of `KeywordNet` but for the labels, and may hold a `threshold`: how sure the
network must be of a word.
"""

from __future__ import annotations

from audiopipe.cards import Card
from audiopipe.errors import ModelError
from audiopipe.models import Store
from audiopipe.nets.keywords import KeywordNet
from audiopipe.networks import load_network

TASK, NETWORK = "keywords", "keyword-net"
"""What the card must say."""
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

    def make(bands: int = BANDS, kernel: int = 1, **others: int) -> KeywordNet:
        if bands != BANDS:
            raise ValueError(f"bands are {bands}, and must be {BANDS}")
        if kernel % 2 == 0:
            raise ValueError(f"a kernel of {kernel} is even, and must be odd")
        return KeywordNet(len(card.labels), **settings)

    return load_network(model, settings, MOST, make)


def is_word(label: str) -> bool:
    """Whether a label is of a word.

    >>> is_word("yes"), is_word("_unknown_")
    (True, False)
    """
    return not label.startswith("_")
