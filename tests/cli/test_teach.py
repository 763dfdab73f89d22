"""`audiopipe teach`: what it prints, and the dialogue of `--record` with a microphone of ours."""

import json
import os
import select
import sys
from typing import ClassVar

import numpy as np
import pytest
from teaching import make_base, make_examples, tone

from audiopipe.cli import keys
from audiopipe.io import devices
from audiopipe.signals import Audio

RATE = 16000


@pytest.fixture
def base(tmp_path):
    return make_base(tmp_path / "models/base")


def test_a_folder_is_taught(cli, base, tmp_path):
    make_examples(tmp_path / "clips", background=True)
    ran = cli("teach", "clips", "-o", "my-words", "--base", base)
    assert ran.code == 0, ran.err
    assert "accuracy" in ran.out
    assert "threshold" in ran.out
    assert "use it as `model: ./my-words`" in ran.out
    for label in ("low", "high"):
        assert label in ran.out
    assert "brings no sounds of others" in " ".join(ran.err.split())
    assert (tmp_path / "my-words/card.toml").exists()


def test_json(cli, base, tmp_path):
    make_examples(tmp_path / "clips-recordings", background=True)
    ran = cli("teach", "clips-recordings", "--base", base, "--json", "--licence", "CC0-1.0")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["labels"] == ["high", "low", "_background_"]
    assert told["clips"] == {"high": 5, "low": 5, "_background_": 12}
    assert sum(map(sum, told["confusion"])) > 22
    assert "CC0-1.0" in (tmp_path / "clips/card.toml").read_text()


def test_the_name_of_the_model(cli, base, tmp_path):
    make_examples(tmp_path / "words")
    assert cli("teach", "words", "--base", base).code == 0
    assert (tmp_path / "words-model/card.toml").exists()
    again = cli("teach", "words", "--base", base)
    assert again.code == 4
    assert "--force" in again.err
    assert cli("teach", "words", "--base", base, "--force").code == 0


def test_all_that_is_wrong_is_told(cli, base, tmp_path):
    make_examples(tmp_path / "clips", ("low", "high"), 3)
    (tmp_path / "clips/low/\x1b[2J.wav").touch()
    ran = cli("teach", "clips", "--base", base)
    assert ran.code == 3
    assert ran.err.count("3 examples") == ran.err.count("at least 5 are needed") == 2
    assert "1 more cannot be used: \\x1b[2J.wav: is empty" in ran.err
    assert "\x1b" not in ran.err
    assert not (tmp_path / "clips-model").exists()


def test_a_warning_and_the_result_are_one_line_each(cli, base, tmp_path):
    make_examples(tmp_path / "clips")
    ran = cli("teach", "clips", "-o", f"{'long ' * 20}name", "--base", base)
    assert "20 s of the room in _background_/room.wav give fewer false alarms\n" in ran.err
    assert ran.out.endswith(f"use it as `model: ./{'long ' * 20}name`\n")


def test_labels_are_for_recording(cli):
    ran = cli("teach", "clips", "--labels", "a,b")
    assert ran.code == 2
    assert "--record" in ran.err


def noise(seconds, seed):
    return 0.001 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


class FakeMicrophone:
    """Gives the room and then, a word every 2.5 s, as many as `words` says."""

    words = 100
    opened = 0

    def __init__(self, device, *, seconds):
        self.device = devices.Device(0, "Desk Microphone", 1, 0, RATE, True)
        FakeMicrophone.opened += 1

    def blocks(self):
        start = 0
        parts = [noise(30, 0)] if FakeMicrophone.opened == 1 else [noise(4, 0)]
        for k in range(self.words):
            hz = 300 if (k + 5 * FakeMicrophone.opened) % 2 else 2500
            parts += [tone(hz, 50 * FakeMicrophone.opened + k)[:, 0], noise(2.1, k)]
        for samples in np.split(np.concatenate(parts)[: 320 * 10**5], 1):
            for at in range(0, len(samples) - 319, 320):
                yield Audio(samples[at : at + 320], RATE, start)
                start += 320

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class FakeKeys:
    """Presses keys at given moments, counted in blocks."""

    script: ClassVar = {}

    def __init__(self):
        self.asked = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def pressed(self):
        self.asked += 1
        return self.script.get(self.asked, "")


@pytest.fixture
def microphone(monkeypatch):
    monkeypatch.setattr(devices, "Microphone", FakeMicrophone)
    monkeypatch.setattr(keys, "Keys", FakeKeys)
    monkeypatch.setattr(FakeMicrophone, "opened", 0)
    return FakeMicrophone


def counts(folder):
    return {path.name: len(list(path.iterdir())) for path in sorted(folder.iterdir())}


def test_recording_is_left_and_resumed(cli, base, tmp_path, microphone, monkeypatch):
    """q is pressed 8 s after the first word; the second run records the rest."""
    monkeypatch.setattr(FakeKeys, "script", {50 * 38: "q"})
    command = ["teach", "--record", "my-words", "--labels", "low,high", "--clips", 5]
    ran = cli(*command, "--base", base)
    assert ran.code == 0, ran.err
    assert "go on with the same command" in ran.err
    folder = tmp_path / "my-words-recordings"
    first = counts(folder)
    assert first["_background_"] == 1
    assert 2 <= first["low"] < 5
    assert not (tmp_path / "my-words").exists()

    monkeypatch.setattr(FakeKeys, "script", {})
    ran = cli(*command, "--base", base)
    assert ran.code == 0, ran.err
    assert counts(folder) == {"_background_": 1, "high": 5, "low": 5}
    assert "First the room" not in ran.err
    assert (tmp_path / "my-words/card.toml").exists()


def test_the_last_take_is_recorded_again(cli, base, tmp_path, microphone, monkeypatch):
    monkeypatch.setattr(FakeKeys, "script", {50 * 36: "r"})
    ran = cli("teach", "--record", "w", "--labels", "clap", "--clips", "5", "--base", base)
    assert ran.code == 0, ran.err
    assert "clap: the last one again" in ran.err
    files = sorted(path.name for path in (tmp_path / "w-recordings/clap").iterdir())
    assert len(files) == 5


def test_r_after_the_last_take_of_a_label(cli, base, tmp_path, microphone, monkeypatch):
    """It is pressed while the next label is counted down, and means the label before."""
    folder, told = tmp_path / "w-recordings", []

    def press(_):
        if told or len(list(folder.glob("low/*.flac"))) < 5:
            return ""
        told.append("r")
        return "r"

    monkeypatch.setattr(FakeKeys, "pressed", press)
    ran = cli("teach", "--record", "w", "--labels", "low,high", "--clips", "5", "--base", base)
    assert ran.code == 0, ran.err
    assert ran.err.count("low: the last one again") == 1
    assert counts(folder) == {"_background_": 1, "high": 5, "low": 5}


def test_a_silent_microphone_is_asked_about(cli, tmp_path, microphone, monkeypatch):
    monkeypatch.setattr(FakeMicrophone, "words", 0)
    monkeypatch.setattr(FakeKeys, "script", {1465: "q"})
    ran = cli("teach", "--record", "w", "--labels", "clap")
    assert ran.code == 0
    assert "nothing is heard; is it the right microphone?" in " ".join(ran.err.split())


def test_what_cannot_be_recorded_is_told_first(cli, base, tmp_path, microphone):
    assert "--labels lights,music" in cli("teach", "--record", "w").err
    assert "may not hold '/'" in cli("teach", "--record", "w", "--labels", "a/b").err
    assert "may not begin with" in cli("teach", "--record", "w", "--labels", "..").err
    assert "differ only in their case" in cli("teach", "--record", "w", "--labels", "a,A").err
    assert "name a folder" in cli("teach", "--record", ".", "-o", "w", "--labels", "a").err
    assert "--licence" in cli("teach", "clips", "--licence", " ").err
    make_examples(tmp_path / "clips")
    cli("teach", "clips", "-o", "w", "--base", base)
    assert "is there already" in cli("teach", "--record", "w", "--labels", "a").err
    assert microphone.opened == 0


def test_keys_of_a_terminal(monkeypatch):
    """What F3 sends ends with R, which is not the key."""
    pty = pytest.importorskip("pty")
    own, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal, os.fdopen(own, "wb", buffering=0) as typing:
        monkeypatch.setattr(sys, "stdin", terminal)
        with keys.Keys() as pressed:
            for typed, known in ((b"R", "r"), (b"\x1bOR", ""), (b"xq", "q")):
                typing.write(typed)
                assert select.select([terminal], [], [], 10)[0]
                assert pressed.pressed() == known
            assert pressed.pressed() == ""


def test_keys_without_a_terminal():
    with keys.Keys() as pressed:
        assert pressed.pressed() == ""
