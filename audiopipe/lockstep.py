"""Many streams side by side through the stages of a plan.

Windows of all streams that are pushed together go through a stage in one batch.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor

from audiopipe.compute import compute, named
from audiopipe.framing import Joined, OverlapAdd, Windows, concatenate, cut, limit, overlap_add
from audiopipe.packet import Backlog, Packet, align, replay
from audiopipe.plan import INPUT, Reference, Step
from audiopipe.signals import About, Audio, Sampled, Signal, Stems
from audiopipe.spool import Spool
from audiopipe.stage import Stateful, TwoPass, Windowed

if TYPE_CHECKING:
    from audiopipe.engine import Engine


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
        with named(step):
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
            model, batch = self.engine.models[step.name], self.engine.batch
            columns = compute(step, model, [piece for piece in pieces if len(piece)], batch)
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
