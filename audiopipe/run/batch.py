"""Run a pipeline over many files: reading, computing and writing overlap, a journal makes it
resumable, and one bad file does not stop the rest."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

from audiopipe.device import few_threads
from audiopipe.engine import Engine
from audiopipe.errors import AudiopipeError, DeviceError, ModelError
from audiopipe.io.atomic import discard
from audiopipe.io.texts import SUFFIXES, open_input
from audiopipe.lockstep import Lockstep
from audiopipe.pipeline import BLOCK, Pipeline, file_name, nominal, output_files
from audiopipe.run.inputs import AUDIO_SUFFIXES, Job, find_inputs, make_jobs
from audiopipe.run.journal import Journal, fingerprint, written
from audiopipe.run.lane import Opener, Reading, Writing
from audiopipe.signals import Sampled, Signal, Text

log = logging.getLogger(__name__)

TOGETHER_ON_GPU = 8
"""Files that go through a GPU at the same time; on a CPU it is one."""


@dataclass(frozen=True)
class FileReport:
    """What became of one input; `seconds` is its length, `took` the time it took, in s.

    `warnings` are what stages have to say of it.
    """

    input: Path
    status: Literal["done", "skipped", "failed"]
    outputs: tuple[Path, ...] = ()
    seconds: float = 0.0
    took: float = 0.0
    error: str = ""
    exit_code: int = 0
    warnings: tuple[str, ...] = ()


@dataclass
class BatchReport:
    """What became of all inputs."""

    files: list[FileReport] = field(default_factory=list)

    def count(self, status: str) -> int:
        """How many inputs were `done`, `skipped` or `failed`."""
        return sum(report.status == status for report in self.files)


class BatchListener(Protocol):
    """Who hears of progress."""

    def begin(self, files: int) -> None:
        """The batch begins."""

    def advance(self, input: Path, done: int, total: int | None) -> None:
        """So many samples of an input, of so many in all, are read."""

    def end(self, report: FileReport) -> None:
        """An input is through."""


class Silent:
    """Nobody listens."""

    def begin(self, files: int) -> None: ...

    def advance(self, input: Path, done: int, total: int | None) -> None: ...

    def end(self, report: FileReport) -> None: ...


@dataclass(eq=False)
class _Lane:
    job: Job
    reading: Reading
    writing: Writing
    lockstep: Lockstep[_Lane]
    began: float


def run_batch(
    pipeline: Pipeline,
    inputs: Sequence[str | Path],
    folder: str | Path,
    *,
    device: str = "auto",
    dtype: str = "float32",
    together: int | None = None,
    listener: BatchListener | None = None,
    opener: Opener | None = None,
    form: str = "",
) -> BatchReport:
    """Run `pipeline` over files, folders and patterns, and write into `folder`.

    What an earlier run has finished is skipped. `together` files go through the network in
    one batch. `opener` opens outputs in another way than their suffix alone says; `form` tells
    that way apart from others, as what was written otherwise is not skipped.

    Raises AudioError where nothing is found, CollisionError before any work, OutputError if the
    folder cannot be written; what is wrong with one file is in the report.
    """
    jobs = plan_jobs(pipeline, inputs, Path(folder), device=device, dtype=dtype)
    graph = pipeline.definition.graph
    batch = _Batch(pipeline, device, dtype, listener or Silent(), opener)
    stages = [step.stage for step in pipeline.plan(device=device, dtype=dtype).steps]
    with Journal(Path(folder), fingerprint(graph, dtype + form)) as journal, few_threads(stages):
        return batch.run(jobs, journal, together)


def plan_jobs(
    pipeline: Pipeline,
    inputs: Sequence[str | Path],
    folder: Path,
    *,
    device: str = "auto",
    dtype: str = "float32",
) -> list[Job]:
    """What will be read and written; raises what can be known to be wrong before work."""
    source = nominal(pipeline.definition.graph)
    made = pipeline.plan(source, device=device, dtype=dtype)
    names = {name: file_name(name, made.output(name)) for name in made.outputs}
    parts = {
        name: [str(path) for path in output_files(name, made.output(name))] for name in made.outputs
    }
    suffixes = SUFFIXES if isinstance(source, Text) else AUDIO_SUFFIXES
    return make_jobs(find_inputs(inputs, folder, written(folder), suffixes), names, folder, parts)


class _Batch:
    def __init__(
        self,
        pipeline: Pipeline,
        device: str,
        dtype: str,
        listener: BatchListener,
        opener: Opener | None,
    ) -> None:
        self.pipeline = pipeline
        self.device, self.dtype = device, dtype
        self.listener = listener
        self.opener = opener
        self.report = BatchReport()
        self.lanes: list[_Lane] = []
        self.locksteps: dict[Engine, Lockstep[_Lane]] = {}
        self.alone: deque[Job] = deque()
        """Jobs that failed in company, to be tried by themselves: one bad file is not all."""

    def run(self, jobs: Sequence[Job], journal: Journal, together: int | None) -> BatchReport:
        self.listener.begin(len(jobs))
        waiting = deque(self._missing(jobs, journal))
        journal.sweep(waiting)
        opening = deque[Job](maxlen=1)
        try:
            while waiting or self.lanes or self.alone:
                width = together or 1
                while waiting and len(self.lanes) < width:
                    opening.append(waiting.popleft())
                    if (lane := self._open(opening[0])) is not None:
                        self.lanes.append(lane)
                        width = together or _width(lane.lockstep.engine)
                if not self.lanes and not waiting and self.alone:
                    waiting.append(self.alone.popleft())
                    together = 1
                    continue
                self._round(journal)
        except BaseException:
            for lane in self.lanes:
                lane.writing.abort()
                lane.reading.close()
            for job in opening:  # it may have been interrupted before it became a lane
                for file in job.files:
                    discard(file)
            raise
        return self.report

    def _missing(self, jobs: Sequence[Job], journal: Journal) -> Iterator[Job]:
        for job in jobs:
            try:
                done = journal.is_done(job)
            except OSError:
                done = False  # what is wrong with the file is told when it is opened
            if done:
                self._end(FileReport(job.input, "skipped", job.files))
            else:
                yield job

    def _open(self, job: Job) -> _Lane | None:
        began = time.perf_counter()
        try:
            reader = open_input(job.input, nominal(self.pipeline.definition.graph))
            try:
                engine = self.pipeline.engine(reader.format, device=self.device, dtype=self.dtype)
                writing = Writing(job, engine.plan, self.opener)
            except BaseException:
                reader.close()
                raise
        except (DeviceError, ModelError):
            raise  # what no file is to blame for would come with each of them
        except (AudiopipeError, OSError) as error:
            self._fail(job, error)
            return None
        lockstep = self.locksteps.setdefault(engine, Lockstep(engine))
        size = max(BLOCK, engine.plan.block)
        return _Lane(job, Reading(reader, size), writing, lockstep, began)

    def _round(self, journal: Journal) -> None:
        """Take one block of every lane through the engine."""
        blocks, ends = {}, {}
        for lane in list(self.lanes):
            try:
                block, end = lane.reading.next()
            except AudiopipeError as error:
                self._drop(lane, error)
                continue
            self.listener.advance(lane.job.input, lane.reading.received, lane.reading.reader.frames)
            blocks[lane] = block
            if end is not None:
                ends[lane] = end
        for lockstep in dict.fromkeys(lane.lockstep for lane in blocks):
            mine = {lane: block for lane, block in blocks.items() if lane.lockstep is lockstep}
            over = {lane: end for lane, end in ends.items() if lane in mine}
            self._push(lockstep, mine, over)
            for lane in over:
                if lane in self.lanes:
                    self._finish(lane, journal)

    def _push(
        self,
        lockstep: Lockstep[_Lane],
        blocks: dict[_Lane, Signal],
        ends: dict[_Lane, Fraction],
    ) -> None:
        """Compute, and hand over to be written; drop the lanes in which something fails."""
        failed: dict[_Lane, Exception] = {}
        try:
            for out in lockstep.push(blocks, ends):
                for lane in out.keys() - failed.keys():
                    try:
                        lane.writing.write(out[lane])
                    except (AudiopipeError, OSError) as error:
                        # A traceback would keep this frame, and what is in it, on the disk.
                        failed[lane] = error.with_traceback(None)
                if len(failed) == len(blocks):
                    break
        except (AudiopipeError, OSError) as error:
            self._drop_all([lane for lane in blocks if lane not in failed], error)
        for lane, reason in failed.items():
            self._drop(lane, reason)

    def _finish(self, lane: _Lane, journal: Journal) -> None:
        try:
            lane.writing.close(lane.lockstep.about(lane))
        except (AudiopipeError, OSError) as error:
            self._drop(lane, error)
            return
        self.lanes.remove(lane)
        lane.reading.close()
        journal.add(lane.job)
        form = lane.reading.reader.format
        seconds = lane.reading.received / form.rate if isinstance(form, Sampled) else 0.0
        took = time.perf_counter() - lane.began
        told = tuple(lane.lockstep.warnings(lane))
        files = lane.job.files
        self._end(FileReport(lane.job.input, "done", files, seconds, took, warnings=told))

    def _drop(self, lane: _Lane, error: Exception) -> None:
        self._leave(lane)
        self._fail(lane.job, error)

    def _drop_all(self, lanes: list[_Lane], error: Exception) -> None:
        if len(lanes) == 1:
            self._drop(lanes[0], error)
            return
        log.warning("%s; trying the %d files one by one", error, len(lanes))
        for lane in lanes:
            self._leave(lane)
            self.alone.append(lane.job)

    def _leave(self, lane: _Lane) -> None:
        self.lanes.remove(lane)
        lane.writing.abort()
        lane.reading.close()
        lane.lockstep.drop(lane)

    def _fail(self, job: Job, error: Exception) -> None:
        code = getattr(error, "exit_code", 1)
        self._end(FileReport(job.input, "failed", error=str(error), exit_code=code))

    def _end(self, report: FileReport) -> None:
        self.report.files.append(report)
        self.listener.end(report)


def _width(engine: Engine) -> int:
    on_gpu = any(step.choice.device.type != "cpu" for step in engine.plan.steps)
    return TOGETHER_ON_GPU if on_gpu else 1
