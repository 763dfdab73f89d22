"""One file on its way through a batch: read by one thread, written by another."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from audiopipe.errors import AudioError
from audiopipe.io.atomic import Sink
from audiopipe.io.read import Reader
from audiopipe.io.save import open_sink
from audiopipe.io.texts import TextReader
from audiopipe.io.write import AudioWriter
from audiopipe.pipeline import make_folder
from audiopipe.plan import Plan
from audiopipe.run.inputs import Job
from audiopipe.signals import About, Sampled, Signal

Opener = Callable[[Job, Path, Signal], Sink]
"""Opens an output of a job."""

READ_AHEAD = 3
"""Blocks that are read before they are wanted."""

WRITE_BEHIND = 6
"""Blocks that wait to be written."""


class Reading:
    """Reads blocks ahead in a thread of its own; `next` raises what reading raised."""

    def __init__(self, reader: Reader | TextReader, size: int) -> None:
        self.reader = reader
        self.received = 0
        self._size = size
        self._blocks: queue.Queue[Signal | Exception | None] = queue.Queue(READ_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read", daemon=True)
        self._thread.start()

    def next(self) -> tuple[Signal, Fraction | None]:
        """The next block, and the length of it all in s if it is the (empty) last."""
        item = self._blocks.get()
        if isinstance(item, Exception):
            raise item
        if item is None:
            form = self.reader.format
            end = Fraction(self.received, form.rate)
            if isinstance(form, Sampled):
                return form.like(*form.tensors, start=self.received), end
            return form, end
        self.received += len(item)  # type: ignore[arg-type]
        return item, None

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        with contextlib.suppress(queue.Empty):
            while True:
                self._blocks.get_nowait()
        self._thread.join()
        self.reader.close()

    def _run(self) -> None:
        try:
            for block in self.reader.blocks(self._size):
                if not self._put(block):
                    return
            self._put(None)
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            self._put(AudioError(self.reader.path, reason))
        except Exception as error:
            self._put(error)

    def _put(self, item: Signal | Exception | None) -> bool:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._blocks.put(item, timeout=0.1)
                return True
        return False


class Writing:
    """Writes blocks behind in a thread of its own; all outputs of one job.

    Making it opens every output with `opener`, so that what cannot be written fails before the
    work.
    """

    def __init__(self, job: Job, plan: Plan, opener: Opener | None = None) -> None:
        self._sinks: dict[str, Sink] = {}
        self._error: Exception | None = None
        self._blocks: queue.Queue[dict[str, Signal] | None] = queue.Queue(WRITE_BEHIND)
        try:
            for name, target in job.outputs.items():
                format = plan.output(name)
                make_folder(target.parent)
                sink = (
                    opener(job, target, format)
                    if opener
                    else open_sink(target, format, plan.comment(name), plan.consents(name))
                )
                self._sinks[name] = sink
        except BaseException:
            self._abort()
            raise
        self._thread = threading.Thread(target=self._run, name="write", daemon=True)
        self._thread.start()

    def write(self, blocks: Mapping[str, Signal]) -> None:
        """Hand blocks over by output; raises what writing has raised."""
        self._check()
        self._blocks.put(dict(blocks))

    def close(self, about: About) -> None:
        """Wait for all to be written, and put the files in their places; MP3s say what they are
        about."""
        for sink in self._sinks.values():
            if isinstance(sink, AudioWriter):
                sink.about = replace(about, comment=sink.about.comment)
        self._blocks.put(None)
        self._thread.join()
        self._check()

    def abort(self) -> None:
        """Give up; leave nothing behind."""
        self._error = self._error or InterruptedError()
        self._blocks.put(None)
        self._thread.join()
        self._abort()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _abort(self) -> None:
        for sink in self._sinks.values():
            sink.abort()

    def _run(self) -> None:
        while (blocks := self._blocks.get()) is not None:
            if self._error is not None:
                continue  # empty the queue, so that nobody waits for room in it
            try:
                for name, block in blocks.items():
                    self._sinks[name].write(block)
            except Exception as error:
                self._error = error
        if self._error is None:
            try:
                for sink in self._sinks.values():
                    sink.close()
            except Exception as error:
                self._error = error
        if self._error is not None:
            self._abort()
