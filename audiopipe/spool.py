"""Sound that waits on disk: for the second pass of a stage, or for another branch."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from math import prod
from typing import IO

import numpy as np
import torch
from torch import Tensor

from audiopipe.errors import OutputError
from audiopipe.signals import Sampled


class Spool:
    """Blocks of one stream, read back in the order in which they were written; deleted with
    the object.

    One temporary file a series, time-major, so that appending needs no rewriting. A full
    disk raises OutputError.
    """

    def __init__(self, format: Sampled) -> None:
        self.format = format.to("cpu")
        self.length = self.given = 0
        self._files = [tempfile.TemporaryFile(prefix="audiopipe-") for _ in format.series]  # noqa: SIM115

    def append(self, block: Sampled) -> None:
        """Write a block behind the others."""
        for file, tensor in zip(self._files, block.tensors, strict=True):
            try:
                file.seek(0, 2)
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
        copy.length, copy.given = self.length, self.given
        return copy

    def take(self, count: int) -> Sampled:
        """Read the next `count` elements, or as many as there are."""
        start = self.given
        self.given = min(self.length, start + count)
        tensors = [
            _read(file, tensor, start, self.given - start)
            for file, tensor in zip(self._files, self.format.tensors, strict=True)
        ]
        return self.format.like(*tensors, start=start)

    def blocks(self, size: int) -> Iterator[Sampled]:
        """Read the rest, `size` elements at a time; at least one block, maybe empty."""
        yield self.take(size)
        while self.given < self.length:
            yield self.take(size)


def _read(file: IO[bytes], like: Tensor, start: int, count: int) -> Tensor:
    shape = (count, *like.shape[:-1])
    dtype = like.numpy().dtype
    size = prod(like.shape[:-1]) * dtype.itemsize
    file.seek(start * size)
    data = file.read(count * size)
    array = np.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
    return torch.from_numpy(array).movedim(0, -1)
