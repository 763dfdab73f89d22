"""A writer of TensorFlow checkpoints for tests, plain and slow, to read them back."""

from pathlib import Path

import numpy as np

TYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9}
MAGIC = 0xDB4775248B80FB57


def crc32c(content):
    """Bit by bit, as the definition has it."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(content, crc=crc32c):
    found = crc(content)
    return ((found >> 15 | found << 17) + 0xA282EAD8) % 2**32


def varint(number):
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def entry(array, offset, content, shard=0, slices=b"", crc=crc32c):
    """What an index says of a tensor."""
    shape = b"".join(field(2, field(1, n)) for n in array.shape)
    said = field(1, TYPES[array.dtype.name]) + field(2, shape)
    said += field(3, shard) if shard else b""
    said += field(4, offset) if offset else b""
    said += field(5, len(content)) + varint(6 << 3 | 5) + masked(content, crc).to_bytes(4, "little")
    return said + slices


def block(entries, restart=16):
    """A block of a table; every 16th key is written out, the others share a beginning."""
    content, restarts, before = b"", [], b""
    for index, (key, value) in enumerate(entries):
        shared = 0
        if index % restart:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        else:
            restarts.append(len(content))
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        before = key
    restarts = restarts or [0]
    return content + b"".join(n.to_bytes(4, "little") for n in [*restarts, len(restarts)])


def table(entries, size=20, compression=0):
    """A table with blocks of `size` entries."""
    content = b""

    def put(block):
        nonlocal content
        handle = varint(len(content)) + varint(len(block))
        block += bytes([compression])
        content += block + masked(block).to_bytes(4, "little")
        return handle

    index = []
    for first in range(0, len(entries), size):
        some = entries[first : first + size]
        index.append((some[-1][0], put(block(some))))
    handles = put(block([])) + put(block(index, restart=1))
    return content + handles.ljust(40, b"\0") + MAGIC.to_bytes(8, "little")


HEADER = field(1, 1) + field(3, field(1, 1))


def write(folder, tensors, header=HEADER, crc=crc32c, **changes):
    """`model.index` and `model.data-00000-of-00001` in a folder, and their paths."""
    entries, data = [(b"", header)], b""
    for name in sorted(tensors, key=str.encode):
        array = np.asarray(tensors[name])
        content = array.astype(array.dtype.newbyteorder("<")).tobytes()
        entries.append((name.encode(), entry(array, len(data), content, crc=crc)))
        data += content
    index, place = Path(folder) / "model.index", Path(folder) / "model.data-00000-of-00001"
    index.write_bytes(table(entries, **changes))
    place.write_bytes(data)
    return index, place
