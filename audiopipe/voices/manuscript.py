"""A text as it was written, on its way to a voice; and what a voice has to say of it, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from audiopipe.errors import Place
from audiopipe.signals import Segment
from audiopipe.text import Document, Lexicon, Sentence, markdown, plain, segments, ssml
from audiopipe.text.errors import place

Form = Literal["plain", "markdown", "ssml"]

_READERS: dict[str, Callable[[str, str, str], Document]] = {
    "plain": lambda text, language, file: plain(text, language),
    "markdown": lambda text, language, file: markdown(text, language),
    "ssml": ssml,
}


@dataclass(frozen=True)
class Manuscript(Segment):
    """A whole text: how it is written, and the file that it is from."""

    form: Form = "plain"
    file: str = "<text>"


@dataclass(frozen=True)
class Line:
    """A sentence to be said, where it stands, and who says it."""

    sentence: Sentence
    place: Place
    stop: int
    """The end of it in the source."""
    speaker: str | None = None


def lines(segment: Segment, language: str, lexicon: Lexicon | None) -> Iterator[Line]:
    """What there is to be said of a segment, sentence by sentence.

    Raises TextError where it is not what its form says.
    """
    written = segment if isinstance(segment, Manuscript) else Manuscript(segment.text)
    document = _READERS[written.form](written.text, language, written.file)
    for sentence in segments(document, lexicon=lexicon):
        where = place(written.text, sentence.start, written.file)
        yield Line(sentence, where, sentence.stop, segment.speaker)
