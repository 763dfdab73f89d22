"""What `audiopipe tune` draws: the note, a needle, and the last seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from audiopipe.cli.terminal import Span, line
from audiopipe.cli.view import bar
from audiopipe.tuning import CONCERT, NAMES, Heard, Tuning

PER_SECOND = 20
"""Columns a second of the history."""
MOST = 500
"""Columns that are kept: no terminal is wider."""
WIDE = 101
"""The most columns of the scale: one a cent."""
RIGHT, CLOSE = 2.0, 10.0
"""Cents within which a note is in tune, and nearly so."""
GREEN, YELLOW, RED = "38;5;71", "38;5;220", "38;5;203"
DIM, BOLD = "2", "1"
FRAME = 3
"""Rows that are there in every terminal but the smallest: title, level, status."""
LETTER = 5
"""Rows of a large letter."""
LARGE = 56
"""Columns from which on there is room for large letters, and words beside them."""
NEEDLE = 3
"""Rows of the needle and its scale."""
SIDE = 6
"""Columns that say how many cents a row of the history is."""

_LETTERS = {
    "A": (" ███ ", "█   █", "█████", "█   █", "█   █"),
    "B": ("████ ", "█   █", "████ ", "█   █", "████ "),
    "C": (" ████", "█    ", "█    ", "█    ", " ████"),
    "D": ("████ ", "█   █", "█   █", "█   █", "████ "),
    "E": ("█████", "█    ", "████ ", "█    ", "█████"),
    "F": ("█████", "█    ", "████ ", "█    ", "█    "),
    "G": (" ████", "█    ", "█  ██", "█   █", " ████"),
    "♯": (" █ █ ", "█████", " █ █ ", "█████", " █ █ "),
    "-": ("   ", "   ", "███", "   ", "   "),
    "0": ("   ", "███", "█ █", "█ █", "███"),
    "1": ("   ", " █ ", "██ ", " █ ", "███"),
    "2": ("   ", "██ ", "  █", " █ ", "███"),
    "3": ("   ", "███", " ██", "  █", "███"),
    "4": ("   ", "█ █", "███", "  █", "  █"),
    "5": ("   ", "███", "██ ", "  █", "██ "),
    "6": ("   ", "█  ", "███", "█ █", "███"),
    "7": ("   ", "███", "  █", " █ ", " █ "),
    "8": ("   ", "███", "███", "█ █", "███"),
    "9": ("   ", "███", "█ █", "███", "  █"),
}


@dataclass
class Picture:
    """What there is to be drawn; no `note` is silence."""

    colours: bool
    tuning: Tuning
    level: float = 0.0
    note: Heard | None = None
    hz: float = 0.0
    target: float = 0.0
    status: str = ""
    history: deque[Heard | None] = field(default_factory=lambda: deque(maxlen=MOST))
    stop: int = 0
    """The column after the last of the history."""

    def add(self, seconds: float, note: Heard | None) -> None:
        """Take what is heard at a time; of several in a column, the last that sounds."""
        column = int(seconds * PER_SECOND)
        if column < self.stop:
            if note is not None:
                self.history[-1] = note
            return
        self.history.extend([None] * min(column - self.stop, MOST))
        self.history.append(note)
        self.stop = column + 1

    def lines(self, width: int, height: int) -> list[str]:
        """Draw it: so many lines, none of them wider."""
        free = height - FRAME
        large = free >= LETTER + NEEDLE + 1 and width >= LARGE
        rows = [self._title(width), self._level(width)]
        if free >= NEEDLE + (LETTER if large else 1):
            rows += self._large(width) if large else [self._small(width)]
            rows += self._needle(width)
        elif free >= 1:
            rows.append(self._small(width))
        if (left := height - 1 - len(rows)) >= 4:
            rows += [[], *self._history(width, left - 2), self._names(width)]
        rows += [[]] * (height - 1 - len(rows))
        rows.append([(self.status, DIM)])
        return [line(spans, width) for spans in rows[:height]]

    def _title(self, width: int) -> list[Span]:
        tuned = self.tuning
        told = f"audiopipe tune · A4 = {tuned.a4:g} Hz"
        if tuned.temperament != "equal":
            told += f" · {tuned.temperament} on {NAMES[tuned.tonic]}"
        elif tuned.a4 == CONCERT:
            told += " · equal temperament"
        right = "Ctrl-C ends"
        return [
            (told[: max(0, width - len(right) - 1)].ljust(width - len(right)), BOLD),
            (right, DIM),
        ]

    def _level(self, width: int) -> list[Span]:
        meter = bar(self.level, max(0, width - 6))
        safe, loud = meter[: int(0.8 * len(meter))], meter[int(0.8 * len(meter)) :]
        return [("level ", DIM), (safe, self._ink(GREEN)), (loud, self._ink(RED))]

    def _told(self) -> tuple[str, str]:
        """What is heard, in two lines."""
        if self.note is None:
            return "", ""
        return f"{self.note.cents:+.1f} cents", f"{self.hz:.2f} Hz, to be {self.target:.2f} Hz"

    def _small(self, width: int) -> list[Span]:
        if self.note is None:
            return [("–".center(width), DIM)]
        told = f"{self.note.name}  {self._told()[0]}  {self.hz:.2f} Hz"
        return [(told.center(width), self._shade(self.note.cents))]

    def _large(self, width: int) -> list[list[Span]]:
        if self.note is None:
            return [[], [], [("–".center(width), DIM)], [], []]
        letters = [_LETTERS[letter] for letter in self.note.name]
        shapes = ["  ".join(letter[row] for letter in letters) for row in range(LETTER)]
        words = ["", "", self._told()[0], "", self._told()[1]]
        edge = " " * max(0, (width - len(shapes[0]) - 3 - max(map(len, words))) // 2)
        ink = self._shade(self.note.cents)
        return [
            [(edge + shape, ink), (f"   {word}" if word else "", BOLD)]
            for shape, word in zip(shapes, words, strict=True)
        ]

    def _needle(self, width: int) -> list[list[Span]]:
        """A scale from -50 to 50 cents, and where on it the note is."""
        size = min(WIDE, max(3, width - 4))
        size -= 1 - size % 2
        edge = " " * max(0, (width - size) // 2)
        marks = ["─"] * size
        for cents in range(-50, 51, 10):
            marks[_place(cents, size)] = "┼"
        marks[0], marks[-1], marks[size // 2] = "├", "┤", "╂"
        labels = [" "] * size
        for cents in (-50, -25, 0, 25, 50) if size >= 30 else (0,):
            text = f"{cents:+d}" if cents else "0"
            first = min(max(0, _place(cents, size) - len(text) // 2), size - len(text))
            labels[first : first + len(text)] = text
        needle: list[Span] = [("", "")]
        if self.note is not None:
            place = _place(self.note.cents, size)
            needle = [(edge + " " * place + "▼", self._shade(self.note.cents))]
        return [needle, [(edge + "".join(marks), "")], [(edge + "".join(labels), DIM)]]

    def _history(self, width: int, rows: int) -> list[list[Span]]:
        """The last seconds, two points a character: above the middle is too high."""
        shown = self._shown(width)
        points = [None if note is None else _row(note.cents, rows) for note in shown]
        table = []
        for row in range(rows):
            middle = row == rows // 2
            label = "+50" if row == 0 else "-50" if row == rows - 1 else "0" if middle else ""
            spans: list[Span] = [(label.rjust(SIDE - 2) + "  ", DIM)]
            for note, point in zip(shown, points, strict=True):
                if note is None or point is None or point // 2 != row:
                    spans.append(("─" if middle else " ", DIM))
                else:
                    spans.append(("▄" if point % 2 else "▀", self._shade(note.cents)))
            table.append(_joined(spans))
        return table

    def _names(self, width: int) -> list[Span]:
        """Below the history, each note where it begins."""
        shown = self._shown(width)
        row = " " * len(shown)
        before: int | None = None
        free = 0
        for column, note in enumerate(shown):
            number = None if note is None else note.number
            if note is not None and number != before and column >= free:
                free = column + len(note.name) + 1
                row = row[:column] + note.name + row[column + len(note.name) :]
            before = number
        return [(" " * min(SIDE, width), ""), (row[: len(shown)], self._ink(YELLOW))]

    def _shown(self, width: int) -> list[Heard | None]:
        """As much of the history as there is room for, with silence before it."""
        columns = max(0, width - SIDE)
        shown = list(self.history)[max(0, len(self.history) - columns) :] if columns else []
        silence: list[Heard | None] = [None]
        return silence * (columns - len(shown)) + shown

    def _shade(self, cents: float) -> str:
        if not self.colours:
            return BOLD if abs(cents) <= RIGHT else ""
        shade = GREEN if abs(cents) <= RIGHT else YELLOW if abs(cents) <= CLOSE else RED
        return f"1;{shade}"

    def _ink(self, style: str) -> str:
        return style if self.colours else ""


def _place(cents: float, size: int) -> int:
    """The column of a scale that goes from -50 to 50."""
    return round((min(max(cents, -50.0), 50.0) + 50) / 100 * (size - 1))


def _row(cents: float, rows: int) -> int:
    """Which half of a row, counted from the top; what is in tune is in the middle one."""
    return round((50 - min(max(cents, -50.0), 50.0)) / 100 * (2 * rows - 1))


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbours of one style as one span."""
    joined: list[Span] = []
    for text, style in spans:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined
