"""Every signal into every file form: known answers, round trips, bounded memory."""

import csv
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audiopipe.errors import AudioError, OutputError
from audiopipe.io.arrays import load_spectrogram
from audiopipe.io.save import check_output, open_sink, save, sinks_for, stem_paths
from audiopipe.signals import (
    Audio,
    Detection,
    Detections,
    Levels,
    PitchTrack,
    Scores,
    Segment,
    Spectrogram,
    Stems,
    Text,
)

PITCH = PitchTrack(
    torch.tensor([440.0, 0.5, 220.123456]),
    torch.tensor([True, False, True]),
    torch.tensor([0.91, 0.0, 1.0]),
    rate=16000,
    hop=160,
    start=100,
)
LEVELS = Levels(
    torch.tensor([[1.0, 0.0], [0.5, 0.1]]), torch.tensor([[0.5, 0.0], [0.1, 0.01]]), 8000, 80
)
SCORES = Scores(
    torch.tensor([[0.25, 1.0], [0.7500001, 0.0]]), ("yes", 'a "b", c'), 16000, 800, start=20
)
WORDS = Detections(
    (Detection(8000, 16000, "yes", 0.875), Detection(24000, 40000, 'a "b", c', 1.0)), 16000
)
TALK = Text(
    (Segment("Good morning,\nall.", 0, 1500, "Ann"), Segment("Grüße ♥", 61_001, 3_661_500)), 1000
)


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def blocks_of(signal, size):
    return [
        signal.cut(at, min(at + size, signal.stop)) for at in range(signal.start, signal.stop, size)
    ]


def stream(signal, path, size=1):
    with open_sink(path, signal.format) as sink:
        for block in blocks_of(signal, size):
            sink.write(block)
    return path


def test_pitch_as_csv(tmp_path):
    text = stream(PITCH, tmp_path / "a.csv").read_text()
    assert text == (
        "time_s,hz,voiced,confidence,note,cents\n"
        "1.0,440.0,1,0.91,A4,0.0\n1.01,0.5,0,0.0,,\n1.02,220.123,1,1.0,A3,1.0\n"
    )


def test_pitch_as_json(tmp_path):
    data = json.loads(stream(PITCH, tmp_path / "a.json").read_text())
    assert {k: v for k, v in data.items() if k != "items"} == {
        "kind": "pitch", "rate": 16000, "hop": 160,
    }  # fmt: skip
    assert data["items"][1] == {
        "time_s": 1.01, "hz": 0.5, "voiced": False, "confidence": 0.0, "note": None, "cents": None,
    }  # fmt: skip
    assert (data["items"][2]["note"], data["items"][2]["cents"]) == ("A3", 1.0)
    assert len(data["items"]) == 3


def test_levels_as_csv_and_json(tmp_path):
    rows = list(csv.DictReader(stream(LEVELS, tmp_path / "a.csv").open()))
    assert rows[0] == {
        "time_s": "0.0", "peak_db_1": "0.0", "rms_db_1": "-6.02",
        "peak_db_2": "-6.02", "rms_db_2": "-20.0",
    }  # fmt: skip
    assert rows[1]["peak_db_1"] == ""  # silence has no level
    items = json.loads(stream(LEVELS, tmp_path / "a.json").read_text())["items"]
    assert items[1]["peak_db_1"] is None
    assert items[1]["rms_db_2"] == -40.0
    mono = Levels(LEVELS.peak[:1], LEVELS.rms[:1], 8000, 80)
    assert save(mono, tmp_path / "m.csv").read_text().startswith("time_s,peak_db,rms_db\n")


def test_scores(tmp_path):
    text = stream(SCORES, tmp_path / "a.csv").read_text()
    assert text == 'time_s,yes,"a ""b"", c"\n1.0,0.25,0.75\n1.05,1.0,0.0\n'
    data = json.loads(stream(SCORES, tmp_path / "a.json").read_text())
    assert {key: data[key] for key in ("kind", "rate", "hop")} == {
        "kind": "scores", "rate": 16000, "hop": 800,
    }  # fmt: skip
    assert data["items"][1] == {"time_s": 1.05, "yes": 1.0, 'a "b", c': 0.0}
    arrays = np.load(stream(SCORES, tmp_path / "a.npz"), allow_pickle=False)
    assert {name: arrays[name].tolist() for name in arrays} == {
        "values": SCORES.values.tolist(), "labels": ["yes", 'a "b", c'],
        "rate": 16000, "hop": 800, "start": 20,
    }  # fmt: skip


def test_detections(tmp_path):
    assert save(WORDS, tmp_path / "a.csv").read_text() == (
        'start_s,stop_s,label,score\n0.5,1.0,yes,0.875\n1.5,2.5,"a ""b"", c",1.0\n'
    )
    assert save(WORDS, tmp_path / "a.txt").read_text() == (
        '0.500000\t1.000000\tyes\n1.500000\t2.500000\ta "b", c\n'
    )
    assert (
        save(WORDS, tmp_path / "a.srt")
        .read_text()
        .startswith("1\n00:00:00,500 --> 00:00:01,000\nyes\n\n2\n")
    )
    assert json.loads(save(WORDS, tmp_path / "a.json").read_text())["items"][0] == {
        "start_s": 0.5, "stop_s": 1.0, "label": "yes", "score": 0.875,
    }  # fmt: skip


def test_text(tmp_path):
    assert save(TALK, tmp_path / "a.txt").read_text() == "Ann: Good morning, all.\nGrüße ♥\n"
    assert save(TALK, tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,000 --> 00:00:01,500\nAnn: Good morning,\nall.\n\n"
        "2\n00:01:01,001 --> 01:01:01,500\nGrüße ♥\n\n"
    )
    assert json.loads(save(TALK, tmp_path / "a.json").read_text())["items"][0] == {
        "start_s": 0.0, "stop_s": 1.5, "speaker": "Ann", "text": "Good morning,\nall.",
    }  # fmt: skip


def test_subtitles_need_times(tmp_path):
    with pytest.raises(OutputError) as caught:
        save(Text((Segment("one", 0, 5), Segment("two"))), tmp_path / "a.srt")
    assert str(caught.value) == (
        f"{tmp_path}/a.srt: passage 2 has no time, and subtitles need one; write .txt or .json"
    )
    assert left(tmp_path) == []


@pytest.mark.parametrize("signal", [PITCH, LEVELS, SCORES, WORDS, TALK])
def test_nothing_makes_a_valid_file(tmp_path, signal):
    for suffix in sinks_for(signal.format):
        assert save(signal.format, tmp_path / f"a{suffix}").exists()
    assert json.loads((tmp_path / "a.json").read_text())["items"] == []


def spectrogram(frames, dtype=torch.float32, channels=2, bins=5, start=7):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(channels, bins, frames, generator=generator, dtype=dtype)
    return Spectrogram(values, 44100, 512, 2048, 1024, "power", (0.0, 1.5, 3.0, 4.5, 6.0), start)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
@pytest.mark.parametrize(("frames", "size"), [(0, 1), (1, 1), (100, 7), (100, 1000)])
def test_npz_round_trip(tmp_path, dtype, frames, size):
    original = spectrogram(frames, dtype)
    path = stream(original, tmp_path / "a.npz", size)
    data = np.load(path, allow_pickle=False)
    assert data["values"].dtype == (np.complex64 if dtype.is_complex else np.float32)
    assert np.array_equal(data["values"], original.numpy())
    back = load_spectrogram(path)
    assert torch.equal(back.values, original.values)
    if frames:
        assert back.signature == original.signature
        assert back.start == original.start
    assert left(tmp_path) == ["a.npz"]


def test_what_is_no_spectrogram(tmp_path):
    (tmp_path / "a.npz").write_text("nonsense")
    np.savez(tmp_path / "b.npz", values=np.zeros(3))
    np.savez(tmp_path / "c.npz", values=np.array([object()]))
    for name in "abc":
        with pytest.raises(AudioError, match="is no spectrogram of audiopipe, or is damaged"):
            load_spectrogram(tmp_path / f"{name}.npz")
    with pytest.raises(AudioError, match="there is no such file"):
        load_spectrogram(tmp_path / "d.npz")


@pytest.mark.parametrize("name", ["a.npz", "a.png", "a.json", "a.csv"])
def test_memory_does_not_grow_with_hours(tmp_path, name):
    """Three hours of frames; what is held at the end is what was held after some minutes."""
    rate, hop, size, total = 16000, 160, 6000, 1_080_000
    if name in ("a.npz", "a.png"):
        hop, size, total = 1600, 600, 108_000
        block = Spectrogram(torch.rand(1, 16, size), rate, hop, hop, 0, "power", (1.0,) * 16)
    else:
        size, total = 2000, 20_000  # lines are slow, and kept nowhere
        one = torch.rand(size)
        block = PitchTrack(one, one > 0.5, one, rate, hop)
    sink = open_sink(tmp_path / name, block.format)
    tracemalloc.start()
    held = []
    for start in range(0, total, size):
        sink.write(block.like(*block.tensors, start=start))
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    sink.abort()
    assert held[-1] - held[len(held) // 10] < 300_000
    assert left(tmp_path) == []


def stems(frames=500):
    ramp = torch.linspace(-1, 1, frames).repeat(2, 1)
    return Stems({"vocals": Audio(ramp, 8000), "other": Audio(-ramp, 8000)})


def test_stems_by_pattern_and_into_a_folder(tmp_path):
    save(stems(), tmp_path / "song.{stem}.flac")
    assert left(tmp_path) == ["song.other.flac", "song.vocals.flac"]
    save(stems(), tmp_path / "out")
    assert left(tmp_path / "out") == ["other.wav", "vocals.wav"]
    other, _ = soundfile.read(tmp_path / "out" / "other.wav", always_2d=True)
    assert np.abs(other.T - stems()["other"].numpy()).max() < 1e-6


@pytest.mark.parametrize("name", ["new", "song.{stem}.flac"])
def test_stems_appear_all_or_none(tmp_path, name):
    with pytest.raises(KeyboardInterrupt), open_sink(tmp_path / name, stems().format) as sink:  # noqa: PT012
        sink.write(stems())
        raise KeyboardInterrupt
    assert left(tmp_path) == []
    with pytest.raises(OutputError, match="Opus knows no rate of 44100 Hz"):
        open_sink(tmp_path / "a.{stem}.opus", Stems({"a": Audio.empty(44100, 1)}))
    (tmp_path / "a.other.wav").mkdir()
    with pytest.raises(OutputError, match=r"a\.other\.wav: is a folder; name a file in it"):
        open_sink(tmp_path / "a.{stem}.wav", stems().format)
    assert left(tmp_path) == ["a.other.wav"]


def test_stems_do_not_leave_their_folder():
    with pytest.raises(OutputError, match=r"a stem named '\.\./x' makes no file name; rename it"):
        stem_paths(Path("out"), Stems({"../x": Audio.empty(8000, 1)}))


AUDIO = Audio.empty(44100, 2)
WRONG = [
    ("a.csv", AUDIO, "Audio is not saved as .csv; there is .flac, .mp3, .ogg, .opus, .png, .wav"),
    ("a.flak", AUDIO, "Audio is not saved as .flak; did you mean '.flac'?"),
    ("a.wav", PITCH, "PitchTrack is not saved as .wav; there is .csv, .json, .png"),
    ("a", WORDS, "Detections is not saved as a file without a suffix; there is .csv, .json, "
     ".srt, .txt, .vtt"),
    ("a.opus", AUDIO, "Opus knows no rate of 44100 Hz; put {use: resample, rate: 48000 Hz} "
     "before it, or write .wav"),
    ("stems.flac", stems(), "2 stems do not fit into one file; write stems.{stem}.flac, or a "
     "folder without a suffix"),
    ("{stem}.flak", stems(), ".flak is no known kind of audio file; did you mean '.flac'?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "signal", "message"), WRONG)
def test_names_that_do_not_fit_are_found_by_planning(tmp_path, name, signal, message):
    with pytest.raises(OutputError) as caught:
        check_output(name, signal.format)
    assert str(caught.value).split(": ", 1)[1] == message
    with pytest.raises(OutputError):
        open_sink(tmp_path / name, signal.format)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "signal", [stems(9)["other"], PITCH, LEVELS, SCORES, WORDS, TALK, spectrogram(9)]
)
def test_failures_leave_nothing(tmp_path, signal):
    for suffix in sinks_for(signal.format):
        sink = open_sink(tmp_path / f"a{suffix}", signal.format)
        with pytest.raises(KeyboardInterrupt), sink:  # noqa: PT012
            sink.write(signal)
            raise KeyboardInterrupt
        assert left(tmp_path) == []


def test_capital_suffixes_will_do(tmp_path):
    assert save(PITCH, tmp_path / "A.CSV").read_text().startswith("time_s")
