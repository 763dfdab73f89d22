"""Reading audio by block: libsndfile for what it knows, ffmpeg for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import soundfile

from audiopipe.errors import AudioError, did_you_mean
from audiopipe.io.ffmpeg import FfmpegSource
from audiopipe.io.headers import Chunk, Lengthened, mp3_counts, ogg_ends, sound_chunk
from audiopipe.io.pcm import Frames, to_audio
from audiopipe.io.sndfile import SteadyFile
from audiopipe.signals import Audio

_UNKNOWN = 1 << 62  # libsndfile's way to say that a FLAC stream states no length
_MP3_SLACK = 2 * 1152
_WHOLE = "get the whole file, or keep the part that is there with `ffmpeg -i FILE part.wav`"


class Source(Protocol):
    """What decodes: rate, channels, and what is known of the length before decoding."""

    rate: int
    channels: int
    frames: int | None
    duration: float | None

    def read(self, size: int) -> Frames:
        """Give the next `size` samples [time, channels], fewer only at the end."""

    def close(self) -> None:
        """Let go of the file."""


class SndfileSource:
    """A file that libsndfile decodes to its end."""

    def __init__(self, path: Path, file: SteadyFile) -> None:
        self.path = path
        self.rate: int = file.samplerate
        self.channels: int = file.channels
        self.frames: int | None = file.frames if file.frames < _UNKNOWN else None
        self.duration = None if self.frames is None else self.frames / self.rate
        self._file = file
        self._slack = _MP3_SLACK if file.format == "MP3" else 0
        self._given = 0

    def read(self, size: int) -> Frames:
        """Give the next `size` samples [time, channels], fewer only at the end."""
        frames = np.empty((size, self.channels), np.float32)
        try:
            count = self._file.buffer_read_into(frames, "float32")
        except soundfile.LibsndfileError as error:
            why = str(error).strip().rstrip(".").removeprefix("Error : ")
            raise self._cut_off(f" ({why})") from None
        self._given += count
        if count < size and self._given < (self.frames or 0) - self._slack:
            raise self._cut_off("")
        return frames[:count]

    def _cut_off(self, why: str) -> AudioError:
        there = self._given / self.rate
        known = "" if self.duration is None else f" of {self.duration:.3f}"
        return AudioError(
            self.path,
            f"is damaged or cut off: decoding ended after {there:.3f}{known} s{why}; {_WHOLE}",
        )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Reader:
    """An audio file that is being read, block after block, once.

    `format` is its empty Audio. `frames` is its length in samples where that is known before
    decoding, else None; `duration` in s may be an estimate, for a progress bar, or None.
    """

    def __init__(self, path: Path, source: Source) -> None:
        self.path = path
        self.format = Audio.empty(source.rate, source.channels)
        self.frames = source.frames
        self.duration = source.duration
        self._source = source
        self._position = 0

    def blocks(self, size: int) -> Iterator[Audio]:
        """Give blocks of `size` samples, the last one shorter; none of an empty recording.

        Raises AudioError where the file is damaged or cut off, and InvalidSamplesError at
        the first sample that is NaN or infinite.
        """
        while len(frames := self._source.read(size)):
            yield to_audio(frames, self.format.rate, self._position, str(self.path))
            self._position += len(frames)
            if len(frames) < size:
                return

    def close(self) -> None:
        """Let go of the file. Harmless when called twice."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_audio(path: str | Path) -> Reader:
    """Open a sound file or the sound of a video, for reading by block.

    What libsndfile decodes (WAV, FLAC, MP3, Ogg, AIFF, …) needs nothing else; the rest (M4A,
    WMA, video, and files whose header does not state their length) needs ffmpeg. Channels
    and rate stay as they are. Of several sound tracks the first is read.

    Raises AudioError for what is missing, empty, cut off, or not audio, and
    MissingDependencyError where ffmpeg is needed and absent.
    """
    path = Path(path)
    _check_file(path)
    return Reader(path, _source(path))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise AudioError(path, "is a folder; name the files in it, for instance with a *")
    if path.is_symlink() and not path.exists():
        raise AudioError(path, f"is a link to {path.readlink()}, where no file is")
    if not path.exists():
        hint = ""
        if path.parent.is_dir():
            hint = did_you_mean(path.name, (p.name for p in path.parent.iterdir()))
        cure = hint if hint.startswith("did") else "check the name"
        raise AudioError(path, f"there is no such file; {cure}")
    if not path.is_file():
        cure = "pipe raw PCM into `audiopipe live --stdin`"
        raise AudioError(path, f"is a device or a pipe, not a file; {cure}")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise AudioError(
            path, f"cannot be opened: {error.strerror}; check who may read it (ls -l)"
        ) from None
    if empty:
        raise AudioError(path, "is empty (0 bytes); copy or record it again")


def _source(path: Path) -> Source:
    chunk = sound_chunk(path)
    try:
        if chunk and chunk.open_ended and chunk.promised == 0:
            file = SteadyFile(Lengthened(path, chunk))
        else:
            file = SteadyFile(path)
    except soundfile.LibsndfileError:
        return FfmpegSource(path)
    try:
        if file.format == "MP3" and not mp3_counts(path):
            file.close()
            return FfmpegSource(path, "it is an MP3 that does not state its length")
        _check_whole(path, file, chunk)
    except BaseException:
        file.close()
        raise
    return SndfileSource(path, file)


def _check_whole(path: Path, file: SteadyFile, chunk: Chunk | None) -> None:
    there = file.frames / file.samplerate
    if file.format == "OGG" and not ogg_ends(path):
        raise AudioError(path, f"is cut off after {there:.3f} s: its end is missing; {_WHOLE}")
    if chunk and not chunk.open_ended and chunk.present < chunk.promised:
        promised = there * chunk.promised / max(1, chunk.present)
        raise AudioError(path, f"is cut off: {there:.3f} of {promised:.3f} s are there; {_WHOLE}")
