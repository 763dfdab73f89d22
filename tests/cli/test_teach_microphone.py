"""`audiopipe teach --record` with a microphone without hardware, in a terminal of its own."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from teaching import make_base, tone

pty = pytest.importorskip("pty")  # not on Windows


@pytest.mark.slow
def test_words_from_a_microphone_are_recorded_and_taught(null_sink, tmp_path):
    """The room, three takes, q; then, resumed, the other two and the model."""
    base = make_base(tmp_path / "base")
    room = 0.001 * np.random.default_rng(0).standard_normal((16000 * 2, 1))
    soundfile.write(tmp_path / "word.wav", np.concatenate([room, tone(500, 0)]), 16000)
    folder = tmp_path / "bell-recordings" / "bell"
    command = [sys.executable, "-m", "audiopipe", "teach", "--record", "bell"]
    command += ["--labels", "bell", "--clips", "5", "--base", base]
    for enough, ends in ((3, b"q"), (5, None)):
        terminal, theirs = pty.openpty()
        ran = subprocess.Popen(
            command, cwd=tmp_path, env=null_sink.environment | {"TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        told: list[bytes] = []
        threading.Thread(target=listen, args=(terminal, told), daemon=True).start()
        try:
            until = time.monotonic() + 180
            while ran.poll() is None and time.monotonic() < until:
                if b"times, each" in b"".join(told):
                    null_sink.play(tmp_path / "word.wav").wait(30)
                time.sleep(0.3)
                if ends and folder.is_dir() and len(list(folder.glob("*.flac"))) >= enough:
                    os.write(terminal, ends)
            assert ran.wait(10) == 0, b"".join(told).decode()
        finally:
            ran.kill()
            os.close(terminal)
        count = len(list(folder.glob("*.flac")))
        assert enough <= count <= 5
    assert (tmp_path / "bell" / "card.toml").exists()
    for path in folder.glob("*.flac"):
        samples, rate = soundfile.read(path)
        assert rate == null_sink.rate
        assert np.abs(samples).max() > 0.1


def listen(terminal, told):
    """Collect what is printed until the terminal is closed."""
    try:
        while text := os.read(terminal, 4096):
            told.append(text)
    except OSError:
        return
