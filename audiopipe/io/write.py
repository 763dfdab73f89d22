"""Writing audio by block: WAV, FLAC, Ogg Vorbis, Opus, MP3."""

from __future__ import annotations

import io
import logging
import struct
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np
import soundfile

from audiopipe.errors import InvalidSamplesError, OutputError, did_you_mean
from audiopipe.io.atomic import FileSink
from audiopipe.io.pcm import Encoding, Frames
from audiopipe.io.sndfile import SteadyFile
from audiopipe.io.wav import WavEncoder
from audiopipe.signals import Audio

log = logging.getLogger(__name__)

Depth = Literal[16, 24, 32]

_WAV: dict[Depth, Encoding] = {16: "s16le", 24: "s24le", 32: "f32le"}
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class Codec:
    """What a suffix stands for, and what it can hold."""

    name: str
    container: str
    subtype: str | None = None
    rates: tuple[int, ...] = ()
    channels: int = 1024
    options: tuple[tuple[str, Any], ...] = ()


CODECS = {
    ".wav": Codec("WAV", "WAV", channels=65535),
    ".flac": Codec("FLAC", "FLAC", channels=8),
    # Stems are mixed and cut again: the lossy codecs are set to their transparent end.
    ".ogg": Codec("Ogg Vorbis", "OGG", "VORBIS", (), 255, (("compression_level", 0.3),)),
    ".opus": Codec("Opus", "OGG", "OPUS", _OPUS_RATES, 255, (("compression_level", 0.6),)),
    ".mp3": Codec(
        "MP3",
        "MP3",
        "MPEG_LAYER_III",
        _MP3_RATES,
        2,
        (("bitrate_mode", "VARIABLE"), ("compression_level", 0.0)),
    ),
}


class Encoder(Protocol):
    """What turns samples into a file."""

    def write(self, frames: Frames) -> None:
        """Append samples [time, channels]."""

    def close(self) -> None:
        """Write what comes last; the file itself stays open."""


class _Guard(io.RawIOBase):
    """A file for libsndfile, which swallows what goes wrong in it: here it is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._kept = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self._kept.write(data)
        except OSError as error:
            self.error = self.error or error
            return 0

    def readinto(self, buffer: Any) -> int:
        data = self._kept.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._kept.seek(offset, whence)  # a seek flushes, so it may fail as well
        except OSError as error:
            self.error = self.error or error
            return -1

    def tell(self) -> int:
        return self._kept.tell()


class SndfileEncoder:
    """An encoder of libsndfile."""

    def __init__(self, file: BinaryIO, form: Audio, codec: Codec, depth: Depth) -> None:
        self._guard = _Guard(file)
        self._file = SteadyFile(
            self._guard,
            "w",
            samplerate=form.rate,
            channels=form.channels,
            format=codec.container,
            subtype=codec.subtype or f"PCM_{depth}",
            **dict(codec.options),
        )

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


def check_audio(path: str | Path, form: Audio, depth: Depth = 24) -> Codec:
    """Make sure that the format that the suffix names can hold this audio.

    Touches no disk. Raises OutputError, which says what can.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in CODECS:
        raise OutputError(
            path,
            f"{suffix or 'a name without a suffix'} is no known kind of audio file; "
            f"{did_you_mean(suffix, CODECS)}",
        )
    codec = CODECS[suffix]
    if codec.rates and form.rate not in codec.rates:
        nearest = min((r for r in codec.rates if r > form.rate), default=codec.rates[-1])
        raise OutputError(
            path,
            f"{codec.name} knows no rate of {form.rate} Hz; put {{use: resample, rate: "
            f"{nearest} Hz}} before it, or write .flac, .ogg or .wav",
        )
    if not 0 < form.channels <= codec.channels:
        raise OutputError(
            path,
            f"{codec.name} holds at most {codec.channels} channels, not {form.channels}; "
            "mix them down before, or write .wav",
        )
    if codec.name == "FLAC" and depth == 32:
        raise OutputError(path, "FLAC holds 16 or 24 bits, not 32-bit float; write .wav")
    if codec.name != "WAV":
        try:
            SndfileEncoder(io.BytesIO(), form, codec, depth).close()
        except (soundfile.LibsndfileError, ValueError) as error:
            raise OutputError(
                path,
                f"{codec.name} cannot hold {form.channels} channels at {form.rate} Hz "
                f"({error}); write .wav",
            ) from None
    return codec


def _empty_flac(form: Audio, depth: Depth) -> bytes:
    """A FLAC file of no samples: its first block alone (RFC 9639, 8.2)."""
    numbers = form.rate << 44 | (form.channels - 1) << 41 | (depth - 1) << 36
    info = struct.pack(">HH6xQ16x", 4096, 4096, numbers)
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info


class AudioWriter(FileSink):
    """Writes Audio to a file, whose suffix says how; making it probes all that can fail.

    `depth` is that of WAV and FLAC: 16 or 24 bits, or 32 for float in WAV. In all but float,
    samples beyond full scale are clipped; `clipped` counts them, `peak` is the largest, and
    a warning tells of them at the end.

    Raises OutputError where the suffix, the rate, the channels or the folder do not do, and
    when the disk is full; InvalidSamplesError for NaN and infinity.
    """

    def __init__(self, path: str | Path, form: Audio, *, depth: Depth = 24) -> None:
        codec = check_audio(path, form, depth)
        super().__init__(path)
        self.format = form
        self.frames = 0
        self.clipped = 0
        self.peak = 0.0
        self._codec, self._depth = codec, depth
        self._limited = codec.name != "WAV" or depth != 32
        with self.guarded():
            self._encoder: Encoder = (
                WavEncoder(self.file, form.rate, form.channels, _WAV[depth])
                if codec.name == "WAV"
                else SndfileEncoder(self.file, form, codec, depth)
            )

    def append(self, block: Audio) -> None:
        if (block.rate, block.channels) != (self.format.rate, self.format.channels):
            raise ValueError(f"{self.path} was opened for {self.format!r}, not for {block!r}")
        if not len(block):
            return
        frames = block.numpy().T
        peak = float(np.abs(frames).max())
        if not np.isfinite(peak):
            raise InvalidSamplesError(
                self.path,
                f"the audio to be written is not finite within {len(block) / block.rate:.3f} s "
                f"from {block.start / block.rate:.3f} s on; nothing was written",
            )
        self.peak = max(self.peak, peak)
        if peak > 1 and self._limited:
            self.clipped += int((np.abs(frames) > 1).sum())
            frames = frames.clip(-1, 1)
        self._encoder.write(frames)
        self.frames += len(frames)

    def finish(self) -> None:
        self._encoder.close()
        if not self.frames:
            self._finish_empty()
        if self.clipped:
            log.warning(
                "%s: %d samples were clipped, the loudest %.1f dB beyond full scale; "
                "normalize before, or lower the gain",
                self.path,
                self.clipped,
                20 * log10(self.peak),
            )

    def _finish_empty(self) -> None:
        """Write what libsndfile does not: files without a sample."""
        if self._codec.name == "FLAC":
            self.file.write(_empty_flac(self.format, self._depth))
        elif self._codec.name in ("MP3", "Opus"):
            raise OutputError(
                self.path,
                f"{self._codec.name} cannot hold a recording of no samples; write .wav or .flac",
            )
