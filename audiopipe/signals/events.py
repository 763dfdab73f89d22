"""What happens at some time: something that was heard, or is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
    def format(self) -> Detections:
        return replace(self, events=())

    def delayed(self, samples: int) -> Detections:
        later = (replace(e, start=e.start + samples, stop=e.stop + samples) for e in self.events)
        return replace(self, events=tuple(later))

    @classmethod
    def join(cls, blocks: Sequence[Detections]) -> Detections:
        """Put consecutive blocks together."""
        return replace(blocks[0], events=tuple(e for block in blocks for e in block.events))

    def __iter__(self) -> Iterator[Detection]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)


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
