"""What is refused when a text is read."""

from __future__ import annotations

from collections.abc import Sequence

from audiopipe.errors import AudiopipeError, Place, Problem


class TextError(AudiopipeError):
    """A text, a script or a lexicon cannot be read aloud; `problems` holds all that is wrong."""

    exit_code = 3

    def __init__(self, problems: str | Sequence[Problem]) -> None:
        found = [Problem(problems)] if isinstance(problems, str) else problems
        self.problems = tuple(found)
        super().__init__("\n".join(map(str, self.problems)))


def place(source: str, at: int, file: str) -> Place:
    """Where a character of a source stands.

    >>> str(place("ab\\ncd", 4, "a.md"))
    'a.md:2:2'
    """
    line = source.count("\n", 0, at) + 1
    return Place(file, line, at - (source.rfind("\n", 0, at) + 1) + 1)
