"""Karaoke of what is played into a virtual sound card."""

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
    command = ["live-karaoke", "--set", f"stems.model={model}", "--channels", "2"]
    told = null_sink.hear(tmp_path / "song.wav", [*command, "--queue", "30", "-o", "out"], tmp_path)
    report = told[-1]["report"]
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
