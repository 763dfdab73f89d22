"""What the live verbs listen to: their options, and the source that these mean."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from audiopipe.run.source import LiveSource

Encoding = Literal["s16le", "s24le", "f32le"]
Policy = Literal["block", "drop-oldest", "fail"]

FileOption = Annotated[
    Path | None, typer.Option(help="Listen to a file as if it were live.", metavar="FILE")
]
RealtimeOption = Annotated[
    bool, typer.Option(help="Pace the file as it would sound; else as fast as it goes.")
]
StdinOption = Annotated[bool, typer.Option("--stdin", help="Listen to raw PCM on stdin.")]
RateOption = Annotated[int, typer.Option(min=1, help="Sample rate of raw PCM in Hz.")]
ChannelsOption = Annotated[int, typer.Option(min=1, help="Channels of the microphone or raw PCM.")]
EncodingOption = Annotated[Encoding, typer.Option(help="Form of raw PCM.")]
MicrophoneOption = Annotated[
    str | None, typer.Option(help="Number or name of the microphone.", metavar="DEVICE")
]
SecondsOption = Annotated[float | None, typer.Option(min=0.0, help="Stop after so many seconds.")]
SaveOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Also write outputs here.", metavar="DIR")
]


@dataclass(frozen=True)
class Listening:
    """The microphone, unless there is a file or PCM on stdin; `queue` and `block` are in s.

    Raises BadParameter where more than one is given.
    """

    file: Path | None
    realtime: bool
    stdin: bool
    rate: int
    channels: int
    encoding: Encoding
    microphone: str | None
    queue: float = 2.0
    policy: Policy | None = None
    block: float = 0.02

    def __post_init__(self) -> None:
        sources = {
            "--file": self.file,
            "--stdin": self.stdin or None,
            "--microphone": self.microphone,
        }
        given = [option for option, value in sources.items() if value is not None]
        if len(given) > 1:
            raise typer.BadParameter("listen to one of them", param_hint=" and ".join(given))

    def open(self) -> LiveSource:
        """Open it; raises AudioError or SoundDeviceError."""
        from audiopipe.io.devices import Microphone
        from audiopipe.io.pcm import PcmFormat
        from audiopipe.run.source import paced_file, pcm_input

        patient = self.stdin or (self.file is not None and not self.realtime)
        policy: Policy = self.policy or ("block" if patient else "drop-oldest")
        if self.file is not None:
            speed = 1.0 if self.realtime else float("inf")
            return paced_file(
                self.file, seconds=self.queue, policy=policy, speed=speed, block=self.block
            )
        if self.stdin:
            form = PcmFormat(self.rate, self.channels, self.encoding)
            stream = sys.stdin.buffer
            return pcm_input(stream, form, seconds=self.queue, policy=policy, block=self.block)
        return Microphone(
            self.microphone,
            channels=self.channels,
            block=self.block,
            seconds=self.queue,
            policy=policy,
        )
