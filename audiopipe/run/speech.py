"""Say a text: into files, which appear when they are complete, or to who listens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from audiopipe.device import few_threads
from audiopipe.engine import Engine
from audiopipe.io.atomic import check_place, sweep
from audiopipe.io.save import open_sink
from audiopipe.io.write import AudioWriter
from audiopipe.pipeline import Pipeline
from audiopipe.run.journal import FOLDER
from audiopipe.run.memory import Memory, Remembering
from audiopipe.signals import Audio, Signal, Text
from audiopipe.voices.base import RATE, Piece
from audiopipe.voices.cast import Audience, Cast, Nobody
from audiopipe.voices.manuscript import Line


@dataclass(frozen=True)
class SpeechReport:
    """What was said: `seconds` of sound in `took` s, the `first` sound after so many.

    `remembered` are sentences that an earlier run had said; `warnings` are what stages have to
    say.
    """

    seconds: float
    took: float
    first: float
    sentences: int
    remembered: int
    warnings: tuple[str, ...]


@dataclass
class _Clock:
    """Counts what is said, and hands it on."""

    audience: Audience
    began: float
    first: float = 0.0
    samples: int = 0
    sentences: int = 0

    def hear(self, line: Line, piece: Piece) -> None:
        if not self.samples:
            self.first = time.perf_counter() - self.began
        self.samples += piece.samples.shape[-1]
        self.audience.hear(line, piece)

    def end(self, line: Line) -> None:
        self.sentences += 1
        self.audience.end(line)


def run_speech(
    pipeline: Pipeline,
    source: Text,
    files: Mapping[str, Path],
    *,
    device: str = "auto",
    take: Callable[[Mapping[str, Signal]], None] | None = None,
    audience: Audience | None = None,
    seconds: float | None = None,
) -> SpeechReport:
    """Send a text through a pipeline that says it; `files` are the places of outputs by name.

    What comes out is also given to `take`, as it is made. After `seconds` no further sentence is
    begun. Sentences are kept beside the first file until all is done: a run that was killed goes
    on where it was. Raises OutputError before any work where a file cannot be written, SpeechError
    for a sentence that fails, and what else stages raise.
    """
    clock = _Clock(audience or Nobody(), time.perf_counter())
    for path in files.values():
        check_place(path)
    with ExitStack() as stack:
        memory = None
        if files:
            place = next(iter(files.values()))
            memory = stack.enter_context(Memory(place.parent / FOLDER / f"{place.name}.speech"))
            sweep(place.parent)
        plan = pipeline.plan(source, device=device)
        sinks = {
            name: stack.enter_context(
                open_sink(path, plan.output(name), plan.comment(name), plan.consents(name))
            )
            for name, path in files.items()
        }
        engine = pipeline.engine(source, device=device)
        # The networks of our voices are small: on one thread they are 30 times real time, and
        # engines compute in processes of their own.
        stages = [step.stage for step in engine.plan.steps]
        stack.enter_context(few_threads(each for each in stages if each.takes is not Text))
        stack.enter_context(_overheard(engine, clock, memory, early=not files))
        stream = engine.stream()

        # What the voices say is not all that sounds: a script has pauses and jingles.
        sound = next((n for n in plan.outputs if isinstance(plan.output(n), Audio)), "")
        length = 0

        def deliver(out: Mapping[str, Signal]) -> None:
            nonlocal length
            if isinstance(block := out.get(sound), Audio):
                length += len(block)
            for name, sink in sinks.items():
                if name in out:
                    sink.write(out[name])
            if take is not None and out:
                take(out)

        said = 0
        for out in stream.feed(source):
            deliver(out)
            if seconds is not None and clock.sentences > said:
                said = clock.sentences
                if clock.samples >= seconds * RATE:
                    break
        for out in stream.finish():
            deliver(out)
        about = stream.about()
        for sink in sinks.values():
            if isinstance(sink, AudioWriter):
                sink.about = replace(about, comment=sink.about.comment)
    return SpeechReport(
        seconds=length / plan.output(sound).rate if sound else clock.samples / RATE,
        took=time.perf_counter() - clock.began,
        first=clock.first,
        sentences=clock.sentences,
        remembered=memory.hits if memory else 0,
        warnings=tuple(stream.warnings()),
    )


@contextmanager
def _overheard(
    engine: Engine, audience: Audience, memory: Memory | None, early: bool
) -> Iterator[None]:
    """Tell of what the voices of an engine say, and remember it."""
    casts = [model for model in engine.models.values() if isinstance(model, Cast)]
    before = [(cast.audience, cast.through) for cast in casts]
    for cast in casts:
        cast.audience, cast.early = audience, early
        if memory is not None:
            heard = cast.heard.digest if cast.heard else ""
            cast.through = lambda voice, of=heard: Remembering(voice, memory, of)  # type: ignore[misc]
    try:
        yield
    finally:
        for cast, (audience, through) in zip(casts, before, strict=True):
            cast.audience, cast.through = audience, through
