"""TensorFlow's checkpoints, read without TensorFlow: nothing in them is executed.

A checkpoint is two files. `model.index` is a table of LevelDB's, from names to small protocol
buffers that say where a tensor lies; `model.data-00000-of-00001` is the tensors, one behind the
other. `convert` puts them into a safetensors file: a header, made of the index, and then the very
bytes of the data file. Every block and every tensor is compared with its CRC-32C on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

from audiopipe.crc32c import crc32c, masked
from audiopipe.errors import CheckpointError

MAGIC: Final = 0xDB4775248B80FB57
FOOTER: Final = 48
LARGEST_INDEX: Final = 1 << 26
"""Bytes; the index of a network with thousands of tensors has some hundred thousand."""

TYPES: Final[Mapping[int, tuple[str, int]]] = {
    1: ("F32", 4),
    2: ("F64", 8),
    3: ("I32", 4),
    4: ("U8", 1),
    5: ("I16", 2),
    6: ("I8", 1),
    9: ("I64", 8),
    10: ("BOOL", 1),
    14: ("BF16", 2),
    17: ("U16", 2),
    19: ("F16", 2),
    22: ("U32", 4),
    23: ("U64", 8),
}
"""TensorFlow's number of a type: its name in safetensors, and its size in bytes."""


@dataclass(frozen=True)
class Stored:
    """A tensor in the data file: its place in bytes, and the masked CRC-32C of these."""

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    size: int
    crc: int


def convert(index: Path, data: Path, target: Path) -> None:
    """Make the safetensors file `target` of the checkpoint's two files.

    Tensors keep their names, and the order of their axes. Raises CheckpointError: a file is no
    part of a checkpoint, of a kind that is not read, cut short, or damaged; `target` is then to
    be thrown away. Raises OSError.
    """
    tensors = read_index(index)
    with data.open("rb") as source, target.open("wb") as made:
        _check_size(data, tensors)
        made.write(safetensors_header(tensors))
        for tensor in tensors:
            made.write(_read_tensor(source, data, tensor))


def read_index(path: Path) -> list[Stored]:
    """What a checkpoint's index says of its tensors, in the order in which they lie.

    Raises CheckpointError and OSError, as `convert` does.
    """
    if path.stat().st_size > LARGEST_INDEX:
        raise _refusal(path, f"has more than {LARGEST_INDEX} bytes, no index is so large")
    content = path.read_bytes()
    try:
        entries = list(_table(content))
        if not entries or entries[0][0]:
            raise ValueError("it has no header")
        _check_header(entries[0][1])
        tensors = sorted((_tensor(*entry) for entry in entries[1:]), key=lambda t: t.offset)
        _check_order(tensors)
    except ValueError as error:
        raise _refusal(path, f"is no index that can be read: {error}") from None
    return tensors


def safetensors_header(tensors: Sequence[Stored]) -> bytes:
    """The first bytes of the safetensors file of these tensors, up to where they begin."""
    about = {
        tensor.name: {
            "dtype": tensor.type,
            "shape": tensor.shape,
            "data_offsets": (tensor.offset, tensor.offset + tensor.size),
        }
        for tensor in tensors
    }
    text = json.dumps(about, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _read_tensor(source: BinaryIO, path: Path, tensor: Stored) -> bytes:
    content = source.read(tensor.size)
    if len(content) < tensor.size:
        raise _refusal(path, f"ends within {tensor.name!r}")
    if masked(crc32c(content)) != tensor.crc:
        raise _refusal(path, f"{tensor.name!r} is damaged: its CRC-32C is not that in the index")
    return content


def _check_size(data: Path, tensors: Sequence[Stored]) -> None:
    needed = sum(tensor.size for tensor in tensors)
    if (found := data.stat().st_size) != needed:
        raise _refusal(data, f"has {found} bytes, and the index speaks of {needed}")


def _check_order(tensors: Sequence[Stored]) -> None:
    """See that the tensors lie one behind the other, from the file's first byte on."""
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise ValueError("it names a tensor twice")
    place = 0
    for tensor in tensors:
        if tensor.offset != place:
            raise ValueError(f"{tensor.name!r} is at byte {tensor.offset}, not at {place}")
        place += tensor.size


# The protocol buffers in the table (tensorflow/core/protobuf/tensor_bundle.proto).


def _check_header(content: bytes) -> None:
    fields = dict(_fields(content))
    if (files := _whole(fields, 1)) != 1:
        raise ValueError(f"it has {files} data files, and only one is read")
    if _whole(fields, 2):
        raise ValueError("its numbers are big-endian")


def _tensor(key: bytes, content: bytes) -> Stored:
    """The entry of a tensor: type 1, shape 2, shard 3, offset 4, size 5, CRC 6, slices 7."""
    name = key.decode("utf-8")
    fields: dict[int, int | bytes] = dict(_fields(content))
    if 7 in fields:
        raise ValueError(f"{name!r} is stored in slices")
    if (number := _whole(fields, 1)) not in TYPES:
        raise ValueError(f"{name!r} is of a type that is not read, number {number}")
    kind, width = TYPES[number]
    shape = tuple(_dimensions(name, _nested(fields, 2)))
    size = _whole(fields, 5)
    if size != prod(shape) * width:
        raise ValueError(f"{name!r} has {size} bytes, which is not {kind} {list(shape)}")
    if _whole(fields, 3):
        raise ValueError(f"{name!r} is in another data file")
    return Stored(name, kind, shape, _whole(fields, 4), size, _whole(fields, 6))


def _dimensions(name: str, shape: bytes) -> Iterator[int]:
    for number, dimension in _fields(shape):
        if number != 2 or not isinstance(dimension, bytes):
            raise ValueError(f"the shape of {name!r} is not known")
        yield _whole(dict(_fields(dimension)), 1)


def _whole(fields: Mapping[int, int | bytes], number: int) -> int:
    found = fields.get(number, 0)
    if isinstance(found, bytes):
        raise ValueError(f"field {number} is no number")
    return found


def _nested(fields: Mapping[int, int | bytes], number: int) -> bytes:
    found = fields.get(number, b"")
    if not isinstance(found, bytes):
        raise ValueError(f"field {number} is no message")
    return found


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message, by their numbers."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        value: int | bytes
        match tag & 7:
            case 0:
                value, place = _varint(content, place)
            case 2:
                size, place = _varint(content, place)
                value, place = _taken(content, place, size)
            case 1 | 5 as kind:
                raw, place = _taken(content, place, 8 if kind == 1 else 4)
                value = int.from_bytes(raw, "little")
            case kind:
                raise ValueError(f"a field of the unknown kind {kind}")
        yield tag >> 3, value


# The table (LevelDB's doc/table_format.md).


def _table(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries of all blocks, in their order."""
    footer = content[-FOOTER:]
    if len(footer) < FOOTER or int.from_bytes(footer[-8:], "little") != MAGIC:
        raise ValueError("it does not end as a table does")
    _, place = _handle(footer, 0)  # where what is said about the whole table lies: nothing is
    (start, size), _ = _handle(footer, place)
    for _, handle in _entries(_block(content, start, size)):
        yield from _entries(_block(content, *_handle(handle, 0)[0]))


def _handle(content: bytes, place: int) -> tuple[tuple[int, int], int]:
    start, place = _varint(content, place)
    size, place = _varint(content, place)
    return (start, size), place


def _block(content: bytes, start: int, size: int) -> bytes:
    """A block, behind which its compression and the masked CRC-32C of both stand."""
    block, place = _taken(content, start, size + 1)
    crc, _ = _taken(content, place, 4)
    if masked(crc32c(block)) != int.from_bytes(crc, "little"):
        raise ValueError(f"the block at byte {start} is damaged: its CRC-32C is another")
    if block[-1]:
        raise ValueError(f"the block at byte {start} is compressed")
    return block[:-1]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; of a key, the bytes that it shares with the one before are left out."""
    restarts, _ = _taken(block, len(block) - 4, 4)
    end = len(block) - 4 * (1 + int.from_bytes(restarts, "little"))
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        size, place = _varint(block, place)
        if shared > len(key):
            raise ValueError("a key shares more than there is")
        rest, place = _taken(block, place, own)
        value, place = _taken(block, place, size)
        key = key[:shared] + rest
        yield key, value
    if place != end:
        raise ValueError("a block ends within an entry")


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number, seven bits a byte, lowest first; and the place behind it."""
    value = 0
    for shift in range(0, 64, 7):
        (byte,), place = _taken(content, place, 1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number has more than 64 bits")


def _taken(content: bytes, place: int, size: int) -> tuple[bytes, int]:
    if not 0 <= place <= place + size <= len(content):
        raise ValueError("it is cut short")
    return content[place : place + size], place + size


def _refusal(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: {reason}; get the checkpoint again, as TensorFlow's Saver has written it"
    )
