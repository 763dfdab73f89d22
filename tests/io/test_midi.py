"""Notes as files: MIDI is read back by another reader, tables and labels have known answers."""

import csv
import io
import json
import subprocess
import sys

import mido
import numpy as np
import pytest

from audiopipe.errors import OutputError
from audiopipe.io.save import open_sink, save, sinks_for
from audiopipe.signals import Note, Notes

RATE = 16000


def note(start, stop, pitch):
    """From and to in s."""
    return Note(round(start * RATE), round(stop * RATE), "?", 0.9, pitch)


TUNE = Notes((note(0.5, 1.0, 69.03), note(1.0, 1.25, 60.0), note(3601.3337, 3602, 71.6)), RATE)


def played(path):
    """What a player does: (begin in s, end in s, number, semitones of bend)."""
    file = mido.MidiFile(path)
    now, bend, sounding, notes = 0.0, 0.0, {}, []
    for message in file:
        now += message.time
        if message.type == "pitchwheel":
            bend = message.pitch / 8192 * 2
        elif message.type == "note_on" and message.velocity:
            sounding[message.note] = (now, bend)
        elif message.type in ("note_off", "note_on"):
            begin, bent = sounding.pop(message.note)
            notes.append((begin, now, message.note, bent))
    assert not sounding
    return notes


def test_begins_and_ends_are_right_to_a_millisecond(tmp_path):
    notes = played(save(TUNE, tmp_path / "a.mid"))
    assert [number for _, _, number, _ in notes] == [69, 60, 72]
    times = [(begin, end) for begin, end, *_ in notes]
    assert np.allclose(times, [(0.5, 1), (1, 1.25), (3601.3337, 3602)], atol=1e-3)
    assert {bend for *_, bend in notes} == {0.0}, "the wheel is left alone"


def test_errors_do_not_add_up(tmp_path):
    rng = np.random.default_rng(0)
    edges = np.cumsum(rng.uniform(0.05, 0.3, 2001))
    tune = Notes(tuple(map(note, edges[:-1], edges[1:], rng.uniform(40, 90, 2000))), RATE)
    notes = played(save(tune, tmp_path / "a.mid"))
    assert np.allclose([begin for begin, *_ in notes], edges[:-1], atol=1e-3)


def test_notes_may_be_bent_to_their_pitch(tmp_path):
    bent = Notes(TUNE.events, RATE, bend=True)
    heard = [number + bend for *_, number, bend in played(save(bent, tmp_path / "a.mid"))]
    assert heard == pytest.approx([69.03, 60.0, 71.6], abs=1e-3)
    for a4 in (380.0, 415.0, 494.0):  # farther away than the wheel goes
        other = Notes(TUNE.events, RATE, a4=a4, bend=True)
        heard = [number + bend for *_, number, bend in played(save(other, tmp_path / "b.mid"))]
        assert heard[0] == pytest.approx(69.03 + 12 * np.log2(a4 / 440), abs=1e-3)


def test_numbers_that_midi_does_not_have(tmp_path):
    far = Notes((note(0, 1, 131.0), note(1, 2, 127.6)), RATE, bend=True)
    assert [number for *_, number, _ in played(save(far, tmp_path / "a.mid"))] == [127, 127]


def test_blocks_make_the_same_file_as_the_whole(tmp_path):
    whole = save(TUNE, tmp_path / "a.mid").read_bytes()
    with open_sink(tmp_path / "b.mid", TUNE.format) as sink:
        for event in TUNE:
            sink.write(Notes((event,), RATE))
    assert (tmp_path / "b.mid").read_bytes() == whole


def test_no_notes_are_a_file_too(tmp_path):
    assert played(save(Notes((), RATE), tmp_path / "a.mid")) == []
    assert save(Notes((), RATE), tmp_path / "a.csv").read_text().count("\n") == 1


def test_it_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "a.mid").write_bytes(b"old")
    sink = open_sink(tmp_path / "a.mid", TUNE.format)
    sink.write(TUNE)
    assert (tmp_path / "a.mid").read_bytes() == b"old"
    sink.abort()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]
    with pytest.raises(OutputError, match="there is no folder"):
        save(TUNE, tmp_path / "none" / "a.mid")


def test_tables(tmp_path):
    (row, *_) = csv.DictReader(io.StringIO(save(TUNE, tmp_path / "a.csv").read_text()))
    assert row == {
        "start_s": "0.5", "stop_s": "1.0", "note": "?", "midi": "69", "cents": "3.0",
        "hz": "440.763", "confidence": "0.9",
    }  # fmt: skip
    data = json.loads(save(TUNE, tmp_path / "a.json").read_text())
    assert (data["kind"], data["rate"], len(data["items"])) == ("notes", RATE, 3)
    assert data["items"][2]["cents"] == -40.0
    low = json.loads(save(Notes(TUNE.events, RATE, a4=415.0), tmp_path / "b.json").read_text())
    assert low["items"][0]["hz"] == pytest.approx(415.72, abs=0.01)


def test_other_forms(tmp_path):
    assert sinks_for(TUNE)[0] == ".mid"
    assert save(TUNE, tmp_path / "a.txt").read_text().startswith("0.500000\t1.000000\t?\n")
    assert save(TUNE, tmp_path / "a.srt").read_text().startswith("1\n00:00:00,500 -->")


def test_a_list_of_notes():
    assert repr(TUNE) == "Notes(3: ? ? ?)"
    assert repr(TUNE.format) == "Notes(0)"
    later = TUNE.delayed(16000)
    assert (later.events[0].start, later.a4, later.events[0].pitch) == (24000, 440.0, 69.03)
    both = Notes.join([TUNE, later])
    assert (len(both), type(both)) == (6, Notes)


def test_nothing_is_imported_before_it_is_needed():
    program = "import sys, audiopipe.io.save; assert 'mido' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
