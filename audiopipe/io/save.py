"""Any signal into the file whose suffix says how: whole with `save`, or block by block."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiopipe.errors import OutputError, did_you_mean
from audiopipe.io.arrays import NpzSink
from audiopipe.io.atomic import FileSink, Sink, check_place
from audiopipe.io.midi import MidiSink
from audiopipe.io.pictures import PictureSink
from audiopipe.io.tables import CsvSink, JsonSink, LabelSink, LinesSink, SrtSink, VttSink
from audiopipe.io.tags import Tags
from audiopipe.io.write import CODECS, AudioWriter, Depth, check_audio
from audiopipe.signals import (
    Audio,
    Detections,
    Levels,
    Notes,
    Overlay,
    PitchTrack,
    Sampled,
    Scores,
    Signal,
    Spectrogram,
    Stems,
    Text,
)

if TYPE_CHECKING:
    from audiopipe.consent import Consent

STEM = "{stem}"
"""What stands for the stem's name in the name of an output."""

Opener = Callable[[Path, Any], FileSink]
_SINKS: dict[type[Signal], dict[str, Opener]] = {
    Audio: {**dict.fromkeys(CODECS, AudioWriter), ".png": PictureSink},
    Spectrogram: {".npz": NpzSink, ".png": PictureSink},
    PitchTrack: {".csv": CsvSink, ".json": JsonSink, ".png": PictureSink},
    Overlay: {".png": PictureSink},
    Levels: {".csv": CsvSink, ".json": JsonSink, ".png": PictureSink},
    Scores: {".csv": CsvSink, ".json": JsonSink, ".npz": NpzSink, ".png": PictureSink},
    Detections: {
        **{".csv": CsvSink, ".json": JsonSink, ".txt": LabelSink},
        **{".srt": SrtSink, ".vtt": VttSink},
    },
    Notes: {
        **{".mid": MidiSink, ".csv": CsvSink, ".json": JsonSink},
        **{".srt": SrtSink, ".vtt": VttSink, ".txt": LabelSink, ".png": PictureSink},
    },
    Text: {".txt": LinesSink, ".srt": SrtSink, ".vtt": VttSink, ".json": JsonSink},
}


def sinks_for(form: Signal) -> tuple[str, ...]:
    """The suffixes that this kind of signal can be saved with.

    >>> sinks_for(PitchTrack.empty(16000, 160))
    ('.csv', '.json', '.png')
    """
    return tuple(CODECS) if isinstance(form, Stems) else tuple(_SINKS.get(type(form), ()))


def check_output(path: str | Path, form: Signal) -> None:
    """Make sure that a signal fits into a file of this name, without touching the disk.

    Raises OutputError, which names what does fit.
    """
    path = Path(path)
    kind = type(form).__name__
    if isinstance(form, Stems):
        if is_drawn(path):
            return
        if STEM not in path.name and path.suffix:
            raise OutputError(
                path,
                f"{len(form)} stems do not fit into one file; write "
                f"{path.stem}.{STEM}{path.suffix}, or a folder without a suffix",
            )
        for name, place in stem_paths(path, form).items():
            check_audio(place, form[name])
        return
    known = sinks_for(form)
    suffix = path.suffix.lower()
    if suffix not in known:
        raise OutputError(
            path,
            f"{kind} is not saved as {suffix or 'a file without a suffix'}; "
            f"{did_you_mean(suffix, known)}",
        )
    if isinstance(form, Audio) and suffix in CODECS:
        check_audio(path, form)


def open_sink(
    path: str | Path, form: Signal, comment: str = "", consents: Sequence[Consent] = ()
) -> Sink:
    """Open an output for blocks of a signal; what can fail, fails here.

    A `comment` is kept in files of audio, and `consents` are written beside them.

    Several stems go into a folder (`out`), into files by a pattern (`song.{stem}.flac`), or into
    a picture of them all (`stems.png`). Raises OutputError.
    """
    path = Path(path)
    check_output(path, form)
    if isinstance(form, Stems):
        return PictureSink(path, form) if is_drawn(path) else StemsSink(path, form)
    if isinstance(form, Audio) and path.suffix.lower() in CODECS:
        return AudioWriter(path, form, comment=comment, consents=consents)
    return _SINKS[type(form)][path.suffix.lower()](path, form)


def save(
    signal: Signal, path: str | Path, comment: str = "", consents: Sequence[Consent] = ()
) -> Path:
    """Write a whole signal; returns the path. Raises OutputError."""
    with open_sink(path, signal.format, comment, consents) as sink:
        if not isinstance(signal, Sampled) or len(signal):
            sink.write(signal)
    return Path(path)


def is_drawn(path: Path) -> bool:
    """Whether an output of stems is a picture of all of them, not their sound."""
    return path.suffix.lower() == ".png" and STEM not in path.name


def stem_paths(path: Path, form: Stems) -> dict[str, Path]:
    """Where each stem goes: by the pattern, as WAV into the folder, or all into a picture."""
    if is_drawn(path):
        return dict.fromkeys(form, path)
    pattern = path if STEM in path.name else path / f"{STEM}.wav"
    places = {}
    for name in form:
        if name != os.path.basename(name) or name in ("", ".", ".."):  # noqa: PTH119
            raise OutputError(path, f"a stem named {name!r} makes no file name; rename it")
        places[name] = pattern.with_name(pattern.name.replace(STEM, name))
    return places


class StemsSink(Sink):
    """One audio file a stem: all of them appear, or none.

    `depth` and `tags` are as of AudioWriter; in a title stands the name of the stem, too.
    """

    def __init__(
        self, path: Path, form: Stems, *, depth: Depth = 24, tags: Tags | None = None
    ) -> None:
        self.writers: dict[str, AudioWriter] = {}
        self._made: Path | None = None
        if STEM not in path.name and not path.exists():
            check_place(path)
            path.mkdir()
            self._made = path
        try:
            for name, place in stem_paths(path, form).items():
                told = tags and tags.of_part(name)
                self.writers[name] = AudioWriter(place, form[name], depth=depth, tags=told)
        except BaseException:
            self.abort()
            raise

    def write(self, block: Stems) -> None:
        try:
            for name, writer in self.writers.items():
                writer.write(block[name])
        except BaseException:
            self.abort()
            raise

    def close(self) -> None:
        try:
            for writer in self.writers.values():
                writer.close()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        for writer in self.writers.values():
            writer.abort()
        if self._made is not None:
            with contextlib.suppress(OSError):  # stems that were complete keep the folder
                self._made.rmdir()
