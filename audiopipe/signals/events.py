"""What happens at some time: something that was heard, or is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from audiopipe import tuning
from audiopipe.signals.base import Signal


@dataclass(frozen=True)
class Detection:
    """Something heard from sample `start` to `stop`; `score` lies in 0…1."""

    start: int
    stop: int
    label: str
    score: float


@dataclass(frozen=True)
class Detections(Signal):
    """Events on a clock of `rate` Hz, in the order of their end."""

    events: tuple[Detection, ...]
    rate: int

    @property
    def format(self) -> Self:
        return replace(self, events=())

    def delayed(self, samples: int) -> Self:
        later = (replace(e, start=e.start + samples, stop=e.stop + samples) for e in self.events)
        return replace(self, events=tuple(later))

    @classmethod
    def join(cls, blocks: Sequence[Self]) -> Self:
        """Put consecutive blocks together."""
        return replace(blocks[0], events=tuple(e for block in blocks for e in block.events))

    def __iter__(self) -> Iterator[Detection]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)


@dataclass(frozen=True)
class Note(Detection):
    """A note, whose label is its name and whose score says how sure its pitch is.

    `pitch` is the number of a MIDI note and a fraction: 69 is A4, 69.03 is 3 cents above it.
    """

    pitch: float

    @property
    def number(self) -> int:
        """The nearest note."""
        return round(self.pitch)

    @property
    def cents(self) -> float:
        """How far above the nearest note it is."""
        return 100 * (self.pitch - self.number)


@dataclass(frozen=True)
class Notes(Detections):
    """Notes one after the other, in a tuning in which A4 has `a4` Hz.

    `bend` says whether a MIDI file of them is to sound at their pitch, or at the nearest notes.
    """

    events: tuple[Note, ...]
    a4: float = tuning.CONCERT
    bend: bool = False

    def __iter__(self) -> Iterator[Note]:
        return iter(self.events)

    def __repr__(self) -> str:
        shown = " ".join(note.label for note in self.events[:12])
        more = " …" if len(self) > 12 else ""
        return f"Notes({len(self)}{': ' if shown else ''}{shown}{more})"


@dataclass(frozen=True)
class Segment:
    """A passage of text, from sample `start` to `stop` where its time is known."""

    text: str
    start: int | None = None
    stop: int | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class Text(Signal):
    """Passages to be spoken, or that were heard; times count on a clock of `rate` Hz."""

    segments: tuple[Segment, ...]
    rate: int = 1000

    @property
    def format(self) -> Text:
        return replace(self, segments=())

    def delayed(self, samples: int) -> Text:
        def later(time: int | None) -> int | None:
            return None if time is None else time + samples

        moved = (replace(s, start=later(s.start), stop=later(s.stop)) for s in self.segments)
        return replace(self, segments=tuple(moved))

    @classmethod
    def join(cls, blocks: Sequence[Text]) -> Text:
        """Put consecutive blocks together."""
        return replace(blocks[0], segments=tuple(s for block in blocks for s in block.segments))

    def __len__(self) -> int:
        return len(self.segments)


@dataclass(frozen=True)
class About:
    """What a file says of the recording in it; chapters have times on a clock of `rate` Hz."""

    comment: str = ""
    title: str = ""
    chapters: Sequence[Segment] = ()
    rate: int = 1000

    def __bool__(self) -> bool:
        return bool(self.comment or self.title or self.chapters)
