"""Pipelines as people use them: load or build one, then plan, run or stream it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiopipe.definition import MISNAMED, Definition, override, read_definition
from audiopipe.document import Document, parse_document, read_document
from audiopipe.engine import Engine, Stream
from audiopipe.errors import (
    DefinitionError,
    OutputError,
    Place,
    PlanError,
    Problem,
    did_you_mean,
)
from audiopipe.io.atomic import output_error
from audiopipe.io.save import STEM, check_output, save, sinks_for, stem_paths
from audiopipe.io.texts import open_input
from audiopipe.plan import INPUT, Graph, Node, Plan, is_name, numbered, plan, survey
from audiopipe.ready import find_definition
from audiopipe.registry import find_stage
from audiopipe.signals import Audio, Signal, Stems, Text
from audiopipe.stage import Stage, flatten

if TYPE_CHECKING:
    from audiopipe.consent import Consent

log = logging.getLogger(__name__)

BLOCK = 1 << 18
"""Samples a block in batch: large enough to keep the cost of a block out of the account,
small enough to stay in cache."""

NAME = "{name}"
"""What stands for the input's name in the name of an output."""

Placed = Stage | tuple[Stage, str | Sequence[str]]


class Result(Mapping[str, Signal]):
    """What came out, by output name, or by the name of the stage that it came from.

    `title` names the recording that went in, `sources` the output that holds what a stage gave;
    `warnings` are what stages have to say of it, `comments` what files of outputs say of it, and
    `consents` what has to stand beside them.
    """

    def __init__(
        self,
        signals: Mapping[str, Signal],
        title: str = "audio",
        sources: Mapping[str, str] | None = None,
        warnings: Sequence[str] = (),
        comments: Mapping[str, str] | None = None,
        consents: Mapping[str, Sequence[Consent]] | None = None,
    ) -> None:
        self._signals = dict(signals)
        self._sources = dict(sources or {})
        self._comments = dict(comments or {})
        self._consents = dict(consents or {})
        self.title = title
        self.warnings = tuple(warnings)

    def __getitem__(self, name: str) -> Signal:
        if name in self._signals:
            return self._signals[name]
        if name in self._sources:
            return self._signals[self._sources[name]]
        hint = did_you_mean(name, {*self._signals, *self._sources})
        raise KeyError(f"no output {name!r}; {hint}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {signal!r}" for name, signal in self.items())

    def _repr_html_(self) -> str:
        return "".join(f"<h4>{escape(name)}</h4>{s._repr_html_()}" for name, s in self.items())

    def save(self, folder: str | Path) -> list[Path]:
        """Write every output into `folder`; an output without a suffix gets its natural one.

        Raises OutputError.
        """
        paths = []
        for name, signal in self.items():
            path = Path(folder) / file_name(name, signal).replace(NAME, self.title)
            make_folder(path.parent)
            told = self._comments.get(name, ""), self._consents.get(name, ())
            paths.append(save(signal, path, *told))
        return paths


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OutputError(folder, "a file is in the way of this folder; choose another") from None
    except OSError as error:
        raise output_error(folder, error) from None


def file_name(output: str, format: Signal) -> str:
    """The file that an output is written to: itself, or with its signal's natural suffix."""
    if Path(output).suffix or isinstance(format, Stems):
        return output
    return output + sinks_for(format)[0]


class Pipeline:
    """Stages in their places. Making one touches no weights and no device.

    `stages` is a chain, or a mapping from name to stage, where a stage that does not follow
    the one above it is given with the name of its source: `(stage, "name")`. Raises
    DefinitionError for no stages at all, and for names that a definition may not have either.

    >>> from audiopipe.stages.mix import Mix
    >>> from audiopipe.stages.tap import Tap
    >>> pipeline = Pipeline({"mono": Mix(channels=1), "level": Tap(), "raw": (Tap(), "input")})
    >>> sorted(pipeline.run(Audio([[0.5, -1.0], [0.5, 0.0]], rate=8000)))
    ['raw']
    """

    def __init__(
        self,
        stages: Sequence[Stage] | Mapping[str, Placed],
        *,
        outputs: Mapping[str, str] | None = None,
        strict: bool = False,
        about: str = "",
    ) -> None:
        graph = Graph(tuple(_nodes(stages)), outputs or {}, strict)
        self._adopt(Definition(graph, about))

    @classmethod
    def of(cls, definition: Definition) -> Pipeline:
        """The pipeline of a definition that has been read."""
        pipeline = cls.__new__(cls)
        pipeline._adopt(definition)
        return pipeline

    def _adopt(self, definition: Definition) -> None:
        self.definition = definition
        self._engines: dict[tuple[Any, ...], Engine] = {}
        self._loading = threading.Lock()

    def __repr__(self) -> str:
        nodes = self.definition.graph.nodes
        return f"Pipeline({', '.join(f'{n.name}: {n.stage.name}' for n in nodes)})"

    @property
    def about(self) -> str:
        """What the pipeline is for."""
        return self.definition.about

    def plan(
        self, source: Signal | None = None, *, device: str = "auto", dtype: str = "float32"
    ) -> Plan:
        """Say what will run for inputs of a format (48 kHz stereo where none is given).

        Raises PlanError, DeviceError.
        """
        graph = self.definition.graph
        format = nominal(graph) if source is None else source.format
        made = plan(graph, format, device, dtype)
        if problems := _unwritable(graph, made):
            raise PlanError(problems)
        return made

    def engine(self, source: Signal, *, device: str = "auto", dtype: str = "float32") -> Engine:
        """The plan with its models loaded: once for each format, device and precision."""
        format = source.format
        key = (*getattr(format, "signature", (type(format),)), device, dtype)
        with self._loading:
            if key not in self._engines:
                self._engines[key] = Engine(self.plan(format, device=device, dtype=dtype))
            return self._engines[key]

    def run(
        self,
        source: Signal | str | Path,
        *,
        device: str = "auto",
        dtype: str = "float32",
        progress: Callable[[int, int | None], None] | None = None,
    ) -> Result:
        """Run over a whole recording, or a file; `progress` hears of samples done and in all.

        Raises AudioError, PlanError, DeviceError and what the stages raise.
        """
        if not isinstance(source, Signal | str | Path):
            given = type(source).__name__
            raise TypeError(f"give a file or audiopipe.Audio(samples, rate=…), not {given}")
        collected: dict[str, list[Any]] = {}
        if isinstance(source, str | Path):
            with open_input(source, nominal(self.definition.graph)) as reader:
                engine = self.engine(reader.format, device=device, dtype=dtype)
                stream = engine.stream()
                size = max(BLOCK, engine.plan.block)
                rounds = _rounds(stream, reader.blocks(size), reader.frames, progress)
                _collect(rounds, collected)
        else:
            engine = self.engine(source, device=device, dtype=dtype)
            size = max(BLOCK, engine.plan.block)
            blocks = _split(source, size) if isinstance(source, Audio) else [source]
            total = len(source) if isinstance(source, Audio) else None
            stream = engine.stream()
            _collect(_rounds(stream, blocks, total, progress), collected)
        joined = {name: type(blocks[0]).join(blocks) for name, blocks in collected.items()}
        title = Path(source).stem if isinstance(source, str | Path) else "audio"
        told = stream.warnings()
        for text in told:
            log.warning("%s: %s", title, text)
        comments = {name: engine.plan.comment(name) for name in joined}
        consents = {name: engine.plan.consents(name) for name in joined}
        return Result(joined, title, engine.plan.signals, told, comments, consents)

    def stream(
        self, blocks: Iterable[Signal], *, device: str = "auto", dtype: str = "float32"
    ) -> Iterator[dict[str, Signal]]:
        """Run over blocks as they come; give what is known after each, by output name.

        Raises OfflineError where a stage needs the whole recording, and ValueError where the
        format changes.
        """
        iterator = iter(blocks)
        first = next(iterator, None)
        if first is None:
            return
        self.plan(first, device=device, dtype=dtype).check_streamable()
        stream = self.engine(first, device=device, dtype=dtype).stream()
        yield from stream.feed(first)
        for block in iterator:
            yield from stream.feed(block)
        yield from stream.finish()
        for text in stream.warnings():
            log.warning("%s", text)


def chain(*stages: Stage | str) -> Pipeline:
    """A chain of stages, or of the names of stages with their defaults.

    >>> chain("tap").run(Audio([0.0, 1.0], rate=8000))["tap"]
    Levels(1 × 1 frames, hop 400 at 8000 Hz)
    """
    return Pipeline([_by_name(s) if isinstance(s, str) else s for s in stages])


def _by_name(name: str) -> Stage:
    stage = find_stage(name)
    if needed := [option for option, f in stage.model_fields.items() if f.is_required()]:
        told = f"{name!r} needs the option {needed[0]!r}: give {stage.__name__}({needed[0]}=...)"
        raise DefinitionError([Problem(told)])
    return stage()


def load(
    source: str | Path | Mapping[str, Any], settings: Mapping[str, str] | None = None
) -> Pipeline:
    """Load a definition: a YAML file, the name of a ready one, or a mapping of the same shape.

    `settings` overrides options: `{"mel.bands": "64"}`. Raises DefinitionError with all that
    is wrong, each with its place and its cure.
    """
    if isinstance(source, Mapping):
        document = Document(dict(source), {(): Place("<mapping>", 1, 1)}, "<mapping>")
    else:
        document = read_document(find_definition(source))
    return check(override(document, settings or {}))


def parse(text: str, file: str = "<text>") -> Pipeline:
    """Load a definition from YAML text; raises DefinitionError.

    >>> parse("audiopipe: 1\\nstages: [{use: resample, rate: 16 kHz}, tap]").about
    ''
    """
    return check(parse_document(text, file))


def check(document: Document) -> Pipeline:
    """Find everything that is wrong with a document, or make a pipeline of it."""
    reading = read_definition(document)
    graph = reading.definition.graph
    made, misfits = survey(graph, nominal(graph), reading.broken)
    problems = [*reading.problems, *misfits, *_unwritable(graph, made)]
    if problems:
        order = [(p.place.line, p.place.column) if p.place else (0, 0) for p in problems]
        ranked = sorted(range(len(problems)), key=order.__getitem__)
        raise DefinitionError([problems[i] for i in ranked])
    return Pipeline.of(reading.definition)


def nominal(graph: Graph) -> Signal:
    """What a pipeline is planned for while no input is known."""
    for node in graph.nodes:
        if INPUT in node.sources and issubclass(flatten(node.stage)[0].takes, Text):
            return Text(())
    return Audio.empty(48000, 2)


def _unwritable(graph: Graph, made: Plan) -> list[Problem]:
    """Outputs whose suffix does not fit what is in them, or that would overwrite each other."""
    problems = []
    owners: dict[Path, str] = {}
    for name in made.outputs:
        place, format = graph.places.get(name), made.output(name)
        if Path(name).is_absolute() or ".." in Path(name).parts:
            problems.append(Problem(f"output {name!r} must lie inside the output folder", place))
            continue
        known = (NAME, STEM) if isinstance(format, Stems) else (NAME,)
        for unknown in set(re.findall(r"\{.*?\}", name)) - set(known):
            hint = did_you_mean(unknown, known)
            text = f"output {name!r}: nothing stands for {unknown}; {hint}"
            problems.append(Problem(text, place))
        try:
            check_output(file_name(name, format), format)
        except OutputError as error:
            problems.append(Problem(f"output {error}", place))
            continue
        for file in output_files(name, format):
            if (owner := owners.setdefault(file, name)) != name:
                text = f"outputs {owner!r} and {name!r} would both be written to {file}"
                problems.append(Problem(text, place))
    return problems


def output_files(output: str, format: Signal) -> list[Path]:
    """The files that an output is written to: one, or one for each stem."""
    path = Path(file_name(output, format))
    if not isinstance(format, Stems):
        return [path]
    return list(dict.fromkeys(stem_paths(path, format).values()))


def _nodes(stages: Sequence[Stage] | Mapping[str, Placed]) -> Iterator[Node]:
    if not isinstance(stages, Mapping):
        stages = dict(zip(numbered(stage.name for stage in stages), stages, strict=True))
    problems = [Problem(MISNAMED.format(name)) for name in stages if not is_name(name)]
    if problems or not stages:
        raise DefinitionError(problems or [Problem("a pipeline needs at least one stage")])
    above = INPUT
    for name, placed in stages.items():
        stage, sources = placed if isinstance(placed, tuple) else (placed, above)
        yield Node(name, stage, (sources,) if isinstance(sources, str) else tuple(sources))
        above = name


def _split(audio: Audio, size: int) -> Iterator[Audio]:
    audio = audio.like(audio.samples, start=0)
    for start in range(0, len(audio), size):
        yield audio.cut(start, min(start + size, len(audio)))


def _rounds(
    stream: Stream,
    blocks: Iterable[Signal],
    total: int | None,
    progress: Callable[[int, int | None], None] | None,
) -> Iterator[dict[str, Signal]]:
    done = 0
    for block in blocks:
        yield from stream.feed(block)
        done += len(block)  # type: ignore[arg-type]
        if progress:
            progress(done, total)
    yield from stream.finish()


def _collect(rounds: Iterable[dict[str, Signal]], into: dict[str, list[Any]]) -> None:
    for out in rounds:
        for name, block in out.items():
            into.setdefault(name, []).append(block)
