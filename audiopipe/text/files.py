"""Texts in files: plain, Markdown, SSML."""

from __future__ import annotations

from pathlib import Path

from audiopipe.errors import Problem
from audiopipe.text.commonmark import markdown
from audiopipe.text.errors import TextError, place
from audiopipe.text.source import Document, plain
from audiopipe.text.speech_markup import ssml

MARKDOWN = (".md", ".markdown")
SSML = (".ssml", ".xml")


def read(file: str | Path, language: str = "en") -> Document:
    """Read a text file in UTF-8: by its suffix Markdown (`.md`), SSML (`.ssml`), else plain.

    Raises TextError: there is no such file, it is not UTF-8, or is not what its suffix says.
    """
    path = Path(file)
    text = load(path)
    if path.suffix.lower() in MARKDOWN:
        return markdown(text, language)
    if path.suffix.lower() in SSML:
        return ssml(text, language, str(path))
    return plain(text, language)


def load(path: Path) -> str:
    """The characters of a file in UTF-8; raises TextError where there is none, or it is not."""
    try:
        # Places are counted in the file as it is: line ends are not translated.
        return decoded(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise TextError(f"{path}: there is no such file") from None
    except OSError as error:
        raise TextError(f"{path}: cannot be read: {error.strerror}") from None


_OTHERS = {
    b"\xff\xfe": "in UTF-16; save it as UTF-8",
    b"\xfe\xff": "in UTF-16; save it as UTF-8",
    b"%PDF": "a PDF; export it as plain text, in UTF-8",
    b"PK\3\4": "an office document or an archive; export it as plain text or Markdown, in UTF-8",
    b"{\\rtf": "RTF; export it as plain text, in UTF-8",
}
"""What files that are taken for texts begin with."""


def decoded(data: bytes, file: str) -> str:
    """Text of bytes in UTF-8; raises TextError: with the place of the first byte that is not, or
    with what it is instead."""
    for begin, told in _OTHERS.items():
        if data.startswith(begin):
            raise TextError(f"{file}: is {told}")
    if data.count(0) > len(data) // 4:  # every other byte of most texts in UTF-16
        raise TextError(f"{file}: is no text, or in UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        where = place(before, len(before), file)
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise TextError([Problem(message, where)]) from None
