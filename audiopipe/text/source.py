"""A text to be read aloud: its characters, where each stood, and what was said about them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Literal

from audiopipe.text.sentence import Delivery, Pause, Spoken

Kind = Literal["paragraph", "heading", "item", "quote"]


@dataclass(frozen=True)
class Skip:
    """A stretch of the source that is not read aloud, and why."""

    start: int
    stop: int
    why: str


@dataclass(frozen=True)
class Forced:
    """How a stretch of a block is read, whatever the rules of the language say.

    Exactly one is set: `said` are words with their sounds, `alias` is a text to be read in its
    place, `says` is SSML's `interpret-as`.
    """

    start: int
    stop: int
    said: tuple[Spoken, ...] = ()
    alias: str = ""
    says: str = ""
    detail: str = ""
    """SSML's `format` of a date."""


@dataclass(frozen=True)
class Block:
    """A paragraph: its text without markup, and for each character its place in the source."""

    text: str
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    deliveries: tuple[Delivery, ...]
    kind: Kind = "paragraph"
    level: int = 0
    """The depth of a heading or of an item."""
    forced: tuple[Forced, ...] = ()
    pauses: tuple[tuple[int, Pause], ...] = ()
    """Pauses before the character at an index."""
    ends: tuple[int, ...] = ()
    """Indices at which a sentence ends by markup (`</s>`)."""


@dataclass(frozen=True)
class Document:
    """A text in blocks. `source` is what was written; `skipped` is markup and code."""

    source: str
    blocks: tuple[Block, ...]
    skipped: tuple[Skip, ...] = ()
    language: str = "en"


@dataclass
class Writer:
    """Makes a document, piece by piece in the order of the source."""

    source: str
    language: str = "en"
    kind: Kind = "paragraph"
    level: int = 0
    delivery: Delivery = field(default_factory=Delivery)
    _blocks: list[Block] = field(default_factory=list)
    _skipped: list[Skip] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)
    _places: list[tuple[int, int]] = field(default_factory=list)
    _deliveries: list[Delivery] = field(default_factory=list)
    _forced: list[Forced] = field(default_factory=list)
    _pauses: list[tuple[int, Pause]] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._text)

    def text(self, start: int = 0) -> str:
        """What was written of this block from an index on."""
        return "".join(self._text[start:])

    def put(self, char: str, start: int, stop: int) -> None:
        """A character that is written as source[start:stop], such as `&amp;`."""
        self._text.append(char)
        self._places.append((start, stop))
        self._deliveries.append(self.delivery)

    def skip(self, start: int, stop: int, why: str) -> None:
        """A stretch of the source that is not read."""
        if start < stop:
            self._skipped.append(Skip(start, stop, why))

    def force(self, forced: Forced) -> None:
        """Have a stretch of this block read in a certain way."""
        if forced.start < forced.stop:
            self._forced.append(forced)

    def pause(self, pause: Pause) -> None:
        """A pause here; one before any text lengthens that behind the block before."""
        self._pauses.append((len(self), pause))

    def end_sentence(self) -> None:
        """Have a sentence end here, whatever its punctuation."""
        self._ends.append(len(self))

    def end_block(self) -> None:
        """End the paragraph; the next has the `kind` and `level` that are then set."""
        if self._text or self._pauses:
            starts, stops = zip(*self._places, strict=True) if self._places else ((), ())
            self._blocks.append(
                Block(
                    "".join(self._text),
                    starts,
                    stops,
                    tuple(self._deliveries),
                    self.kind,
                    self.level,
                    tuple(self._forced),
                    tuple(self._pauses),
                    tuple(self._ends),
                )
            )
        self._text, self._places, self._deliveries = [], [], []
        self._forced, self._pauses, self._ends = [], [], []

    def document(self) -> Document:
        """All that was written."""
        self.end_block()
        skipped = sorted(self._skipped, key=lambda skip: skip.start)
        return Document(self.source, tuple(self._blocks), tuple(skipped), self.language)


_PARAGRAPH = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_ITEM = re.compile(r"[^\S\n]*(?:[-*•‣–]|\(?\d{1,2}[.)])[^\S\n]+(?=\S)")


def plain(text: str, language: str = "en") -> Document:
    """Read plain text: an empty line ends a paragraph, and lines with bullets are items.

    >>> [block.text for block in plain("One\\ntwo.\\n\\nThree.").blocks]
    ['One two.', 'Three.']
    """
    writer = Writer(text, language)
    at = 0
    for gap in [*_PARAGRAPH.finditer(text), None]:
        end = gap.start() if gap else len(text)
        _paragraph(writer, text, at, end)
        at = gap.end() if gap else end
    return writer.document()


def _paragraph(writer: Writer, text: str, start: int, stop: int) -> None:
    lines = [m.span() for m in re.finditer(r"[^\n]+", text[start:stop])]
    bullets = [bool(_ITEM.match(text, start + begin, start + end)) for begin, end in lines]
    listed = sum(bullets) > 1 or (any(bullets) and len(lines) == 1)
    for (begin, end), bullet in zip(lines, bullets, strict=True):
        if listed and bullet:
            writer.end_block()
            writer.kind = "item"
        elif len(writer):
            writer.put(" ", start + begin - 1, start + begin)
        written(writer, text, start + begin, start + end)
    writer.end_block()
    writer.kind = "paragraph"


_UNSEEN = frozenset("\u00ad\u200b\ufeff\u2060")
"""Soft hyphens and spaces without width: words go on through them."""


def written(writer: Writer, text: str, start: int, stop: int) -> None:
    """Write text as it stands in the source; what cannot be seen is left out, tabs are spaces."""
    for at in range(start, stop):
        char = text[at]
        if char in _UNSEEN:
            continue
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn"):
            char = " "
        writer.put(char, at, at + 1)


_FRONT_MATTER = re.compile(r"---[^\S\n]*\r?\n(?:.*\n)*?(?:---|\.\.\.)[^\S\n]*(?:\n|$)")


def front_matter(text: str) -> int:
    """Where the text behind YAML front matter begins; 0 if there is none."""
    match = _FRONT_MATTER.match(text)
    return match.end() if match else 0


def accounted(document: Document) -> Document:
    """The document, with all that has letters or digits and is in no block named as markup."""
    taken = bytearray(len(document.source))
    for block in document.blocks:
        for start, stop in zip(block.starts, block.stops, strict=True):
            taken[start:stop] = b"\1" * (stop - start)
    for skip in document.skipped:
        taken[skip.start : skip.stop] = b"\1" * (skip.stop - skip.start)
    free = re.finditer(rb"\0+", bytes(taken))
    more = [
        Skip(gap.start(), gap.end(), "markup")
        for gap in free
        if any(char.isalnum() for char in document.source[gap.start() : gap.end()])
    ]
    skipped = sorted((*document.skipped, *more), key=lambda skip: skip.start)
    return replace(document, skipped=tuple(skipped))
