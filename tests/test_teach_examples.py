"""A folder of examples: what is used of it, and what is said of the rest."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from teaching import make_examples, put, tone

from audiopipe.errors import ExamplesError
from audiopipe.teaching import examples as examples_module
from audiopipe.teaching.examples import read_examples, wrong_name
from audiopipe.teaching.seconds import around_the_sound, in_seconds, is_silent
from audiopipe.teaching.speakers import speakers_of

SILENCE = np.zeros((8000, 1))


def text(path, content="hello"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def link(path):
    path.symlink_to("nowhere.wav")


def again(clips, source, target):
    (clips / target).write_bytes((clips / source).read_bytes())


def rename(clips, source, target):
    (clips / source).rename(clips / target)


def a_file(clips):
    clips.rename(clips.with_name("x"))
    text(clips)


def no_labels(clips):
    for label in ("low", "high"):
        rename(clips, label, f"_{label}")


def in_the_background(clips):
    (clips / "_background_").mkdir()
    again(clips, "low/0.wav", "_background_/a.wav")


REFUSED = {
    "no folder": (
        lambda c: c.rename(c.with_name("clip")),
        "no such folder; did you mean 'clip'?",
    ),
    "a file": (a_file, "it is a file; a folder of examples holds"),
    "no labels": (no_labels, "there are no labels in it; .* lights/1.wav"),
    "few": (lambda c: (c / "low/0.wav").unlink(), "low: 4 examples, and at least 5 are needed: "),
    "an empty label": (lambda c: (c / "none").mkdir(), "none: 0 examples, and at least 5"),
    "two labels": (
        lambda c: again(c, "low/0.wav", "high/9.wav"),
        "low/0.wav: is the same recording as .*high/9.wav; .* one label",
    ),
    "in the background": (in_the_background, "is the same recording as"),
    "odd name": (lambda c: rename(c, "low", "low;drop"), "may not hold ';'; rename the folder"),
    "blank name": (lambda c: rename(c, "low", " low"), "may not begin or end with a blank"),
    "long name": (lambda c: rename(c, "low", "l" * 60), "a label may have 50 characters"),
    "case": (
        lambda c: make_examples(c, ("Low",)),
        "differ only in their case; rename one",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    clips = make_examples(tmp_path / "clips")
    spoil, message = REFUSED[name]
    spoil(clips)
    with pytest.raises(ExamplesError) as caught:
        read_examples(clips)
    assert any(re.search(message, problem) for problem in caught.value.problems), caught.value
    assert caught.value.exit_code == 3


LEFT_OUT = {
    "text": (lambda c: text(c / "low/notes.txt"), "notes.txt: is not audio"),
    "empty": (lambda c: text(c / "low/e.wav", ""), r"e.wav: is empty \(0 bytes\)"),
    "no sound": (lambda c: put(c / "low/n.wav", SILENCE[:0]), "n.wav: holds no sound"),
    "silent": (lambda c: put(c / "low/s.wav", SILENCE), "s.wav: nothing is heard in it"),
    "cut off": (lambda c: os.truncate(put(c / "low/c.wav", tone(9, 9)), 9000), "c.wav: is cut off"),
    "nothing there": (lambda c: link(c / "low/l.wav"), "l.wav: is a link to nowhere.wav"),
    "long": (lambda c: put(c / "low/l.wav", tone(300, 5, 11)), "l.wav: is longer than 10 s; cut"),
    "twice": (lambda c: again(c, "low/0.wav", "low/9.wav"), "9.wav: is the same recording as 0"),
    "beside": (lambda c: again(c, "low/0.wav", "0.wav"), "beside the labels: 0.wav"),
    "loud": (lambda c: put(c / "low/x.wav", 1e30 * tone(9, 9), subtype="FLOAT"), "full scale"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_OUT)
def test_left_out_with_a_warning(tmp_path, name):
    clips = make_examples(tmp_path / "clips", background=True)
    spoil, message = LEFT_OUT[name]
    spoil(clips)
    examples = read_examples(clips)
    assert len(examples.clips) == 10
    (warning,) = examples.warnings
    assert re.search(message, warning)
    assert "left out" in warning


def test_only_the_label_s_own_reasons_are_told(tmp_path):
    clips = make_examples(tmp_path / "clips", ("low", "lower"))
    for label in ("low", "lower"):
        (clips / label / "0.wav").write_bytes(b"")
    with pytest.raises(ExamplesError) as caught:
        read_examples(clips)
    assert [problem.count("is empty") for problem in caught.value.problems] == [1, 1]


@pytest.mark.parametrize("label", ["lights on", "don't", "C#", "Tür", "नमस्ते", "สวัสดี"])
def test_a_name(label):
    assert wrong_name(label) == ""


@pytest.mark.parametrize("label", [".", "..", ".x", "_x", "x.", "a\nb", "a/b", 'a"b', "a\u202eb"])
def test_no_name(label):
    assert wrong_name(label)


def test_no_more_background_is_kept_than_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(examples_module, "MOST_BACKGROUND", 4)
    clips = make_examples(tmp_path / "clips", background=True)
    put(clips / "_background_" / "hall.wav", tone(100, 1, 12))
    background = read_examples(clips).background
    assert [second.path.name for second in background] == ["hall.wav"] * 2 + ["room.wav"] * 2


def test_all_problems_are_told_at_once(tmp_path):
    clips = make_examples(tmp_path / "clips", ("low", "middle", "high"))
    again(clips, "low/0.wav", "middle/9.wav")
    (clips / "high/0.wav").write_bytes(b"")
    put(clips / "high/1.wav", SILENCE)
    rename(clips, "low", "low:")
    with pytest.raises(ExamplesError) as caught:
        read_examples(clips)
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "3 examples (2 more cannot be used: 0.wav: is empty" in told
    assert "1.wav: nothing is heard" in told
    assert "may not hold ':'" in told
    assert "is the same recording as" in told


def test_hidden_files_are_not_looked_at(tmp_path):
    clips = make_examples(tmp_path / "clips", background=True)
    text(clips / "low/.DS_Store")
    text(clips / ".git/HEAD")
    assert read_examples(clips).warnings == ()


def test_what_begins_with_an_underscore_is_background(tmp_path):
    clips = make_examples(tmp_path / "clips", background=True)
    put(clips / "_noise_" / "short.wav", tone(100, 1, 0.5))
    put(clips / "_background_" / "silence.wav", SILENCE)
    examples = read_examples(clips)
    assert examples.labels == ("high", "low")
    assert len(examples.background) == 12 + 2
    assert all(len(second.samples) == 16000 for second in examples.background)


def test_folders_in_a_label_are_looked_into(tmp_path):
    clips = make_examples(tmp_path / "clips")
    put(clips / "low/more/x.wav", tone(300, 99))
    assert len(read_examples(clips).clips) == 11


def test_a_file_that_nobody_may_read(tmp_path, as_nobody):
    clips = make_examples(tmp_path / "clips", background=True)
    (clips / "low/0.wav").chmod(0)
    told = as_nobody(lambda: read_examples(clips))
    assert "4 examples (1 more cannot be used: 0.wav: cannot be opened" in told


class TestTheSecond:
    """Which second of a recording is looked at."""

    def sound(self, at, seconds=0.4, before=3.0):
        wave = 0.001 * np.random.default_rng(0).standard_normal(round(before * 16000))
        start = round(at * 16000)
        word = tone(400, 1, seconds)[:, 0]
        wave[start : start + len(word)] += word
        return torch.tensor(wave, dtype=torch.float32)

    @pytest.mark.parametrize("at", [0.0, 0.3, 1.3, 2.6])
    def test_the_sound_is_in_the_middle(self, at):
        second = around_the_sound(self.sound(at))
        assert len(second) == 32000
        middle = float((second.square().cumsum(0) > second.square().sum() / 2).nonzero()[0])
        assert middle == pytest.approx(16000, abs=800)

    def test_a_click_is_no_word(self):
        wave = self.sound(2.0)
        wave[4000:4080] = 1.0
        second = around_the_sound(wave)
        assert float(second.abs().max()) < 0.5

    def test_a_short_one_is_padded(self):
        second = around_the_sound(torch.tensor(tone(400, 0, 0.2)[:, 0], dtype=torch.float32))
        assert len(second) == 32000
        assert not second[:14000].any()
        assert not second[18000:].any()

    def test_a_steady_one_has_any(self):
        assert float(around_the_sound(torch.full((48000,), 0.1)).min()) > 0.09

    def test_silence(self):
        assert is_silent(torch.zeros(1000))
        assert is_silent(torch.full((1000,), 0.3))  # a broken sound card
        assert is_silent(torch.tensor([0.5]))
        assert is_silent(torch.zeros(0))
        assert not is_silent(torch.tensor([0.002, -0.002] * 500))

    def test_seconds_are_chosen_evenly(self):
        pieces = in_seconds(torch.arange(160000.0), 3)
        assert (pieces[:, 0] / 16000).tolist() == [0, 4, 9]


@pytest.mark.parametrize(
    ("names", "speakers"),
    [
        ("a/eve_nohash_0 a/bob_nohash_0 b/eve_nohash_0 b/tim_nohash_1", {"eve", "bob", "tim"}),
        ("a/eve_nohash_0 a/eve_nohash_1 b/bob_nohash_0 b/tim_nohash_1", set()),
        ("a/1e-f_nohash_0 a/2_nohash_0 b/3_nohash_0 b/4_nohash_0", {"1e-f", "2", "3", "4"}),
        ("a/eve_1 a/bob_2 b/eve-3 b/bob 1", {"eve", "bob"}),
        ("a/lights_1 a/lamp_2 b/music_3 b/song_4", set()),
        ("a/a_1 a/a_2 b/b_1 b/b_2", set()),
        ("a/1 a/2 b/1 b/2", set()),
        ("a/eve_1 a/bob_2 b/eve_3 b/note", set()),
    ],
)
def test_speakers_are_known_only_where_names_tell_them(names, speakers):
    files = {"a": [], "b": []}
    for name in re.split(r"(?<=\d|e) (?=[ab]/)", names):
        files[name[0]].append(Path(f"{name}.wav"))
    assert set(speakers_of(files).values()) == speakers
