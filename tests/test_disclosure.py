"""What files say of synthetic speech, and that it is read again."""

import shutil
import subprocess

import pytest
import torch

from audiopipe import Audio
from audiopipe.disclosure import disclosure, read_disclosure
from audiopipe.io.write import AudioWriter

NOISE = Audio(0.1 * torch.randn(1, 24000, generator=torch.Generator().manual_seed(1)), 24000)
TOLD = disclosure("Zoë", "Consent of Zoë Müller, 2026-11-22")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus", ".mp3"])
def test_every_kind_of_file_keeps_it(tmp_path, suffix):
    path = tmp_path / f"speech{suffix}"
    with AudioWriter(path, NOISE.format, comment=TOLD) as writer:
        writer.write(NOISE)
    assert read_disclosure(path) == TOLD
    assert "cloned voice" in TOLD


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_it_outlives_another_program(tmp_path):
    with AudioWriter(tmp_path / "a.flac", NOISE.format, comment=TOLD) as writer:
        writer.write(NOISE)
    for name in ("b.m4a", "c.mp3", "d.ogg"):
        command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.flac", tmp_path / name]
        subprocess.run(command, check=True)
        assert read_disclosure(tmp_path / name) == TOLD


def test_a_recording_says_nothing(tmp_path):
    with AudioWriter(tmp_path / "a.wav", NOISE.format, comment="Take 3") as writer:
        writer.write(NOISE)
    (tmp_path / "b.wav").write_text("no sound")
    for name in ("a.wav", "b.wav", "missing.wav"):
        assert read_disclosure(tmp_path / name) == ""
