"""A WAV file that grows: PCM or float, and RF64 (EBU Tech 3306) once it passes 4 GiB."""

from __future__ import annotations

import struct
from typing import BinaryIO

from audiopipe.io.pcm import WIDTH, Encoding, Frames, encode

_LARGEST = 0xFFFFFFFF


class WavEncoder:
    """Writes a header, then samples, and at the end the header again with the lengths.

    libsndfile could do it, but it wraps the sizes of a WAV beyond 4 GiB and reports a full
    disk as a "system error".
    """

    def __init__(
        self, file: BinaryIO, rate: int, channels: int, encoding: Encoding, comment: str = ""
    ) -> None:
        self._file = file
        self._rate = rate
        self._channels = channels
        self._encoding = encoding
        self._frames = 0
        text = comment.encode() + b"\0"
        text += bytes(len(text) % 2)
        self._list = _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", text)) if comment else b""
        file.write(self._header())

    def write(self, frames: Frames) -> None:
        """Append samples [time, channels]."""
        self._file.write(encode(frames, self._encoding))
        self._frames += len(frames)

    def close(self) -> None:
        """Put the lengths into the header."""
        if self._size % 2:  # chunks are padded to an even length
            self._file.write(b"\0")
        self._file.seek(0)
        self._file.write(self._header())

    @property
    def _size(self) -> int:
        return self._frames * self._channels * WIDTH[self._encoding]

    def _header(self) -> bytes:
        width = WIDTH[self._encoding]
        frame = width * self._channels
        kind = 3 if self._encoding == "f32le" else 1
        form = struct.pack(
            "<HHIIHH", kind, self._channels, self._rate, self._rate * frame, frame, 8 * width
        )
        chunks = _chunk(b"fmt ", form)
        if kind == 3:  # whatever is not PCM has to count its samples a second time
            chunks += _chunk(b"fact", struct.pack("<I", min(self._frames, _LARGEST)))
        chunks += self._list
        total = 4 + 36 + len(chunks) + 8 + self._size + self._size % 2
        if total <= _LARGEST:
            # The room that the large sizes need is left free from the start.
            start = b"RIFF" + struct.pack("<I", total) + b"WAVE" + _chunk(b"JUNK", bytes(28))
            return start + chunks + b"data" + struct.pack("<I", self._size)
        sizes = struct.pack("<QQQI", total, self._size, self._frames, 0)
        start = b"RF64" + struct.pack("<I", _LARGEST) + b"WAVE" + _chunk(b"ds64", sizes)
        return start + chunks + b"data" + struct.pack("<I", _LARGEST)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
