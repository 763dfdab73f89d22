"""A terminal that is drawn a frame at a time, cheaply enough to do so many times a second.

What is printed once goes through rich, which looks at every character. A frame here is lines
of spans, and only the lines that have changed are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console

Span = tuple[str, str]
"""A text and its style: the parameters of an SGR sequence, as in `1;38;5;220`; or nothing."""

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[0m\x1b[?25h\x1b[?1049l"
"""The alternate screen without a cursor, and back."""


def line(spans: Iterable[Span], width: int) -> str:
    """Spans as one line of at most `width` cells.

    >>> line([("ab", ""), ("cdef", "1")], 4)
    'ab\\x1b[1mcd\\x1b[0m'
    """
    parts = []
    for text, style in spans:
        size = len(text) if text.isascii() else cell_len(text)
        if size > width:
            text, size = set_cell_size(text, width), width
        width -= size
        parts.append(f"\x1b[{style}m{text}\x1b[0m" if style and text else text)
    return "".join(parts)


def can_draw(console: Console) -> bool:
    """Whether frames can be drawn there: a terminal with a cursor, and block characters."""
    blocks = console.encoding.lower().startswith("utf") and not console.legacy_windows
    return console.is_terminal and not console.is_dumb_terminal and blocks


def has_colours(console: Console) -> bool:
    """Whether it shows the 256 colours of xterm, and is to."""
    return console.color_system in ("256", "truecolor") and not console.no_color


class Terminal:
    """The alternate screen of a terminal, from `enter` to `leave`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: list[str] = []
        self._size = (0, 0)
        self._entered = False

    def enter(self) -> None:
        """Hide what is in the terminal."""
        self._entered = True
        self._write(_ENTER)

    def leave(self) -> None:
        """Show it again. Harmless where nothing was hidden."""
        if self._entered:
            self._entered = False
            self._write(_LEAVE)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, which change when the window does."""
        return self._console.size

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines, each no wider than the terminal, from the top on."""
        size = self.size
        parts = []
        if size != self._size:  # what a terminal leaves behind when it is resized differs
            self._size, self._shown = size, []
            parts.append("\x1b[2J")
        for row, text in enumerate(lines[: size[1]]):
            if row >= len(self._shown) or self._shown[row] != text:
                # Erased before: behind the last column, a terminal would erase that.
                parts.append(f"\x1b[{row + 1};1H\x1b[K{text}")
        self._shown = list(lines)
        if parts:
            self._write("".join(parts))

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
