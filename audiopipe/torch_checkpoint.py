"""PyTorch's checkpoints, read without running what is in them.

A checkpoint is a zip archive: `data.pkl`, a pickle that says which tensors there are, and the
numbers of each in a file of its own. A pickle is a program, and unpickling runs it: it may call
whatever it names. Here it may name a handful of things, which rebuild tensors, and each of them is
a function of ours that stands in for PyTorch's; anything else is refused.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from audiopipe.errors import CheckpointError

STORAGES: Final[Mapping[str, torch.dtype]] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
LARGEST: Final = 1 << 26
"""Bytes of a pickle that says where tensors lie; that of a large network has some hundred kB."""


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict that `torch.save` wrote, by name.

    Raises CheckpointError: the file is of another kind, damaged, or names what it must not.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = _Reader(archive).read()
    except zipfile.BadZipFile:
        raise CheckpointError(f"{path}: no checkpoint of PyTorch 1.6 or later") from None
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged pickle raises anything
        told = " ".join(str(error).split())
        raise CheckpointError(f"{path}: damaged: {type(error).__name__}: {told}") from None
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise CheckpointError(f"{path}: holds more than named tensors")
    return dict(found)


class _Reader:
    """Reads the tensors of an archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        names = [n for n in archive.namelist() if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(names) != 1:
            raise CheckpointError("no checkpoint of PyTorch: there is no data.pkl in it")
        self.pickle = names[0]
        self.folder = names[0].removesuffix("data.pkl")
        order = self.folder + "byteorder"
        if order in archive.namelist() and archive.read(order) != b"little":
            raise CheckpointError("its numbers are big-endian, which is not read")

    def read(self) -> Any:
        if self.archive.getinfo(self.pickle).file_size > LARGEST:
            raise CheckpointError(f"its pickle has more than {LARGEST} bytes")
        with self.archive.open(self.pickle) as file:
            return _Unpickler(file, self.storage).load()

    def storage(self, kind: object, key: str, count: int) -> Tensor:
        """The numbers that a persistent id names."""
        if not isinstance(kind, torch.dtype):
            raise CheckpointError("its pickle names a storage of no known type")
        data = self.archive.read(f"{self.folder}data/{key}")
        if len(data) != count * kind.itemsize:
            raise CheckpointError(f"storage {key} has {len(data)} bytes, not {count} numbers")
        return torch.frombuffer(bytearray(data), dtype=kind) if data else torch.empty(0, dtype=kind)


class _Unpickler(pickle.Unpickler):
    """Knows of nothing but tensors."""

    def __init__(self, file: Any, storage: Callable[[object, str, int], Tensor]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise CheckpointError(f"its pickle names {module}.{name}, which is no part of a tensor")

    def persistent_load(self, pid: Any) -> Tensor:
        _, kind, key, _, count = pid
        return self.storage(kind, key, count)


def _tensor(
    storage: Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *_: Any
) -> Tensor:
    # Raises where they reach beyond the storage.
    return storage.as_strided(size, stride, offset).clone()


def _parameter(data: Tensor, *_: Any) -> Tensor:
    return data
