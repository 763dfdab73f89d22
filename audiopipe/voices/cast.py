"""The voices that a stage speaks with: each is loaded once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import torch

from audiopipe.text import Lexicon
from audiopipe.voices.base import Piece, Voice, open_voice
from audiopipe.voices.manuscript import Line

if TYPE_CHECKING:
    from audiopipe.cloning.heard import Heard


class Audience(Protocol):
    """Who is told of what is being said."""

    def hear(self, line: Line, piece: Piece) -> None:
        """The next piece of a sentence is there."""

    def end(self, line: Line) -> None:
        """A sentence is complete."""


class Nobody:
    """Nobody listens."""

    def hear(self, line: Line, piece: Piece) -> None: ...

    def end(self, line: Line) -> None: ...


class Cast:
    """Voices by name, and the words of the user's lexicon.

    `through` is what every voice is wrapped in, `audience` is told of what is said, `early`
    says that someone waits for the first sound. With a reference, `heard`, all are the voice of
    who speaks in it. Raises ModelError for a name that is no voice.
    """

    def __init__(
        self, device: torch.device, lexicon: Lexicon | None = None, heard: Heard | None = None
    ) -> None:
        self.device = device
        self.heard = heard
        self.lexicon = lexicon
        self.audience: Audience = Nobody()
        self.early = False
        self.through: Callable[[Voice], Voice] = lambda voice: voice
        self._voices: dict[str, Voice] = {}

    def voice(self, name: str) -> Voice:
        """The voice of this name."""
        if name not in self._voices:
            reference = self.heard.path if self.heard else None
            self._voices[name] = open_voice(name, self.device, reference)
        return self.through(self._voices[name])

    def language(self, name: str) -> str:
        """The language of the voice of this name."""
        return self.voice(name).language
