"""Markdown to a document: what is markup is not read, and each letter knows its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from typing import Any

from audiopipe.text.sentence import Delivery, Emphasis, Pause, Strength
from audiopipe.text.source import Document, Kind, Writer, accounted, front_matter, written


def markdown(text: str, language: str = "en", *, code: bool = False) -> Document:
    """Read Markdown (CommonMark and tables).

    Headings, items and quotes become blocks of their kind, links read their text, pictures what
    stands for them (`![this](file)`), emphasis is kept, a rule (`---`) is a pause. Blocks of code,
    HTML and front matter are skipped; `code` has code read as well. What is between the source's
    letters and the reading is in `Document.skipped`.

    >>> [block.text for block in markdown("# One\\n\\nTwo [three](https://example.com).").blocks]
    ['One', 'Two three.']
    """
    writer = Writer(text, language)
    lines = _line_starts(text)
    body = front_matter(text)
    writer.skip(0, body, "front matter")
    # The front matter is blanked, not cut off, so that places stay what they are.
    blanked = re.sub(r"[^\n]", " ", text[:body]) + text[body:]
    _Reader(writer, lines, code).read(_parser().parse(blanked))
    return accounted(writer.document())


@cache
def _parser() -> Any:
    """Made once: a script has hundreds of turns, and each is read by itself."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _line_starts(text: str) -> list[int]:
    """Where the lines begin that the parser counts."""
    return [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text)), len(text)]


@dataclass
class _Reader:
    writer: Writer
    lines: Sequence[int]
    code: bool
    depth: int = 0
    quotes: int = 0
    done: int = 0
    """How far the source is read."""

    def read(self, tokens: Sequence[Any]) -> None:
        for token in tokens:
            self._block(token)

    def _block(self, token: Any) -> None:
        kind, nesting = token.type, token.nesting
        start, stop = self._span(token)
        if kind == "inline":
            self._inline(token, max(start, self.done), stop)
        elif kind in ("list_item_open", "list_item_close"):
            self.depth += nesting
            self._start("item" if self.depth else "paragraph")
        elif kind in ("blockquote_open", "blockquote_close"):
            self.quotes += nesting
            self._start("quote" if self.quotes else "paragraph")
        elif kind == "heading_open":
            self._start("heading", int(token.tag[1]))
        elif kind in ("td_close", "th_close"):
            self.writer.end_block()
        elif kind in ("paragraph_close", "heading_close"):
            self._start("item" if self.depth else "quote" if self.quotes else "paragraph")
        elif kind == "hr":
            self.writer.end_block()
            self.writer.pause(Pause.of(Strength.HEADING))
            self.writer.end_block()
            self.done = stop
        elif kind in ("fence", "code_block"):
            self._code(token, start, stop)
        elif kind == "html_block":
            self.writer.skip(start, stop, "HTML")
            self.done = stop

    def _span(self, token: Any) -> tuple[int, int]:
        rows = token.map
        if rows is None:
            return self.done, self.lines[-1]
        last = min(rows[1], len(self.lines) - 1)
        return self.lines[rows[0]], self.lines[last]

    def _start(self, kind: Kind, level: int = 0) -> None:
        self.writer.end_block()
        self.writer.kind = kind
        self.writer.level = level or self.depth

    def _code(self, token: Any, start: int, stop: int) -> None:
        self.writer.end_block()
        if self.code:
            content = token.content
            for line in content.splitlines():
                at = self.writer.source.find(line.strip(), max(start, self.done), stop)
                if line.strip() and at >= 0:
                    written(self.writer, self.writer.source, at, at + len(line.strip()))
                    self.writer.end_block()
                    self.done = at + len(line.strip())
        else:
            self.writer.skip(start, stop, "code")
        self.done = stop

    def _inline(self, token: Any, start: int, stop: int) -> None:
        self.done = start
        emphasis: list[Emphasis] = []
        usual = self.writer.delivery
        for child in _flat(token.children or []):
            kind = child.type
            content = child.content
            if kind in ("strong_open", "em_open"):
                emphasis.append("strong" if kind == "strong_open" else "moderate")
                self._deliver(usual, emphasis)
            elif kind in ("strong_close", "em_close"):
                emphasis.pop()
                self._deliver(usual, emphasis)
            elif kind in ("softbreak", "hardbreak"):
                at = self.writer.source.find("\n", self.done, stop)
                self.writer.put(" ", max(at, self.done), max(at, self.done) + 1)
                if kind == "hardbreak":
                    self.writer.pause(Pause.of(Strength.WEAK))
                self.done = at + 1 if at >= 0 else self.done
            elif kind in ("link_close", "image_close"):
                self.done = _behind_link(self.writer.source, self.done, stop)
            elif kind == "html_inline":
                at = self.writer.source.find(content, self.done, stop)
                self.done = at + len(content) if at >= 0 else self.done
            elif kind in ("text", "code_inline", "text_special"):
                self._text(content, stop)
        self.writer.delivery = usual

    def _deliver(self, usual: Delivery, emphasis: Sequence[Emphasis]) -> None:
        self.writer.delivery = replace(usual, emphasis=emphasis[-1]) if emphasis else usual

    def _text(self, content: str, stop: int) -> None:
        """Find a text in the source, where it may be written with escapes and entities."""
        source = self.writer.source
        for char in content:
            found = next(_occurrences(source, char, self.done, stop), None)
            if found is None:
                self.writer.put(" " if char.isspace() else char, self.done, self.done)
                continue
            begin, end = found
            if char.isspace():
                char = " "
            self.writer.put(char, begin, end)
            self.done = end


@dataclass(frozen=True)
class _Mark:
    """A token of our own, which only says where something ends."""

    type: str
    content: str = ""


def _flat(tokens: Sequence[Any]) -> Iterator[Any]:
    """Inline tokens, with what stands for a picture in its place."""
    for token in tokens:
        if token.type == "image":
            yield from _flat(token.children or [])
            yield _Mark("image_close")
        else:
            yield token


_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def _occurrences(source: str, char: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Where a character is next: as it is, or as an entity."""
    at = start
    while at < stop:
        entity = _ENTITY.match(source, at, stop) if source[at] == "&" else None
        if entity and unescape(entity[0])[:1] == char:
            yield entity.span()
            at = entity.end()
        else:
            if source[at] == char:
                yield at, at + 1
            at += 1


_LINK = re.compile(
    r"[*_~`]*(?:\]\((?:<[^>\n]*>|(?:[^()\\]|\\.|\((?:[^()]|\([^()]*\))*\))*)\)|\]\[[^\]]*\]|\]|>)"
)


def _behind_link(source: str, start: int, stop: int) -> int:
    """The end of `](…)`, `][…]`, `]` or `>` behind a link's text."""
    match = _LINK.match(source, start, stop)
    return match.end() if match else start
