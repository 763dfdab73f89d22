"""A queue of audio that is bounded in seconds: what stands between live and not live."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Condition
from typing import Literal

from audiopipe.errors import OverrunError
from audiopipe.signals import Audio

Policy = Literal["block", "drop-oldest", "fail"]
_GAPS = 1000


@dataclass(frozen=True)
class Arrival:
    """A block, and when it came, in s of the monotonic clock."""

    block: Audio
    at: float

    def sounded(self, seconds: float) -> float:
        """When the sound at `seconds` of the stream was heard, by the same clock.

        >>> Arrival(Audio([[0.0] * 800], rate=8000, start=8000), at=50.0).sounded(0.6)
        49.5
        """
        return self.at - (self.block.stop / self.block.rate - seconds)


@dataclass(frozen=True)
class Counters:
    """What has happened in a queue; samples are counted per channel.

    `drops` is how many times blocks were thrown away, `dropped` how many samples, `gaps`
    where: (first sample, number), the latest thousand. `fullest` is the most that waited,
    in s.
    """

    put: int
    got: int
    drops: int
    dropped: int
    gaps: tuple[tuple[int, int], ...]
    fullest: float


class BoundedQueue:
    """Holds at most `seconds` of audio at `rate` Hz; safe between threads.

    When it is full, `block` makes the producer wait, `drop-oldest` throws away what has
    waited longest (and counts it; time goes on, so `start` of the next block tells of the
    gap), and `fail` ends it: whoever puts or gets receives an OverrunError. One block is
    always taken, however long it is.
    """

    def __init__(
        self,
        seconds: float,
        rate: int,
        policy: Policy = "block",
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if seconds <= 0:
            raise ValueError(f"a queue must hold more than {seconds} s")
        self.seconds = seconds
        self.rate = rate
        self.policy = policy
        self._room = int(seconds * rate)
        self._clock = clock
        self._arrivals: deque[Arrival] = deque()
        self._waiting = 0
        self._changed = Condition()
        self._closed = False
        self._error: Exception | None = None
        self._put = self._got = self._drops = self._dropped = self._fullest = 0
        self._gaps: deque[tuple[int, int]] = deque(maxlen=_GAPS)

    def put(self, block: Audio, at: float | None = None) -> bool:
        """Add a block that came `at` (now); False where the queue is closed.

        Raises OverrunError if it is full and must not be.
        """
        at = self._clock() if at is None else at
        with self._changed:
            if self.policy == "block":
                self._changed.wait_for(lambda: self._closed or self._fits(block))
            if self._error is not None:
                raise self._error
            if self._closed:
                return False
            while not self._fits(block):
                if self.policy == "fail":
                    self._fail(block)
                self._drop()
            self._arrivals.append(Arrival(block, at))
            self._waiting += len(block)
            self._put += len(block)
            self._fullest = max(self._fullest, self._waiting)
            self._changed.notify_all()
        return True

    def _fits(self, block: Audio) -> bool:
        return not self._arrivals or self._waiting + len(block) <= self._room

    def _fail(self, block: Audio) -> None:
        self._error = OverrunError(
            f"the pipeline is slower than its input: {self.seconds:g} s were waiting at "
            f"{block.start / self.rate:.2f} s; make the queue longer, choose the policy "
            "'drop-oldest', or use a faster model or device"
        )
        self._closed = True
        self._arrivals.clear()
        self._changed.notify_all()
        raise self._error

    def _drop(self) -> None:
        old = self._arrivals.popleft().block
        self._waiting -= len(old)
        self._drops += 1
        self._dropped += len(old)
        if self._gaps and sum(self._gaps[-1]) == old.start:
            first, count = self._gaps.pop()
            self._gaps.append((first, count + len(old)))
        else:
            self._gaps.append((old.start, len(old)))

    def get(self, timeout: float | None = None) -> Arrival | None:
        """Take the oldest block, waiting for one; None at the end, or after `timeout` s.

        Raises what `fail` was called with, and OverrunError.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._arrivals), timeout)
            if self._arrivals:
                arrival = self._arrivals.popleft()
                self._waiting -= len(arrival.block)
                self._got += len(arrival.block)
                self._changed.notify_all()
                return arrival
            if self._error is not None:
                raise self._error
            return None

    def close(self) -> None:
        """End the stream: what waits can still be got, nothing more be put."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """End the stream with an error, which `get` raises after what waits."""
        with self._changed:
            self._error = self._error or error
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def waiting(self) -> float:
        """Seconds that wait now."""
        return self._waiting / self.rate

    @property
    def counters(self) -> Counters:
        """What has happened so far."""
        with self._changed:
            return Counters(
                put=self._put,
                got=self._got,
                drops=self._drops,
                dropped=self._dropped,
                gaps=tuple(self._gaps),
                fullest=self._fullest / self.rate,
            )

    def __iter__(self) -> Iterator[Arrival]:
        while (arrival := self.get()) is not None:
            yield arrival
