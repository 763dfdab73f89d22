"""Reading: every format, every length, and every way in which a file can be bad."""

import io
import os
import shutil
import subprocess
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from audiopipe.errors import AudioError, InvalidSamplesError, MissingDependencyError
from audiopipe.io.read import open_audio
from audiopipe.io.write import AudioWriter
from audiopipe.signals import Audio

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def whole(path, size=1000):
    with open_audio(path) as reader:
        blocks = list(reader.blocks(size))
        starts = [block.start for block in blocks]
        lengths = [len(block) for block in blocks]
        assert starts == list(np.cumsum([0, *lengths])[:-1])
        assert all(length == size for length in lengths[:-1])
        return Audio.join(blocks) if blocks else reader.format


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-y", "-v", "error", *map(str, arguments)], check=True)


def refusal(path, kind=AudioError, size=1000):
    with pytest.raises(kind) as caught:
        whole(path, size)
    return str(caught.value).replace(str(path), "FILE").replace(str(path.parent), "DIR")


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_every_kind(tmp_path, tone, rate, channels, subtype):
    audio = tone(3001, rate, channels)
    path = tmp_path / "a.wav"
    soundfile.write(path, audio.numpy().T, rate, subtype)
    with open_audio(path) as reader:
        assert (reader.format.rate, reader.format.channels) == (rate, channels)
        assert (reader.frames, reader.duration) == (3001, 3001 / rate)
    got = whole(path)
    assert len(got) == 3001
    assert np.abs(got.numpy() - audio.numpy()).max() < (0.01 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.opus", "a.aiff", "a.mp3", "a.au", "a.caf"])
def test_what_is_read_is_what_soundfile_decodes(tmp_path, tone, name):
    path = tmp_path / name
    kind = {"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}
    soundfile.write(path, tone(50001, 48000, 2).numpy().T, 48000, **kind)
    expected, _ = soundfile.read(path, dtype="float32")
    with open_audio(path) as reader:
        assert reader.frames == 50001
    assert np.array_equal(whole(path, 4096).numpy().T, expected)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 5000), frames=st.integers(0, 4000), name=st.sampled_from(["wav", "flac"])
)
def test_blocks_joined_are_the_whole(tmp_path, tone, size, frames, name):
    path = tmp_path / f"a.{name}"
    assume(frames or name == "wav")  # what soundfile writes is then no FLAC file
    soundfile.write(path, tone(frames, 16000, 2).numpy().T, 16000)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert np.array_equal(whole(path, size).numpy().T, expected)


def test_no_samples_are_audio(tmp_path):
    for name in ("a.wav", "a.flac", "a.ogg"):
        AudioWriter(tmp_path / name, Audio.empty(44100, 2)).close()
        with open_audio(tmp_path / name) as reader:
            # In a FLAC file a length of 0 says that it is unknown.
            assert reader.frames == (None if name == "a.flac" else 0)
            assert reader.format.channels == 2
            assert list(reader.blocks(100)) == []


def test_a_real_recording(recordings):
    for path in (*recordings.glob("music/*.flac"), *recordings.glob("keywords/y*.wav")):
        expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
        assert np.array_equal(whole(path, 44100).numpy().T, expected)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.m4a", "a.aac", "a.mka", "a.webm", "a.ac3"])
def test_ffmpeg_reads_the_rest(tmp_path, tone, name):
    audio = tone(48000, 48000, 2)
    soundfile.write(tmp_path / "a.wav", audio.numpy().T, 48000)
    ffmpeg("-i", tmp_path / "a.wav", tmp_path / name)
    got = whole(tmp_path / name)
    assert (got.rate, got.channels) == (48000, 2)
    assert 48000 <= len(got) < 48000 + 4096  # codecs pad
    spectrum = np.abs(np.fft.rfft(got.numpy()[1][:48000]))
    assert spectrum.argmax() == 440


@needs_ffmpeg
def test_the_sound_of_a_video(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", tone(16000).numpy().T, 16000)
    video = ("-f", "lavfi", "-i", "testsrc=d=0.2:s=32x32")
    ffmpeg(*video, "-i", tmp_path / "a.wav", tmp_path / "a.mp4")
    got = whole(tmp_path / "a.mp4")
    assert (got.rate, got.channels) == (16000, 1)
    assert 16000 <= len(got) < 16000 + 2048
    ffmpeg(*video, tmp_path / "silent.mp4")
    assert refusal(tmp_path / "silent.mp4") == (
        "FILE: has no sound track, only video (h264); choose a file with sound"
    )


@needs_ffmpeg
@pytest.mark.parametrize("loud_first", [True, False])
def test_mp3_without_a_length_is_read_to_its_end(tmp_path, loud_first):
    # libsndfile guesses the length from the first frames' bit rate, and stops there.
    noise = np.random.default_rng(0).standard_normal(44100 * 4) * 0.3
    noise[: 44100 * 2] *= 1e-5
    soundfile.write(tmp_path / "a.wav", noise[:: -1 if loud_first else 1], 44100)
    ffmpeg("-i", tmp_path / "a.wav", "-q:a", "4", "-write_xing", "0", tmp_path / "a.mp3")
    with open_audio(tmp_path / "a.mp3") as reader:
        assert reader.frames is None
    assert 44100 * 4 <= len(whole(tmp_path / "a.mp3")) < 44100 * 4 + 3 * 1152


@needs_ffmpeg
def test_mp3_files_in_a_row_are_read_to_the_end(tmp_path, tone):
    soundfile.write(tmp_path / "one.mp3", tone(44100 * 10, 44100).numpy().T, 44100)
    one = (tmp_path / "one.mp3").read_bytes()
    (tmp_path / "two.mp3").write_bytes(one + one)
    assert len(whole(tmp_path / "two.mp3")) > 44100 * 19.9


@needs_ffmpeg  # to make them
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_streams_that_never_learnt_their_length(tmp_path, tone, kind):
    audio = tone(20001)
    soundfile.write(tmp_path / "a.wav", audio.numpy().T, 16000)
    command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "a.wav"), "-f", kind, "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    (tmp_path / f"s.{kind}").write_bytes(data)
    assert len(whole(tmp_path / f"s.{kind}")) == 20001


def test_wav_with_a_length_of_nothing_is_read_to_its_end(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", tone(3000).numpy().T, 16000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    (tmp_path / "z.wav").write_bytes(data)
    assert len(whole(tmp_path / "z.wav")) == 3000


def bad(name):
    def register(make):
        BAD[make.__name__] = (name, make)
        return make

    return register


BAD = {}


@bad("nothing.wav")
def missing(path):
    return "FILE: there is no such file; check the name"


@bad("songs.wav")
def folder(path):
    path.mkdir()
    return "FILE: is a folder; name the files in it, for instance with a *"


@bad("a.wav")
def empty(path):
    path.touch()
    return "FILE: is empty (0 bytes); copy or record it again"


@bad("a.wav")
def pipe(path):
    os.mkfifo(path)
    return "FILE: is a device or a pipe, not a file; pipe raw PCM into `audiopipe live --stdin`"


@bad("a.wav")
def text(path):
    path.write_text("Dear diary,\n" * 100)
    return (
        "FILE: is not audio, or is damaged: Invalid data found when processing input; "
        "if it plays elsewhere, convert it to WAV or FLAC there"
    )


@bad("a.wav")
def truncated_wav(path):
    soundfile.write(path, np.zeros(16000), 16000, "PCM_16")
    path.write_bytes(path.read_bytes()[: 44 + 8000])
    return (
        "FILE: is cut off: 0.250 of 1.000 s are there; get the whole file, or keep the part "
        "that is there with `ffmpeg -i FILE part.wav`"
    )


@bad("a.aiff")
def truncated_aiff(path):
    soundfile.write(path, np.zeros(16000), 16000, "PCM_16")
    path.write_bytes(path.read_bytes()[:-16000])
    return (
        "FILE: is cut off: 0.500 of 1.000 s are there; get the whole file, or keep the part "
        "that is there with `ffmpeg -i FILE part.wav`"
    )


@bad("a.flac")
def truncated_flac(path):
    noise = np.random.default_rng(0).standard_normal(44100) / 10
    soundfile.write(path, noise, 44100)
    path.write_bytes(path.read_bytes()[:40000])
    return (
        "FILE: is damaged or cut off: decoding ended after * of 1.000 s (*); get the whole "
        "file, or keep the part that is there with `ffmpeg -i FILE part.wav`"
    )


@bad("a.mp3")
def truncated_mp3(path):
    soundfile.write(path, np.random.default_rng(0).standard_normal(88200) / 10, 44100)
    path.write_bytes(path.read_bytes()[:10000])
    return (
        "FILE: is damaged or cut off: decoding ended after * of 2.000 s; get the whole "
        "file, or keep the part that is there with `ffmpeg -i FILE part.wav`"
    )


@bad("a.ogg")
def truncated_ogg(path):
    soundfile.write(path, np.random.default_rng(0).standard_normal(88200) / 10, 44100)
    path.write_bytes(path.read_bytes()[:12000])
    return (
        "FILE: is cut off after * s: its end is missing; get the whole file, or keep the "
        "part that is there with `ffmpeg -i FILE part.wav`"
    )


@bad("a.m4a")
def truncated_m4a(path):
    soundfile.write(path.with_suffix(".wav"), np.random.default_rng(0).random(88200) / 10, 44100)
    ffmpeg("-i", path.with_suffix(".wav"), "-movflags", "+faststart", path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return (
        "FILE: is damaged or cut off: decoding ended after * of 2.000 s (*); get the whole "
        "file, or keep what can be decoded with `ffmpeg -i FILE part.wav`"
    )


@needs_ffmpeg
@pytest.mark.parametrize("case", BAD)
def test_bad_files_say_what_is_wrong(tmp_path, case):
    name, make = BAD[case]
    expected = make(tmp_path / name).split("*")
    message = refusal(tmp_path / name)
    assert message.startswith(expected[0])
    assert message.endswith(expected[-1])
    assert all(part in message for part in expected)


def test_a_wrong_name_is_guessed(tmp_path, tone):
    soundfile.write(tmp_path / "voices.wav", np.zeros(10), 8000)
    assert refusal(tmp_path / "voice.wav") == (
        "FILE: there is no such file; did you mean 'voices.wav'?"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    (tmp_path / "a.wav").chmod(0)
    assert refusal(tmp_path / "a.wav") == (
        "FILE: cannot be opened: Permission denied; check who may read it (ls -l)"
    )


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinite")])
def test_samples_that_are_no_numbers(tmp_path, value, word):
    samples = np.zeros((16000, 2), np.float32)
    samples[12000, 1] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, "FLOAT")
    assert refusal(tmp_path / "a.wav", InvalidSamplesError) == (
        f"FILE: the sample at 0.750000 s (number 12000, channel 2) is {word}; "
        "make the recording anew from its source"
    )


def test_loud_samples_are_numbers(tmp_path):
    samples = np.full((4, 1), 3e38, np.float32)  # their sum is not one
    soundfile.write(tmp_path / "a.wav", samples, 8000, "FLOAT")
    assert float(whole(tmp_path / "a.wav").samples.max()) > 2e38


def test_without_ffmpeg_the_cure_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    monkeypatch.setenv("PATH", "")
    assert refusal(tmp_path / "a.m4a", MissingDependencyError) == (
        "FILE: libsndfile does not know this format; ffprobe may read it, but is not "
        "installed: install it (Debian, Ubuntu: apt install ffmpeg; macOS: brew install "
        "ffmpeg), or convert the file to WAV or FLAC"
    )


@needs_ffmpeg
def test_closing_early_ends_ffmpeg(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", tone(160000).numpy().T, 16000)
    ffmpeg("-i", tmp_path / "a.wav", tmp_path / "a.m4a")
    reader = open_audio(tmp_path / "a.m4a")
    next(reader.blocks(10))
    process = reader._source._process
    reader.close()
    assert process.poll() is not None
    reader.close()


def test_odd_names(tmp_path):
    for name in ("-i.wav", "a b.wav", "50%d.wav", "Ünïcode ♥.wav", "concat:x.wav"):
        soundfile.write(tmp_path / name, np.zeros(10), 8000)
        assert len(whole(tmp_path / name)) == 10


def test_pythons_own_wave(tmp_path):
    data = io.BytesIO()
    with wave.open(data, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(np.arange(5, dtype="<i2").tobytes())
    (tmp_path / "a.wav").write_bytes(data.getvalue())
    assert (whole(tmp_path / "a.wav").numpy()[0] * 32768).tolist() == [0, 1, 2, 3, 4]
