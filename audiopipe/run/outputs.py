"""The outputs of a live run as files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from audiopipe.io.atomic import Sink
from audiopipe.io.save import open_sink
from audiopipe.pipeline import NAME, file_name, make_folder
from audiopipe.plan import Plan
from audiopipe.signals import Sampled, Signal, Stems


class Outputs:
    """The outputs as files, closed with `stack`; in gaps stands what comes of `silence`.

    Raises OutputError where one cannot be written. Without a folder nothing is.
    """

    def __init__(self, plan: Plan, folder: Path | None, stack: ExitStack) -> None:
        self._sinks: dict[str, Sink] = {}
        self._next: dict[str, int] = {}
        self.silence: dict[str, Signal] = {}
        if folder is None:
            return
        for name in plan.outputs:
            format = plan.output(name)
            path = folder / file_name(name, format).replace(NAME, "live")
            make_folder(path.parent)
            sink = open_sink(path, format, plan.comment(name), plan.consents(name))
            self._sinks[name] = stack.enter_context(sink)

    def write(self, out: Mapping[str, Signal]) -> None:
        """Write what came out; raises OutputError."""
        for name, sink in self._sinks.items():
            if name not in out:
                continue
            block = out[name]
            first = next(iter(block.values())) if isinstance(block, Stems) else block
            if isinstance(first, Sampled):
                position = self._next.get(name, 0)
                while position < first.start:
                    count = min(first.start - position, first.rate)
                    sink.write(_gap(block, self.silence.get(name), position, count))
                    position += count
                block = _from(block, position)
                self._next[name] = max(position, first.stop)
            sink.write(block)


def _gap(like: Signal, silence: Signal | None, start: int, count: int) -> Signal:
    """What stands for `count` elements that were never heard: zeros where silence gives none."""
    if isinstance(like, Stems):
        parts = silence if isinstance(silence, Stems) else {}
        return Stems({n: _gap(part, parts.get(n), start, count) for n, part in like.items()})  # type: ignore[misc]
    assert isinstance(like, Sampled)
    if isinstance(silence, Sampled) and len(silence):
        elements = [tensor[..., -1:] for tensor in silence.tensors]
    else:
        elements = [tensor.new_zeros(*tensor.shape[:-1], 1) for tensor in like.tensors]
    return like.like(*(e.expand(*e.shape[:-1], count) for e in elements), start=start)


def _from(signal: Signal, start: int) -> Signal:
    """What comes at `start` or later."""
    if isinstance(signal, Stems):
        return Stems({name: _from(part, start) for name, part in signal.items()})  # type: ignore[misc]
    assert isinstance(signal, Sampled)
    return signal.cut(max(start, signal.start), max(start, signal.stop))
