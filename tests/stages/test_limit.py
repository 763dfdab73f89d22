"""The stage `limit`: no true peak above the ceiling, and nothing else changed."""

import math

import pytest
import torch
from scipy.signal import resample_poly

import audiopipe
from audiopipe import Audio
from audiopipe.stages.limit import Limit
from audiopipe.stages.normalize import Normalize

RATE = 48_000


def limited(samples, **options):
    return audiopipe.Pipeline([Limit(**options)]).run(Audio(samples, RATE))["limit"].samples


def true_peak(samples):
    """In dB, at 16 times the rate: independent of the stage's own filter."""
    above = resample_poly(samples.double().numpy(), 16, 1, axis=1)
    return 20 * math.log10(abs(above).max())


def bursts(level=1.0, seconds=2.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(round(seconds * RATE)) / RATE
    loud = 0.1 + (torch.sin(9 * time) > 0.97).float() * level * 2
    return torch.randn(2, len(time), generator=generator) * 0.2 * loud


@pytest.mark.parametrize("ceiling", [-1.0, -6.0])
def test_no_peak_passes_the_ceiling(ceiling):
    assert true_peak(bursts()) > 0
    out = limited(bursts(), ceiling=ceiling)
    assert ceiling - 0.8 < true_peak(out) <= ceiling + 0.02


def test_peaks_between_samples_count():
    # A sine at a quarter of the rate, 45° off: its samples are 3 dB below its peak.
    time = torch.arange(RATE)
    tone = 0.7 * torch.sqrt(torch.tensor(2.0)) * torch.sin(math.pi / 2 * time + math.pi / 4)[None]
    fade = torch.hann_window(2000, periodic=False)
    tone[:, :1000] *= fade[:1000]
    tone[:, -1000:] *= fade[1000:]
    assert tone.abs().max() < 0.71
    out = limited(tone, ceiling=-6.0)
    assert true_peak(out) == pytest.approx(-6.2, abs=0.1)


def test_what_is_quiet_is_not_touched():
    quiet = bursts() * 0.1
    assert torch.equal(limited(quiet), quiet)
    sound = torch.zeros(1, RATE)
    sound[:, :] = 0.1 * torch.sin(torch.arange(RATE) * 0.05)
    sound[0, RATE // 2] = 2.0
    out = limited(sound)
    near = round(0.03 * RATE)
    assert torch.equal(out[:, : RATE // 2 - near], sound[:, : RATE // 2 - near])
    assert torch.equal(out[:, RATE // 2 + near :], sound[:, RATE // 2 + near :])
    assert out.abs().max() < 0.9


def test_channels_have_one_gain():
    sound = bursts()
    sound[1] = sound[0] * 0.5
    out = limited(sound, ceiling=-12.0)
    assert torch.allclose(out[1], out[0] * 0.5, atol=1e-7)


def test_behind_normalize_it_is_as_loud_as_asked(caplog):
    from audiopipe.loudness import LoudnessMeter

    sound = bursts(level=0.6)
    pipeline = audiopipe.Pipeline([Normalize(loudness=-16.0, over="leave"), Limit()])
    out = pipeline.run(Audio(sound, RATE))["limit"]
    assert not caplog.records
    assert true_peak(out.samples) <= -0.98
    meter = LoudnessMeter(RATE, 2)
    meter.add(out.numpy())
    assert meter.integrated() == pytest.approx(-16, abs=1.5)
