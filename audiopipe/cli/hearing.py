"""Who listens to keywords as they come: for lines of text or JSON, and for the terminal."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from math import isfinite

import torch
from rich.console import Console

from audiopipe.cli.keywords_view import FADE, Picture, Spoken
from audiopipe.cli.strip import Strip
from audiopipe.cli.terminal import Terminal, has_colours
from audiopipe.io.queue import Arrival
from audiopipe.plan import Plan
from audiopipe.run.live import Percentiles
from audiopipe.signals import Detections, Signal, Spectrogram
from audiopipe.stages.keywords import FLOOR, Decide, Evidence

REFRESH = 10
"""Frames a second."""
FALL = 0.7
"""What is left of a bar a frame later, so that an eye can follow."""

SPECTRUM, EVIDENCE = "spectrum", "evidence"
"""What flows inside of the stage, by the names under which it is watched."""


class Hearing:
    """Counts events, and tells of each as soon as it is known."""

    def __init__(self, tell: Callable[[Spoken], None]) -> None:
        self.counts = Counter[str]()
        self._tell = tell
        self._output = ""
        self._arrival: Arrival | None = None

    def __enter__(self) -> Hearing:
        return self

    def __exit__(self, *_: object) -> None: ...

    def begin(self, plan: Plan) -> None:
        found = (n for n in plan.outputs if isinstance(plan.output(n), Detections))
        self._output = next(found)

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None:
        self._arrival = heard

    def take(self, out: Mapping[str, Signal]) -> None:
        """Tell of the events: also those that come out after the last block was heard."""
        events = out.get(self._output)
        if not isinstance(events, Detections) or self._arrival is None:
            return
        now = time.monotonic()
        for event in events:
            start, stop = event.start / events.rate, event.stop / events.rate
            late = now - self._arrival.sounded(stop)
            self.counts[event.label] += 1
            self._tell(Spoken(start, stop, event.label, event.score, late))


class Screen(Hearing):
    """Draws a picture of what is heard, `REFRESH` times a second."""

    def __init__(self, console: Console) -> None:
        super().__init__(self._note)
        self._terminal = Terminal(console)
        self._picture = Picture(has_colours(console), Strip(FLOOR))
        self._known = time.monotonic() - FADE
        self._late: deque[float] = deque(maxlen=1000)
        self._recent: deque[list[float]] = deque()
        self._position = 0
        self._lost = 0.0
        self._next = 0.0

    def __exit__(self, *_: object) -> None:
        self._terminal.leave()

    def begin(self, plan: Plan) -> None:
        super().begin(plan)
        (decide,) = (step for step in plan.steps if isinstance(step.stage, Decide))
        (source,) = decide.formats
        assert isinstance(source, Evidence)
        assert isinstance(decide.stage, Decide)
        rules = decide.stage.load(source, torch.device("cpu"), torch.float32)
        thresholds = zip(source.labels, rules.thresholds.tolist(), strict=True)
        self._picture.title = decide.stage.model
        self._picture.thresholds = {label: t for label, t in thresholds if isfinite(t)}
        self._recent = deque(maxlen=rules.smoothing)
        self._terminal.enter()
        self._draw()

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None:
        super().hear(heard, out, waiting)
        picture, block = self._picture, heard.block
        self._lost += (block.start - self._position) / block.rate
        self._position = block.stop
        picture.level = max(picture.level, float(abs(block.numpy()).max(initial=0.0)))
        spectrum, evidence = out.get(SPECTRUM), out.get(EVIDENCE)
        if isinstance(spectrum, Spectrogram):
            picture.strip.add(spectrum)
        if isinstance(evidence, Evidence):
            self._score(evidence)
        if (now := time.monotonic()) >= self._next:
            self._next = now + 1 / REFRESH
            picture.age = now - self._known
            picture.status = self._status(waiting)
            self._draw()
            picture.level *= FALL
            picture.scores = {label: FALL * score for label, score in picture.scores.items()}

    def _score(self, evidence: Evidence) -> None:
        """Show each label's score, averaged over as long as for the decision."""
        for scores in evidence.scores.T.tolist():
            self._recent.append(scores)
            for label, *recent in zip(evidence.labels, *self._recent, strict=True):
                score = sum(recent) / len(recent)
                self._picture.scores[label] = max(score, self._picture.scores.get(label, 0.0))

    def _note(self, event: Spoken) -> None:
        self._picture.events.append(event)
        self._late.append(event.late)
        self._known = time.monotonic()

    def _status(self, waiting: float) -> str:
        told = f"{self._lost:.2f} s lost · {waiting:.2f} s wait"
        if not self._late:
            return told
        return f"word's end to event: {Percentiles.of(list(self._late)).p50:.2f} s · {told}"

    def _draw(self) -> None:
        self._terminal.draw(self._picture.lines(*self._terminal.size))
