"""What a voice is given: sentences of words with their sounds, places and pauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Emphasis = Literal["none", "reduced", "moderate", "strong"]


class Strength(IntEnum):
    """How deep a pause is, after SSML's `break strength`."""

    NONE = 0
    """The words run on."""
    WEAK = 1
    """A comma, a bracket, a list's joint."""
    MEDIUM = 2
    """A semicolon, a colon, a dash."""
    STRONG = 3
    """The end of a sentence."""
    PARAGRAPH = 4
    """The end of a paragraph or of an item of a list."""
    HEADING = 5
    """Before and behind a heading."""


_USUAL = (0, 150, 280, 450, 800, 1000)


@dataclass(frozen=True)
class Pause:
    """Silence behind a word: how deep, and how long in milliseconds.

    `exact` says that the text asked for this length (`<break time="2s"/>`), and that a voice is
    not to use its own.
    """

    strength: Strength = Strength.NONE
    milliseconds: int = 0
    exact: bool = False

    @classmethod
    def of(cls, strength: Strength) -> Pause:
        """A pause of the usual length.

        >>> Pause.of(Strength.STRONG).milliseconds
        450
        """
        return cls(strength, _USUAL[strength])

    def deeper(self, other: Pause) -> Pause:
        """The deeper of two pauses at one place; what the text asked for wins.

        >>> Pause.of(Strength.STRONG).deeper(Pause(Strength.WEAK, 2000, exact=True)).milliseconds
        2000
        """
        if self.exact != other.exact:
            asked, usual = (self, other) if self.exact else (other, self)
            return Pause(max(asked.strength, usual.strength), asked.milliseconds, exact=True)
        if self.exact:
            longer = self.milliseconds + other.milliseconds
            return Pause(max(self.strength, other.strength), longer, exact=True)
        return max(self, other, key=lambda pause: pause.strength)


@dataclass(frozen=True)
class Delivery:
    """How words are to be said: by which voice, and how it differs from its usual way."""

    voice: str | None = None
    """Whose voice; None: the voice that reads the rest."""
    language: str | None = None
    """`en`, `de`; None: that of the document."""
    rate: float = 1.0
    """Speed: 2 is twice as fast."""
    pitch: float = 0.0
    """Semitones above the usual pitch."""
    volume: float = 0.0
    """Decibels above the usual level."""
    emphasis: Emphasis = "none"


@dataclass(frozen=True)
class Spoken:
    """A word as it is said, and its sounds.

    A capital letter is the letter's name, `A` as in "vitamin A". Stress stands before its vowel:
    `("h", "ə", "l", "ˈoʊ")`.
    """

    text: str
    phonemes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Word:
    """A word as it is written, and all that is said for it: for `1999` three words.

    It stands in the source from character `start` to `stop`. `spoken` is empty for what the
    language has no sounds for (Chinese in an English text).
    """

    written: str
    start: int
    stop: int
    spoken: tuple[Spoken, ...]
    mark: str = ""
    """The punctuation behind it: `, ; : — … . ? !`, or nothing."""
    pause: Pause = field(default_factory=Pause)
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def shown(self) -> str:
        """As it is written, with its mark; one full stop ends an abbreviation and the sentence.

        >>> Word("a.m.", 0, 4, (), ".").shown, Word("noon", 0, 4, (), ".").shown
        ('a.m.', 'noon.')
        """
        ended = self.mark == "." and self.written.endswith(".")
        return self.written if ended else self.written + self.mark

    @property
    def said(self) -> str:
        """What is said, in words."""
        return " ".join(part.text for part in self.spoken)

    @property
    def phonemes(self) -> tuple[str, ...]:
        """The sounds of all that is said."""
        return tuple(sound for part in self.spoken for sound in part.phonemes)


@dataclass(frozen=True)
class Sentence:
    """Words that are said in one breath: a sentence, or a part of a long one.

    `continues` says that the sentence goes on in the next one: the voice does not fall.
    """

    words: tuple[Word, ...]
    kind: Literal["paragraph", "heading", "item", "quote"] = "paragraph"
    continues: bool = False
    before: Pause = field(default_factory=Pause)
    """Silence that the text asked for before its first word."""

    def __iter__(self) -> Iterator[Word]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    @property
    def start(self) -> int:
        """The first character of it in the source."""
        return self.words[0].start

    @property
    def stop(self) -> int:
        """The end of it in the source."""
        return max(word.stop for word in self.words)

    @property
    def mark(self) -> str:
        """The punctuation at its end."""
        return self.words[-1].mark

    @property
    def pause(self) -> Pause:
        """The silence behind it."""
        return self.words[-1].pause

    @property
    def delivery(self) -> Delivery:
        """How it begins; voice and language are the same for all of it."""
        return self.words[0].delivery

    @property
    def written(self) -> str:
        """Its words as they were written."""
        return " ".join(word.shown for word in self.words)

    @property
    def said(self) -> str:
        """What is said, in words."""
        return " ".join(word.said for word in self.words if word.spoken)

    @property
    def phonemes(self) -> tuple[str, ...]:
        """All its sounds."""
        return tuple(sound for word in self.words for sound in word.phonemes)
