"""What a live run shows: a screen for people, lines of JSON for programs."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
import torch
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text as Line

from audiopipe.io.queue import Arrival
from audiopipe.plan import Plan
from audiopipe.run.live import LiveListener
from audiopipe.signals import (
    Audio,
    Detections,
    Levels,
    Note,
    Overlay,
    PitchTrack,
    Signal,
    Spectrogram,
)
from audiopipe.tuning import note_name

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 60
REFRESH = 15


def bar(level: float, width: int = WIDTH, floor: float = -60.0) -> str:
    """A level meter from `floor` dB to 0 dB for a linear level.

    >>> bar(0.1, width=6)
    '████  '
    """
    decibels = 20 * np.log10(max(level, 1e-10))
    filled = int(np.clip((decibels - floor) / -floor, 0, 1) * width)
    return "█" * filled + " " * (width - filled)


class Screen:
    """The live view: what was heard, each output, and how the queue is."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._live = Live(console=console, refresh_per_second=REFRESH, transient=True)
        self._quiet = quiet or not console.is_terminal
        self._level = 0.0
        self._waiting = 0.0
        self._signals: dict[str, str] = {}
        self._shown: dict[str, RenderableType] = {}
        self._history: dict[str, deque[float]] = {}
        self._next = 0.0

    def __enter__(self) -> LiveListener:
        if not self._quiet:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begin(self, plan: Plan) -> None:
        drawn = {n: o for n, o in plan.signals.items() if not isinstance(plan.output(o), Overlay)}
        self._signals = drawn  # an overlay is a picture; what it is made of is shown
        self._shown = dict.fromkeys(drawn, "…")

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None:
        if self._quiet:
            return
        self._waiting = waiting
        self._level = max(0.9 * self._level, float(heard.block.samples.abs().max()))
        for name, output in self._signals.items():
            if output in out:
                self._show(name, out[output])
        if (now := time.monotonic()) >= self._next:
            self._next = now + 1 / REFRESH
            self._live.update(self._picture())

    def _show(self, name: str, block: Signal) -> None:
        history = self._history.setdefault(name, deque(maxlen=WIDTH))
        if isinstance(block, PitchTrack) and len(block):
            for hz, voiced in zip(block.hz.tolist(), block.voiced.tolist(), strict=True):
                history.append(float(np.log2(hz)) if voiced else float("nan"))
            last = float(block.hz[-1])
            told = f"{note_name(last):<8}{last:8.1f} Hz" if bool(block.voiced[-1]) else "–"
            self._shown[name] = f"{told:<20} {_curve(history)}"
        elif isinstance(block, Levels) and len(block):
            self._shown[name] = bar(float(block.peak[..., -1].max()))
        elif isinstance(block, Audio) and len(block):
            self._shown[name] = bar(float(block.samples.abs().max()))
        elif isinstance(block, Spectrogram) and len(block):
            self._shown[name] = _strip(block)
        elif isinstance(block, Detections):
            for event in block:
                self._shown[name] = f"{event.label} ({event.score:.2f})"

    def _picture(self) -> Group:
        table = Table.grid(padding=(0, 2))
        table.add_row("heard", bar(self._level))
        for name, shown in self._shown.items():
            # As it is: a label is no markup.
            table.add_row(Line(name), Line(shown) if isinstance(shown, str) else shown)
        return Group(table, Line(f"{self._waiting:.2f} s wait · Ctrl-C ends", style="dim"))


def _curve(values: Iterable[float]) -> str:
    """A line of block characters; gaps where there is no value."""
    array = np.array(list(values))
    if not np.isfinite(array).any():
        return ""
    low, high = np.nanmin(array), max(np.nanmax(array), np.nanmin(array) + 0.5)
    steps = (array - low) / (high - low) * (len(BARS) - 2) + 1
    return "".join(" " if np.isnan(step) else BARS[int(step)] for step in steps)


def _strip(block: Spectrogram) -> str:
    """The last spectrum as a line of block characters, 60 dB from space to full."""
    last = block.values[0, :, -1]
    if block.scale != "log-mel":
        factor = 10 if block.scale in ("power", "mel") else 20
        last = factor * torch.log10(last.abs().clamp_min(1e-10))
    pooled = torch.nn.functional.adaptive_max_pool1d(last[None], WIDTH)[0]
    steps = ((pooled - pooled.max() + 60) / 60).clamp(0, 1) * (len(BARS) - 1)
    return "".join(BARS[int(step)] for step in steps)


class JsonLines:
    """A line of JSON for each frame or event."""

    def __init__(self) -> None:
        self._signals: dict[str, str] = {}

    def __enter__(self) -> LiveListener:
        return self

    def __exit__(self, *_: object) -> None: ...

    def begin(self, plan: Plan) -> None:
        self._signals = plan.signals

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None: ...

    def take(self, out: Mapping[str, Signal]) -> None:
        """Print what came out: also what comes out after the last block was heard."""
        for name, output in self._signals.items():
            for told in _told(out[output]) if output in out else ():
                typer.echo(json.dumps({"output": name, **told}))


def _told(block: Signal) -> Iterable[dict[str, object]]:
    if isinstance(block, PitchTrack):
        columns = zip(
            block.seconds.tolist(),
            block.hz.tolist(),
            block.voiced.tolist(),
            block.confidence.tolist(),
            strict=True,
        )
        for seconds, hz, voiced, confidence in columns:
            yield {
                "time": round(seconds, 6),
                "hz": round(hz, 3),
                "voiced": voiced,
                "confidence": round(confidence, 4),
            }
    elif isinstance(block, Levels):
        for k in range(len(block)):
            seconds = (block.start + k) * block.hop / block.rate
            peak, rms = float(block.peak[:, k].max()), float(block.rms[:, k].max())
            yield {"time": round(seconds, 6), "peak": round(peak, 6), "rms": round(rms, 6)}
    elif isinstance(block, Detections):
        for event in block:
            told: dict[str, object] = {
                "time": round(event.start / block.rate, 6),
                "end": round(event.stop / block.rate, 6),
                "label": event.label,
                "score": round(event.score, 4),
            }
            if isinstance(event, Note):
                told["midi"] = round(event.pitch, 3)
            yield told
    elif isinstance(block, Audio | Spectrogram) and len(block):
        seconds = block.start * block.hop / block.rate
        yield {"time": round(seconds, 6), "elements": len(block)}
