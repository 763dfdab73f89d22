"""What is shown while a text is said: how far it is, and the sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from audiopipe.errors import visible
from audiopipe.voices.hearing import shortened

if TYPE_CHECKING:
    from rich.console import Console

    from audiopipe.signals import Text
    from audiopipe.voices.base import Piece
    from audiopipe.voices.manuscript import Line


class Sentences:
    """A bar over the characters of a text, and the sentence that is being said."""

    def __init__(self, console: Console, text: Text) -> None:
        columns = (
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        self._progress = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        total = sum(len(segment.text) for segment in text.segments)
        self._task = self._progress.add_task("", total=total)
        self._shown: Line | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def hear(self, line: Line, piece: Piece) -> None:
        """Show the sentence."""
        if line is not self._shown:
            self._shown = line
            told = escape(visible(shortened(line.sentence.written)))
            self._progress.update(self._task, description=told)

    def end(self, line: Line) -> None:
        """Move on behind it."""
        self._progress.update(self._task, completed=line.stop)
