"""The normalize stage, and the loudness meter behind it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
import torch
from pydantic import ValidationError

from audiopipe.engine import Engine
from audiopipe.errors import OfflineError, PlanError
from audiopipe.loudness import LoudnessMeter
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio
from audiopipe.stages.normalize import Normalize
from audiopipe.testing.case import chunking, run

SHARED = Path(__file__).parents[3] / "shared" / "audio"
RECORDINGS = [*sorted((SHARED / "music").glob("*.flac")), *(SHARED / "speech").glob("*a00*.flac")]


def planned(stage: Normalize, rate: int, channels: int):
    return plan(Graph((Node("out", stage, ("input",)),)), Audio.empty(rate, channels), "cpu")


def normalized(stage: Normalize, samples, rate: int, sizes=()) -> np.ndarray:
    audio = Audio(samples, rate)
    return run(Engine(planned(stage, rate, audio.channels)), audio, sizes)["out"].numpy()


def measured(samples: np.ndarray, rate: int, sizes=(1 << 30,)) -> float:
    meter, at = LoudnessMeter(rate, len(samples)), 0
    for size in (*sizes, 1 << 30):
        meter.add(samples[:, at : at + size])
        at += size
    return meter.integrated()


def tone(db: float, seconds: float, rate: int = 48000, channels: int = 2, hz: float = 1000.0):
    t = np.arange(round(seconds * rate)) / rate
    return np.tile(10 ** (db / 20) * np.sin(2 * np.pi * hz * t), (channels, 1)).astype(np.float32)


def noise(seconds: float, rate: int = 16000, channels: int = 1, level: float = 0.1):
    rng = np.random.default_rng(0)
    return (level * rng.normal(size=(channels, round(seconds * rate)))).astype(np.float32)


# Loudness


EBU_3341 = {
    # EBU Tech 3341, table 1: tests 1 to 6, (level in dBFS, seconds) one after the other
    "1": ([(-23, 20)], -23.0),
    "2": ([(-33, 20)], -33.0),
    "3": ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    "4": ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    "5": ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
}


@pytest.mark.parametrize("case", EBU_3341)
def test_tones_of_ebu_3341(case):
    parts, expected = EBU_3341[case]
    samples = np.concatenate([tone(db, seconds) for db, seconds in parts], axis=1)
    assert measured(samples, 48000) == pytest.approx(expected, abs=0.1)  # what EBU allows


@pytest.mark.parametrize("channels", [5, 6])
def test_surround_tone_of_ebu_3341(channels):
    # Test 6: L and R at -28, C at -24, surrounds at -30 dBFS; the LFE does not count.
    levels = [-28, -28, -24, -30, -30]
    rows = [tone(db, 20, channels=1)[0] for db in levels]
    if channels == 6:
        rows.insert(3, tone(-3, 20, channels=1, hz=50)[0])
    assert measured(np.stack(rows), 48000) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 96000])
def test_equals_pyloudnorm(rate):
    # Cut to whole blocks: BS.1770-4 leaves an incomplete one out, pyloudnorm counts it.
    samples = noise(3.0, rate, 2) * np.linspace(0.001, 1, 3 * rate, dtype=np.float32)
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    expected = meter.integrated_loudness(samples.T.astype(float))
    assert measured(samples, rate) == pytest.approx(expected, abs=0.01)


def test_blocks_may_be_cut_anyhow():
    samples = noise(2.3, 11025, 2)
    whole, rng = measured(samples, 11025), np.random.default_rng(1)
    for _ in range(10):
        sizes = chunking(samples.shape[1], rng)
        assert measured(samples, 11025, sizes) == pytest.approx(whole, abs=1e-9), sizes


@pytest.mark.skipif(not RECORDINGS, reason="needs ../shared/audio")
def test_equals_pyloudnorm_on_recordings():
    for path in RECORDINGS:
        samples, rate = soundfile.read(path, always_2d=True)
        whole = samples[: len(samples) // (rate // 10) * (rate // 10)]
        expected = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(whole)
        found = measured(samples.T.astype(np.float32), rate)
        assert found == pytest.approx(expected, abs=0.01), path.name


@pytest.mark.oracle
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_equals_ffmpeg(tmp_path):
    made = tmp_path / "made.wav"
    soundfile.write(made, (noise(5, 48000, 2) * np.linspace(0, 1, 240000)).T, 48000)
    for path in (made, *RECORDINGS):
        command = ["ffmpeg", "-nostats", "-i", path, "-af", "ebur128", "-f", "null", "-"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        theirs = float(re.findall(r"I:\s+(\S+) LUFS", said)[-1])
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        assert measured(samples.T, rate) == pytest.approx(theirs, abs=0.1), path.name


# The stage


@pytest.mark.parametrize("target", [-14.0, -23.0])
def test_reaches_the_loudness(target):
    out = normalized(Normalize(loudness=target), noise(3, 44100, 2, 0.02), 44100)
    assert measured(out, 44100) == pytest.approx(target, abs=0.01)


def test_reaches_the_peak():
    out = normalized(Normalize(peak="-1 dB"), noise(1), 16000)
    assert np.abs(out).max() == pytest.approx(10 ** (-1 / 20), rel=1e-6)


def test_is_one_gain():
    x = noise(1, channels=2)
    out = normalized(Normalize(loudness="-16 LUFS"), x, 16000)
    assert np.allclose(out, x * (out[0, 0] / x[0, 0]), rtol=1e-5)


def test_peak_limits_the_loudness_and_says_so(caplog):
    x = tone(-40, 2, channels=1)
    x[0, 48000] = 0.5
    out = normalized(Normalize(loudness="-16 LUFS", peak="-1 dB"), x, 48000)
    assert np.abs(out).max() == pytest.approx(10 ** (-1 / 20), rel=1e-6)
    (said,) = caplog.messages
    assert f"{measured(out, 48000):.1f} LUFS instead of -16.0" in said


def test_peak_that_leaves_room_changes_nothing(caplog):
    x = tone(-40, 2, channels=1)
    both = normalized(Normalize(loudness=-30, peak=-1), x, 48000)
    assert np.array_equal(both, normalized(Normalize(loudness=-30), x, 48000))
    assert not caplog.messages


def test_says_when_peaks_will_be_clipped(caplog):
    normalized(Normalize(loudness=-1), noise(1), 16000)
    assert "dB above full scale and will be clipped" in caplog.text


@pytest.mark.parametrize("stage", [Normalize(loudness=-16), Normalize(peak=-1)])
def test_silence_stays_silence(stage, caplog):
    assert not normalized(stage, np.zeros((2, 50000)), 44100).any()
    assert "silent" in caplog.text


def test_what_is_below_the_gate_stays(caplog):
    x = noise(2, level=10 ** (-80 / 20))
    assert np.array_equal(normalized(Normalize(loudness=-16), x, 16000), x)
    assert "quieter than -70 LUFS" in caplog.text


def test_nothing_is_raised_without_limit(caplog):
    x = noise(1, level=1e-7)
    out = normalized(Normalize(peak=-1), x, 16000)
    assert np.allclose(out, x * 1000)
    assert "raised by 60 dB" in caplog.text


@pytest.mark.parametrize("seconds", [0.399, 0.1, 0.01])
def test_short_sound_is_measured_as_one_block(seconds):
    # As if it lasted: within 1 LU of the same sound for 5 s.
    short = measured(tone(-20, seconds, 16000, 1), 16000)
    assert short == pytest.approx(measured(tone(-20, 5, 16000, 1), 16000), abs=1.0)


@pytest.mark.parametrize("stage", [Normalize(loudness=-16), Normalize(peak=-1)])
def test_nothing_and_one_sample(stage):
    assert normalized(stage, np.zeros((1, 0)), 16000).shape == (1, 0)
    out = normalized(stage, np.full((1, 1), 0.25), 16000)
    assert out.shape == (1, 1)
    assert np.isfinite(out).all()


def test_no_numbers_are_not_measured():
    x = noise(2)
    clean = normalized(Normalize(loudness=-16), x, 16000)
    x[0, [5000, 6000]] = np.nan, np.inf
    out = normalized(Normalize(loudness=-16), x, 16000)
    assert np.isnan(out[0, 5000])
    good = np.isfinite(out)
    assert good.sum() == 31998
    assert np.allclose(out[good], clean[good], rtol=1e-3)


def test_very_loud():
    out = normalized(Normalize(loudness=-16), noise(1, level=1e25), 16000)
    assert measured(out, 16000) == pytest.approx(-16, abs=0.01)


def test_in_any_pieces():
    x, stage = noise(1.5, channels=2), Normalize(loudness=-16)
    whole, rng = normalized(stage, x, 16000), np.random.default_rng(2)
    for _ in range(5):
        assert np.array_equal(normalized(stage, x, 16000, chunking(24000, rng)), whole)


def test_a_saved_state_goes_on():
    stage, x = Normalize(loudness=-16), torch.from_numpy(noise(1))
    engine = Engine(planned(stage, 16000, 1))
    first, second = engine.stream(), engine.stream()
    first.push(Audio(x[:, :7000], 16000))
    saved = first.save()
    first.push(Audio(3 * x[:, 7000:9000], 16000, 7000))  # does not touch what was saved
    second.restore(saved)
    rest = Audio(x[:, 7000:], 16000, 7000)
    out = Audio.join([block["out"] for block in second.finish(rest)])
    assert np.array_equal(out.numpy(), normalized(stage, x, 16000))


def test_refuses_to_stream():
    with pytest.raises(OfflineError, match=r"known at its end.*use: mix"):
        planned(Normalize(peak=-1), 16000, 1).check_streamable()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "say to what: 'loudness: -16 LUFS'"),
        ({"loudness": "3 LUFS"}, "less than or equal to 0"),
        ({"peak": "-1 LUFS"}, "unknown unit"),
        ({"loudness": "-16 dB"}, "unknown unit"),
    ],
)
def test_wrong_configuration(config, says):
    with pytest.raises(ValidationError, match=says):
        Normalize(**config)


def test_what_has_no_loudness_is_said_before_it_runs():
    with pytest.raises(PlanError, match="no agreed loudness of 4 channels"):
        planned(Normalize(loudness=-16), 16000, 4)
    with pytest.raises(PlanError, match="needs 8000 Hz or more, not 4000 Hz"):
        planned(Normalize(loudness=-16), 4000, 1)
    planned(Normalize(peak=-1), 4000, 4)
