"""Windows through a model, in parts that fit into memory, and what breaks there by its name."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from audiopipe.errors import AudiopipeError, MemoryExhaustedError, StageError
from audiopipe.plan import Step
from audiopipe.stage import Windowed

log = logging.getLogger(__name__)

BATCH_ELEMENTS = 1 << 20
"""Elements of windows that are computed at once on a CPU: 4 MiB of float32. Fewer cost calls,
more fall out of the cache: the best of 2^16 to 2^22 for mel spectra, measured."""

ACCELERATOR_ELEMENTS = 1 << 22
"""The same on a GPU, which wants much to do at a time."""


def compute(
    step: Step, model: Any, pieces: Sequence[Tensor], batch: dict[str, int]
) -> tuple[Tensor, ...]:
    """Run a windowed stage over windows [n, ..., window], of some streams in turn, in parts that
    fit into memory; `batch` keeps how many windows did, by the name of the step."""
    stage = step.stage
    assert isinstance(stage, Windowed)
    elements = BATCH_ELEMENTS if step.choice.device.type == "cpu" else ACCELERATOR_ELEMENTS
    usual = stage.at_once or max(1, elements // pieces[0][:1].numel())
    size = batch.get(step.name) or usual
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
            size = batch[step.name] = size // 2
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


@contextmanager
def named(step: Step) -> Iterator[None]:
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
