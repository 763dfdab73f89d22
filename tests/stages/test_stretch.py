"""The stage `stretch`: length, pitch and tempo, and the seams between segments."""

import numpy as np
import pytest
import torch

from audiopipe import Audio, Pipeline
from audiopipe.errors import OfflineError
from audiopipe.stages import stretch as module
from audiopipe.stages.stretch import Stretch

RATE = 16000


def tone(hz=440.0, seconds=3.0, channels=1):
    time = torch.arange(round(seconds * RATE)) / RATE
    return Audio((0.5 * torch.sin(2 * torch.pi * hz * time)).expand(channels, -1).clone(), RATE)


def stretched(audio, **options):
    return Pipeline([Stretch(**options)]).run(audio)["stretch"]


def purity(samples, hz):
    """How far in dB a tone of `hz` stands above all else, and its level."""
    inner = samples[0, len(samples[0]) // 10 : -len(samples[0]) // 10].double().numpy()
    best = (-np.inf, 0.0)
    time = np.arange(len(inner)) / RATE
    for near in np.linspace(hz - 0.02, hz + 0.02, 9):
        waves = np.stack([np.cos(2 * np.pi * near * time), np.sin(2 * np.pi * near * time)], 1)
        amounts, *_ = np.linalg.lstsq(waves, inner, rcond=None)
        rest = inner - waves @ amounts
        best = max(best, (10 * np.log10(np.mean(inner**2) / np.mean(rest**2)), np.hypot(*amounts)))
    return best


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.5, 4.0])
@pytest.mark.parametrize("seconds", [0.01, 1.0, 25.3])
def test_length_is_that_of_the_tempo(speed, seconds):
    audio = tone(seconds=seconds)
    assert len(stretched(audio, speed=speed)) == round(len(audio) / speed)


@pytest.mark.parametrize(
    ("speed", "key", "hz"),
    [(0.5, 0, 440), (1.5, 0, 440), (1, 12, 880), (1, -5, 440 * 2 ** (-5 / 12))],
)
def test_a_tone_stays_a_tone(speed, key, hz):
    clear, level = purity(stretched(tone(), speed=speed, key=key).samples, hz)
    assert clear > 30
    assert level == pytest.approx(0.5, rel=0.05)


def test_clicks_come_when_they_should():
    samples = torch.zeros(1, 2 * RATE)
    samples[:, [8000, 20000]] = 1.0
    made = stretched(Audio(samples, RATE), speed=0.5).samples[0].abs()
    for place in (16000, 40000):
        near = made[place - 4000 : place + 4000]
        assert int(near.argmax()) - 4000 == pytest.approx(0, abs=0.01 * RATE)


def test_segments_join_without_a_seam(monkeypatch):
    """A tone in segments of one second is as level as one in a single segment."""
    monkeypatch.setattr(module, "SEGMENT", 1.0)
    made = stretched(tone(seconds=6.0), speed=0.8).samples[0]
    inner = made[RATE:-RATE].double()
    envelope = inner.square().unfold(0, 320, 80).mean(-1).sqrt() * 2**0.5
    assert float(envelope.min()) > 0.5 * 0.8
    assert float(envelope.max()) < 0.5 * 1.2
    jump = inner.diff().abs().max()
    assert float(jump) < 1.3 * 0.5 * 2 * np.pi * 440 / RATE  # no step that the tone has not


def test_the_alignment_is_what_makes_the_seam(monkeypatch):
    """Without it, waves that do not meet cancel each other."""
    monkeypatch.setattr(module, "SEGMENT", 1.0)
    monkeypatch.setattr(module, "_meeting", lambda made, tail, at, search: 0)
    made = stretched(tone(seconds=6.0), speed=0.8).samples[0]
    envelope = made[RATE:-RATE].square().unfold(0, 320, 80).mean(-1).sqrt() * 2**0.5
    assert float(envelope.min()) < 0.5 * 0.8


def test_unchanged_it_is_the_same():
    audio = tone(channels=2)
    assert torch.equal(stretched(audio).samples, audio.samples)


def test_it_cannot_be_live():
    with pytest.raises(OfflineError, match="falls ever further behind"):
        list(Pipeline([Stretch(speed=0.5)]).stream([tone()]))
