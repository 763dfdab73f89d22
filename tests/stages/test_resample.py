"""Resampling: tones that stay in place, filters as good as stated, streams like wholes."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
import soxr
import torch

from audiopipe.engine import Engine
from audiopipe.plan import Graph, Node, plan
from audiopipe.signals import Audio
from audiopipe.stages.resample import Resample

USUAL = [(44100, 16000), (48000, 16000), (16000, 44100), (44100, 48000), (192000, 8000)]
RARE = [(8000, 11025), (44100, 44101), (16000, 15999)]


def resample(samples: np.ndarray, old: int, new: int, sizes: tuple[int, ...] = ()) -> np.ndarray:
    """Through the engine, cut into blocks of these sizes and a last one."""
    audio = Audio(samples, old)
    stage = Resample(rate=new)
    stream = Engine(plan(Graph((Node("it", stage, ("input",)),)), audio.format)).stream()
    given, at = [], 0
    for size in sizes:
        stop = min(at + size, len(audio))
        given += stream.push(audio.cut(at, stop)).values()
        at = stop
    for out in stream.finish(audio.cut(at, len(audio))):
        given += out.values()
    return Audio.join(given).samples.squeeze(0).numpy()


def tone(frequency: float, rate: int, count: int) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(count) / rate)


def decibels(amplitude: np.ndarray) -> float:
    return float(20 * np.log10(np.abs(amplitude).max() + 1e-12))


@pytest.mark.parametrize(("old", "new"), USUAL + RARE)
def test_a_tone_stays_in_place(old, new):
    # Alignment, pass band and aliases at once: within -110 dB of the tone as it should be.
    frequency = 0.91 * min(old, new) / 2
    out = resample(tone(frequency, old, old), old, new)
    edge = new // 10
    error = (out - tone(frequency, new, len(out)))[edge:-edge]
    assert decibels(error) < -110


@pytest.mark.parametrize(("old", "new"), [(44100, 16000), (48000, 16000)])
def test_what_is_above_the_band_is_gone(old, new):
    for frequency in np.linspace(new / 2 + 1, old / 2 - 1, 7):
        out = resample(tone(frequency, old, old // 2), old, new)
        assert decibels(out[new // 10 : -new // 10]) < -110, frequency


def test_the_pass_band_is_flat():
    old, new = 48000, 16000
    for frequency in np.linspace(20, 0.913 * new / 2, 9):
        out = resample(tone(frequency, old, old), old, new)[new // 10 : -new // 10]
        basis = np.exp(-2j * np.pi * frequency * np.arange(len(out)) / new) * np.hanning(len(out))
        gain = 2 * abs((out * basis).sum()) / np.hanning(len(out)).sum()
        assert abs(20 * np.log10(gain)) < 0.001, frequency


def noise(rate: int, highest: float) -> np.ndarray:
    """A second of noise up to `highest` Hz that comes and goes."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(rate))
    spectrum[int(highest) :] = 0
    return np.fft.irfft(spectrum, rate) * np.hanning(rate)


@pytest.mark.parametrize(("old", "new"), USUAL[:4])
def test_noise_is_what_an_ideal_filter_makes_of_it(old, new):
    # Cutting and padding the spectrum is ideal for sound that is silent at both ends.
    sound = noise(old, 0.455 * min(old, new))
    ideal = np.fft.irfft(np.fft.rfft(sound)[: new // 2 + 1], new) * new / old
    error = np.abs(resample(sound, old, new) - ideal).max()
    assert error < 5e-6 * np.abs(ideal).max()


@pytest.mark.parametrize(("old", "new"), USUAL[:4])
def test_it_agrees_with_soxr(old, new):
    sound = noise(old, 0.3 * min(old, new)).astype(np.float32)
    ours, theirs = resample(sound, old, new), soxr.resample(sound, old, new, "HQ")
    assert np.abs(ours - theirs).max() < 2e-5 * np.abs(theirs).max()


@pytest.mark.parametrize(("old", "new"), [(44100, 16000), (8000, 11025), (16000, 15999)])
def test_a_stream_gives_what_the_whole_gives(old, new):
    random = np.random.default_rng(1)
    sound = random.standard_normal(2 * old).astype(np.float32)
    whole = resample(sound, old, new)
    for _ in range(3):
        sizes = tuple(int(n) for n in random.integers(0, old // 4, 12))
        np.testing.assert_allclose(resample(sound, old, new, (1, *sizes)), whole, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2, 159, 441, 44100])
def test_the_length_is_that_of_the_input(count):
    for old, new in USUAL:
        assert resample(np.ones((1, count)), old, new).size == ceil(count * new / old)


def test_up_and_down_again_is_the_same():
    sound = tone(1000, 16000, 16000) * np.hanning(16000)
    back = resample(resample(sound, 16000, 44100), 44100, 16000)
    np.testing.assert_allclose(back, sound, atol=1e-5)


def test_the_same_rate_changes_nothing_and_costs_no_time():
    sound = np.random.default_rng(2).standard_normal((2, 1000)).astype(np.float32)
    np.testing.assert_array_equal(resample(sound, 8000, 8000), sound)
    assert Resample(rate=8000).reach(Audio.empty(8000, 2)).latency == 0


@pytest.mark.parametrize(("old", "new"), [pair for pair in USUAL if pair[0] != 192000])
def test_the_latency_is_small(old, new):
    assert Resample(rate=new).reach(Audio.empty(old, 1)).latency <= 0.02 * old


def test_kernels_stay_small():
    for old, new in USUAL + RARE:
        model = Resample(rate=new).load(Audio.empty(old, 1), torch.device("cpu"), torch.float32)
        assert model is not None
        assert model.taps.numel() <= 1 << 21


def test_units_are_read():
    assert Resample.model_validate({"rate": "44.1 kHz"}).rate == 44100
    with pytest.raises(ValueError, match="greater than or equal"):
        Resample.model_validate({"rate": 0})
