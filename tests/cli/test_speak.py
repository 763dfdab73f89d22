"""`audiopipe speak`: what it writes and plays, what it tells, and what it refuses."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
import speaking
from speaking import hum, network_voice

from audiopipe import loudness
from audiopipe.run import playback

TEXT = "Hello, Dr. Lee. It is 10:30 a.m., and it rains.\n\nGood night."


@pytest.fixture
def voice(tmp_path, monkeypatch):
    yield hum(tmp_path / "hum", monkeypatch)
    speaking.VOICES.clear()


def test_a_text_into_a_file(cli, voice):
    ran = cli("speak", TEXT, "-o", "a.wav", "--voice", voice, "--subtitles", "srt")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("3 sentences, ")
    assert ran.out.splitlines()[1:] == ["  a.wav", "  a.srt"]
    samples, rate = soundfile.read("a.wav", dtype="float32")
    assert rate == 24_000
    meter = loudness.LoudnessMeter(rate, 1)
    meter.add(samples[None])
    assert meter.integrated() == pytest.approx(-16, abs=0.2)
    assert "Hello, Dr. Lee." in Path("a.srt").read_text()
    assert sorted(p.name for p in Path().iterdir()) == ["a.srt", "a.wav", "hum"]


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg", "opus"])
def test_formats(cli, voice, suffix):
    assert cli("speak", "Hello.", "-o", f"a.{suffix}", "--voice", voice).code == 0
    assert soundfile.info(f"a.{suffix}").duration > 1


def test_files_and_standard_input(cli, voice, monkeypatch):
    Path("a.md").write_text("# Head\n\nSee [this](http://x.y).")
    Path("b.ssml").write_text('<speak>Hello <break time="1s"/> world.</speak>')
    assert cli("speak", "a.md", "-o", "a.wav", "--voice", voice).code == 0
    assert cli("speak", "b.ssml", "-o", "b.wav", "--voice", voice).code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Grüße".encode())))
    assert cli("speak", "-", "-o", "c.wav", "--voice", voice).code == 0
    assert speaking.VOICES[voice].said == ["head", "see this", "hello world", "grüße"]


def test_options_reach_the_voice(cli, voice):
    durations = []
    for more in ((), ("--rate", "2"), ("--pause", "0"), ("--set", "speech.rate=0.5")):
        cli("speak", "Hello, world.", "-o", "a.wav", "--voice", voice, *more)
        durations.append(soundfile.info("a.wav").duration)
    usual, fast, plain, slow = durations
    assert fast < usual
    assert usual - plain == pytest.approx(0.15 + 0.8, abs=0.01)
    assert slow > 1.3 * usual


def test_a_preview_ends_after_a_sentence(cli, voice):
    told = json.loads(
        cli(
            "speak", "This is a sentence. " * 30, "-o", "a.wav", "--voice", voice, "--preview",
            "--json",
        ).out
    )  # fmt: skip
    assert 10 <= told["seconds"] < 12
    assert told["seconds"] == pytest.approx(soundfile.info("a.wav").duration)
    assert told["outputs"] == ["a.wav"]


def test_warnings_are_told(cli, voice):
    ran = cli("speak", "Say 你好 now.", "-o", "a.wav", "--voice", voice)
    assert ran.code == 0
    assert "warning 'speech': not said, as the language has no sounds for it: '你好'" in ran.err


def test_without_a_file_it_is_played(cli, voice, monkeypatch):
    played = []

    class Played:
        def __init__(self, format):
            assert (format.rate, format.channels) == (24_000, 1)

        def write(self, block):
            played.append(len(block))

        def close(self):
            played.append("closed")

        def abort(self):
            played.append("aborted")

    monkeypatch.setattr(playback, "Playback", Played)
    ran = cli("speak", "Hello world. Again.", "--voice", voice)
    assert (ran.code, played[-1]) == (0, "closed")
    assert len(played) > 3
    speaking.VOICES[voice].faults["again"] = "silent"
    assert cli("speak", "Hello world. Again.", "--voice", voice).code == 8
    assert played[-1] == "aborted"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["", "-o", "a.wav"], 3, "<text>: there is nothing to say: it has no words"),
        (["gone.txt", "-o", "a.wav"], 3, "gone.txt: there is no such file"),
        (["latin.txt", "-o", "a.wav"], 3, "latin.txt:1:3: byte 0xfc is not UTF-8"),
        (["bad.ssml", "-o", "a.wav"], 3, "bad.ssml:1:"),
        (["Hi", "-o", "a.doc"], 4, "a.doc: .doc is no known kind of audio file"),
        (["Hi", "-o", "none/a.wav"], 4, "there is no folder none; create it first"),
        (["Hi", "-o", "a.wav", "--voice", "./none"], 6, "not a model"),
        (["Hi", "-o", "a.wav", "--language", "xx"], 3, "the language 'xx' is not known"),
        (["Hi", "-o", "a.wav", "--lexicon", "gone.yaml"], 2, "gone.yaml"),
        (["Hi", "--subtitles", "srt"], 2, "subtitles need a file: add -o"),
        ([], 2, "give a text, a file, or - for standard input"),
    ],
)
def test_refusals(cli, voice, arguments, code, told):
    Path("latin.txt").write_bytes("Grüße".encode("latin-1"))
    Path("bad.ssml").write_text("<speak><p>x</speak>")
    before = sorted(p.name for p in Path().rglob("*"))
    more = [] if "--voice" in arguments else ["--voice", voice]
    ran = cli("speak", *arguments, *more)
    assert ran.code == code
    assert told in " ".join(ran.err.replace("│", " ").split())
    after = sorted(p.name for p in Path().rglob("*") if ".audiopipe" not in str(p))
    assert after == before


def test_a_sentence_of_5000_characters(cli, voice):
    text = " ".join(["and so it goes"] * 340)
    assert cli("speak", text, "-o", "a.flac", "--voice", voice, "--json").code == 0
    assert soundfile.info("a.flac").duration > 340 * 4 * 0.1


def test_a_failed_sentence_keeps_those_before(cli, voice):
    speaking.VOICES[voice].faults["again"] = "silent"
    ran = cli("speak", "Hello. World. Again.", "-o", "a.wav", "--voice", voice)
    assert ran.code == 8
    assert "<text>:1:15: the voice was silent, in 'Again.'" in ran.err
    assert not Path("a.wav").exists()
    speaking.VOICES[voice].faults.clear()
    speaking.VOICES[voice].said.clear()
    ran = cli("speak", "Hello. World. Again, now.", "-o", "a.wav", "--voice", voice)
    assert "2 of them were there already" in ran.out
    assert speaking.VOICES[voice].said == ["again now"]
    assert not Path(".audiopipe").exists()


def test_list_voices(cli):
    rows = json.loads(cli("speak", "--list-voices", "--json").out)
    assert all({"voice", "language", "licence", "state"} <= set(row) for row in rows)
    assert cli("speak", "--list-voices").out.split()[:2] == ["voice", "language"]


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path, cli):
    """Killed with -9 in the middle, the second run makes the rest, and the same file."""
    voice = network_voice(tmp_path / "small")
    (tmp_path / "long.txt").write_text(" ".join(f"This is sentence {n}." for n in range(30)))
    cli("speak", "long.txt", "-o", "whole.wav", "--voice", voice)
    command = [sys.executable, "-m", "audiopipe", "speak", "long.txt", "-o", "a.wav"]
    index = tmp_path / ".audiopipe" / "a.wav.speech" / "index"
    with subprocess.Popen([*command, "--voice", voice], cwd=tmp_path, env=os.environ) as process:
        while not (index.exists() and index.read_text().count("\n") > 5):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "a.wav").exists()
    told = json.loads(cli("speak", "long.txt", "-o", "a.wav", "--voice", voice, "--json").out)
    assert told["sentences"] == 30
    assert 5 <= told["remembered"] < 30
    assert Path("a.wav").read_bytes() == Path("whole.wav").read_bytes()
    assert not list(tmp_path.glob(".*"))
