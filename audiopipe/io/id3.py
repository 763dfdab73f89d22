"""What an MP3 says of itself: a comment, a title, chapters (ID3 2.4 and its chapter addendum)."""

from __future__ import annotations

from typing import BinaryIO

from audiopipe.signals import About

MOST_CHAPTERS = 255
"""A table of contents counts its entries in a byte."""
BLOCK = 1 << 20


def tag(about: About) -> bytes:
    """The tag that stands before the sound.

    >>> tag(About(title="A"))[:14]
    b'ID3\\x04\\x00\\x00\\x00\\x00\\x00\\x0cTIT2'
    """
    frames = []
    if about.title:
        frames.append(_text(b"TIT2", about.title))
    if about.comment:
        frames.append(_frame(b"COMM", b"\3eng\0" + about.comment.encode()))
    chapters = list(about.chapters)[:MOST_CHAPTERS]
    names = [f"chapter{number}".encode() + b"\0" for number in range(len(chapters))]
    if chapters:
        # Top level, and in order.
        table = b"contents\0\3" + bytes([len(chapters)]) + b"".join(names)
        frames.append(_frame(b"CTOC", table))
    for name, chapter in zip(names, chapters, strict=True):
        times = [round(1000 * (at or 0) / about.rate) for at in (chapter.start, chapter.stop)]
        # Places in bytes are not given: all ones.
        places = b"".join(time.to_bytes(4, "big") for time in times) + b"\xff" * 8
        frames.append(_frame(b"CHAP", name + places + _text(b"TIT2", chapter.text)))
    content = b"".join(frames)
    return b"ID3\4\0\0" + _safe(len(content)) + content


def _text(name: bytes, text: str) -> bytes:
    return _frame(name, b"\3" + text.encode())


def _frame(name: bytes, content: bytes) -> bytes:
    return name + _safe(len(content)) + b"\0\0" + content


def _safe(size: int) -> bytes:
    """A size in four bytes of seven bits each, so that none looks like the beginning of sound."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def insert(file: BinaryIO, content: bytes) -> None:
    """Put bytes before all that a file holds."""
    file.seek(0, 2)
    at = file.tell()
    while at:
        size = min(BLOCK, at)
        at -= size
        file.seek(at)
        part = file.read(size)
        file.seek(at + len(content))
        file.write(part)
    file.seek(0)
    file.write(content)
