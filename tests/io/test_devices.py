"""Microphone and speakers: with PortAudio absent, faked, and real behind a null sink."""

import json
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import torch

from audiopipe.errors import OverrunError, SoundDeviceError
from audiopipe.io import devices
from audiopipe.io.devices import Microphone, Speakers, list_devices, output_rate
from audiopipe.io.write import AudioWriter
from audiopipe.signals import Audio


class PortAudioError(Exception):
    """The one of sounddevice is known by its name."""


class Fake:
    """As much of sounddevice as is used."""

    PortAudioError = PortAudioError
    CallbackStop = type("CallbackStop", (Exception,), {})
    default = types.SimpleNamespace(device=(1, 0))

    def __init__(self):
        self.streams = []
        self.refuse = ""
        self.found = [
            ("Loud Speaker", 0, 2, 48000.0),
            ("Desk Microphone", 1, 0, 44100.0),
            ("Head Set", 2, 2, 16000.0),
        ]

    def query_devices(self):
        keys = ("name", "max_input_channels", "max_output_channels", "default_samplerate")
        return [dict(zip(keys, row, strict=True)) for row in self.found]

    def _stream(self, **settings):
        stream = types.SimpleNamespace(settings=settings, open=False, active=False, latency=0.01)

        def start():
            if self.refuse:
                raise PortAudioError(self.refuse)
            stream.open = True

        stream.start = start
        stream.close = lambda: setattr(stream, "open", False)
        self.streams.append(stream)
        return stream

    InputStream = OutputStream = _stream

    def check_output_settings(self, device, samplerate, channels, dtype):
        if samplerate not in (48000, 44100):
            raise PortAudioError("Invalid sample rate")


@pytest.fixture
def fake(monkeypatch):
    fake = Fake()
    monkeypatch.setattr(devices, "_sounddevice", lambda: fake)
    return fake


FINE = types.SimpleNamespace(input_overflow=False, output_underflow=False)
OVERFLOW = types.SimpleNamespace(input_overflow=True)


def test_importing_needs_no_portaudio():
    program = (
        "import sys; sys.modules['sounddevice'] = None\n"
        "import audiopipe.io.devices as d, audiopipe.io.save\n"
        "try: d.list_devices()\n"
        "except Exception as e: print(type(e).__name__, e)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == (
        "MissingDependencyError sound devices need the package sounddevice: "
        "pip install sounddevice\n"
    )


def test_without_portaudio_the_cure_is_named(tmp_path, monkeypatch):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(SoundDeviceError) as caught:
        Microphone()
    assert str(caught.value) == (
        "PortAudio is not installed; install PortAudio (Debian, Ubuntu: apt install "
        "libportaudio2; macOS: brew install portaudio), or use a file, or raw PCM from "
        "standard input"
    )


def test_devices_are_listed(fake):
    assert [(d.index, d.name, d.rate, d.default) for d in list_devices()] == [
        (0, "Loud Speaker", 48000, True),
        (1, "Desk Microphone", 44100, True),
        (2, "Head Set", 16000, False),
    ]


@pytest.mark.parametrize(
    ("device", "name"), [(None, "Desk Microphone"), (2, "Head Set"), ("2", "Head Set"),
                         ("head", "Head Set"), ("Desk Microphone", "Desk Microphone")]
)  # fmt: skip
def test_devices_are_chosen_and_run_at_their_own_rate(fake, device, name):
    with Microphone(device) as microphone:
        assert microphone.device.name == name
        assert microphone.format.rate == microphone.device.rate
        assert fake.streams[0].settings["samplerate"] == microphone.device.rate
        assert fake.streams[0].settings["blocksize"] == round(0.02 * microphone.device.rate)
    assert not fake.streams[0].open


@pytest.mark.parametrize(
    ("device", "channels", "message"),
    [
        ("hed set", 1, "there is no microphone 'hed set'; did you mean 'head set'?"),
        (0, 1, "there is no microphone 0; there is 1, 2"),
        (1, 2, "Desk Microphone has 1 channels, not 2"),
    ],
)
def test_devices_that_do_not_do(fake, device, channels, message):
    with pytest.raises(SoundDeviceError) as caught:
        Microphone(device, channels=channels)
    assert str(caught.value) == message


def test_no_device_at_all(fake):
    fake.found = []
    with pytest.raises(SoundDeviceError, match="there is no microphone on this machine; use a"):
        Microphone()
    with pytest.raises(SoundDeviceError, match="there is no speaker on this machine"):
        Speakers()


def test_a_device_that_is_taken(fake):
    fake.refuse = "Device unavailable [PaErrorCode -9985]"
    with pytest.raises(SoundDeviceError) as caught:
        Microphone().start()
    assert str(caught.value) == (
        "the microphone 'Desk Microphone' cannot be opened (Device unavailable [PaErrorCode "
        "-9985]); is another program using it? `audiopipe devices` lists the others (it runs "
        "at 44100 Hz)"
    )


def test_blocks_are_copies_with_their_time(fake):
    before = time.monotonic()
    with Microphone(2, channels=2) as microphone:
        callback = fake.streams[0].settings["callback"]
        buffer = np.empty((3, 2), np.float32)
        for k in range(3):
            buffer[:] = [[k, -k]] * 3
            callback(buffer, 3, None, OVERFLOW if k == 1 else FINE)
        buffer[:] = 99
    arrivals = list(microphone.arrivals())
    assert [a.block.start for a in arrivals] == [0, 3, 6]
    assert [a.block.samples[:, 0].tolist() for a in arrivals] == [[0, 0], [1, -1], [2, -2]]
    assert before <= arrivals[0].at <= arrivals[2].at <= time.monotonic()
    assert microphone.overruns == 1


def test_a_rate_that_a_speaker_can_do(fake):
    assert output_rate(44100, 2) == 44100
    assert output_rate(24000, 1) == 48000
    assert output_rate(24000, 1, "head set") == 16000


@pytest.mark.parametrize("policy", ["drop-oldest", "fail"])
def test_a_slow_consumer_is_told(fake, policy):
    microphone = Microphone(2, seconds=0.1, policy=policy)  # 1600 samples
    for _ in range(10):
        fake.streams[0].settings["callback"](np.zeros((400, 1)), 400, None, FINE)
    microphone.close()
    if policy == "fail":
        with pytest.raises(OverrunError, match="slower than its input"):
            list(microphone.blocks())
    else:
        assert [b.start for b in microphone.blocks()] == [2400, 2800, 3200, 3600]
        assert microphone.queue.counters.dropped == 2400


def test_speakers_play_in_order_and_count_what_was_missing(fake):
    speakers = Speakers(channels=2, seconds=1)
    callback = fake.streams[0].settings["callback"]
    assert speakers.format.rate == 48000
    out = np.ones((4, 2), np.float32)
    callback(out, 4, None, FINE)
    assert (out.sum(), speakers.underruns) == (0, 0)  # nothing has begun
    ramp = torch.arange(6.0).repeat(2, 1)
    speakers.write(Audio(ramp, 48000))
    callback(out, 4, None, FINE)
    assert out[:, 0].tolist() == [0, 1, 2, 3]
    callback(out, 4, None, FINE)
    assert out[:, 1].tolist() == [4, 5, 0, 0]
    assert (speakers.underruns, speakers.missing) == (1, 2)
    with pytest.raises(ValueError, match="the speakers play"):
        speakers.write(Audio(ramp, 44100))
    speakers.queue.close()
    for _ in range(1000):  # a tail of silence, so that the device loses nothing else
        callback(out, 4, None, FINE)
    assert not out.any()
    with pytest.raises(Fake.CallbackStop):
        all(callback(out, 4, None, FINE) is None for _ in range(1000))
    assert speakers.underruns == 1
    speakers.abort()
    assert not fake.streams[0].open


LISTEN = """
import json, sys, threading, time
import numpy as np
from audiopipe.io.devices import Microphone
with Microphone(policy="fail") as microphone:
    threading.Thread(target=lambda: (sys.stdin.read(), microphone.close())).start()
    ages, parts = [], []
    for arrival in microphone.arrivals():
        if not parts:
            print("listening", flush=True)
        ages.append(time.monotonic() - arrival.at)
        parts.append(arrival.block.samples[0].numpy())
np.save(sys.argv[1], np.concatenate(parts))
print(json.dumps({"rate": microphone.format.rate, "overruns": microphone.overruns,
                  "p99": float(np.quantile(ages, 0.99))}))
"""

SPEAK = """
import sys, torch
from audiopipe.io.devices import Speakers
from audiopipe.io.read import open_audio
with open_audio(sys.argv[1]) as reader, Speakers(reader.format.rate) as speakers:
    for block in reader.blocks(1000):
        speakers.write(block)
print(speakers.underruns)
"""


def chirp(rate=44100, seconds=1.5):
    times = np.arange(int(rate * seconds)) / rate
    return Audio(0.5 * np.sin(2 * np.pi * (100 + 800 * times) * times), rate)


def found_in(recording, sound):
    """How well the sound is found in the recording: 1 is exactly."""
    spectrum = np.fft.rfft(recording, 1 << 19) * np.conj(np.fft.rfft(sound, 1 << 19))
    at = int(np.fft.irfft(spectrum)[: len(recording) - len(sound)].argmax())
    heard = recording[at : at + len(sound)]
    return float(heard @ sound / np.sqrt((heard @ heard) * (sound @ sound)))


def record(null_sink, path, by, folder):
    """Play a file and record it: what the microphone reports, and what it heard."""
    listener = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(folder / "heard.npy")],
        env=null_sink.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert listener.stdout.readline() == "listening\n"
        if by == "paplay":
            player = null_sink.play(path)
        else:
            player = subprocess.Popen(
                [sys.executable, "-c", SPEAK, str(path)], env=null_sink.environment
            )
        assert player.wait(60) == 0
        report = json.loads(listener.communicate(timeout=30)[0])  # ends its input
    finally:
        listener.kill()
    return report, np.load(folder / "heard.npy")


@pytest.mark.slow
@pytest.mark.parametrize("by", ["paplay", "our speakers"])
def test_a_null_sink_is_the_microphone(tmp_path, null_sink, by):
    sound = chirp()
    silence = Audio(np.zeros(22050), 44100)  # the sink swallows some 10 ms when it wakes up
    with AudioWriter(tmp_path / "chirp.wav", sound, depth=16) as writer:
        for part in (silence, sound, silence):
            writer.write(part)
    # A machine that is busy may starve the player: one of ten tries has to be whole.
    for _ in range(10):
        report, heard = record(null_sink, tmp_path / "chirp.wav", by, tmp_path)
        if found_in(heard, sound.numpy()[0]) > 0.999:
            break
    assert (report["rate"], report["overruns"]) == (44100, 0)
    assert report["p99"] < 0.1
    assert found_in(heard, sound.numpy()[0]) > 0.999
