"""A real recording through a microphone without hardware gives the pitch track of batch.

PulseAudio resamples the recording to the rate of its sink and gives it on as 16 bits; when it
begins to be heard is not known, and found by correlation.
"""

import numpy as np
import pytest

from audiopipe.io.read import open_audio
from audiopipe.io.write import AudioWriter
from audiopipe.pipeline import load
from audiopipe.signals import Audio

DEFINITION = """
audiopipe: 1
stages:
  pitch: {use: pitch, range: [65 Hz, 500 Hz], hop: 10 ms}
  heard: {use: mix, from: input, channels: 1}
outputs: {pitch.csv: pitch, heard.wav: heard}
"""
PAUSE = 0.4
"""Silence before and after, in s: the sink swallows some 10 ms when it wakes up."""


def whole(path):
    with open_audio(path) as reader:
        return Audio.join([reader.format, *reader.blocks(1 << 20)])


def delay(heard, given):
    """How many samples later `given` is in `heard`."""
    spectrum = np.fft.rfft(heard, 1 << 20) * np.conj(np.fft.rfft(given, 1 << 20))
    return int(np.fft.irfft(spectrum)[: len(heard)].argmax())


def cents(first, second):
    return 1200 * np.abs(np.log2(first / second))


@pytest.mark.slow
def test_pitch_from_a_microphone_is_the_pitch_of_batch(null_sink, recordings, tmp_path):
    (tmp_path / "p.yaml").write_text(DEFINITION)
    speech = whole(recordings / "speech/arctic_a0001.flac")
    pause = Audio(np.zeros(round(PAUSE * speech.rate)), speech.rate)
    with AudioWriter(tmp_path / "speech.wav", speech, depth=16) as writer:
        for part in (pause, speech, pause):
            writer.write(part)
    live = ["p.yaml", "-o", "out", "--queue", "30"]  # a busy machine may be late
    told = null_sink.hear(tmp_path / "speech.wav", live, tmp_path)
    report = told[-1]["report"]
    assert (report["drops"], report["overruns"]) == (0, 0)
    frames = [line for line in told if line.get("output") == "pitch"]
    hz = np.array([frame["hz"] for frame in frames])
    voiced = np.array([frame["voiced"] for frame in frames])

    # The same sound in batch: nothing but the stages' own bound between them.
    pipeline = load(tmp_path / "p.yaml")
    heard = whole(tmp_path / "out/heard.wav")
    again = pipeline.run(heard)["pitch.csv"]
    assert len(again) == len(hz)
    agree = again.voiced.numpy() == voiced
    both = again.voiced.numpy() & voiced
    assert agree.mean() > 0.99
    assert (cents(again.hz.numpy()[both], hz[both]) < 50).mean() > 0.99

    # The recording itself in batch, moved to where it was heard.
    resampled = np.interp(
        np.arange(int(float(speech.duration) * heard.rate)) / heard.rate,
        np.arange(len(speech)) / speech.rate,
        speech.numpy()[0],
    )
    begin = delay(heard.numpy()[0], resampled) / heard.rate
    silence = np.zeros((1, round(begin * speech.rate)))
    track = pipeline.run(Audio(np.hstack([silence, speech.numpy()]), speech.rate))["pitch.csv"]
    frames = slice(round(begin / 0.01), min(len(track), len(hz)))
    expected, hz = track.hz.numpy()[frames], hz[frames]
    expected_voiced, voiced = track.voiced.numpy()[frames], voiced[frames]
    both = expected_voiced & voiced
    off = cents(expected[both], hz[both])
    agree = (expected_voiced == voiced).mean()
    p50, p95, p99 = (1000 * report["latency_s"]["pitch"][key] for key in ("p50", "p95", "p99"))
    declared = 1000 * report["declared_s"]["pitch"]
    print(  # noqa: T201
        f"{both.sum()} voiced frames: {100 * (off < 50).mean():.1f} % within 50 cents, median "
        f"{np.median(off):.1f} cents; voicing agrees in {100 * agree:.1f} %; latency p50/p95/p99 "
        f"{p50:.0f}/{p95:.0f}/{p99:.0f} ms, declared {declared:.0f} ms; 0 drops"
    )
    assert both.sum() > 50
    assert (off < 50).mean() >= 0.95
    assert np.median(off) < 5
    assert agree > 0.9
