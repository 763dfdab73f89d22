"""What all voices share: they say sentences, in pieces, the first of them early.

A family of voices is a file beside this one with a function `open_voice(model, device)`. `FAMILIES`
says which file a card's `network` means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from audiopipe.cards import Card
from audiopipe.errors import ModelError, did_you_mean
from audiopipe.models import Store
from audiopipe.text import Sentence, Word

TASK = "speak"
"""What a card of a voice must say."""
RATE = 24_000
"""Hz at which all voices speak."""
FAMILIES = {"speech-net": "audiopipe.voices.embedded", "coqui": "audiopipe.voices.coqui"}
"""The network of a card, and the module that opens voices of it."""
CLONES = "coqui"
"""The network whose voices may speak like a recording."""

_EMPHASIS = {
    "none": (1.0, 0.0, 0.0),
    "reduced": (1.1, -0.5, -2.0),
    "moderate": (0.95, 0.8, 1.5),
    "strong": (0.88, 1.6, 3.0),
}
"""Rate, semitones and decibels of SSML's `emphasis`."""


@dataclass(frozen=True)
class Manner:
    """How a voice is to speak, against its usual way.

    `rate` is a factor, `pitch` semitones, `energy` decibels of effort, `volume` decibels of gain,
    `pause` a factor for all pauses whose length the text does not state. A voice that draws random
    numbers draws them from `seed`. With `early` someone waits for the first sound: a voice that
    would rather hear all of a sentence before it lets go of it gives it in pieces.

    >>> Manner(rate=1.5).of(Word("now", 0, 3, ())).rate
    1.5
    """

    rate: float = 1.0
    pitch: float = 0.0
    energy: float = 0.0
    volume: float = 0.0
    pause: float = 1.0
    seed: int = 0
    early: bool = False

    def of(self, word: Word) -> Manner:
        """How a word of a text is to be said: as the text asks, on top of all else."""
        how = word.delivery
        rate, pitch, energy = _EMPHASIS[how.emphasis]
        return Manner(
            self.rate * how.rate * rate,
            self.pitch + how.pitch + pitch,
            self.energy + energy,
            self.volume + how.volume,
            self.pause,
            self.seed,
            self.early,
        )

    def silence(self, word: Word, rate: int) -> int:
        """Samples of silence behind a word."""
        pause = word.pause
        scale = 1.0 if pause.exact else self.pause
        return round(pause.milliseconds * scale * rate / 1000)


@dataclass(frozen=True)
class Timing:
    """From where to where a word sounds, counted in samples from the first of its sentence."""

    word: int
    """Its index in the sentence."""
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Piece:
    """The next stretch of a sentence: `samples` [1, time] float32, and the words that end in it."""

    samples: Tensor
    words: tuple[Timing, ...] = ()


class Voice(Protocol):
    """What says sentences. One voice serves many streams: it keeps nothing of them."""

    name: str
    language: str
    rate: int

    def say(self, sentence: Sentence, manner: Manner) -> Iterator[Piece]:
        """Say a sentence, the silence before and behind it included; pieces follow each other.

        Every word that has sounds is in one piece's `words`.
        """


class Family(Protocol):
    """What a module of `FAMILIES` has."""

    def open_voice(self, model: str, device: torch.device) -> Voice:
        """Load a voice; raises ModelError and what else `Store.path` raises."""


def voice_card(model: str) -> Card:
    """The card of a voice, by its name or folder; raises ModelError if it does not speak."""
    store = Store()
    if model not in store.names() and not set(model) & set("/\\.~"):  # it names no folder
        raise ModelError(f"there is no voice {model!r}; {did_you_mean(model, voice_names())}")
    card = store.card(model)
    if card.task != TASK:
        raise ModelError(
            f"model {model!r} is no voice: its card says task {card.task}; "
            f"{did_you_mean(model, voice_names())}"
        )
    if card.network not in FAMILIES:
        hint = did_you_mean(card.network, FAMILIES)
        raise ModelError(f"model {model!r}: no network {card.network!r} is known here; {hint}")
    if card.rate != RATE:
        raise ModelError(f"model {model!r} speaks at {card.rate} Hz; voices speak at {RATE} Hz")
    return card


def voice_names() -> list[str]:
    """The voices that audiopipe knows, sorted."""
    store = Store()
    return [name for name in store.names() if store.card(name).task == TASK]


def open_voice(model: str, device: torch.device, reference: Path | None = None) -> Voice:
    """Load a voice; with a `reference`, a WAV file, it is that of who speaks in it.

    Raises ModelError and what else `Store.path` raises.
    """
    card = voice_card(model)
    family: Family = import_module(FAMILIES[card.network])
    if reference is None:
        return family.open_voice(model, device)
    if card.network != CLONES:
        raise ModelError(
            f"voice {model!r} cannot speak like a recording; leave out the reference, and put a "
            "stage `clone` behind it"
        )
    return import_module(FAMILIES[CLONES]).open_voice(model, device, reference)  # type: ignore[no-any-return]
