"""What a file's header promises, where libsndfile does not tell: is all of it there?"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

_PLACEHOLDERS = (range(0x7FFFF000, 0x80000001), range(0xFFFFFF00, 0x100000000))
_OGG_PAGE = 65307  # the largest possible, in bytes
_ID3_HEADER = 10
_TAGS = 1 << 12  # what may stand behind the sound of an MP3


@dataclass(frozen=True)
class Chunk:
    """The sound in a WAV or AIFF file: bytes promised, bytes there.

    `open_ended` says that the writer was a stream that never learnt its length. The sound
    begins at byte `at`, behind the four bytes of its size.
    """

    promised: int
    present: int
    open_ended: bool
    at: int


def sound_chunk(path: Path) -> Chunk | None:
    """Find the sound of a WAV, RF64 or AIFF file; None in other files."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64", b"FORM") or len(head) < 12:
            return None
        order = ">" if head[:4] == b"FORM" else "<"
        total = struct.unpack(order + "I", head[4:8])[0]
        large = None
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack(order + "4sI", header)
            if name == b"ds64":  # RF64 keeps its 64-bit sizes here
                large = struct.unpack("<8xQ", file.read(16))[0]
                file.seek(size - 16, 1)
            elif name in (b"data", b"SSND"):
                return _chunk(file, size, total, large)
            else:
                file.seek(size + size % 2, 1)
    return None


def _chunk(file: BinaryIO, size: int, total: int, large: int | None) -> Chunk:
    here = file.tell()
    present = file.seek(0, 2) - here
    if large is not None and size == 0xFFFFFFFF:
        return Chunk(large, present, large == 0, here)
    # A size of 0 is honest in a file that knows its total.
    if size == 0:
        return Chunk(size, present, total == 0 or _placeholder(total), here)
    return Chunk(size, present, _placeholder(size) and size > present, here)


def _placeholder(size: int) -> bool:
    return any(size in span for span in _PLACEHOLDERS)


class Lengthened(FileIO):
    """A WAV file that states a length of 0, as if it stated that it has no end.

    libsndfile reads such a file to its end, the other not at all.
    """

    def __init__(self, path: Path, chunk: Chunk) -> None:
        super().__init__(path, "rb")
        self._size = range(chunk.at - 4, chunk.at)

    def readinto(self, buffer: Any) -> int:
        first = self.tell()
        count = super().readinto(buffer)
        for place in self._size:
            if first <= place < first + count:
                buffer[place - first] = b"\xff"
        return count


def ogg_ends(path: Path) -> bool:
    """Whether the last page of an Ogg file is whole and says that it is the last."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _OGG_PAGE))
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or at + 27 > len(tail):
        return False
    segments = tail[at + 26]
    length = 27 + segments + sum(tail[at + 27 : at + 27 + segments])
    return bool(tail[at + 5] & 4) and at + length <= len(tail)


def mp3_counts(path: Path) -> bool:
    """Whether an MP3 file states its length and the length is true of the whole file.

    libsndfile guesses the length of any other, and then stops at its guess.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start = 0
        file.seek(0)
        head = file.read(_ID3_HEADER)
        if head[:3] == b"ID3":  # seven bits a byte
            start = _ID3_HEADER + sum(b << 7 * (3 - i) for i, b in enumerate(head[6:10]))
        file.seek(start)
        frame = file.read(256)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 16:
        return False
    flags, _, length = struct.unpack(">III", frame[at + 4 : at + 16])
    if not flags & 1:
        return False
    # Files that were put one behind the other keep the count of the first.
    return not flags & 2 or size - start <= length + _TAGS
