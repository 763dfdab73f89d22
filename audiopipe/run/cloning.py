"""What is known of a voice before it is converted: where its pitch lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from audiopipe.cloning.register import counted, fresh, register, semitones
from audiopipe.cloning.tracking import TRACKER
from audiopipe.io.read import open_audio
from audiopipe.pipeline import BLOCK, Pipeline
from audiopipe.run.speech import run_speech
from audiopipe.signals import PitchTrack, Signal, Text
from audiopipe.stages.speak import Speak

SAID = 8.0
"""Seconds of a text after which its voice is known."""


class Register:
    """The median pitch of a voice, of all its frames that come."""

    def __init__(self) -> None:
        self._counts = fresh()
        self._voiced = 0

    def take(self, out: Mapping[str, Signal]) -> None:
        """The next frames: the output `pitch`."""
        track = out.get("pitch")
        if isinstance(track, PitchTrack) and len(track):
            hz = semitones(track.hz.cpu().double().clamp_min(1.0))
            self._counts = counted(self._counts, hz, track.voiced.cpu())[-1]
            self._voiced += int(track.voiced.sum())

    @property
    def hz(self) -> float | None:
        """The median in Hz; None where nothing is voiced."""
        if not self._voiced:
            return None
        middle, _ = register(self._counts[None])
        return round(float(torch.exp2(middle / 12)), 2)


def pitch_of_recording(path: Path, device: str = "auto") -> float | None:
    """The median pitch in Hz of a recording, read block by block; raises AudioError."""
    found = Register()
    with open_audio(path) as reader:
        stream = Pipeline({"pitch": TRACKER}).engine(reader.format, device=device).stream()
        for block in reader.blocks(BLOCK):
            found.take(stream.push(block))
        for out in stream.finish():
            found.take(out)
    return found.hz


def pitch_of_text(text: Text, speak: Speak, device: str = "auto") -> float | None:
    """The median pitch in Hz of the voice that says a text, from its first sentences; raises as
    `run_speech` does."""
    found = Register()
    pipeline = Pipeline({"speech": speak, "pitch": TRACKER})
    run_speech(pipeline, text, {}, device=device, take=found.take, seconds=SAID)
    return found.hz
