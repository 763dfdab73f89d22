"""Run a pipeline on what is heard now: the same stages, fed as sound arrives."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np
import torch

from audiopipe.device import few_threads
from audiopipe.engine import Engine, Stream
from audiopipe.io.queue import Arrival, BoundedQueue, Counters
from audiopipe.pipeline import Pipeline
from audiopipe.plan import Plan, Reference
from audiopipe.run.outputs import Outputs
from audiopipe.run.source import LiveSource
from audiopipe.signals import Audio, Detections, Sampled, Signal

log = logging.getLogger(__name__)

WARM_UP = 2
"""Seconds of silence that go through a pipeline before it listens."""

MEASURED = 100_000
"""Latencies that are kept for the percentiles: the latest."""


@dataclass(frozen=True)
class Percentiles:
    """Times in s."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> Percentiles:
        """The percentiles of some times; zeros for none.

        >>> Percentiles.of([0.1, 0.2, 0.3]).p50
        0.2
        """
        values = np.percentile(seconds or [0.0], [50, 95, 99])
        return cls(*(float(value) for value in values))

    def __str__(self) -> str:
        return " / ".join(f"{1000 * t:.1f}" for t in (self.p50, self.p95, self.p99)) + " ms"


@dataclass(frozen=True)
class LiveReport:
    """How a live run went.

    `processing` is the time that a block took to compute; `latency` by signal, how old its
    sound was when a result came out, counted from when its first sample sounded, or for events
    from when their last did; `declared` the part of it that the stages need by their nature.
    `overruns` were lost by the device, drops by the queue.
    """

    seconds: float
    processing: Percentiles
    latency: Mapping[str, Percentiles]
    declared: Mapping[str, float]
    queue: Counters
    overruns: int


class LiveListener(Protocol):
    """Who watches a live run."""

    def begin(self, plan: Plan) -> None:
        """The models are loaded, and sound is awaited."""

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None:
        """A block was heard, and this came out; `waiting` s are in the queue."""


class Deaf:
    """Nobody watches."""

    def begin(self, plan: Plan) -> None: ...

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None: ...


@dataclass
class _Clock:
    """Measures; keeps the latest. `signals` are the references and the outputs to measure."""

    signals: dict[str, str] = field(default_factory=dict)
    processing: list[float] = field(default_factory=list)
    latency: dict[str, list[float]] = field(default_factory=dict)

    def add(self, values: list[float], value: float) -> None:
        values.append(value)
        if len(values) > MEASURED:
            del values[: MEASURED // 2]

    def note(self, heard: Arrival, began: float, out: Mapping[str, Signal]) -> None:
        now = time.monotonic()
        self.add(self.processing, now - began)
        for name, output in self.signals.items():
            for seconds in _times(out.get(output)):
                latency = self.latency.setdefault(name, [])
                self.add(latency, now - heard.sounded(seconds))


def _times(block: Signal | None) -> list[float]:
    """The times in s from which the latency of a block is counted."""
    if isinstance(block, Detections):
        return [event.stop / block.rate for event in block]
    if isinstance(block, Sampled) and len(block):
        return [block.start * block.hop / block.rate]
    return []


def run_live(
    pipeline: Pipeline,
    source: LiveSource,
    *,
    device: str = "auto",
    dtype: str = "float32",
    folder: Path | None = None,
    take: Callable[[Mapping[str, Signal]], None] | None = None,
    listener: LiveListener | None = None,
    seconds: float | None = None,
    watch: Mapping[str, Reference] | None = None,
) -> LiveReport:
    """Run until the source ends, for `seconds`, or until Ctrl-C; all of these end well.

    Outputs are written into `folder`, and given to `take` as they come; what flows between
    stages and is named in `watch` is given, and not written. Where the queue had
    to drop sound the stages begin anew behind the gap, and files hold for it what comes of
    silence, so that time stays right. Raises OfflineError where a stage cannot stream,
    OverrunError by the policy `fail`, and what stages and outputs raise.
    """
    listener = listener or Deaf()
    clock = _Clock()
    try:
        pipeline.plan(source.format, device=device, dtype=dtype).check_streamable()
        engine = pipeline.engine(source.format, device=device, dtype=dtype)
        with ExitStack() as stack:
            clock.signals = engine.plan.signals
            stack.enter_context(few_threads(step.stage for step in engine.plan.steps))
            files = Outputs(engine.plan, folder, stack)
            files.silence = _warm_up(engine)
            listener.begin(engine.plan)
            source.start()
            watching = engine.watching(watch or {})
            with _ended_by_signals(source.queue):
                heard = _play(watching, source, files, take, listener, clock, seconds)
    finally:
        source.close()
    made = engine.plan
    declared = {name: float(made.output_latency(out)) for name, out in made.signals.items()}
    return LiveReport(
        seconds=heard / source.format.rate,
        processing=Percentiles.of(clock.processing),
        latency={name: Percentiles.of(values) for name, values in clock.latency.items()},
        declared=declared,
        queue=source.queue.counters,
        overruns=source.overruns,
    )


def _play(
    engine: Engine,
    source: LiveSource,
    files: Outputs,
    take: Callable[[Mapping[str, Signal]], None] | None,
    listener: LiveListener,
    clock: _Clock,
    seconds: float | None,
) -> int:
    """Push what arrives; returns the samples that went by."""
    stretch: _Stretch | None = None
    position = 0
    end = round(seconds * source.format.rate) if seconds is not None and isfinite(seconds) else None

    def deliver(out: Mapping[str, Signal]) -> None:
        files.write(out)
        if take is not None and out:
            take(out)

    try:
        for heard in source.queue:
            block = heard.block
            if end is not None and block.stop > end:
                block = block.cut(block.start, max(block.start, end))
            if stretch is None or block.start != position:
                for rest in stretch.finish() if stretch else ():
                    deliver(rest)
                stretch = _Stretch(engine, block.start)
            began, position = time.monotonic(), block.stop
            out = stretch.push(block)
            clock.note(heard, began, out)
            listener.hear(heard, out, source.queue.waiting)
            deliver(out)
            if position == end:
                break
    except KeyboardInterrupt:
        pass
    source.close()
    for rest in stretch.finish() if stretch else engine.stream().finish():
        deliver(rest)
    return position


@contextmanager
def _ended_by_signals(queue: BoundedQueue) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end what is heard, and not break into a block; twice, they do."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    before = {n: h for n, h in handlers.items() if h not in (signal.SIG_IGN, None)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def end(number: int, frame: FrameType | None) -> None:
        restore()
        queue.close()

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        restore()


def _warm_up(engine: Engine) -> dict[str, Signal]:
    """Compute on silence: what is made when it is first used must not delay the first sound.

    Gives what comes of silence.
    """
    format = engine.plan.source
    if not isinstance(format, Audio):
        return {}
    silence = torch.zeros(format.channels, WARM_UP * format.rate)
    return engine.stream().push(Audio(silence, format.rate))


class _Stretch:
    """A stream over sound without a gap, whose outputs are timed from the run's beginning."""

    def __init__(self, engine: Engine, start: int) -> None:
        self._stream: Stream = engine.stream()
        self._start = Fraction(start, engine.plan.source.rate)

    def push(self, block: Audio) -> dict[str, Signal]:
        return self._timed(self._stream.push(block))

    def finish(self) -> Iterator[dict[str, Signal]]:
        yield from map(self._timed, self._stream.finish())
        for text in self._stream.warnings():
            log.warning("%s", text)

    def _timed(self, out: dict[str, Signal]) -> dict[str, Signal]:
        if not self._start:
            return out
        return {name: b.delayed(round(self._start * b.rate)) for name, b in out.items()}
