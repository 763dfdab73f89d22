"""Microphones and speakers, at the rate that they run at; rates are changed elsewhere.

PortAudio is looked for when a device is used: a machine without it imports this file, and
does everything else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch

from audiopipe.errors import MissingDependencyError, SoundDeviceError, did_you_mean
from audiopipe.io.queue import Arrival, BoundedQueue, Policy
from audiopipe.signals import Audio

_INSTALL = (
    "install PortAudio (Debian, Ubuntu: apt install libportaudio2; macOS: brew install "
    "portaudio), or use a file, or raw PCM from standard input"
)

_TAIL = 0.1
"""Seconds of silence after the last sound, beyond the device's own latency."""


@dataclass(frozen=True)
class Device:
    """A sound device; `default` says that it is taken where none is named."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate: int
    default: bool


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise MissingDependencyError(
            "sound devices need the package sounddevice: pip install sounddevice"
        ) from None
    except OSError:
        raise SoundDeviceError(f"PortAudio is not installed; {_INSTALL}") from None
    return sounddevice


def list_devices() -> list[Device]:
    """All sound devices of this machine; raises SoundDeviceError without PortAudio."""
    library = _sounddevice()
    defaults = set(library.default.device)
    return [
        Device(
            index=index,
            name=found["name"],
            inputs=found["max_input_channels"],
            outputs=found["max_output_channels"],
            rate=round(found["default_samplerate"]),
            default=index in defaults,
        )
        for index, found in enumerate(library.query_devices())
    ]


def _choose(device: int | str | None, kind: str, channels: int) -> Device:
    """Find a device by number or name, or the default one; `kind` is inputs or outputs."""
    what = "microphone" if kind == "inputs" else "speaker"
    able = [d for d in list_devices() if getattr(d, kind) > 0]
    if not able:
        cure = "use a file, or raw PCM from standard input"
        cure = cure if kind == "inputs" else "write a file instead (-o FILE)"
        raise SoundDeviceError(f"there is no {what} on this machine; {cure}")
    wanted = str(device).lower()
    if device is None:
        found = [d for d in able if d.default] or able
    elif wanted.isdecimal():
        found = [d for d in able if d.index == int(wanted)]
    else:
        exact = [d for d in able if d.name.lower() == wanted]
        found = exact or [d for d in able if wanted in d.name.lower()]
    if not found:
        named = {(str(d.index) if wanted.isdecimal() else d.name).lower(): d for d in able}
        raise SoundDeviceError(f"there is no {what} {device!r}; {did_you_mean(wanted, named)}")
    if getattr(found[0], kind) < channels:
        raise SoundDeviceError(
            f"{found[0].name} has {getattr(found[0], kind)} channels, not {channels}"
        )
    return found[0]


def output_rate(rate: int, channels: int, device: int | str | None = None) -> int:
    """`rate`, if the speaker can play it, else its own. Raises SoundDeviceError."""
    found, library = _choose(device, "outputs", channels), _sounddevice()
    wanted = {"channels": channels, "dtype": "float32", "samplerate": rate}
    try:
        library.check_output_settings(device=found.index, **wanted)
    except library.PortAudioError:
        return found.rate
    return rate


@contextmanager
def _explained(device: Device, what: str) -> Iterator[None]:
    """Say clearly why a device cannot be opened or started."""
    try:
        yield
    except Exception as error:  # PortAudioError is known only once PortAudio is there
        if type(error).__name__ not in ("PortAudioError", "ValueError"):
            raise
        raise SoundDeviceError(
            f"the {what} {device.name!r} cannot be opened ({error}); is another program using "
            f"it? `audiopipe devices` lists the others (it runs at {device.rate} Hz)"
        ) from error


class _Stream:
    """What a microphone and a speaker have in common."""

    device: Device
    _stream: Any = None

    def close(self) -> None:
        """Let go of the device. Harmless when called twice."""
        raise NotImplementedError

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Microphone(_Stream):
    """Listens from `start` on, at the device's own rate; opened when it is made.

    `queue` holds what has arrived and counts what was dropped; `overruns` counts how often
    PortAudio itself lost sound. Raises SoundDeviceError.
    """

    def __init__(
        self,
        device: int | str | None = None,
        *,
        channels: int = 1,
        block: float = 0.02,
        seconds: float = 2.0,
        policy: Policy = "drop-oldest",
    ) -> None:
        self.device = _choose(device, "inputs", channels)
        self.format = Audio.empty(self.device.rate, channels)
        self.queue = BoundedQueue(seconds, self.device.rate, policy)
        self.overruns = 0
        self._position = 0
        with _explained(self.device, "microphone"):
            self._stream = _sounddevice().InputStream(
                device=self.device.index,
                dtype="float32",
                samplerate=self.device.rate,
                channels=channels,
                blocksize=max(1, round(block * self.device.rate)),
                callback=self._arrived,
            )

    def start(self) -> None:
        """Begin to listen. Harmless when called twice."""
        if self._stream is not None and not self._stream.active:
            with _explained(self.device, "microphone"):
                self._stream.start()

    def _arrived(self, data: Any, count: int, times: Any, status: Any) -> None:
        at = time.monotonic()
        if status.input_overflow:
            self.overruns += 1
        # The buffer is PortAudio's: it is gone when this function returns.
        samples = torch.from_numpy(np.array(data.T, np.float32, order="C"))
        block = Audio(samples, self.device.rate, self._position)
        self._position += count
        try:
            self.queue.put(block, at)
        except Exception as error:  # what leaves a callback is printed and lost
            self.queue.fail(error)

    def arrivals(self) -> Iterator[Arrival]:
        """Blocks with the time of their arrival, until `close`; raises OverrunError."""
        self.start()
        return iter(self.queue)

    def blocks(self) -> Iterator[Audio]:
        """Blocks, until `close`; `start` jumps over what was dropped."""
        return (arrival.block for arrival in self.arrivals())

    def close(self) -> None:
        """Stop listening: `blocks` gives what has arrived, and ends."""
        self.queue.close()
        self._stop()


class Speakers(_Stream):
    """Plays blocks, at the device's own rate or another that the device can do.

    `underruns` counts how often it ran dry, `missing` for how many samples; both start with
    the first block. Raises SoundDeviceError.
    """

    def __init__(
        self,
        rate: int | None = None,
        channels: int = 1,
        device: int | str | None = None,
        *,
        seconds: float = 0.5,
    ) -> None:
        self.device = _choose(device, "outputs", channels)
        self.format = Audio.empty(rate or self.device.rate, channels)
        self.queue = BoundedQueue(seconds, self.format.rate, "block")
        self.underruns = 0
        self.missing = 0
        self._begun = False
        self._parts: deque[np.ndarray[Any, Any]] = deque()
        self._done = Event()
        with _explained(self.device, "speaker"):
            self._stream = _sounddevice().OutputStream(
                device=self.device.index,
                dtype="float32",
                samplerate=self.format.rate,
                channels=channels,
                callback=self._wanted,
                finished_callback=self._done.set,
            )
            # Who stops a device may lose what it has not played yet: let that be silence.
            self._tail = round((self._stream.latency + _TAIL) * self.format.rate)
            self._stream.start()

    def write(self, block: Audio) -> None:
        """Play a block after those before; waits while `seconds` of sound wait."""
        if block.signature != self.format.signature:
            raise ValueError(f"the speakers play {self.format!r}, not {block!r}")
        self.queue.put(block)

    def _wanted(self, out: Any, count: int, times: Any, status: Any) -> None:
        filled = 0
        while filled < count:
            if not self._parts:
                arrival = self.queue.get(timeout=0)
                if arrival is None:
                    break
                self._begun = True
                self._parts.append(arrival.block.numpy().T)
                continue
            part = self._parts.popleft()
            taken = part[: count - filled]
            out[filled : filled + len(taken)] = taken
            filled += len(taken)
            if len(taken) < len(part):
                self._parts.appendleft(part[len(taken) :])
        out[filled:] = 0
        if filled == count:
            return
        if self.queue.closed:
            self._tail -= count - filled
            if self._tail <= 0:
                raise _sounddevice().CallbackStop
        elif self._begun or status.output_underflow:
            self.underruns += 1
            self.missing += count - filled

    def close(self) -> None:
        """Play what waits, then let go of the device."""
        self.queue.close()
        if self._stream is not None:
            self._done.wait(self.queue.seconds + 5)
        self._stop()

    def abort(self) -> None:
        """Fall silent at once."""
        self.queue.close()
        self._stop()
