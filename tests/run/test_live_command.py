"""`audiopipe live` in a process of its own: lines of JSON, and raw PCM."""

import json
import subprocess
import sys

import numpy as np
import pytest

from audiopipe.io.pcm import decode, encode
from audiopipe.io.read import open_audio
from audiopipe.pipeline import load
from audiopipe.signals import Audio

RUN = [sys.executable, "-m", "audiopipe"]

DEFINITION = """
audiopipe: 1
stages:
  low: {use: resample, rate: 8 kHz}
  level: {use: tap, from: input, hop: 100 ms}
outputs: {low.wav: low, level.csv: level}
"""


def _shape(path):
    with open_audio(path) as reader:
        return Audio.join([reader.format, *reader.blocks(1 << 20)]).samples.shape


@pytest.mark.slow
def test_pcm_through_a_pipe_gives_lines_of_json(sound, tmp_path):
    (tmp_path / "p.yaml").write_text(DEFINITION)
    audio = sound(1.0, 16000, 2)
    command = [*RUN, "live", "p.yaml", "--stdin", "--rate", "16000", "--channels", "2"]
    ended = subprocess.run(
        [*command, "--encoding", "f32le", "--json", "-o", "out"],
        input=encode(audio.numpy().T, "f32le"), cwd=tmp_path, capture_output=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, b"")
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    levels = [line for line in told if line.get("output") == "level"]
    assert [line["time"] for line in levels] == pytest.approx([k / 10 for k in range(10)])
    peaks = audio.samples.reshape(2, 10, -1).abs().amax((0, 2)).tolist()
    assert [line["peak"] for line in levels] == pytest.approx(peaks, abs=1e-5)
    parts = [line["elements"] for line in told if line.get("output") == "low"]
    assert sum(parts) == 8000, "also what comes out after the end"
    report = told[-1]["report"]
    assert (report["seconds"], report["drops"], report["overruns"]) == (1.0, 0, 0)
    assert _shape(tmp_path / "out/low.wav") == (2, 8000)


@pytest.mark.slow
def test_raw_pcm_to_stdout_is_what_batch_gives(sound, tmp_path):
    (tmp_path / "p.yaml").write_text(DEFINITION)
    audio = sound(1.0, 16000, 2)
    command = [*RUN, "live", "p.yaml", "--stdin", "--rate", "16000", "--channels", "2"]
    ended = subprocess.run(
        [*command, "--stdout", "low.wav"],
        input=encode(audio.numpy().T, "s16le"), cwd=tmp_path, capture_output=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    heard = Audio(decode(encode(audio.numpy().T, "s16le"), 2, "s16le").T.copy(), 16000)
    whole = load(tmp_path / "p.yaml").run(heard)["low.wav"].numpy()
    made = decode(ended.stdout, 2, "s16le").T
    assert made.shape == whole.shape
    assert np.abs(made - whole).max() <= 1 / 32768
    assert b"heard 1.0 s" in ended.stderr
