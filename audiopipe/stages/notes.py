"""Make notes of a pitch track."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, model_validator

from audiopipe import tuning
from audiopipe.notes import Fit, Rules, follow
from audiopipe.signals import Note, PitchTrack
from audiopipe.signals import Notes as Events
from audiopipe.stage import Reach, Stage, Stateful
from audiopipe.units import Hertz, Span


class Notes(Stateful):
    """Make notes of the pitch of a voice or of one instrument.

    A `PitchTrack` [frames] becomes `Notes`: events with a beginning, an end, a pitch as a MIDI
    number with its fraction, the nearest note's name, and how sure the pitch is on average. The
    pitch of a note is the median of its frames. A MIDI file has the nearest notes, all equally
    loud; with `bend`, each is bent to its pitch.

    The simplest melody is sought that explains the pitch (see `audiopipe.notes`): a vibrato
    stays one note, a glide goes to the notes that it begins and ends with, an octave error or
    a consonant that is short is passed over. A trill of a semitone, if it is faster than seven
    notes a second, is taken for a vibrato. Each frame is decided `lag` later, in a stream and in
    a whole recording alike.

    A pitch track knows nothing of loudness: the same note played again is another only after a
    gap in the voicing of at least `gap`. And of one pitch at a time come no chords.
    """

    name = "notes"
    takes = PitchTrack

    a4: Annotated[Hertz, Field(ge=380, le=500)] = tuning.CONCERT
    """The frequency of the note A4."""
    shortest: Span = Field(default=Span.parse("60 ms"))
    """The shortest note."""
    gap: Span = Field(default=Span.parse("50 ms"))
    """The shortest gap that divides a note."""
    lag: Span = Field(default=Span.parse("300 ms"))
    """How much later than its end a note is known: less than 150 ms makes errors."""
    bend: bool = False
    """Whether MIDI files bend notes to their pitch."""

    @model_validator(mode="after")
    def _check(self) -> Notes:
        if not self.lag.amount:
            raise ValueError("a lag of 0 decides before a note has begun; write 'lag: 300 ms'")
        return self

    def output(self, source: PitchTrack) -> Events:
        return Events((), source.rate, self.a4, self.bend)

    def reach(self, source: PitchTrack) -> Reach:
        lag = self.rules(source).lag
        return Reach(behind=None, ahead=lag, latency=lag)

    def rules(self, source: PitchTrack) -> Rules:
        """The options for frames of a hop."""
        rate = source.rate
        return Rules(
            step=source.hop / rate,
            shortest=self.shortest.samples(rate) / rate,
            gap=self.gap.samples(rate) / rate,
            lag=ceil(self.lag.samples(rate) / source.hop),
        )

    def start(self, model: None, sources: Sequence[PitchTrack]) -> Fit:
        return Fit()

    def step(self, model: None, state: Fit, blocks: Sequence[PitchTrack], last: bool) -> Events:
        (block,) = blocks
        hop = block.hop
        pitch = block.midi(self.a4).cpu().double().numpy()
        pitch = np.where(np.isfinite(pitch), pitch, np.nan)  # 0 Hz is no pitch
        sure = torch.nan_to_num(block.confidence).cpu().double().numpy().clip(0, 1)
        found = (
            Note(n.start * hop, n.stop * hop, tuning.name(round(n.pitch)), n.confidence, n.pitch)
            for n in follow(state, self.rules(block), pitch, sure, last)
        )
        return Events(tuple(found), block.rate, self.a4, self.bend)

    @classmethod
    def examples(cls) -> Sequence[Stage]:
        return (
            cls(),
            cls(a4=415.0, lag=Span.parse("150 ms")),
            cls(shortest=Span.parse("100 ms"), gap=Span.parse("20 ms"), bend=True),
        )
