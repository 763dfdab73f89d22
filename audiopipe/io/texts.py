"""Reading texts that are to be said: plain, Markdown, SSML."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from audiopipe.io.read import Reader, open_audio
from audiopipe.io.write import CODECS
from audiopipe.signals import Signal, Text

if TYPE_CHECKING:
    from audiopipe.voices.manuscript import Form, Manuscript

# The front end of speech is imported when there is a text: most pipelines have none.

SUFFIXES = frozenset([".txt", ".md", ".markdown", ".ssml", ".xml"])
"""What is taken for text in a folder."""


class TextReader:
    """A text that is being read: one segment, which is all of it.

    `format` is an empty Text; `frames` counts segments.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.format = Text(())
        self.frames = 1
        self._manuscript = read_manuscript(path)

    def blocks(self, size: int) -> Iterator[Text]:
        """Give the text, in one block whatever the `size`: a reader looks ahead."""
        yield Text((self._manuscript,))

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_manuscript(path: Path) -> Manuscript:
    """The text of a file in UTF-8, in the form that its suffix says; raises TextError."""
    from audiopipe.io.clips import Clips
    from audiopipe.text.errors import TextError
    from audiopipe.text.files import load
    from audiopipe.voices.manuscript import Manuscript

    if path.suffix.lower() in CODECS:
        raise TextError(f"{path}: is audio, and texts are read here (.txt, .md, .ssml)")
    return Manuscript(load(path), form=form_of(path), file=str(path), sounds=Clips(path.parent))


def manuscript_of(argument: str) -> Manuscript:
    """What an argument means: a file, `-` for standard input, or else the words themselves.

    Raises TextError for what cannot be read, and for a folder.

    >>> manuscript_of("Good morning.").text
    'Good morning.'
    """
    from audiopipe.text.errors import TextError
    from audiopipe.voices.manuscript import Manuscript

    if argument == "-":
        return standard_input()
    path = Path(argument)
    named = path.suffix.lower() in SUFFIXES and not any(map(str.isspace, argument))
    try:
        file, folder = path.is_file(), bool(argument) and path.is_dir()
    except OSError:  # no name of a file is as long
        file = folder = False
    if named or file:
        return read_manuscript(path)
    if folder:
        told = f"{argument}: is a folder; name a text in it, or have all of them said by"
        raise TextError(
            f"{told} `audiopipe run narrate {argument}`; as a word, write '{argument}.'"
        )
    return Manuscript(argument)


def standard_input() -> Manuscript:
    """The text of standard input in UTF-8; raises TextError."""
    from audiopipe.text.files import decoded
    from audiopipe.voices.manuscript import Manuscript

    return Manuscript(decoded(sys.stdin.buffer.read(), "<stdin>"), file="<stdin>")


def form_of(path: Path) -> Form:
    """How a file is written, by its suffix.

    >>> form_of(Path("a.md")), form_of(Path("a"))
    ('markdown', 'plain')
    """
    from audiopipe.text.files import MARKDOWN, SSML

    suffix = path.suffix.lower()
    return "markdown" if suffix in MARKDOWN else "ssml" if suffix in SSML else "plain"


def open_input(path: str | Path, form: Signal) -> Reader | TextReader:
    """Open a file for a pipeline that takes signals of this form: a text, or else sound.

    Raises TextError, or what `open_audio` raises.
    """
    if not isinstance(form, Text):
        return open_audio(path)
    return TextReader(Path(path))
