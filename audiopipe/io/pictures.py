"""The natural picture of every signal; hours fit, for the columns are pooled.

matplotlib is imported when a picture is drawn, and only its objects: no window, no global
state, safe in threads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from audiopipe.errors import OutputError
from audiopipe.io import draw
from audiopipe.io.atomic import FileSink
from audiopipe.io.contours import LevelsPicture, PitchPicture
from audiopipe.io.heat import ScoresPicture
from audiopipe.io.melodies import NotesPicture, OverlayPicture
from audiopipe.io.spectra import SpectrogramPicture
from audiopipe.io.waveforms import AudioPicture, StemsPicture
from audiopipe.signals import (
    Audio,
    Detections,
    Levels,
    Notes,
    Overlay,
    PitchTrack,
    Scores,
    Segment,
    Signal,
    Spectrogram,
    Stems,
    Text,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture(Protocol):
    """A picture that takes blocks, and is drawn at the end."""

    def add(self, block: Any) -> None:
        """Take the next block."""

    def figure(self) -> Figure:
        """Draw what has been taken."""


class EventsPicture:
    """Events as bars over time, a lane per label (of text: per speaker)."""

    LANES = 24
    LETTERS = 40

    def __init__(self, form: Detections | Text) -> None:
        self._rate = form.rate
        self._lanes: dict[str, list[tuple[float, float, float, str]]] = {}

    def add(self, block: Detections | Text) -> None:
        if isinstance(block, Detections):
            for event in block:
                self._put(event.label, event.start, event.stop, event.score, f"{event.score:.2f}")
        else:
            for segment in block.segments:
                self._say(segment)

    def _say(self, segment: Segment) -> None:
        if segment.start is not None and segment.stop is not None:
            self._put(segment.speaker or "text", segment.start, segment.stop, 1.0, segment.text)

    def _put(self, lane: str, start: int, stop: int, score: float, text: str) -> None:
        bars = self._lanes.setdefault(lane, [])
        bars.append((start / self._rate, (stop - start) / self._rate, score, text))

    def figure(self) -> Figure:
        lanes = sorted(self._lanes, key=lambda name: self._lanes[name][0][0])
        shown = lanes[: self.LANES]
        more = f" ({len(lanes) - len(shown)} more labels not shown)" if shown != lanes else ""
        height = 0.6 + 0.35 * max(2, len(shown))
        figure, (axis,) = draw.panels(1, f"events{more}", height=height)
        stop = 0.0
        for row, name in enumerate(shown):
            few = len(self._lanes[name]) <= 12
            for at, length, score, text in self._lanes[name]:
                alpha = 0.3 + 0.7 * min(1.0, max(0.0, score))
                axis.barh(row, length, left=at, height=0.7, color=draw.COOL, alpha=alpha)
                stop = max(stop, at + length)
                if few:
                    short = text if len(text) <= self.LETTERS else text[: self.LETTERS] + "…"
                    axis.text(
                        at, row, f" {short}", va="center", fontsize=7, color="white", clip_on=True
                    )
        axis.set_yticks(range(len(shown)), shown, fontsize=9)
        axis.set_ylim(max(1, len(shown)) - 0.4, -0.6)
        if not shown:
            draw.empty(axis, "no events with a time")
        draw.time_axis(axis, 0.0, stop * 1.02)
        return figure


_PICTURES: dict[type[Signal], Callable[[Any], Picture]] = {
    Audio: AudioPicture,
    Spectrogram: SpectrogramPicture,
    PitchTrack: PitchPicture,
    Overlay: OverlayPicture,
    Levels: LevelsPicture,
    Scores: ScoresPicture,
    Detections: EventsPicture,
    Notes: NotesPicture,
    Text: EventsPicture,
    Stems: StemsPicture,
}


def picture_of(form: Signal) -> Picture:
    """Begin the picture of a signal; raises TypeError for a kind that has none."""
    if type(form) not in _PICTURES:
        raise TypeError(f"a {type(form).__name__} has no picture")
    return _PICTURES[type(form)](form)


def plot(signal: Signal, path: str | Path | None = None) -> Figure:
    """Draw a signal; with `path`, write the picture there as PNG too.

    Raises OutputError where the picture cannot be written.
    """
    picture = picture_of(signal.format)
    picture.add(signal)
    figure = picture.figure()
    if path is not None:
        write_figure(figure, path)
    return figure


def write_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG; raises OutputError where that cannot be."""
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise OutputError(path, "pictures are written as .png; change the suffix")
    with _FigureFile(path) as file:
        file.write(figure)


class _FigureFile(FileSink):
    def append(self, block: Figure) -> None:
        block.savefig(self.file, format="png")


class PictureSink(FileSink):
    """The picture of a stream, drawn when it ends; at most 4096 columns are kept."""

    def __init__(self, path: Path, form: Signal) -> None:
        super().__init__(path)
        self._picture = picture_of(form)

    def append(self, block: Any) -> None:
        self._picture.add(block)

    def finish(self) -> None:
        self._picture.figure().savefig(self.file, format="png")
