"""The one engine: it runs a plan over the blocks of one stream, or of many in lockstep.

Batch is the stream fed with large blocks and a last one. Windows of all streams that are
pushed together go through a stage in one batch.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from audiopipe.errors import AudiopipeError, MemoryExhaustedError, StageError
from audiopipe.framing import Joined, OverlapAdd, Windows, concatenate, cut, limit, overlap_add
from audiopipe.packet import Backlog, Packet, align, replay
from audiopipe.plan import INPUT, Plan, Reference, Step
from audiopipe.signals import About, Audio, Sampled, Signal, Stems
from audiopipe.spool import Spool
from audiopipe.stage import Stateful, TwoPass, Windowed

log = logging.getLogger(__name__)

BATCH_ELEMENTS = 1 << 20
"""Elements of windows that are computed at once on a CPU: 4 MiB of float32. Fewer cost calls,
more fall out of the cache: the best of 2^16 to 2^22 for mel spectra, measured."""

ACCELERATOR_ELEMENTS = 1 << 22
"""The same on a GPU, which wants much to do at a time."""


@dataclass
class Progress:
    """What one stream keeps at one step."""

    backlogs: list[Backlog]
    windows: Windows = field(default_factory=Windows)
    joined: list[Joined] = field(default_factory=list)
    state: Any = None
    started: bool = False
    given: int = 0
    spool: Spool | None = None


class Engine:
    """A plan with its models loaded: serves any number of streams.

    >>> import audiopipe
    >>> engine = audiopipe.chain("tap").engine(Audio.empty(rate=8000, channels=1))
    >>> [sorted(blocks) for blocks in engine.stream().finish()]
    [['tap']]
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.models: dict[str, Any] = {}
        self.batch: dict[str, int] = {}
        for step in plan.steps:
            log.info("loading %s on %s", step.name, step.choice)
            device, dtype = step.choice.device, step.choice.dtype
            with _named(step):
                self.models[step.name] = step.stage.load(step.formats[0], device, dtype)

    def stream(self) -> Stream:
        """A fresh stream."""
        return Stream(self)

    def watching(self, outputs: Mapping[str, Reference]) -> Engine:
        """The same engine, whose streams also give what flows between stages, by other names."""
        other = copy.copy(self)
        other.plan = replace(
            self.plan, outputs=self.plan.outputs | {n: (r,) for n, r in outputs.items()}
        )
        return other

    def compute(self, step: Step, pieces: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Run a windowed stage over windows [n, ..., window], of some streams in turn, in parts
        that fit into memory."""
        stage, model = step.stage, self.models[step.name]
        assert isinstance(stage, Windowed)
        elements = BATCH_ELEMENTS if step.choice.device.type == "cpu" else ACCELERATOR_ELEMENTS
        usual = stage.at_once or max(1, elements // pieces[0][:1].numel())
        size = self.batch.get(step.name) or usual
        total = sum(len(piece) for piece in pieces)
        results: list[tuple[Tensor, ...]] = []
        position = 0
        while position < total:
            part = _between(pieces, position, position + size)
            try:
                results.append(_compute(stage, model, part, step))
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not _out_of_memory(error):
                    raise
                size = min(size, part.shape[0])
                if size == 1:
                    raise MemoryExhaustedError(
                        f"{step.name!r} ({stage.name}): not even one window fits into the memory "
                        f"of {step.choice.device}; use another device or a smaller model"
                    ) from error
                size = self.batch[step.name] = size // 2
                log.warning("%s: out of memory, going on %d windows at a time", step.name, size)
                continue
            position += part.shape[0]
        if len(results) == 1:
            return results[0]
        return tuple(torch.cat(column) for column in zip(*results, strict=True))


def _compute(stage: Windowed, model: Any, windows: Tensor, step: Step) -> tuple[Tensor, ...]:
    dtype = step.choice.dtype if windows.is_floating_point() else None
    with torch.inference_mode():
        result = stage.compute(model, windows.to(step.choice.device, dtype))
    outputs = result if isinstance(result, tuple) else (result,)
    return tuple(o.float() if o.dtype in (torch.float16, torch.bfloat16) else o for o in outputs)


def _between(pieces: Sequence[Tensor], start: int, stop: int) -> Tensor:
    """Windows `start` to `stop` of pieces as if they were one. Windows are views that overlap:
    only what is computed now is copied together."""
    found, at = [], 0
    for piece in pieces:
        part = piece[max(0, start - at) : max(0, stop - at)]
        found += [part] if len(part) else []
        at += len(piece)
    return found[0] if len(found) == 1 else torch.cat(found)


def _out_of_memory(error: BaseException) -> bool:
    # The CPU allocator raises a plain RuntimeError.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


Key = TypeVar("Key", bound=Hashable)

Unfolding = dict[tuple[str, Key], deque[tuple[Iterator[Any], Fraction | None]]]
"""What steps still have to give, and the length of the stream in s behind what is its last."""


class Lockstep(Generic[Key]):
    """Several streams of one format that go through the engine together.

    Each is known by a key. Streams may begin and end at different times.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.plan = engine.plan
        self._progress: dict[tuple[str, Key], Progress] = {}
        self._warnings: dict[Key, list[str]] = {}
        self._abouts: dict[Key, About] = {}

    def push(
        self,
        blocks: Mapping[Key, Signal],
        ends: Mapping[Key, Fraction] | None = None,
    ) -> Iterator[dict[Key, dict[str, Signal]]]:
        """Take the next block of some streams; give what comes out, in one or more rounds.

        `ends` holds the length in s of each stream whose block is its last.
        """
        ends = ends or {}
        arrived: dict[Reference, dict[Key, Packet]] = {
            Reference(INPUT): {key: Packet(block, ends.get(key)) for key, block in blocks.items()}
        }
        replays: dict[tuple[str, Key], Iterator[Packet]] = {}
        unfolding: Unfolding[Key] = {}
        while True:
            for step in self.plan.steps:
                self._run(step, arrived, replays, unfolding)
            yield self._collect(arrived)
            if not replays and not unfolding:
                break
            arrived = {}
        for key in ends:
            self.drop(key)

    def warnings(self, key: Key) -> list[str]:
        """What the stages had to say of a stream that has ended; it is told once."""
        return self._warnings.pop(key, [])

    def about(self, key: Key) -> About:
        """What a stage had to say of the recording of a stream that has ended."""
        return self._abouts.pop(key, About())

    def save(self) -> Any:
        """A copy of the state of all streams, to be restored in this or another object."""
        return copy.deepcopy(self._progress)

    def restore(self, saved: Any) -> None:
        """Go on from a saved state."""
        self._progress = copy.deepcopy(saved)

    def drop(self, key: Key) -> None:
        """Forget a stream."""
        for step in self.plan.steps:
            self._progress.pop((step.name, key), None)

    def _collect(self, arrived: dict[Reference, dict[Key, Packet]]) -> dict[Key, dict[str, Signal]]:
        out: dict[Key, dict[str, Signal]] = {}
        for name, references in self.plan.outputs.items():
            for key in arrived.get(references[0], {}):
                blocks = {r.port: arrived[r][key].block for r in references}
                single = len(references) == 1
                out.setdefault(key, {})[name] = (
                    next(iter(blocks.values())) if single else (Stems(blocks))
                )
        return out

    def _run(
        self,
        step: Step,
        arrived: dict[Reference, dict[Key, Packet]],
        replays: dict[tuple[str, Key], Iterator[Packet]],
        unfolding: Unfolding[Key],
    ) -> None:
        ready: dict[Key, tuple[Progress, list[Packet]]] = {}
        for key in dict.fromkeys(key for s in step.sources for key in arrived.get(s, {})):
            progress = self._progress.setdefault(
                (step.name, key), Progress([Backlog() for _ in step.sources])
            )
            news = [arrived.get(source, {}).get(key) for source in step.sources]
            if packets := align(progress.backlogs, news):
                ready[key] = progress, packets
        with _named(step):
            if isinstance(step.stage, TwoPass):
                given = self._two_pass(step, ready, replays)
            elif isinstance(step.stage, Windowed):
                given = self._windowed(step, ready)
            else:
                given = self._stateful(step, ready, unfolding)
        for key, (blocks, end) in given.items():
            if end is not None and isinstance(step.stage, Stateful):
                told = step.stage.warnings(self._progress[step.name, key].state)
                self._warnings.setdefault(key, []).extend(f"{step.name!r}: {t}" for t in told)
                if about := step.stage.about(self._progress[step.name, key].state):
                    self._abouts[key] = about
            if end is not None or any(len(block) for block in blocks.values()):
                for port, block in blocks.items():
                    arrived.setdefault(Reference(step.name, port), {})[key] = Packet(block, end)

    def _windowed(
        self, step: Step, ready: dict[Key, tuple[Progress, list[Packet]]]
    ) -> dict[Key, tuple[dict[str, Sampled], Fraction | None]]:
        assert isinstance(step.stage, Windowed)
        framing = step.stage.framing(step.formats[0])
        pieces = []
        for progress, (packet,) in ready.values():
            block = packet.block.to(step.choice.device)
            (series,) = block.tensors
            pieces.append(cut(framing, progress.windows, series, packet.end is not None))
        counts = [piece.shape[0] for piece in pieces]
        outputs: list[tuple[Tensor, ...]] = []
        if any(counts):
            columns = self.engine.compute(step, [piece for piece in pieces if len(piece)])
            outputs = list(zip(*(torch.split(column, counts) for column in columns), strict=True))
        given = {}
        for number, (key, (progress, (packet,))) in enumerate(ready.items()):
            parts = outputs[number] if outputs else _nothing(step, framing)
            given[key] = _join(step, framing, progress, parts, packet.end), packet.end
        return given

    def _stateful(
        self,
        step: Step,
        ready: dict[Key, tuple[Progress, list[Packet]]],
        unfolding: Unfolding[Key],
    ) -> dict[Key, tuple[dict[str, Any], Fraction | None]]:
        given = {}
        for key, (progress, packets) in ready.items():
            end = packets[0].end
            result = self._step(step, progress, packets)
            if isinstance(result, Iterator):
                unfolding.setdefault((step.name, key), deque()).append((result, end))
            else:
                given[key] = _given(step, progress, result, end)
        for at in [at for at in unfolding if at[0] == step.name]:
            waiting, progress = unfolding[at], self._progress[at]
            result, end = waiting[0]
            with torch.inference_mode():
                found = next(result, None)
            if found is not None:
                given[at[1]] = _given(step, progress, found, None)
                continue
            waiting.popleft()
            if not waiting:
                del unfolding[at]
            if end is not None:
                given[at[1]] = _given(step, progress, _none(step, progress.given), end)
        return given

    def _step(self, step: Step, progress: Progress, packets: list[Packet]) -> Any:
        model, stage = self.engine.models[step.name], step.stage
        assert not isinstance(stage, Windowed)
        if not progress.started:
            progress.state, progress.started = stage.start(model, step.formats), True
        blocks = [_moved(packet.block, step) for packet in packets]
        with torch.inference_mode():
            return stage.step(model, progress.state, blocks, packets[0].end is not None)

    def _two_pass(
        self,
        step: Step,
        ready: dict[Key, tuple[Progress, list[Packet]]],
        replays: dict[tuple[str, Key], Iterator[Packet]],
    ) -> dict[Key, tuple[dict[str, Any], Fraction | None]]:
        stage, model = step.stage, self.engine.models[step.name]
        assert isinstance(stage, TwoPass)
        for key, (progress, (packet,)) in ready.items():
            if progress.spool is None:
                progress.spool = Spool(packet.block.format)
                progress.state, progress.started = stage.start(model, step.formats), True
            stage.measure(model, progress.state, _moved(packet.block, step))
            progress.spool.append(packet.block)
            if packet.end is not None:
                replays[step.name, key] = replay(progress.spool, packet.end)
        given = {}
        for name, key in [at for at in replays if at[0] == step.name]:
            packet, progress = next(replays[name, key]), self._progress[name, key]
            result = self._step(step, progress, [packet])
            given[key] = _given(step, progress, result, packet.end)
            if packet.end is not None:
                del replays[name, key]
        return given


class Stream:
    """One stream.

    `push` takes a block and gives what comes out by output name; `finish` ends the stream.
    Blocks follow each other, whatever their `start` says.
    """

    def __init__(self, engine: Engine) -> None:
        self._lockstep: Lockstep[int] = Lockstep(engine)
        self._source = engine.plan.source
        self._received = 0
        self._ended = False

    def push(self, block: Signal) -> dict[str, Signal]:
        """Take the next block; give the blocks that are now known, by output name.

        Raises ValueError for a block of another format than the stream's.
        """
        found: dict[str, list[Any]] = {}
        for out in self.feed(block):
            for name, part in out.items():
                found.setdefault(name, []).append(part)
        return {name: type(parts[0]).join(parts) for name, parts in found.items()}

    def feed(self, block: Signal) -> Iterator[dict[str, Signal]]:
        """The same in rounds: where much comes of one block, each part as it is made."""
        for out in self._lockstep.push({0: self._next(block)}):
            yield out.get(0, {})

    def finish(self, block: Signal | None = None) -> Iterator[dict[str, Signal]]:
        """Take the last block, if there is one more, and end; give the rest in rounds."""
        last = self._next(self._source if block is None else block)
        self._ended = True
        hop = last.hop if isinstance(last, Sampled) else 1
        end = Fraction(self._received * hop, last.rate)
        for out in self._lockstep.push({0: last}, {0: end}):
            yield out.get(0, {})

    def warnings(self) -> list[str]:
        """What the stages had to say of the stream, once it has ended; it is told once."""
        return self._lockstep.warnings(0)

    def about(self) -> About:
        """What a stage had to say of the recording, once the stream has ended."""
        return self._lockstep.about(0)

    def _next(self, block: Signal) -> Signal:
        """The block in its place; raises ValueError where it has none."""
        source, start = self._source, self._received
        if self._ended:
            raise ValueError("the stream has ended; begin another")
        if isinstance(source, Sampled) and (
            not isinstance(block, Sampled) or block.signature != source.signature
        ):
            raise ValueError(f"the stream is of {source.format!r}, this is {block!r}")
        self._received += len(block)  # type: ignore[arg-type]
        return block.like(*block.tensors, start=start) if isinstance(block, Sampled) else block

    def save(self) -> Any:
        """The state of the stream, to be restored in this or another stream of the engine."""
        return self._received, self._lockstep.save()

    def restore(self, saved: Any) -> None:
        """Go on from a saved state."""
        self._received, state = saved
        self._ended = False
        self._lockstep.restore(state)


def _moved(block: Any, step: Step) -> Any:
    return block.to(step.choice.device) if isinstance(block, Sampled) else block


def _given(
    step: Step, progress: Progress, result: Any, end: Fraction | None
) -> tuple[dict[str, Any], Fraction | None]:
    """What a stateful stage gave, by port, and how long the stream has become."""
    results = result if isinstance(result, tuple) else (result,)
    first = results[0]
    progress.given += len(first)
    if end is not None and step.stage.retimes and isinstance(first, Audio):
        end = Fraction(progress.given, first.rate)
    return dict(zip(step.outputs, results, strict=True)), end


def _none(step: Step, start: int) -> tuple[Signal, ...]:
    """Blocks of no elements, behind what was given."""
    return tuple(
        f.like(*f.tensors, start=start) if isinstance(f, Sampled) else f
        for f in step.outputs.values()
    )


@contextmanager
def _named(step: Step) -> Iterator[None]:
    """Name the stage in which something breaks."""
    try:
        yield
    except (AudiopipeError, OSError, MemoryError):
        raise
    except Exception as error:
        if _out_of_memory(error):
            raise MemoryExhaustedError(
                f"{step.name!r} ({step.stage.name}): the memory of {step.choice.device} is full; "
                "use another device or a smaller model"
            ) from error
        raise StageError.of(step.name, step.stage.name, error) from error


def _nothing(step: Step, framing: Any) -> tuple[Tensor, ...]:
    """The outputs of no window at all."""
    join = framing.join
    size = join.window if isinstance(join, OverlapAdd) else join.size
    return tuple(
        tensor.new_zeros(0, *tensor.shape[:-1], size, device=step.choice.device)
        for format in step.outputs.values()
        for tensor in format.tensors  # type: ignore[attr-defined]
    )


def _join(
    step: Step, framing: Any, progress: Progress, parts: tuple[Tensor, ...], end: Fraction | None
) -> dict[str, Sampled]:
    """Put a windowed stage's outputs together, and give them their form."""
    if not progress.joined:
        progress.joined = [Joined() for _ in parts]
    blocks, position = {}, 0
    for port, format in step.outputs.items():
        assert isinstance(format, Sampled)
        start, tensors = progress.joined[position].given, []
        for _ in format.series:
            state, part = progress.joined[position], parts[position]
            length = limit(end, format.rate, format.hop) if isinstance(format, Audio) else None
            if isinstance(framing.join, OverlapAdd):
                tensors.append(overlap_add(framing.join, state, part, length))
            else:
                tensors.append(concatenate(state, part, length))
            position += 1
        blocks[port] = format.like(*tensors, start=start)
    return blocks
