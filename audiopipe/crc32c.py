"""CRC-32C (Castagnoli), the checksum of LevelDB tables and TensorFlow checkpoints.

A message is cut into rows, whose registers go side by side through tables of 16 bits; then
row after row is put behind the one before, as the register after more bytes is a linear
function of the register before them.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL: Final = 0x82F63B78
"""Reversed: bit 31 is the constant term."""
ROW: Final = 1024
"""Bytes of a row, a multiple of 8."""
BLOCK: Final = 1 << 20
"""Bytes that go through the tables at once: the cache of a core holds them."""

Registers = NDArray[np.uint32]


def crc32c(data: bytes | bytearray | memoryview) -> int:
    """The CRC-32C of `data`; about 150 MB a second on one core.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    message = np.frombuffer(data, np.uint8)
    whole = len(message) // ROW * ROW
    register = 0xFFFFFFFF
    first, second, third, fourth = _behind_a_row()
    for start in range(0, whole, BLOCK):
        rows = message[start : min(start + BLOCK, whole)].reshape(-1, ROW)
        for row in _registers(rows).tolist():
            register = (
                first[register & 0xFF]
                ^ second[register >> 8 & 0xFF]
                ^ third[register >> 16 & 0xFF]
                ^ fourth[register >> 24]
                ^ row
            )
    table = _bytes()
    for byte in message[whole:].tolist():
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """A CRC as it is stored beside its data: rotated, so that it is no CRC of its own.

    >>> hex(masked(0xE3069283))
    '0xc78ab0e5'
    """
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _registers(rows: NDArray[np.uint8]) -> Registers:
    """The register behind each row [rows, ROW], where it was 0 before."""
    words = np.ascontiguousarray(rows.view("<u2").T)
    tables = _words()
    register: Registers = np.zeros(len(rows), np.uint32)
    for a, b, c, d in words.reshape(-1, 4, len(rows)):
        low = (register & 0xFFFF) ^ a
        high = (register >> 16) ^ b
        register = tables[3].take(low)
        register ^= tables[2].take(high)
        register ^= tables[1].take(c)
        register ^= tables[0].take(d)
    return register


def _shifted(register: Registers, bits: int) -> Registers:
    for _ in range(bits):
        register = (register >> 1 ^ (register & 1) * POLYNOMIAL).astype(np.uint32)
    return register


@cache
def _words() -> list[Registers]:
    """For each 16-bit word, the register behind it and 0, 1, 2, 3 words of zeros."""
    tables = [_shifted(np.arange(1 << 16, dtype=np.uint32), 16)]
    for _ in range(3):
        tables.append(tables[0][tables[-1] & 0xFFFF] ^ tables[-1] >> 16)
    return tables


@cache
def _bytes() -> list[int]:
    """The register behind each byte."""
    return list(map(int, _shifted(np.arange(256, dtype=np.uint32), 8)))


@cache
def _behind_a_row() -> list[list[int]]:
    """For each of the register's four bytes, what it has become a row later."""
    rows = np.zeros((32, ROW), np.uint8)
    rows[:, :4] = (1 << np.arange(32, dtype="<u4")).view(np.uint8).reshape(32, 4)
    bits = _registers(rows).tolist()
    return [
        [
            reduce(int.__xor__, (bits[8 * place + k] for k in range(8) if byte >> k & 1), 0)
            for byte in range(256)
        ]
        for place in range(4)
    ]
