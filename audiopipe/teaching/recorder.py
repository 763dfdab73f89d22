"""Recording examples: the room, then takes that begin when something is heard.

Time is counted in samples that have come, never by a clock: a file or a test is a microphone
like any other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from audiopipe.errors import SoundDeviceError
from audiopipe.io.read import open_audio
from audiopipe.io.write import AudioWriter
from audiopipe.pipeline import make_folder
from audiopipe.signals import Audio
from audiopipe.teaching.examples import BACKGROUND

ROOM = 15.0
"""Seconds of background."""
BEFORE, AFTER = 0.3, 1.3
"""Seconds that a take holds before and after its beginning is heard."""
PATIENCE = 8.0
"""Seconds after which it is asked whether the microphone is the right one."""
QUIET = 0.2
"""Seconds of quiet that come before a take."""
RISE = 10.0
"""Decibels above the room at which a take begins."""
QUIETEST = -50.0
"""The level in dB below which no take begins, however quiet the room."""
_STOPPED = "the microphone has stopped; is it still there? try `audiopipe devices`"
_CLIPPED = 0.99
_QUIET = 0.03

Tick = Callable[[float, float], None]
"""Called for every block with its peak, and the seconds that are still to come."""


@dataclass(frozen=True)
class Take:
    """A recording, and what is wrong with it, in words; empty if nothing is."""

    audio: Audio
    trouble: str


class Recorder:
    """Records from blocks of one channel; `tick` is told of each and may raise to leave."""

    def __init__(self, blocks: Iterator[Audio], tick: Tick) -> None:
        self._blocks = blocks
        self._tick = tick
        self.room = QUIETEST
        """The level of the room in dB, once it is known."""

    def skip(self, seconds: float) -> None:
        """Let so many seconds pass by."""
        self._next(seconds)

    def background(self, seconds: float = ROOM) -> Audio:
        """Record the room."""
        heard = Audio.join(self._next(seconds))
        self.know(heard)
        return heard

    def know(self, room: Audio) -> None:
        """Take the level of the room from a recording of it."""
        step = max(1, room.rate // 50)
        steps = room.samples[0].unfold(0, step, step) if len(room) >= step else room.samples
        power = steps.square().mean(-1).quantile(0.95)
        self.room = float(10 * torch.log10(power + 1e-12))

    def take(self) -> Take | None:
        """Record a take, from a little before something is heard; None if nothing is.

        It begins in quiet: what was going on before is not taken for a beginning.
        """
        before: deque[Audio] = deque()
        waited = quiet = 0.0
        for block in self._blocks:
            seconds = float(block.duration)
            before.append(block)
            waited += seconds
            self._tick(float(block.samples.abs().max()), PATIENCE - waited)
            while float(sum(b.duration for b in before)) > BEFORE + 2 * seconds:
                before.popleft()
            if _decibels(block) <= max(self.room + RISE, QUIETEST):
                quiet += seconds
            elif quiet >= QUIET:
                return _judged(Audio.join([*before, *self._next(AFTER)]))
            else:
                quiet = 0.0
            if waited >= PATIENCE:
                return None
        raise SoundDeviceError(_STOPPED)

    def _next(self, seconds: float) -> list[Audio]:
        blocks: list[Audio] = []
        left = seconds
        for block in self._blocks:
            blocks.append(block)
            left -= float(block.duration)
            self._tick(float(block.samples.abs().max()), max(0.0, left))
            if left <= 0:
                return blocks
        raise SoundDeviceError(_STOPPED)


def _judged(audio: Audio) -> Take:
    peak = float(audio.samples.abs().max())
    trouble = ""
    if int((audio.samples.abs() >= _CLIPPED).sum()) > 2:
        trouble = "too loud: it is clipped; go further away from the microphone"
    elif peak < _QUIET:
        trouble = "too quiet; come closer, or turn the microphone up"
    return Take(audio, trouble)


def _decibels(block: Audio) -> float:
    return float(10 * torch.log10(block.samples.square().mean() + 1e-12))


class Collection:
    """The folder that recordings are saved in, as `teach` reads it: LABEL/001.flac."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def labels(self) -> list[str]:
        """The labels that are there, without the background."""
        if not self.folder.is_dir():
            return []
        names = (path.name for path in sorted(self.folder.iterdir()) if path.is_dir())
        return [name for name in names if not name.startswith(("_", "."))]

    def count(self, label: str) -> int:
        """How many recordings of a label are there."""
        return len(self._files(label))

    def save(self, label: str, audio: Audio) -> Path:
        """Save a recording under the next number, whole or not at all; raises OutputError."""
        folder = self.folder / label
        make_folder(folder)
        numbers = [int(path.stem) for path in self._files(label) if path.stem.isdecimal()]
        path = folder / f"{max(numbers, default=0) + 1:03d}.flac"
        with AudioWriter(path, audio.format, depth=16) as writer:
            writer.write(audio)
        return path

    def room(self) -> Audio | None:
        """The last recording of the room, if there is one."""
        files = self._files(BACKGROUND)
        if not files:
            return None
        with open_audio(files[-1]) as reader:
            return Audio.join([reader.format, *reader.blocks(1 << 20)])

    def _files(self, label: str) -> list[Path]:
        return sorted((self.folder / label).glob("[!.]*.flac"))
