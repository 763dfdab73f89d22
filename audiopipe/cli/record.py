"""The dialogue of `audiopipe teach --record`: the room, then each label, take by take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from audiopipe.cli.keys import Keys
    from audiopipe.signals import Audio
    from audiopipe.teaching.recorder import Collection, Recorder

COUNTDOWN = 3
PAUSE = 0.7
"""Seconds between takes."""


class Left(Exception):  # noqa: N818
    """The user pressed q."""


class Again(Exception):  # noqa: N818
    """The user pressed r."""


def record_examples(
    console: Console, folder: Path, labels: list[str], clips: int, microphone: str | None
) -> bool:
    """Record until `folder` has the room and `clips` of each label; False if the user left.

    Without labels, those of the folder. Raises BadParameter, SoundDeviceError, OutputError.
    """
    from audiopipe.cli.keys import Keys
    from audiopipe.io.devices import Microphone
    from audiopipe.teaching.examples import wrong_name
    from audiopipe.teaching.recorder import Collection

    collection = Collection(folder)
    labels = labels or collection.labels
    if not labels:
        raise typer.BadParameter(
            "what shall be recorded? --labels lights,music", param_hint="--labels"
        )
    for label in labels:
        if wrong := wrong_name(label):
            raise typer.BadParameter(f"{label!r}: {wrong}", param_hint="--labels")
    if len({label.casefold() for label in labels}) < len(set(labels)):
        raise typer.BadParameter("some differ only in their case", param_hint="--labels")
    with Microphone(microphone, seconds=10.0) as source, Keys() as keys:
        console.print(f"listening to {source.device.name}; r records the last again, q leaves")
        return Dialogue(console, collection, source.blocks(), keys).run(labels, clips)


class Dialogue:
    """Guides through what is missing of a collection."""

    def __init__(
        self, console: Console, collection: Collection, blocks: Iterator[Audio], keys: Keys
    ) -> None:
        from audiopipe.teaching.recorder import Recorder

        self._console = console
        self._collection = collection
        self._keys = keys
        self._prompt = ""
        self._level = 0.0
        self._last: Path | None = None
        self._line = Live(console=console, transient=True, refresh_per_second=15)
        self._recorder: Recorder = Recorder(blocks, self._tick)

    def run(self, labels: list[str], clips: int) -> bool:
        """Record what is missing; False if the user left."""
        try:
            with self._line:
                self._room()
                for label in labels:
                    self._label(label, clips)
        except Left:
            return False
        return True

    def _tick(self, peak: float, left: float) -> None:
        """Show the level, and see whether a key was pressed."""
        from audiopipe.cli.view import bar

        self._level = max(0.8 * self._level, peak)
        seconds = f"{left:4.1f} s " if left > 0 else ""
        self._line.update(Text(f"{self._prompt}  {seconds}{bar(self._level, 30)}"))
        match self._keys.pressed():
            case "q":
                raise Left
            case "r":
                raise Again

    def _countdown(self, prompt: str) -> None:
        for number in range(COUNTDOWN, 0, -1):
            self._prompt = f"{prompt}: {number} …"
            self._recorder.skip(1.0)

    def _room(self) -> None:
        from audiopipe.teaching.examples import BACKGROUND
        from audiopipe.teaching.recorder import ROOM

        if (room := self._collection.room()) is not None:
            self._recorder.know(room)
            return
        self._console.print(
            f"First the room, for {ROOM:.0f} s: be quiet, and let everything else sound as usual."
        )
        while True:
            try:
                self._countdown("the room")
                self._prompt = "the room is recorded"
                room = self._recorder.background(ROOM)
            except Again:
                continue
            self._collection.save(BACKGROUND, room)
            self._console.print(f"the room: {self._recorder.room:.0f} dB")
            return

    def _label(self, label: str, clips: int) -> None:
        have = self._collection.count(label)
        if have >= clips:
            self._console.print(f"{label}: {have} are there")
            return
        self._console.print(f"{label}: {clips - have} times, each a little different.")
        begin = True
        while (have := self._collection.count(label)) < clips:
            place = f"{label} {have + 1}/{clips}"
            try:
                if begin:
                    self._countdown(label)
                    begin = False
                else:
                    self._recorder.skip(PAUSE)
                self._prompt = f"{place}: now"
                self._take(label, place)
            except Again:
                forgotten = self._forget()
                if forgotten not in (None, label):
                    self._label(forgotten, clips)
                    begin = True

    def _take(self, label: str, place: str) -> None:
        take = self._recorder.take()
        if take is None:
            self._console.print(
                "nothing is heard; is it the right microphone? `audiopipe devices` lists them, "
                "--microphone NAME takes another"
            )
            return
        self._last = self._collection.save(label, take.audio)
        trouble = f": {take.trouble} (r: again)" if take.trouble else ""
        self._console.print(f"{place}{trouble}")
        self._prompt = f"{place}: recorded"

    def _forget(self) -> str | None:
        """Delete the last take; gives its label, which may be the one before."""
        if self._last is None:
            return None
        self._last.unlink(missing_ok=True)
        label, self._last = self._last.parent.name, None
        self._console.print(f"{label}: the last one again")
        return label
