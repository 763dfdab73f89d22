"""Notes as a Standard MIDI File, format 0: one track, on channel 1."""

from __future__ import annotations

from pathlib import Path

from audiopipe import tuning
from audiopipe.io.atomic import FileSink
from audiopipe.signals import Note, Notes

TICKS = 480
"""Ticks a beat."""
BEAT = 480_000
"""Microseconds a beat, which is 125 beats a minute: a tick is 1 ms."""
VELOCITY = 80
"""How loud a note is, of 127: a pitch track does not know it."""
BEND = 2.0
"""Semitones that the wheel bends at the most, as instruments take it unless told otherwise."""


class MidiSink(FileSink):
    """Begins and ends are right to half a millisecond.

    Where the notes are to `bend`, the wheel takes each to its own pitch, in a tuning in which A4
    has 440 Hz; without, they are the nearest notes.
    """

    def __init__(self, path: Path, form: Notes) -> None:
        super().__init__(path)
        self._form = form
        self._notes: list[Note] = []

    def append(self, block: Notes) -> None:
        self._notes += block.events

    def finish(self) -> None:
        import mido

        form = self._form
        file = mido.MidiFile(type=0, ticks_per_beat=TICKS)
        track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=BEAT)])
        file.tracks.append(track)
        now = 0
        for note in self._notes:
            pitch = note.pitch + (tuning.midi(form.a4) - tuning.A4 if form.bend else 0)
            number = min(max(round(pitch), 0), 127)
            begin, end = (_tick(at, form.rate) for at in (note.start, note.stop))
            if form.bend:
                wheel = min(max(round(8192 * (pitch - number) / BEND), -8192), 8191)
                track.append(mido.Message("pitchwheel", pitch=wheel, time=begin - now))
                now = begin
            on = {"note": number, "velocity": VELOCITY}
            track.append(mido.Message("note_on", time=begin - now, **on))
            track.append(mido.Message("note_off", time=end - begin, note=number))
            now = end
        file.save(file=self.file)


def _tick(sample: int, rate: int) -> int:
    """The nearest tick: they count from the beginning, so that errors do not add up."""
    return round(sample * 1_000_000 * TICKS / (rate * BEAT))
