"""Karaoke of what is played into a virtual sound card."""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch
from separators import music, stems_model

from audiopipe import Audio, load
from audiopipe.io.read import open_audio
from audiopipe.io.write import AudioWriter

PAUSE = 0.5
"""Seconds of silence around the song, whose beginning a player may cut."""


def whole(path):
    with open_audio(path) as reader:
        return Audio.join(list(reader.blocks(1 << 18)))


@pytest.mark.slow
def test_karaoke_of_a_sound_card_is_that_of_the_file(null_sink, tmp_path):
    model = stems_model(tmp_path / "small")
    song = music(4.0, rate=null_sink.rate)
    pause = Audio(torch.zeros(2, round(PAUSE * song.rate)), song.rate)
    with AudioWriter(tmp_path / "song.wav", song, depth=16) as writer:
        for part in (pause, song, pause):
            writer.write(part)
    lines = tmp_path / "lines"
    command = ["live", "live-karaoke", "--set", f"stems.model={model}", "--channels", "2", "--json"]
    with lines.open("wb") as file:
        listener = subprocess.Popen(
            [sys.executable, "-m", "audiopipe", *command, "--queue", "30", "-o", "out"],
            cwd=tmp_path, env=null_sink.environment, stdout=file,
        )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while not lines.read_text():
            assert listener.poll() is None
            assert time.monotonic() < until, "nothing is heard"
            time.sleep(0.1)
        assert null_sink.play(tmp_path / "song.wav").wait(60) == 0
        time.sleep(1.0)
        listener.send_signal(signal.SIGINT)
        assert listener.wait(60) == 0
    finally:
        listener.kill()
    report = json.loads(lines.read_text().splitlines()[-1])["report"]
    assert report["drops"] == 0
    heard = whole(tmp_path / "out" / "karaoke.flac").samples
    song = load("karaoke", {"stems.model": model}).run(whole(tmp_path / "song.wav"))
    want = song["{name}.karaoke.flac"].samples
    # Where in what was heard the song began.
    size = 1 << (heard.shape[1] + want.shape[1] - 1).bit_length()
    spectra = torch.fft.rfft(heard.mean(0), size) * torch.fft.rfft(want.mean(0), size).conj()
    start = int(torch.fft.irfft(spectra, size).argmax())
    given = heard[:, start : start + want.shape[1]]
    inner = slice(want.shape[1] // 4, 3 * want.shape[1] // 4)
    error = (given - want)[:, inner].norm() / want[:, inner].norm()
    # 0.003: samples are of 16 bits, and the model remembers more silence.
    assert float(error) < 0.02
