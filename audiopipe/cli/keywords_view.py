"""What `audiopipe listen` draws: level, spectrum, the scores of all words, and events."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.cells import set_cell_size

from audiopipe.cli.strip import PER_SECOND, Strip
from audiopipe.cli.terminal import Span, line
from audiopipe.cli.view import bar

FADE = 2.0
"""Seconds until the word that was heard last is gone."""
SIDE = 26
"""Columns of the part on the right, and the least of a score."""
FRAME = 5
"""Rows that are always there: title, level, marks, an empty one, latency."""
BANNER = 3
"""Rows of the word that was heard last."""
STRIP = (4, 20)
"""The fewest and the most rows of the spectrum."""
PARTS = " ▏▎▍▌▋▊▉█"

DIM, BOLD = "2", "1"
# From new to old: dark on yellow, and without colour inverse.
FRESH = ("1;38;5;16;48;5;220", "1;38;5;16;48;5;178", "1;38;5;16;48;5;94", "38;5;94")
FRESH_PLAIN = ("1;7", "1;7", "7", "2")


@dataclass(frozen=True)
class Layout:
    """Rows of the spectrum and of what is below it; columns of scores and how wide they are.

    `side` is how wide the events are: 0 where there is no room.
    """

    strip: int
    below: int
    columns: int
    cell: int
    side: int


def layout(width: int, height: int, labels: int) -> Layout:
    """Share a terminal out among the spectrum, the scores of so many labels, and the events.

    >>> layout(80, 24, 18)
    Layout(strip=10, below=9, columns=2, cell=27, side=26)
    """
    side = SIDE if width >= 2 * SIDE else 0
    columns = max(1, min((width - side) // SIDE, -(-labels // 6)))
    rows = max(-(-labels // columns), BANNER + 2)
    free = max(0, height - FRAME)
    strip = min(STRIP[1], max(free - rows, min(STRIP[0], free)))
    return Layout(strip, free - strip, columns, (width - side) // columns, side)


@dataclass(frozen=True)
class Spoken:
    """An event: from when to when in s, and `late`, how long after its end it was known."""

    start: float
    stop: float
    label: str
    score: float
    late: float


@dataclass
class Picture:
    """What there is to be drawn.

    `thresholds` are those of the labels that are shown, `age` the seconds since the last event
    was known.
    """

    colours: bool
    strip: Strip
    title: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    events: deque[Spoken] = field(default_factory=lambda: deque(maxlen=100))
    age: float = FADE
    status: str = ""

    def lines(self, width: int, height: int) -> list[str]:
        """Draw it: so many lines, none of them wider."""
        plan = layout(width, height, len(self.thresholds))
        right = "Ctrl-C ends"
        title = set_cell_size(f"audiopipe listen · {self.title}", max(0, width - len(right)))
        scores, events = self._scores(plan), self._events(plan)
        rows = [
            line([(title, BOLD), (right, DIM)], width),
            line(self._level(width), width),
            *self.strip.lines(width, plan.strip, self.colours),
            line(self._marks(width), width),
            "",
            *(line([*left, *side], width) for left, side in zip(scores, events, strict=True)),
            line([(self.status, DIM)], width),
        ]
        return rows[:height]

    def _level(self, width: int) -> list[Span]:
        meter = bar(self.level, max(0, width - 6))
        safe, loud = meter[: int(0.8 * len(meter))], meter[int(0.8 * len(meter)) :]
        return [("level ", DIM), (safe, self._ink("38;5;71")), (loud, self._ink("38;5;203"))]

    def _marks(self, width: int) -> list[Span]:
        """The words below the spectrum, each where it was spoken."""
        row = " " * width
        for event in self.events:
            first = round(event.start * PER_SECOND) - self.strip.stop + width
            size = max(round((event.stop - event.start) * PER_SECOND), len(event.label) + 2)
            if first >= 0 and first + size <= width:
                mark = f"└{event.label.center(size - 2, '─')}┘"
                row = row[:first] + mark + row[first + size :]
        return [(row, self._ink("38;5;220"))]

    def _scores(self, plan: Layout) -> list[list[Span]]:
        """A bar for each label, down the columns; those that score most if there is no room."""
        labels = list(self.thresholds)
        if len(labels) > plan.below * plan.columns:
            labels.sort(key=lambda label: -self.scores.get(label, 0.0))
        widest = min(10, max((len(label) for label in labels), default=0))
        rows = min(plan.below, -(-len(labels) // plan.columns))
        table: list[list[Span]] = []
        for row in range(plan.below):
            shown = labels[row : rows * plan.columns : rows] if row < rows else []
            spans = [span for label in shown for span in self._score(label, widest, plan.cell)]
            table.append([*spans, (" " * (plan.cell * (plan.columns - len(shown))), "")])
        return table

    def _score(self, label: str, widest: int, cell: int) -> list[Span]:
        """A name, a bar with a mark where it becomes an event, and nothing between columns."""
        score, threshold = self.scores.get(label, 0.0), self.thresholds[label]
        size = cell - widest - 3
        eighths = round(score * size * 8)
        filled = ("█" * (eighths // 8) + PARTS[eighths % 8]).strip()
        at = min(size - 1, round(threshold * size))
        past = score >= threshold
        empty = "".join("┆" if k == at else " " for k in range(len(filled), size))
        return [
            (set_cell_size(label, widest) + " ", BOLD if past else ""),
            (filled, self._ink("38;5;220" if past else "38;5;67")),
            (empty, DIM),
            ("  ", ""),
        ]

    def _events(self, plan: Layout) -> list[list[Span]]:
        """The last word, large for a while, and below it what was heard before."""
        rows: list[list[Span]] = [[] for _ in range(plan.below)]
        if not plan.side or plan.below < BANNER:
            return rows
        latest = list(self.events)[::-1]
        if latest and self.age < FADE:
            styles = FRESH if self.colours else FRESH_PLAIN
            style = styles[int(self.age / FADE * len(styles))]
            word = " ".join(latest[0].label.upper())
            for row, text in enumerate(("", word, "")):
                rows[row] = [(_centred(text, plan.side - 1), style)]
        for row, event in enumerate(latest[: plan.below - BANNER], BANNER):
            time, label = f"{event.start:8.2f} s  ", set_cell_size(event.label, plan.side - 18)
            rows[row] = [(time, DIM), (label, BOLD), (f" {event.score:.2f}", "")]
        return rows

    def _ink(self, style: str) -> str:
        return style if self.colours else ""


def _centred(text: str, width: int) -> str:
    """The text in the middle of so many cells; cut off where it is wider."""
    size = len(set_cell_size(text, width).rstrip())
    return set_cell_size(" " * ((width - size) // 2) + text, width)
