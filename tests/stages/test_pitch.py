"""The pitch stage with its network, and what all its methods share."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch
from pydantic import ValidationError

from audiopipe.engine import Engine
from audiopipe.errors import OfflineError
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio, PitchTrack
from audiopipe.stages.pitch import Pitch
from audiopipe.testing.case import chunking, run
from audiopipe.trackers.grid import Grid

SHARED = Path(__file__).parents[3] / "shared" / "audio"
SPEECH = sorted((SHARED / "speech").glob("*.flac"))
NOISE = sorted((SHARED / "noise").glob("*.flac"))

SMOOTH = {"smoothing": "50 ms"}
BOTH = pytest.mark.parametrize("config", [{}, SMOOTH], ids=["raw", "smoothed"])


def planned(stage: Pitch, rate: int, channels: int = 1):
    return plan(Graph((Node("pitch", stage, ("input",)),)), Audio.empty(rate, channels), "cpu")


def track(stage: Pitch, samples, rate: int = 16000, sizes=()) -> PitchTrack:
    audio = Audio(samples, rate)
    return run(Engine(planned(stage, rate, audio.channels)), audio, sizes)["pitch"]


def tone(hz, seconds: float = 1.0, harmonics=range(1, 12), rate: int = 16000):
    """A tone of many partials; `hz` is a number, or an array with the frequency at each sample."""
    count = int(rate * seconds)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, count)) / rate
    highest = np.max(hz)
    parts = [np.sin(h * phase + h * h) / h for h in harmonics if h * highest < 0.45 * rate]
    return np.float32(0.3 * np.sum(parts, axis=0))


def cents(found, truth):
    found, truth = (torch.as_tensor(hz).double().numpy() for hz in (found, truth))
    return 1200 * np.abs(np.log2(found / truth))


def noise(seconds: float, seed: int = 0):
    return np.random.default_rng(seed).normal(size=int(16000 * seconds)).astype(np.float32)


# Known answers


@BOTH
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 192000])
def test_concert_pitch_at_any_rate(config, rate):
    found = track(Pitch(**config), tone(440.0, rate=rate), rate)
    inner = slice(8, -8)
    assert cents(found.hz[inner], 440.0).max() < 5
    assert found.voiced[inner].all()
    assert found.confidence[inner].min() > 0.9


def test_from_contrabass_to_piccolo():
    # Measured: see docs/pitch.md.
    for hz in np.geomspace(42, 4100, 24):
        found = track(Pitch(), tone(hz, seconds=0.6)).cut(12, 48)
        assert found.voiced.float().mean() > 0.95, hz
        assert np.median(cents(found.hz, hz)) < 10, hz
        assert np.mean(cents(found.hz, hz) < 50) > 0.95, hz


def test_missing_fundamental_is_heard():
    for hz in np.geomspace(80, 600, 8):
        found = track(Pitch(), tone(hz, seconds=0.5, harmonics=range(2, 10))).cut(10, 40)
        assert np.median(cents(found.hz, hz)) < 20, hz


@BOTH
def test_glide_and_vibrato(config):
    t = np.arange(32000) / 16000
    hz = 150 * 2 ** (t + 0.5 / 12 * np.sin(2 * np.pi * 5 * t))
    found = track(Pitch(**config), tone(hz, seconds=2))
    error = cents(found.hz[8:192], hz[::160][8:192])
    assert np.median(error) < 6
    assert np.mean(error < 40) > 0.98


def test_frames_are_centred():
    # An octave's step at 0.5 s: the estimate changes within 4 frames of it, on both sides.
    hz = np.where(np.arange(16000) < 8000, 200.0, 400.0)
    found = track(Pitch(), tone(hz, harmonics=(1, 2, 3)))
    above = (found.hz > 283).numpy()
    assert not above[8:46].any()
    assert above[54:92].all()


def test_voice_in_noise():
    # White noise as loud as the voice-like tone: YIN, smoothed, loses a third of the frames.
    t = np.arange(48000) / 16000
    hz = 180 * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * t))
    x = tone(hz, seconds=3)
    loud = noise(3) * np.sqrt(np.square(x).mean())
    found = track(Pitch(), x + loud)
    truth = hz[::160]
    right = (cents(found.hz[:300], truth) < 50) & found.voiced[:300].numpy()
    assert right[10:290].mean() > 0.95


# What has no pitch


@BOTH
def test_noise_is_unvoiced(config):
    assert track(Pitch(**config), 0.1 * noise(5)).voiced.float().mean() < 0.01


@pytest.mark.skipif(not NOISE, reason="needs ../shared/audio/noise")
def test_recorded_noise_is_unvoiced_unless_it_hums():
    # The bike hums at 67 and 91 Hz, 20 dB above the rest, and so has a pitch; the tap at 120 Hz.
    for name in ("doing_the_dishes", "running_tap"):
        samples, rate = soundfile.read(NOISE[0].with_stem(name), dtype="float32", frames=64000)
        found = track(Pitch(), samples, rate)
        hum = torch.from_numpy(cents(found.hz, 120.0) < 100)
        assert (found.voiced & ~hum).float().mean() < 0.05, name


@BOTH
@pytest.mark.parametrize("samples", [np.zeros(8000), np.full(8000, 0.7), 1e-6 * noise(0.5)])
def test_silence_is_unvoiced(config, samples):
    found = track(Pitch(**config), samples).cut(8, 42)
    assert not found.voiced.any()
    assert torch.isfinite(found.hz).all()


@BOTH
def test_no_number_stays_where_it_is(config):
    x = tone(220.0)
    clean = track(Pitch(**config), x)
    broken = x.copy()
    broken[8000], broken[8001] = np.nan, np.inf
    found = track(Pitch(**config), broken)
    assert all(torch.isfinite(t).all() for t in (found.hz, found.confidence))
    far = np.r_[0:40]
    assert cents(found.hz[far], clean.hz[far]).max() < 1
    assert found.voiced[-20:].sum() >= 18


@BOTH
@pytest.mark.parametrize("gain", [1e3, 1e-2])
def test_level_does_not_matter(config, gain):
    x = tone(331.0)
    plain, found = (track(Pitch(**config), k * x).cut(5, 95) for k in (1, gain))
    assert found.voiced.all()
    assert cents(found.hz, plain.hz.numpy()).max() < 3


# Shape and configuration


@pytest.mark.parametrize("method", ["neural", "yin", "pyin"])
@pytest.mark.parametrize("length", [1, 160, 161, 16000])
def test_number_of_frames(method, length):
    x = 0.1 * noise(1)[:length]
    assert len(track(Pitch(method=method), x)) == 1 + length // 160


@pytest.mark.parametrize("method", ["neural", "yin", "pyin"])
def test_nothing_gives_nothing(method):
    assert len(track(Pitch(method=method), np.zeros(0))) == 0


def test_channels_are_mixed_and_rates_brought_to_16_khz():
    for rate in (8000, 44100):
        steps = planned(Pitch(), rate, channels=2).steps
        names = [step.stage.name for step in steps]
        assert names == ["mix", "resample", "evidence", "frames"]
        assert steps[-1].outputs[""].rate == 16000


def test_latency():
    # 32 ms of window and two frames; then whole frames of smoothing.
    assert float(planned(Pitch(), 16000).output_latency("pitch")) <= 0.052
    smoothed = planned(Pitch(smoothing="95 ms"), 16000)
    assert smoothed.steps[-1].latency * 1000 == 100


def test_range_bounds_what_is_found():
    x = tone(np.geomspace(60, 1900, 32000), seconds=2)
    found = track(Pitch(range=("100 Hz", "400 Hz")), x)
    assert found.hz.min() >= 100
    assert found.hz.max() <= 400


@pytest.mark.parametrize("method", ["neural", "yin"])
def test_threshold_makes_fewer_frames_voiced(method):
    x = tone(200.0) * np.linspace(1, 0.02, 16000, dtype=np.float32) + 0.03 * noise(1)
    shares = [
        track(Pitch(method=method, voicing_threshold=t), x).voiced.float().mean()
        for t in (0.05, 0.5, 0.95)
    ]
    assert shares[0] > shares[1] > shares[2]


@pytest.mark.parametrize("hop", ["2.5 ms", "4 ms", "17 ms", "50 ms"])
def test_other_hops_lie_between_the_frames(hop):
    t = np.arange(32000) / 16000
    hz = 200 * 2 ** (0.5 * t)
    found = track(Pitch(hop=hop), tone(hz, seconds=2))
    inner = (found.seconds > 0.1) & (found.seconds < 1.9)
    expected = 200 * 2 ** (0.5 * found.seconds[inner])
    assert np.median(cents(found.hz[inner], expected)) < 6
    usual = track(Pitch(), tone(hz, seconds=2))
    at = np.interp(found.seconds[inner], usual.seconds, np.log2(usual.hz.numpy()))
    assert np.abs(np.log2(found.hz[inner].numpy()) - at).max() < 1e-5


def test_where_there_is_no_guess_another_grid_has_none():
    hz = torch.tensor([0.0, 0.0, 220.0, 220.0])
    track = PitchTrack(hz, hz > 0, (hz > 0).float(), rate=16000, hop=160)
    grid = Grid(hop="5 ms", resolution=0)
    found = run(Engine(plan(Graph((Node("grid", grid, ("input",)),)), track.format, "cpu")), track)
    assert found["grid"].hz.round().tolist() == [0, 0, 0, 220, 220, 220, 220]


@pytest.mark.parametrize("method", ["neural", "yin", "pyin"])
def test_resolution_rounds(method):
    found = track(Pitch(method=method, resolution=100), tone(225.0))
    assert torch.allclose(found.hz[10:90], torch.tensor(220.0), rtol=1e-5) or method == "pyin"
    steps = 12 * torch.log2(found.hz[10:90] / found.hz[50])
    assert torch.allclose(steps, steps.round(), atol=1e-3)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"range": ("1 kHz", "65 Hz")}, "write the lower pitch first"),
        ({"range": ("10 Hz", "65 Hz")}, "wider than the network's.*method: yin"),
        ({"range": ("100 Hz", "6 kHz")}, "wider than the network's.*method: yin"),
        ({"method": "yin", "range": ("1 Hz", "65 Hz")}, "the least is 10 Hz"),
        ({"hop": "0 ms"}, "the hop is 0"),
        ({"method": "magic"}, "'neural', 'yin' or 'pyin'"),
        ({"window": "60 ms"}, "window is of method yin and pyin, not of neural"),
        ({"threshold": 0.1}, "threshold is of method yin, not of neural"),
        ({"method": "yin", "threshold": 0.1}, "without smoothing.*smoothing: 0 s"),
        ({"method": "pyin", "smoothing": "50 ms"}, "smoothing is of method neural and yin"),
        ({"method": "pyin", "voicing_threshold": 0.4}, "voicing_threshold is of method neural"),
        ({"voicing_threshold": 1.5}, "less than or equal to 1"),
        ({"resolution": -1}, "greater than or equal to 0"),
    ],
)
def test_wrong_configuration(config, says):
    with pytest.raises(ValidationError, match=says):
        Pitch(**config)


def test_pyin_refuses_to_stream():
    with pytest.raises(OfflineError, match="heard everything"):
        planned(Pitch(method="pyin"), 16000).check_streamable()


@pytest.mark.oracle
def test_pyin_is_librosas():
    x = tone(librosa.fft_frequencies(sr=16000, n_fft=80)[4] * 2 ** np.linspace(0, 1, 16000))
    x += 0.01 * noise(1)
    found = track(Pitch(method="pyin", window=1024), x)
    hz, voiced, share = librosa.pyin(
        x, fmin=65, fmax=1000, sr=16000, frame_length=1024, hop_length=160, fill_na=None
    )
    assert np.allclose(found.hz.numpy(), hz, rtol=1e-6)
    assert np.array_equal(found.voiced.numpy(), voiced)
    assert np.allclose(found.confidence.numpy(), share, atol=1e-6)


def test_the_resolution_of_pyin_is_that_of_the_others():
    found = track(Pitch(method="pyin", resolution=30), tone(449.0))
    assert torch.allclose(found.hz[20:80], torch.tensor(440.0 * 2 ** (30 / 1200)), rtol=1e-5)


# Streams


@BOTH
def test_streamed_equals_whole(config):
    x = np.concatenate([tone(200.0, seconds=0.3), 0.1 * noise(0.3), tone(310.0, seconds=0.4)])
    x += 0.02 * noise(1.0, seed=1)
    engine, audio = Engine(planned(Pitch(**config), 16000)), Audio(x, 16000)
    whole = run(engine, audio)["pitch"]
    rng = np.random.default_rng(0)
    for _ in range(5):
        sizes = chunking(len(x), rng)
        streamed = run(engine, audio, sizes)["pitch"]
        for ours, theirs in zip(streamed.tensors, whole.tensors, strict=True):
            assert torch.allclose(ours.double(), theirs.double(), rtol=1e-5, atol=1e-5), sizes


def test_what_comes_later_changes_nothing():
    x = np.concatenate([tone(200.0), 0.2 * noise(1)])
    changed = x.copy()
    changed[16000:] = tone(320.0)
    first, second = (track(Pitch(), y) for y in (x, changed))
    known = 100 - 5  # half a window of 32 ms, two frames
    for ours, theirs in zip(first.tensors, second.tensors, strict=True):
        assert torch.allclose(ours[:known].double(), theirs[:known].double(), atol=1e-4)
    assert not torch.allclose(first.hz[98:103], second.hz[98:103], rtol=1e-3)
