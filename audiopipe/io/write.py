"""Writing audio by block: WAV, FLAC, Ogg Vorbis, Opus, MP3."""

from __future__ import annotations

import logging
import struct
from collections.abc import Container, Sequence
from dataclasses import dataclass
from math import log10, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from audiopipe.errors import InvalidSamplesError, OutputError, did_you_mean
from audiopipe.io.atomic import FileSink
from audiopipe.io.id3 import insert, tag
from audiopipe.io.pcm import Encoding, Frames
from audiopipe.io.sndfile import SndfileEncoder
from audiopipe.io.tags import Tags, write_tags
from audiopipe.io.wav import WavEncoder
from audiopipe.signals import About, Audio

if TYPE_CHECKING:
    from audiopipe.consent import Consent

log = logging.getLogger(__name__)

Depth = Literal[16, 24, 32]

_WAV: dict[Depth, Encoding] = {16: "s16le", 24: "s24le", 32: "f32le"}
_USUAL = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_ANY = range(1, 1 << 32)


class _FlacRates(Container[int]):
    """What the header of a FLAC frame can say: up to 16 bits of Hz, or of tens of Hz."""

    def __contains__(self, rate: object) -> bool:
        return rate in range(1, 1 << 16) or rate in range(0, 655360, 10)


@dataclass(frozen=True)
class Codec:
    """What a suffix stands for, and what it can hold."""

    name: str
    container: str
    subtype: str | None
    rates: Container[int]
    channels: int
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def usual(self) -> tuple[int, ...]:
        """Those of the usual rates that it can hold, rising."""
        return tuple(rate for rate in _USUAL if rate in self.rates)


# Stems are mixed and cut again: the lossy codecs are set to their transparent end.
_VORBIS = (("compression_level", 0.3),)
_OPUS = (("compression_level", 0.6),)
_MP3 = (("bitrate_mode", "VARIABLE"), ("compression_level", 0.0))
CODECS = {
    ".wav": Codec("WAV", "WAV", None, _ANY, 65535),
    ".flac": Codec("FLAC", "FLAC", None, _FlacRates(), 8),
    # Beyond 200 kHz libvorbis has no settings, and libsndfile crashes without them.
    ".ogg": Codec("Ogg Vorbis", "OGG", "VORBIS", range(1, 200_001), 255, _VORBIS),
    ".opus": Codec("Opus", "OGG", "OPUS", _OPUS_RATES, 255, _OPUS),
    ".mp3": Codec("MP3", "MP3", "MPEG_LAYER_III", _USUAL[:9], 2, _MP3),
}


class Encoder(Protocol):
    """What turns samples into a file."""

    def write(self, frames: Frames) -> None:
        """Append samples [time, channels]."""

    def close(self) -> None:
        """Write what comes last; the file itself stays open."""


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
    if form.rate not in codec.rates:
        nearest = next((r for r in codec.usual if r > form.rate), codec.usual[-1])
        raise OutputError(
            path,
            f"{codec.name} knows no rate of {form.rate} Hz; put {{use: resample, rate: "
            f"{nearest} Hz}} before it, or write .wav",
        )
    if not 0 < form.channels <= codec.channels:
        raise OutputError(
            path,
            f"{codec.name} holds at most {codec.channels} channels, not {form.channels}; "
            "mix them down before, or write .wav",
        )
    if codec.name == "FLAC" and depth == 32:
        raise OutputError(path, "FLAC holds 16 or 24 bits, not 32-bit float; write .wav")
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
    a warning tells of them at the end. `tags` are written where the format has room for them;
    `comment` is in every file, and `about` may be set until the end: MP3 alone can hold it all.
    `consents` are written beside the file, before it is there.

    Raises OutputError where the suffix, the rate, the channels or the folder do not do, and
    when the disk is full; InvalidSamplesError for NaN and infinity.
    """

    def __init__(
        self,
        path: str | Path,
        form: Audio,
        *,
        depth: Depth = 24,
        tags: Tags | None = None,
        comment: str = "",
        consents: Sequence[Consent] = (),
    ) -> None:
        codec = check_audio(path, form, depth)
        for number, consent in enumerate(consents, 1):
            consent.place(path, number)
        super().__init__(path)
        self.format = form
        self.frames = 0
        self.clipped = 0
        self.about = About(comment)
        self._consents = consents
        self.peak = 0.0
        self._energy = 0.0
        self._codec, self._depth, self._tags = codec, depth, tags
        self._limited = codec.name != "WAV" or depth != 32
        with self.guarded():
            self._encoder: Encoder = (
                WavEncoder(self.file, form.rate, form.channels, _WAV[depth], comment)
                if codec.name == "WAV"
                else SndfileEncoder(
                    self.file,
                    form,
                    format=codec.container,
                    subtype=codec.subtype or f"PCM_{depth}",
                    # What it makes of a comment in MP3 has room for 30 letters.
                    comment="" if codec.name == "MP3" else comment,
                    **dict(codec.options),
                )
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
        self._energy += float(np.square(frames, dtype=np.float64).sum())
        if peak > 1 and self._limited:
            self.clipped += int((np.abs(frames) > 1).sum())
            frames = frames.clip(-1, 1)
        self._encoder.write(frames)
        self.frames += len(frames)

    @property
    def rms(self) -> float:
        """The level of what was written, of all channels together."""
        return sqrt(self._energy / max(1, self.frames * self.format.channels))

    def finish(self) -> None:
        self._encoder.close()
        if not self.frames:
            self._finish_empty()
        if self.about and self._codec.name == "MP3":
            self.file.flush()
            insert(self.file, tag(self.about))
        if self._tags:
            self.file.flush()
            write_tags(self.file, self._codec.name, self._tags)
        for number, consent in enumerate(self._consents, 1):
            consent.save_beside(self.path, number)
        if self.clipped:
            log.warning(
                "%s: %d samples were clipped, the loudest %.1f dB beyond full scale; "
                "normalize before, lower the gain, or write 32-bit WAV",
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
