"""What a live run listens to: a microphone, a file as if it were live, or raw PCM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from audiopipe.io.pace import pace
from audiopipe.io.pcm import PcmFormat, read_pcm
from audiopipe.io.queue import BoundedQueue, Policy
from audiopipe.io.read import open_audio
from audiopipe.signals import Audio

BLOCK_SECONDS = 0.02
QUEUE_SECONDS = 2.0


class LiveSource(Protocol):
    """A stream that does not wait; `io.devices.Microphone` is one."""

    format: Audio
    queue: BoundedQueue
    overruns: int

    def start(self) -> None:
        """Begin to listen."""

    def close(self) -> None:
        """Stop listening; what waits in the queue can still be got."""


class Feed:
    """Blocks that a thread of its own puts into the queue as they come, from `start` on."""

    overruns = 0

    def __init__(
        self,
        format: Audio,
        blocks: Iterable[Audio],
        *,
        seconds: float = QUEUE_SECONDS,
        policy: Policy = "drop-oldest",
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.format = format
        self.queue = BoundedQueue(seconds, format.rate, policy)
        self._blocks = blocks
        self._release = release
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self.queue.close()
        if self._thread.ident is None:
            self._release()

    def _run(self) -> None:
        try:
            for block in self._blocks:
                if not self.queue.put(block):
                    break
            self.queue.close()
        except Exception as error:
            self.queue.fail(error)
        finally:
            self._release()


def paced_file(
    path: str | Path,
    *,
    seconds: float = QUEUE_SECONDS,
    policy: Policy = "drop-oldest",
    speed: float = 1.0,
    block: float = BLOCK_SECONDS,
) -> Feed:
    """A file as if it were live: each block of `block` s comes when it would have been heard.

    Raises AudioError.
    """
    reader = open_audio(path)
    size = max(1, round(block * reader.format.rate))
    blocks = pace(reader.blocks(size), speed=speed)
    return Feed(reader.format, blocks, seconds=seconds, policy=policy, release=reader.close)


def pcm_input(
    stream: BinaryIO,
    form: PcmFormat,
    *,
    seconds: float = QUEUE_SECONDS,
    policy: Policy = "block",
    block: float = BLOCK_SECONDS,
) -> Feed:
    """Raw PCM from a pipe, which by default is made to wait; blocks last `block` s."""
    size = max(1, round(block * form.rate))
    return Feed(form.format, read_pcm(stream, form, size), seconds=seconds, policy=policy)
