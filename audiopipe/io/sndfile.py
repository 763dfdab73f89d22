"""libsndfile, read and written straight on."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
import soundfile

from audiopipe.io.pcm import Frames
from audiopipe.signals import Audio


class SteadyFile(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that never seeks by itself.

    soundfile seeks after every block to where it already is. In an MP3 that loses the bits
    that a frame borrows from those before: the sound is wrong after every block. In a FLAC
    that states no length it fails.
    """

    def seekable(self) -> bool:
        return False


class _Guard(io.RawIOBase):
    """A file for libsndfile, which swallows what goes wrong in it: here it is kept.

    After that, and once the file is closed, what libsndfile still wants to write is let go.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._kept = file
        self.error: OSError | None = None

    @property
    def _over(self) -> bool:
        return self.error is not None or self._kept.closed

    def write(self, data: Any) -> int:
        try:
            return len(data) if self._over else self._kept.write(data)
        except OSError as error:
            self.error = error
            return 0

    def readinto(self, buffer: Any) -> int:
        data = b"" if self._over else self._kept.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:  # a seek flushes, so it may fail as well
            return 0 if self._over else self._kept.seek(offset, whence)
        except OSError as error:
            self.error = error
            return 0

    def tell(self) -> int:
        try:
            return 0 if self._over else self._kept.tell()
        except OSError as error:
            self.error = error
            return 0


class SndfileEncoder:
    """An encoder of libsndfile; the options are those of SoundFile, `comment` goes with them."""

    def __init__(self, file: BinaryIO, form: Audio, comment: str = "", **options: Any) -> None:
        self._guard = _Guard(file)
        self._file = SteadyFile(
            self._guard,
            "w",
            samplerate=form.rate,
            channels=form.channels,
            **options,
        )
        if comment:
            self._file.comment = comment

    def write(self, frames: Frames) -> None:
        """Append samples [time, channels]."""
        self._run(lambda: self._file.buffer_write(np.ascontiguousarray(frames), "float32"))

    def close(self) -> None:
        """Write what comes last; the file itself stays open."""
        self._run(self._file.close)

    def _run(self, action: Any) -> None:
        try:
            action()
        except (soundfile.LibsndfileError, AssertionError):
            if self._guard.error is None:
                raise
        if self._guard.error is not None:
            raise self._guard.error
