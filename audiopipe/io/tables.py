"""Tables and lists: csv, json, srt and txt, written line by line."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod
from collections.abc import Callable, Iterator
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiopipe import tuning
from audiopipe.errors import OutputError
from audiopipe.io.atomic import FileSink
from audiopipe.signals import (
    Detections,
    Levels,
    Notes,
    PitchTrack,
    Scores,
    Segment,
    Signal,
    Text,
)

Row = dict[str, Any]
"""A line of a table: numbers are rounded already, None stands for nothing."""


def pitch_rows(block: PitchTrack) -> Iterator[Row]:
    """One row a frame; a voiced one has the nearest note, and the cents above it."""
    columns = (series.tolist() for series in (*block.tensors, block.midi()))
    for time, hz, voiced, confidence, exact in zip(block.seconds.tolist(), *columns, strict=True):
        nearest = round(exact) if isfinite(exact) else None
        yield {
            "time_s": round(time, 6),
            "hz": round(hz, 3),
            "voiced": voiced,
            "confidence": round(confidence, 4),
            "note": None if nearest is None else tuning.name(nearest),
            "cents": None if nearest is None else round(100 * (exact - nearest), 1),
        }


def level_rows(block: Levels) -> Iterator[Row]:
    """One row a frame, levels in dB below full scale; silence has none."""
    peak, rms = _decibels(block.peak), _decibels(block.rms)
    numbers = [""] if block.channels == 1 else [f"_{c + 1}" for c in range(block.channels)]
    for k, (peaks, means) in enumerate(zip(peak, rms, strict=True)):
        row: Row = {"time_s": round((block.start + k) * block.hop / block.rate, 6)}
        for number, p, r in zip(numbers, peaks, means, strict=True):
            row[f"peak_db{number}"], row[f"rms_db{number}"] = p, r
        yield row


def _decibels(linear: Tensor) -> list[list[float | None]]:
    """[channels, frames] to rows of dB."""
    rows = (20 * torch.log10(linear.double())).T.tolist()
    return [[round(x, 2) if x > -1000 else None for x in row] for row in rows]


def score_rows(block: Scores) -> Iterator[Row]:
    """One row a hop, with a column for each label."""
    for k, scores in enumerate(block.values.T.tolist()):
        rounded = (round(score, 4) for score in scores)
        time = round((block.start + k) * block.hop / block.rate, 6)
        yield {"time_s": time, **dict(zip(block.labels, rounded, strict=True))}


def detection_rows(block: Detections) -> Iterator[Row]:
    """One row an event."""
    for event in block:
        yield {
            "start_s": round(event.start / block.rate, 6),
            "stop_s": round(event.stop / block.rate, 6),
            "label": event.label,
            "score": round(event.score, 4),
        }


def note_rows(block: Notes) -> Iterator[Row]:
    """One row a note."""
    for note in block:
        yield {
            "start_s": round(note.start / block.rate, 6),
            "stop_s": round(note.stop / block.rate, 6),
            "note": note.label,
            "midi": note.number,
            "cents": round(note.cents, 1),
            "hz": round(tuning.hertz(note.pitch, block.a4), 3),
            "confidence": round(note.score, 4),
        }


def text_rows(block: Text) -> Iterator[Row]:
    """One row a passage."""
    for segment in block.segments:
        yield {
            "start_s": None if segment.start is None else round(segment.start / block.rate, 6),
            "stop_s": None if segment.stop is None else round(segment.stop / block.rate, 6),
            "speaker": segment.speaker,
            "text": segment.text,
        }


Rows = Callable[[Any], Iterator[Row]]
ROWS: dict[type[Signal], tuple[str, Rows]] = {
    PitchTrack: ("pitch", pitch_rows),
    Levels: ("levels", level_rows),
    Scores: ("scores", score_rows),
    Detections: ("detections", detection_rows),
    Notes: ("notes", note_rows),
    Text: ("text", text_rows),
}


class CsvSink(FileSink):
    """A line of names, then a line a row; true is 1, nothing is an empty field."""

    def __init__(self, path: Path, form: Signal) -> None:
        super().__init__(path)
        self._rows = ROWS[type(form)][1]
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow(_names(form))
        with self.guarded():
            self.put(head.getvalue())

    def append(self, block: Any) -> None:
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        for row in self._rows(block):
            writer.writerow(int(v) if isinstance(v, bool) else v for v in row.values())
        self.put(lines.getvalue())


def _names(form: Signal) -> list[str]:
    """The columns, from a row of a made-up element."""
    if isinstance(form, PitchTrack):
        return ["time_s", "hz", "voiced", "confidence", "note", "cents"]
    if isinstance(form, Notes):
        return ["start_s", "stop_s", "note", "midi", "cents", "hz", "confidence"]
    if isinstance(form, Levels):
        one = torch.ones(form.channels, 1)
        return list(next(level_rows(form.like(one, one, start=0))))
    if isinstance(form, Scores):
        return ["time_s", *form.labels]
    return ["start_s", "stop_s", "label", "score"]


class JsonSink(FileSink):
    """An object with the kind and the clock, and a list `items` with a line a row."""

    def __init__(self, path: Path, form: Signal) -> None:
        super().__init__(path)
        kind, self._rows = ROWS[type(form)]
        self._between = "\n"
        head: Row = {"kind": kind, "rate": form.rate}
        if isinstance(form, PitchTrack | Levels | Scores):
            head["hop"] = form.hop
        with self.guarded():
            self.put(json.dumps(head)[:-1] + ', "items": [')

    def append(self, block: Any) -> None:
        parts = []
        for row in self._rows(block):
            parts += [self._between, json.dumps(row, ensure_ascii=False)]
            self._between = ",\n"
        self.put("".join(parts))

    def finish(self) -> None:
        self.put("\n]}\n")


class _Passages(FileSink):
    """Events or passages, a paragraph each."""

    def __init__(self, path: Path, form: Signal) -> None:
        super().__init__(path)
        self._count = 0

    def append(self, block: Detections | Text) -> None:
        segments = (
            [Segment(e.label, e.start, e.stop) for e in block]
            if isinstance(block, Detections)
            else block.segments
        )
        for segment in segments:
            self._count += 1
            self.put(self.paragraph(segment, block.rate))

    @abstractmethod
    def paragraph(self, segment: Segment, rate: int) -> str: ...


def _spoken(segment: Segment) -> str:
    text = " ".join(segment.text.split())
    return f"{segment.speaker}: {text}" if segment.speaker else text


class _Subtitles(_Passages):
    """Passages with the times at which they are shown; lines stay, an empty one would end them."""

    def times(self, segment: Segment, rate: int) -> str:
        """From when to when, as SubRip writes it."""
        if segment.start is None or segment.stop is None:
            raise OutputError(
                self.path,
                f"passage {self._count} has no time, and subtitles need one; write .txt or .json",
            )
        return f"{clock(segment.start, rate)} --> {clock(segment.stop, rate)}"

    def lines(self, segment: Segment) -> str:
        """What is shown."""
        lines = (" ".join(line.split()) for line in segment.text.splitlines())
        return "\n".join(line for line in lines if line)


class SrtSink(_Subtitles):
    """Subtitles as SubRip has them."""

    def paragraph(self, segment: Segment, rate: int) -> str:
        name = f"{segment.speaker}: " if segment.speaker else ""
        told = f"{name}{self.lines(segment)}"
        return f"{self._count}\n{self.times(segment, rate)}\n{told}\n\n"


class VttSink(_Subtitles):
    """Subtitles as browsers show them (WebVTT); a speaker is a voice span."""

    def __init__(self, path: Path, form: Signal) -> None:
        super().__init__(path, form)
        with self.guarded():
            self.put("WEBVTT\n\n")

    def paragraph(self, segment: Segment, rate: int) -> str:
        name = f"<v {escape(segment.speaker, quote=False)}>" if segment.speaker else ""
        told = f"{name}{escape(self.lines(segment), quote=False)}"
        return f"{self.times(segment, rate).replace(',', '.')}\n{told}\n\n"


class LabelSink(_Passages):
    """A label track as Audacity reads it: start, end and label, with tabs between."""

    def paragraph(self, segment: Segment, rate: int) -> str:
        start, stop = segment.start or 0, segment.stop or 0
        return f"{start / rate:.6f}\t{stop / rate:.6f}\t{_spoken(segment)}\n"


class LinesSink(_Passages):
    """A line a passage."""

    def paragraph(self, segment: Segment, rate: int) -> str:
        return _spoken(segment) + "\n"


def clock(samples: int, rate: int) -> str:
    """A time as subtitles write it.

    >>> clock(3_661_500, 1000)
    '01:01:01,500'
    """
    seconds, milli = divmod((samples * 1000 + rate // 2) // rate, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milli:03}"
