"""Who listens to pitch as it comes, and says what a tuner shows of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from rich.console import Console

from audiopipe import tuning
from audiopipe.cli.terminal import Terminal, has_colours
from audiopipe.cli.tuner_view import Picture
from audiopipe.io.queue import Arrival
from audiopipe.plan import Plan
from audiopipe.signals import Levels, PitchTrack, Signal
from audiopipe.tuning import Heard, Tuning

REFRESH = 15
"""Frames a second."""
EVERY = 0.1
"""Seconds from reading to reading."""
OVER = 0.3
"""Seconds that a reading is the median of."""
LEAST = 3
"""Frames that are needed for one."""
AWAY = 0.6
"""Semitones from which on a frame belongs to another note."""
GAP = 2
"""Frames without a pitch, or of another note, after which a note has ended."""
FALL = 0.8
"""What is left of the level's bar a frame later, so that an eye can follow."""


@dataclass(frozen=True)
class Reading:
    """What is heard at a time in s: a pitch, the nearest note, and where that would be."""

    time: float
    hz: float
    note: Heard
    target: float


class Steady:
    """The pitch of the last moments: a median, begun anew with every note."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque()
        self._others: list[tuple[float, float]] = []

    def add(self, seconds: float, number: float | None) -> None:
        """Take the next frame's pitch as a MIDI number, or None for silence."""
        while self._recent and self._recent[0][0] <= seconds - OVER:
            self._recent.popleft()
        if number is None or (self._recent and abs(number - self._middle()) > AWAY):
            self._others.append((seconds, number if number is not None else float("nan")))
            if len(self._others) >= GAP:
                heard = [other for other in self._others if other[1] == other[1]]
                self._recent = deque(heard if len(heard) == len(self._others) else ())
                self._others.clear()
            return
        self._others.clear()
        self._recent.append((seconds, number))

    def number(self) -> float | None:
        """The pitch, once it is known."""
        return self._middle() if len(self._recent) >= LEAST else None

    def _middle(self) -> float:
        return median(number for _, number in self._recent)


class Tuner:
    """Tells of a reading every `EVERY` s while a note sounds."""

    def __init__(self, tuned: Tuning, floor: float, tell: Callable[[Reading], None]) -> None:
        self.seconds: dict[str, float] = {}
        """For how long each note was heard."""
        self._tuning = tuned
        self._floor = 10 ** (floor / 20)
        self._tell = tell
        self._steady = Steady()
        self._loud: dict[int, float] = {}
        self._due = 0
        self._position = 0.0

    def __enter__(self) -> Tuner:
        return self

    def __exit__(self, *_: object) -> None: ...

    def begin(self, plan: Plan) -> None: ...

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None: ...

    def take(self, out: Mapping[str, Signal]) -> None:
        """Read what came out: also what comes out after the last block was heard."""
        for block in out.values():
            if isinstance(block, Levels):
                self._measure(block)
        for block in out.values():
            if isinstance(block, PitchTrack):
                self._read(block)

    def _measure(self, block: Levels) -> None:
        """Remember how loud each `EVERY` was."""
        peaks = block.peak.amax(0).tolist()
        for number, peak in enumerate(peaks, block.start):
            place = _place(number * block.hop / block.rate)
            self._loud[place] = max(peak, self._loud.get(place, 0.0))

    def _read(self, block: PitchTrack) -> None:
        columns = zip(block.seconds.tolist(), block.hz.tolist(), block.voiced.tolist(), strict=True)
        for seconds, hz, voiced in columns:
            place = _place(seconds)
            for old in [each for each in self._loud if each < place - 1]:
                del self._loud[old]
            sounds = voiced and hz > 0 and self._loud.get(place, 0.0) >= self._floor
            if seconds > self._position + 2 * EVERY:  # sound was lost in between
                self._steady = Steady()
            self._position = seconds
            self._steady.add(seconds, tuning.midi(hz) if sounds else None)
            self.follow(seconds, self._tuning.hear(hz) if sounds else None)
            if place >= self._due:
                self._due = place + 1
                self._say(seconds)

    def _say(self, seconds: float) -> None:
        number = self._steady.number()
        if number is None:
            self.rest()
            return
        hz = tuning.hertz(number)
        note = self._tuning.hear(hz)
        self.seconds[note.name] = round(self.seconds.get(note.name, 0.0) + EVERY, 6)
        self._tell(Reading(seconds, hz, note, self._tuning.hertz(note.number)))

    def follow(self, seconds: float, note: Heard | None) -> None:
        """A frame, as it is; a view may show it."""

    def rest(self) -> None:
        """Nothing sounds."""


def _place(seconds: float) -> int:
    """The number of the `EVERY` that a time lies in."""
    return int(seconds / EVERY + 1e-6)


class Screen(Tuner):
    """Draws a picture of what is heard, `REFRESH` times a second."""

    def __init__(self, tuned: Tuning, floor: float, console: Console) -> None:
        super().__init__(tuned, floor, self._note)
        self._terminal = Terminal(console)
        self._picture = Picture(has_colours(console), tuned)
        self._lost = 0.0
        self._heard = 0
        self._next = 0.0

    def __exit__(self, *_: object) -> None:
        self._terminal.leave()

    def begin(self, plan: Plan) -> None:
        self._terminal.enter()
        self._draw()

    def hear(self, heard: Arrival, out: Mapping[str, Signal], waiting: float) -> None:
        picture, block = self._picture, heard.block
        self._lost += (block.start - self._heard) / block.rate
        self._heard = block.stop
        picture.level = max(picture.level, float(abs(block.numpy()).max(initial=0.0)))
        if (now := time.monotonic()) >= self._next:
            self._next = now + 1 / REFRESH
            picture.status = f"{self._lost:.2f} s lost · {waiting:.2f} s wait"
            self._draw()
            picture.level *= FALL

    def follow(self, seconds: float, note: Heard | None) -> None:
        self._picture.add(seconds, note)

    def rest(self) -> None:
        self._picture.note = None

    def _note(self, reading: Reading) -> None:
        picture = self._picture
        picture.note, picture.hz, picture.target = reading.note, reading.hz, reading.target

    def _draw(self) -> None:
        self._terminal.draw(self._picture.lines(*self._terminal.size))
