"""Raw PCM: samples as bytes, channels interleaved, as it flows through pipes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np
import torch

from audiopipe.errors import AudioError, InvalidSamplesError
from audiopipe.signals import Audio

Encoding = Literal["s16le", "s24le", "f32le"]
Frames = np.ndarray[Any, np.dtype[np.float32]]
"""Samples [time, channels] float32, as files hold them."""

WIDTH = {"s16le": 2, "s24le": 3, "f32le": 4}
"""Bytes of one sample."""


def encode(frames: Frames, encoding: Encoding) -> bytes:
    """Turn samples [time, channels] into bytes; what is beyond ±1 is clipped in integers.

    >>> encode(np.array([[0.5], [2.0]], dtype=np.float32), "s16le").hex(" ", 2)
    '0040 ff7f'
    """
    if encoding == "f32le":
        return frames.astype("<f4").tobytes()
    bits = 8 * WIDTH[encoding]
    full = 1 << (bits - 1)
    # float64 because float32 cannot hold the largest 24-bit number times two.
    whole = np.rint(frames.astype(np.float64) * full).clip(-full, full - 1)
    if encoding == "s16le":
        return whole.astype("<i2").tobytes()
    return whole.astype("<i4")[..., None].view("u1")[..., :3].tobytes()


def decode(data: bytes, channels: int, encoding: Encoding) -> Frames:
    """Turn bytes into samples [time, channels]."""
    if encoding == "f32le":
        return np.frombuffer(data, "<f4").reshape(-1, channels).astype(np.float32)
    if encoding == "s16le":
        return _scaled(np.frombuffer(data, "<i2").reshape(-1, channels), 15)
    low = np.zeros((len(data) // 3, 4), "u1")
    low[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
    return _scaled(low.view("<i4").reshape(-1, channels), 31)


def _scaled(whole: np.ndarray[Any, Any], bits: int) -> Frames:
    return whole.astype(np.float32) / np.float32(1 << bits)


def to_audio(frames: Frames, rate: int, start: int, origin: str) -> Audio:
    """Make a block of samples [time, channels]; raises InvalidSamplesError for NaN and inf."""
    # One sum tells whether all are finite; only when it is not, look for the culprit.
    with np.errstate(over="ignore", invalid="ignore"):
        total = frames.sum()
    if not np.isfinite(total) and (bad := np.argwhere(~np.isfinite(frames))).size:
        index, channel = bad[0]
        value = "NaN" if np.isnan(frames[index, channel]) else "infinite"
        raise InvalidSamplesError(
            origin,
            f"the sample at {(start + index) / rate:.6f} s (number {start + index}, "
            f"channel {channel + 1}) is {value}; make the recording anew from its source",
        )
    own = np.require(frames.T, requirements=["C", "W"])  # a copy where it has to be
    return Audio(torch.from_numpy(own), rate, start)


@dataclass(frozen=True)
class PcmFormat:
    """What the bytes of a raw stream mean: nothing in them says so.

    >>> PcmFormat(16000, channels=1).frame
    2
    """

    rate: int
    channels: int = 1
    encoding: Encoding = "s16le"

    @property
    def frame(self) -> int:
        """Bytes of one sample of all channels."""
        return WIDTH[self.encoding] * self.channels

    @property
    def format(self) -> Audio:
        """The format of the blocks."""
        return Audio.empty(self.rate, self.channels)


def read_pcm(
    stream: BinaryIO, form: PcmFormat, size: int, *, origin: str = "standard input"
) -> Iterator[Audio]:
    """Read blocks of `size` samples, the last one shorter; waits for each to be full.

    `stream` may give fewer bytes than asked for, as pipes do. Raises AudioError where the
    stream ends inside a sample, InvalidSamplesError for NaN and infinity.
    """
    start, ended = 0, False
    while not ended:
        data = bytearray()
        while len(data) < size * form.frame:
            piece = stream.read(size * form.frame - len(data))
            if not piece:
                ended = True
                break
            data += piece
        if over := len(data) % form.frame:
            raise AudioError(
                origin,
                f"ends inside a sample: {over} of {form.frame} bytes are there; it is not "
                f"{form.encoding} with {form.channels} channel(s), or it was cut off",
            )
        if data:
            frames = decode(bytes(data), form.channels, form.encoding)
            yield to_audio(frames, form.rate, start, origin)
            start += len(frames)


class PcmWriter:
    """Writes blocks to a raw stream, such as standard output.

    Who reads may go at any time: then `gone` is true and all further writing does nothing.
    """

    def __init__(self, stream: BinaryIO, form: PcmFormat) -> None:
        self.stream = stream
        self.format = form
        self.gone = False

    def write(self, block: Audio) -> None:
        """Write a block, at once."""
        if self.gone:
            return
        try:
            self.stream.write(encode(block.numpy().T, self.format.encoding))
            self.stream.flush()
        except BrokenPipeError:
            self.gone = True
            # Python flushes standard output once more at exit; that must not fail either.
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.stream.fileno())
                os.close(nowhere)
