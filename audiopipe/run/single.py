"""One recording through a pipeline, into files of any name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from audiopipe.device import few_threads
from audiopipe.errors import CollisionError
from audiopipe.io.atomic import check_place, sweep
from audiopipe.io.read import open_audio
from audiopipe.io.save import open_sink
from audiopipe.pipeline import BLOCK, Pipeline


@dataclass(frozen=True)
class SingleReport:
    """What was done: `seconds` of sound in `took` s, and what stages have to say of it."""

    seconds: float
    took: float
    warnings: tuple[str, ...]


def run_single(
    pipeline: Pipeline,
    input: Path,
    files: Mapping[str, Path],
    *,
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> SingleReport:
    """Send a recording through a pipeline, block by block; `files` are the places of outputs by
    name, and they appear when all is done.

    `progress` hears of the seconds that are done. Raises CollisionError where an output is the
    input, OutputError before any work where a file cannot be written, AudioError for what cannot be
    read, and what stages raise.
    """
    began = time.perf_counter()
    for path in files.values():
        check_place(path)
        if path.resolve() == input.resolve():
            raise CollisionError(path, "is the input; choose another name")
        sweep(path.parent)
    with ExitStack() as stack:
        reader = stack.enter_context(open_audio(input))
        engine = pipeline.engine(reader.format, device=device)
        plan = engine.plan
        stack.enter_context(few_threads(step.stage for step in plan.steps))
        sinks = {
            name: stack.enter_context(
                open_sink(path, plan.output(name), plan.comment(name), plan.consents(name))
            )
            for name, path in files.items()
        }
        stream = engine.stream()
        done = 0
        for block in reader.blocks(BLOCK):
            for out in stream.feed(block):
                for name, part in out.items():
                    sinks[name].write(part)
            done += len(block)
            if progress is not None:
                progress(done / reader.format.rate)
        for out in stream.finish():
            for name, part in out.items():
                sinks[name].write(part)
    took = time.perf_counter() - began
    return SingleReport(done / reader.format.rate, took, tuple(stream.warnings()))
