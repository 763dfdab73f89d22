"""A recording kept on disk between the two passes of a stage that must know all of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor

from audiopipe.errors import OutputError
from audiopipe.signals import Sampled


class Spool:
    """Blocks of one stream, written once and read back in order; deleted with the object.

    One temporary file a series, time-major, so that appending needs no rewriting. A full
    disk raises OutputError.
    """

    def __init__(self, format: Sampled) -> None:
        self.format = format.to("cpu")
        self.length = 0
        self._files = [tempfile.TemporaryFile(prefix="audiopipe-") for _ in format.series]  # noqa: SIM115

    def append(self, block: Sampled) -> None:
        """Write a block behind the others."""
        for file, tensor in zip(self._files, block.tensors, strict=True):
            try:
                file.write(tensor.movedim(-1, 0).contiguous().cpu().numpy().tobytes())
            except OSError as error:
                raise OutputError(
                    tempfile.gettempdir(),
                    f"a recording that is gone over twice is kept here, and cannot be written: "
                    f"{error.strerror}; free some space, or set TMPDIR to another folder",
                ) from error
        self.length += len(block)

    def __deepcopy__(self, memo: object) -> Spool:
        """A copy with files of its own: a saved stream takes its recording along."""
        copy = Spool(self.format)
        for source, target in zip(self._files, copy._files, strict=True):
            source.seek(0)
            shutil.copyfileobj(source, target)
        copy.length = self.length
        return copy

    def blocks(self, size: int) -> Iterator[Sampled]:
        """Read everything back, `size` elements at a time; at least one block, maybe empty."""
        for file in self._files:
            file.seek(0)
        for start in range(0, max(1, self.length), size):
            count = min(size, self.length - start)
            tensors = [
                _read(file, tensor, count)
                for file, tensor in zip(self._files, self.format.tensors, strict=True)
            ]
            yield self.format.like(*tensors, start=start)


def _read(file: object, like: Tensor, count: int) -> Tensor:
    shape = (count, *like.shape[:-1])
    dtype = like.numpy().dtype
    data = file.read(prod(shape) * dtype.itemsize)  # type: ignore[attr-defined]
    array = np.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
    return torch.from_numpy(array).movedim(0, -1)
