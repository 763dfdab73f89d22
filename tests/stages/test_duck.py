"""The stage `duck`: music is down while there is speech, and at its level otherwise."""

from itertools import pairwise

import pytest
import torch

import audiopipe
from audiopipe import Audio
from audiopipe.stages.duck import Duck
from audiopipe.stages.resample import Resample

RATE = 8000


def mixed(music, speech, **options):
    stage = Duck(**options)
    source = Audio.empty(RATE, 1)
    state = stage.start(None, (source, source))
    return stage.step(None, state, [Audio(music, RATE), Audio(speech, RATE)], True).samples[0]


def tone(seconds, hz, level):
    return level * torch.sin(torch.arange(round(seconds * RATE)) * 6.283185 * hz / RATE)


@pytest.fixture
def parts():
    """Six seconds of music, and speech from 2 s to 3 s and from 3.3 s to 4 s."""
    music, speech = torch.full((6 * RATE,), 0.1), torch.zeros(6 * RATE)
    speech[2 * RATE : 3 * RATE] = tone(1, 200, 0.3)
    speech[round(3.3 * RATE) : 4 * RATE] = tone(0.7, 200, 0.3)
    return music, speech


def level(mix, speech, seconds):
    """The music alone, in dB of its own level."""
    at = round(seconds * RATE)
    return float(20 * torch.log10((mix - speech)[at] / 0.1))


def test_music_is_down_under_speech_and_comes_up(parts):
    music, speech = parts
    mix = mixed(music, speech)
    assert level(mix, speech, 1.5) == pytest.approx(0, abs=0.01)
    for seconds in (2.0, 2.5, 2.99, 3.15, 3.5, 3.99, 4.5):
        assert level(mix, speech, seconds) == pytest.approx(-12, abs=0.1), seconds
    assert -11 < level(mix, speech, 5.1) < -1
    assert level(mix, speech, 5.7) == pytest.approx(0, abs=0.01)


def test_it_goes_down_in_a_straight_line(parts):
    music, speech = parts
    mix = mixed(music, speech)
    levels = [level(mix, speech, 1.70 + 0.05 * k) for k in range(6)]
    steps = [b - a for a, b in pairwise(levels)]
    assert steps == pytest.approx([-2.0] * 5, abs=0.3)


def test_options(parts):
    music, speech = parts
    assert level(mixed(music, speech, depth=20.0), speech, 2.5) == pytest.approx(-20, abs=0.1)
    quick = mixed(music, speech, attack="20 ms", hold="0 s", release="10 ms")
    assert level(quick, speech, 3.2) == pytest.approx(0, abs=0.01)
    assert level(mixed(music, speech, threshold=-6.0), speech, 2.5) == pytest.approx(0, abs=0.01)


def test_speech_comes_through_as_it_is(parts):
    _, speech = parts
    assert torch.equal(mixed(torch.zeros_like(speech), speech), speech)


def test_in_a_pipeline_speech_takes_the_rate_and_channels_of_the_music():
    pipeline = audiopipe.Pipeline({"low": Resample(rate=8000), "duck": (Duck(), ["input", "low"])})
    made = pipeline.plan(Audio.empty(48_000, 2))
    assert made.output("duck") is not None
    assert [str(step.name) for step in made.steps] == ["low", "low/resample-48000", "duck"]
    sound = Audio(torch.rand(2, 4800) - 0.5, 48_000)
    assert len(pipeline.run(sound)["duck"]) == 4800
