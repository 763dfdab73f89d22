"""Writing audio: every codec round trip, every refusal, nothing half-written."""

import logging
import os
import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import soundfile
import torch

from audiopipe.errors import InvalidSamplesError, OutputError
from audiopipe.io import wav
from audiopipe.io.read import open_audio
from audiopipe.io.write import CODECS, AudioWriter, check_audio
from audiopipe.signals import Audio


def write(path, audio, size=777, **options):
    with AudioWriter(path, audio.format, **options) as writer:
        for start in range(0, len(audio), size):
            writer.write(audio.cut(start, min(start + size, len(audio))))
    return writer


def read(path):
    with open_audio(path) as reader:
        blocks = list(reader.blocks(10000))
        return Audio.join(blocks) if blocks else reader.format


def left(folder):
    return sorted(path.name for path in folder.iterdir())


RATES = {".mp3": [8000, 44100, 48000], ".opus": [8000, 48000], "": [8000, 44100, 192000]}
CASES = [
    (suffix, rate, channels)
    for suffix in CODECS
    for rate in RATES.get(suffix, RATES[""])
    for channels in ([1, 2] if suffix == ".mp3" else [1, 2, 6])
]


@pytest.mark.parametrize(("suffix", "rate", "channels"), CASES)
def test_round_trip(tmp_path, tone, suffix, rate, channels):
    audio = tone(5001, rate, channels)
    write(tmp_path / f"a{suffix}", audio)
    got = read(tmp_path / f"a{suffix}")
    assert (got.rate, got.channels, len(got)) == (rate, channels, 5001)
    assert left(tmp_path) == [f"a{suffix}"]
    if suffix in (".wav", ".flac"):
        assert np.abs(got.numpy() - audio.numpy()).max() <= 2**-24
    elif channels <= 2:  # surround is coded with the channels in another order of worth
        error = got.numpy() - audio.numpy()
        assert (error**2).mean() < 1e-3 * (audio.numpy() ** 2).mean()


@pytest.mark.parametrize(("depth", "subtype"), [(16, "PCM_16"), (24, "PCM_24"), (32, "FLOAT")])
def test_depths_of_wav(tmp_path, tone, depth, subtype):
    audio = tone(999, channels=3)
    write(tmp_path / "a.wav", audio, depth=depth)
    assert soundfile.info(tmp_path / "a.wav").subtype == subtype
    error = np.abs(read(tmp_path / "a.wav").numpy() - audio.numpy()).max()
    assert error <= (0 if depth == 32 else 2.0**-depth)


def test_a_wav_is_plain_to_the_standard_library(tmp_path, tone):
    import wave

    write(tmp_path / "a.wav", tone(999, channels=1))
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getparams()[:4] == (1, 3, 16000, 999)


@pytest.mark.parametrize("depth", [16, 24, 32])
def test_large_wav_becomes_rf64(tmp_path, tone, monkeypatch, depth):
    monkeypatch.setattr(wav, "_LARGEST", 10_000)
    audio = tone(7001, channels=2)
    write(tmp_path / "a.wav", audio, depth=depth)
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RF64"
    assert soundfile.info(tmp_path / "a.wav").format == "RF64"
    got = read(tmp_path / "a.wav")
    assert len(got) == 7001
    assert np.abs(got.numpy() - audio.numpy()).max() <= 2.0**-16


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_no_samples_make_a_file(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", Audio.empty(44100, 2))
    got = read(tmp_path / f"a{suffix}")
    assert (len(got), got.channels, got.rate) == (0, 2, 44100)


@pytest.mark.parametrize(("suffix", "name"), [(".mp3", "MP3"), (".opus", "Opus")])
def test_no_samples_that_a_codec_cannot_hold(tmp_path, suffix, name):
    with pytest.raises(OutputError, match=f"{name} cannot hold a recording of no samples; write"):
        write(tmp_path / f"a{suffix}", Audio.empty(48000, 2))
    assert left(tmp_path) == []


def test_what_is_clipped_is_told(tmp_path, caplog):
    audio = Audio(torch.tensor([[0.5, 2.0, -1.5, 1.0, -1.0]]), 8000)
    with caplog.at_level(logging.WARNING):
        writer = write(tmp_path / "a.wav", audio)
    assert (writer.clipped, writer.peak) == (2, 2.0)
    assert caplog.messages == [
        f"{tmp_path}/a.wav: 2 samples were clipped, the loudest 6.0 dB beyond full scale; "
        "normalize before, lower the gain, or write 32-bit WAV"
    ]
    expected = [[0.5, 1, -1, 1, -1]]
    assert np.abs(read(tmp_path / "a.wav").numpy() - expected).max() < 2e-7
    caplog.clear()
    write(tmp_path / "f.wav", audio, depth=32)
    assert caplog.messages == []
    assert torch.equal(read(tmp_path / "f.wav").samples, audio.samples)


REFUSALS = [
    ("a.wave", 44100, 2, ".wave is no known kind of audio file; did you mean '.wav'?"),
    ("a", 44100, 2, "a name without a suffix is no known kind of audio file; there is .flac, "
     ".mp3, .ogg, .opus, .wav"),
    ("a.opus", 44100, 2, "Opus knows no rate of 44100 Hz; put {use: resample, rate: 48000 Hz} "
     "before it, or write .wav"),
    ("a.mp3", 96000, 2, "MP3 knows no rate of 96000 Hz; put {use: resample, rate: 48000 Hz} "
     "before it, or write .wav"),
    ("a.mp3", 44100, 6, "MP3 holds at most 2 channels, not 6; mix them down before, or write .wav"),
    ("a.flac", 44100, 9, "FLAC holds at most 8 channels, not 9; mix them down before, or write "
     ".wav"),
    ("no/a.wav", 44100, 2, "there is no folder DIR/no; create it first"),
    ("outpt/a.wav", 44100, 2, "there is no folder DIR/outpt; did you mean 'output'?"),
    ("file/a.wav", 44100, 2, "DIR/file is a file, not a folder"),
    ("dir.wav", 44100, 2, "is a folder; name a file in it"),
    ("pipe.wav", 44100, 2, "is a device or a pipe, not a file; name a file"),
    ("x" * 252 + ".wav", 44100, 2, "the name is too long for this disk; choose a shorter one"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rate", "channels", "message"), REFUSALS)
def test_refusals_come_before_the_work(tmp_path, name, rate, channels, message):
    (tmp_path / "dir.wav").mkdir()
    (tmp_path / "output").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.wav")
    before = left(tmp_path)
    with pytest.raises(OutputError) as caught:
        AudioWriter(tmp_path / name, Audio.empty(rate, channels))
    expected = f"{tmp_path / name}: {message}".replace("DIR", str(tmp_path))
    assert str(caught.value) == expected
    assert left(tmp_path) == before


def test_float_in_flac_is_refused():
    with pytest.raises(OutputError, match="FLAC holds 16 or 24 bits, not 32-bit float; write"):
        check_audio("a.flac", Audio.empty(8000, 1), depth=32)


def test_rates_that_crash_libsndfile_are_refused():
    check_audio("a.ogg", Audio.empty(200_000, 1))
    check_audio("a.flac", Audio.empty(655_350, 1))
    with pytest.raises(OutputError, match="Ogg Vorbis knows no rate of 500000 Hz"):
        check_audio("a.ogg", Audio.empty(500_000, 1))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("suffix", list(CODECS))
def test_a_failure_leaves_what_was_there(tmp_path, tone, suffix, error):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")
    audio = tone(9000, 48000)
    with pytest.raises(error), AudioWriter(path, audio.format) as writer:  # noqa: PT012
        writer.write(audio)
        raise error
    assert left(tmp_path) == [path.name]
    assert path.read_text() == "old"
    write(path, audio)
    assert len(read(path)) == 9000


def test_what_is_no_number_is_not_written(tmp_path):
    audio = Audio(torch.tensor([[0.0, float("nan")]]), 8000)
    with pytest.raises(InvalidSamplesError, match="the audio to be written is not finite"):
        write(tmp_path / "a.wav", audio)
    assert left(tmp_path) == []


def test_a_link_stays_a_link(tmp_path, tone):
    (tmp_path / "real.wav").touch()
    (tmp_path / "link.wav").symlink_to("real.wav")
    write(tmp_path / "link.wav", tone(10))
    assert (tmp_path / "link.wav").is_symlink()
    assert len(read(tmp_path / "real.wav")) == 10


def test_blocks_of_another_kind_are_a_mistake(tmp_path, tone):
    writer = AudioWriter(tmp_path / "a.wav", Audio.empty(8000, 1))
    with pytest.raises(ValueError, match="was opened for"):
        writer.write(tone(10, 16000))
    assert left(tmp_path) == []
    with pytest.raises(ValueError, match="is closed"):
        writer.write(tone(10, 8000))


def test_permissions_are_those_of_any_new_file(tmp_path, tone):
    write(tmp_path / "a.wav", tone(10))
    (tmp_path / "b").touch()
    assert (tmp_path / "a.wav").stat().st_mode == (tmp_path / "b").stat().st_mode


FULL = """
    import numpy as np, sys, torch
    from audiopipe.errors import OutputError
    from audiopipe.io.save import open_sink
    from audiopipe.signals import Audio, PitchTrack, Spectrogram
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 48000)) / 10)
    for name, form, block in (
        *((f"a{s}", Audio.empty(48000, 1), Audio(noise, 48000))
          for s in (".wav", ".flac", ".ogg", ".opus", ".mp3")),
        ("a.npz", *[Spectrogram(noise.float()[None], 48000, 1, 1, 0, "x")] * 2),
        ("a.json", PitchTrack.empty(48000, 1),
         PitchTrack(noise[0].float(), noise[0] > 0, noise[0].float(), 48000, 1)),
    ):
        try:
            with open_sink(sys.argv[1] + "/" + name, form) as sink:
                for _ in range(100):
                    sink.write(block)
            print(name, "no error")
        except OutputError as error:
            print(error)
"""


def check_full(folder, reason, **options):
    program = textwrap.dedent(FULL)
    command = [sys.executable, "-W", "error", "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"{folder}/a{s}" for s in (".wav", ".flac", ".ogg", ".opus", ".mp3", ".npz", ".json")
    ], done.stderr
    assert all(reason in line for line in lines), lines
    assert "Traceback" not in done.stderr
    assert left(folder) == []


def test_a_limit_on_files_leaves_nothing(tmp_path):
    import signal

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    check_full(tmp_path, "the system allows no file larger than", preexec_fn=limit)


def test_a_full_disk_leaves_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        check_full(disk, "the disk is full")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
