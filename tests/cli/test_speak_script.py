"""`audiopipe speak` with a script: an episode with everything."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import speaking
from scipy.signal import resample_poly
from speaking import hum

from audiopipe.loudness import LoudnessMeter

SCRIPT = """---
title: Episode 3
voices:
  HOST: {voice: VOICE, pan: -0.3}
  GUEST: {voice: VOICE, gain: 2 dB, pan: 0.3, pitch: -3}
music: {intro: jingle.wav, bed: bed.wav, gain: -20 dB, fade: 300 ms}
---

# Welcome

HOST: Good morning, and welcome to the show.

GUEST: Thank you. It is 10:30 a.m.

# The weather

HOST: It rains.
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    voice = hum(tmp_path / "hum", monkeypatch)
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (48000, 2))
    soundfile.write(tmp_path / "bed.wav", noise, 48000)
    soundfile.write(tmp_path / "jingle.wav", noise[:24000, 0], 44100)
    (tmp_path / "episode.md").write_text(SCRIPT.replace("VOICE", voice))
    yield voice
    speaking.VOICES.clear()


def test_an_episode(cli, script):
    ran = cli(
        "speak", "episode.md", "-o", "episode.mp3", "--voice", script, "--subtitles", "vtt",
        "--json",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    samples, rate = soundfile.read("episode.mp3", dtype="float32")
    assert len(samples) / rate == pytest.approx(json.loads(ran.out)["seconds"], abs=0.01)
    assert (rate, samples.shape[1]) == (48_000, 2)
    meter = LoudnessMeter(rate, 2)
    meter.add(samples.T)
    assert meter.integrated() == pytest.approx(-16, abs=0.5)
    # Coding as MP3 moves peaks a little.
    assert 20 * np.log10(np.abs(resample_poly(samples, 4, 1)).max()) < -0.5
    subtitles = Path("episode.vtt").read_text()
    assert "<v HOST>Good morning" in subtitles
    assert "<v GUEST>Thank you." in subtitles
    if shutil.which("ffprobe"):
        command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_chapters"]
        found = json.loads(subprocess.run([*command, "episode.mp3"], capture_output=True).stdout)
        assert [c["tags"]["title"] for c in found["chapters"]] == ["Welcome", "The weather"]
        tags = found["format"]["tags"]
        assert tags["title"] == "Episode 3"
        assert "Synthetic speech" in tags["comment"]


def test_the_same_by_run(cli, script):
    ran = cli("run", "podcast", "episode.md", "--set", f"speech.voice={script}", "-o", "out")
    assert ran.code == 0, ran.err
    assert {p.name for p in Path("out").glob("[!.]*")} == {"episode.mp3", "episode.srt"}
    assert b"CHAP" in Path("out/episode.mp3").read_bytes()[:2000]


def test_voices_by_option(cli, script):
    Path("b.txt").write_text("ANN: One.\nBOB: Two.")
    ran = cli(
        "speak", "b.txt", "-o", "b.flac", "--voice", script, "--voices",
        f"ANN={script}, BOB={script}",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert speaking.VOICES[script].said == ["one", "two"]
    ran = cli("speak", "b.txt", "-o", "b.flac", "--voice", script, "--voices", f"ANN={script}")
    assert ran.code == 3
    assert "b.txt:2:1: 'BOB' has no voice" in ran.err
    assert cli("speak", "b.txt", "--voices", "ANN").code == 2
