"""`audiopipe pitch`: what it writes, and what it refuses."""

import csv
import json
from pathlib import Path

import mido
import pytest
from melodies import sung

TUNE = [(0.3, 0.8, 57.0), (0.8, 1.3, 60.0), (1.3, 2.0, 64.03)]


@pytest.fixture
def tune(write):
    return write("tune.wav", sung(TUNE, 2.3))


def names(folder="out"):
    return sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))


def rows_of(path):
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))


def test_a_table_and_a_picture(cli, tune):
    assert cli("pitch", tune).out == "1 done, in out\n"
    assert names() == ["tune.pitch.csv", "tune.pitch.png"]
    rows = rows_of("out/tune.pitch.csv")
    assert [row["note"] for row in rows[50:200:50]] == ["A3", "C4", "E4"]
    assert float(rows[160]["cents"]) == pytest.approx(3, abs=8)
    assert (rows[5]["voiced"], rows[5]["note"], rows[5]["cents"]) == ("0", "", "")
    assert Path("out/tune.pitch.png").read_bytes().startswith(b"\x89PNG")


def test_notes_as_midi_and_as_a_table(cli, tune):
    assert cli("pitch", tune, "--notes", "--format", "json").code == 0
    assert names() == ["tune.mid", "tune.notes.csv", "tune.pitch.json"]
    on = [m for m in mido.MidiFile("out/tune.mid") if m.type == "note_on"]
    assert [message.note for message in on] == [57, 60, 64]
    rows = rows_of("out/tune.notes.csv")
    assert [row["note"] for row in rows] == ["A3", "C4", "E4"]
    begins = [float(row["start_s"]) for row in rows]
    assert begins == pytest.approx([begin for begin, *_ in TUNE], abs=0.04)
    data = json.loads(Path("out/tune.pitch.json").read_text())
    assert data["items"][50]["note"] == "A3"


def test_notes_alone(cli, tune):
    assert cli("pitch", tune, "--notes", "--format", "").code == 0
    assert names() == ["tune.mid", "tune.notes.csv"]


def test_stages_can_be_set(cli, tune):
    ran = cli(
        "pitch", tune, "--notes", "--set", "notes.a4=466 Hz", "--set", "pitch.hop=20 ms",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    rows = rows_of("out/tune.notes.csv")
    assert [row["note"] for row in rows] == ["G♯3", "B3", "D♯4"]
    assert len(Path("out/tune.pitch.csv").read_text().splitlines()) == 117


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("gone.wav",), 3, "gone.wav: there is no such file"),
        (("tune.wav", "--format", "cvs"), 2, "did you mean 'csv'?"),
        (("tune.wav", "--format", ","), 2, "nothing is to be written"),
        (("tune.wav", "--set", "notes.a4=442"), 2, "there is no stage 'notes'"),
        (("tune.wav", "--notes", "--set", "notes.a4=99"), 2, "notes.a4"),
        (("tune.wav", "--set", "pitch"), 2, "is not stage.option=value"),
    ],
)
def test_what_is_wrong(cli, tune, arguments, code, told):
    ran = cli("pitch", *arguments)
    assert ran.code == code
    assert told in " ".join(ran.err.replace("│", " ").split())


def test_what_is_not_sound(cli, tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.wav").touch()
    ran = cli("pitch", "text.wav", "empty.wav")
    assert ran.code == 9
    assert "empty.wav: is empty (0 bytes)" in ran.err
    assert names() == []


def test_silence_and_a_moment(cli, write, sound):
    silence = sound(1.0)
    write("silence.wav", silence.like(silence.samples * 0, start=0))
    write("moment.wav", sound(0.001))
    ran = cli("pitch", "silence.wav", "moment.wav", "--notes")
    assert (ran.code, ran.err) == (0, "")
    assert Path("out/silence.notes.csv").read_text().count("\n") == 1


def test_notes_live(cli, tune):
    ran = cli("live", "notes", "--file", "tune.wav", "--no-realtime", "--json")
    *notes, last = map(json.loads, ran.out.splitlines())
    assert [note["label"] for note in notes] == ["A3", "C4", "E4"]
    assert [note["midi"] for note in notes] == pytest.approx([57, 60, 64.03], abs=0.1)
    assert last["report"]["declared_s"]["notes"] >= 0.3


def test_a_picture_is_no_line_of_a_live_run(cli, tune):
    ran = cli("live", "pitch", "--file", "tune.wav", "--no-realtime", "--json", "-o", "live")
    *lines, _ = map(json.loads, ran.out.splitlines())
    assert {line["output"] for line in lines} == {"pitch"}
    assert names("live") == ["live.pitch.csv", "live.pitch.png"]
