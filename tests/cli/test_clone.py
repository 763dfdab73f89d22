"""`audiopipe clone`: what it writes and tells, and what it refuses."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import speaking
from cloning import agree, given, voice
from speaking import hum

from audiopipe.consent import read_consent
from audiopipe.disclosure import read_disclosure
from audiopipe.io.read import open_audio
from audiopipe.io.save import save
from audiopipe.watermark import detect


@pytest.fixture
def ada(tmp_path):
    return given(tmp_path)


@pytest.fixture
def hums(tmp_path, monkeypatch):
    yield hum(tmp_path / "hum", monkeypatch)
    speaking.VOICES.clear()


@pytest.fixture
def spoken(tmp_path):
    """A recording of another voice."""
    return save(voice(5.0, hz=210.0, rate=16000, seed=4), tmp_path / "talk.wav")


def options(ada, output="out.wav", consent=True):
    agreed = ["--consent", ada.consent] if consent else []
    return ["-r", ada.reference, "--model", ada.model, "-o", output, *agreed]


def test_a_recording(cli, ada, spoken):
    ran = cli("clone", spoken, *options(ada, "out.flac"))
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[1:] == ["  out.flac", "  out.consent.json"]
    info = soundfile.info("out.flac")
    assert (info.samplerate, info.channels, info.frames) == (24_000, 1, 5 * 24_000)
    told = read_disclosure("out.flac")
    assert "in a cloned voice" in told
    assert "Consent of Ada Lovelace, 2020-01-01: a test" in told
    assert read_consent("out.consent.json") == read_consent(ada.consent)
    with open_audio("out.flac") as reader:
        (block,) = reader.blocks(1 << 20)
    found = detect(block)
    assert (found.found, found.kind) == (True, "cloned")


@pytest.mark.parametrize("how", ["--text", "file", "-"])
def test_a_text(cli, ada, hums, how, monkeypatch):
    Path("a.txt").write_text("Good morning, my dear old friends.")
    said = {
        "--text": ["--text", "Good morning, my dear old friends."],
        "file": ["a.txt"],
        "-": ["-"],
    }[how]
    with Path("a.txt").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        ran = cli("clone", *said, *options(ada), "--voice", hums, "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["outputs"] == ["out.wav"]
    assert told["consent"] == "out.consent.json"
    assert told["sentences"] == 1
    assert soundfile.info("out.wav").duration == pytest.approx(told["seconds"], abs=0.01)
    assert "Consent of Ada Lovelace" in read_disclosure("out.wav")


def test_without_consent_nothing_is_made(cli, ada, spoken):
    ran = cli("clone", spoken, *options(ada, consent=False))
    assert ran.code == 2
    assert "no voice is cloned without consent: add --consent FILE" in " ".join(
        ran.err.replace("│", " ").split()
    )
    assert not Path("out.wav").exists()
    assert not Path("out.consent.json").exists()


class Terminal:
    """Somebody who answers."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def isatty(self):
        return True

    def readline(self, *_):
        return self._answers.pop(0) + "\n"


def test_in_a_terminal_the_person_is_asked(cli, ada, spoken, monkeypatch):
    answers = iter(["Ada Lovelace", "a test of ours", "", "ada lovelace"])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    monkeypatch.setattr(sys, "stdin", Terminal())
    ran = cli("clone", spoken, *options(ada, consent=False))
    assert ran.code == 0, ran.err
    record = read_consent("out.consent.json")
    assert (record.speaker, record.purpose) == ("Ada Lovelace", "a test of ours")
    assert "a test of ours" in read_disclosure("out.wav")


def test_who_does_not_confirm_is_not_cloned(cli, ada, spoken, monkeypatch):
    answers = iter(["Ada Lovelace", "a test of ours", "", "no"])
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    monkeypatch.setattr(sys, "stdin", Terminal())
    ran = cli("clone", spoken, *options(ada, consent=False))
    assert (ran.code, ran.err) == (
        3,
        "error: Ada Lovelace has not confirmed; nothing is made without consent\n",
    )
    assert not Path("out.wav").exists()


REFUSALS = [
    ([], 2, "give a recording or a text, and one of them"),
    (["talk.wav", "--text", "x"], 2, "give a recording or a text, and one of them"),
    (["talk.wav", "--voice", "kathleen"], 2, "is for a text, and this is a recording; leave it"),
    (["gone.wav"], 3, "gone.wav: there is no such file"),
    (["talk.wav", "--set", "voise.pitch=2"], 2, "there is no stage 'voise'; did you mean 'voice'?"),
    (["talk.wav", "-o", "out.doc"], 4, "out.doc"),
    (["talk.wav", "-o", "talk.wav"], 4, "talk.wav: is what is read; choose another name"),
    (["talk.wav", "-o", "ada.wav"], 4, "ada.wav: is what is read; choose another name"),
    (["talk.wav", "-o", "nowhere/out.wav"], 4, "there is no folder nowhere"),
    (["talk.wav", "-r", "talk.wav"], 3, "is not the recording that Ada Lovelace has consented to"),
    (["talk.wav", "--consent", "gone.json"], 3, "gone.json"),
    (["talk.wav", "--model", "kathleen"], 6, "model 'kathleen' converts no voices"),
]


@pytest.mark.parametrize(("arguments", "code", "told"), REFUSALS)
def test_refusals(cli, ada, spoken, arguments, code, told):
    ran = cli("clone", *options(ada), *arguments)
    assert ran.code == code, ran.err
    assert told in " ".join(ran.err.replace("│", " ").split())
    assert not Path("out.wav").exists()


def _chord(level):
    time = np.arange(6 * 24_000) / 24_000
    return level * sum(np.sin(2 * np.pi * hz * time) for hz in (220, 277, 330))


REFERENCES = [
    ("silence", np.zeros(6 * 24_000), 3, "error: {}: is silent; record the voice"),
    ("music", _chord(0.2), 3, "error: {}: has no voice in it that could be cloned"),
    ("short", voice(1.2).samples[0].numpy(), 3, "s of speech; 2 s are the least"),
    (
        "music behind",
        voice(6.0).samples[0].numpy() + _chord(0.02),
        0,
        "the reference {}: has noise, a room or music behind the voice",
    ),
]


@pytest.mark.parametrize(
    ("samples", "code", "told"), [r[1:] for r in REFERENCES], ids=[r[0] for r in REFERENCES]
)
@pytest.mark.parametrize("what", ["a recording", "a text"])
def test_references(cli, ada, spoken, hums, samples, code, told, what):
    path = Path("ref.wav")
    soundfile.write(path, samples, 24_000)
    source = [spoken] if what == "a recording" else ["--text", "Good morning.", "--voice", hums]
    ran = cli("clone", *source, *options(ada), "-r", path, "--consent", agree(path))
    assert ran.code == code, ran.err
    assert told.format(path) in " ".join(ran.err.split())
    assert Path("out.wav").exists() == (code == 0)
    assert Path("out.consent.json").exists() == (code == 0)


def test_what_is_missing_is_named(cli, ada, spoken):
    assert "--reference FILE" in cli("clone", spoken, "-o", "a.wav").err
    assert "name the file to be written" in cli("clone", spoken, "-r", ada.reference).err


def test_the_consent_of_another_is_not_overwritten(cli, ada, spoken):
    other = save(voice(3.0, seed=8), Path("bob.wav"))
    record = agree(other, speaker="Bob")
    ran = cli("clone", spoken, *options(ada, "bob.flac"))
    assert ran.code == 4
    assert "the consent of Ada Lovelace has to stand there" in ran.err
    assert read_consent(record).speaker == "Bob"
    assert not Path("bob.flac").exists()
