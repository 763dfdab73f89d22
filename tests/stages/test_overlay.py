"""Pitch laid over a spectrogram."""

import pytest
import torch
from melodies import sung

from audiopipe.errors import PlanError
from audiopipe.pipeline import Pipeline, load
from audiopipe.signals import Audio, Overlay
from audiopipe.stages.overlay import Overlay as Lay
from audiopipe.stages.pitch import Pitch
from audiopipe.stages.spectrogram import Spectrogram

SONG = sung([(0.2, 0.8, 60), (0.8, 1.4, 64)], 1.6, rate=16000)


def laid(*sources, **stages):
    stages = {
        "pitch": (Pitch(), "input"),
        "spectrum": (Spectrogram(hop="10 ms"), "input"),
        **stages,
    }
    made = Pipeline(
        {**stages, "both": (Lay(), sources)}, outputs={n: n for n in [*sources, "both"]}
    )
    return made.run(SONG)


@pytest.mark.parametrize("sources", [("pitch", "spectrum"), ("spectrum", "pitch")])
def test_both_are_as_they_were(sources):
    result = laid(*sources)
    both, pitch, spectrum = result["both"], result["pitch"], result["spectrum"]
    assert isinstance(both, Overlay)
    assert len(both) == max(len(pitch), len(spectrum))
    assert torch.equal(both.hz[0, : len(pitch)], pitch.hz)
    assert torch.equal(both.voiced[0, : len(pitch)], pitch.voiced)
    assert torch.equal(both.values[..., : len(spectrum)], spectrum.values)
    assert (both.frequencies, both.scale) == (spectrum.frequencies, spectrum.scale)


def test_complex_spectra_become_magnitudes():
    result = laid("spectrum", spectrum=(Spectrogram(scale="complex", hop="10 ms"), "input"))
    assert torch.equal(result["both"].values, result["spectrum"].values.abs())


def test_several_tracks():
    other = Pitch(range=(200, 800))
    both = laid("pitch", "other", other=(other, "input"))["both"]
    assert both.hz.shape[0] == 2
    assert both.values.numel() == 0


@pytest.mark.parametrize(
    ("stages", "sources", "told"),
    [
        ({}, ("pitch", "input"), "takes Frames, but 'input' gives Audio"),
        (
            {"mfcc": (Spectrogram(scale="mfcc"), "input")}, ("pitch", "mfcc"),
            "takes pitch tracks and a spectrogram of frequencies, not Spectrogram",
        ),
        (
            {"more": (Spectrogram(), "input")}, ("spectrum", "more"),
            "takes one spectrogram, not several",
        ),
        (
            {"slow": (Spectrogram(hop="20 ms"), "input")}, ("pitch", "slow"),
            "frames every 10 ms and 20 ms drift apart; give all the same hop",
        ),
    ],
)  # fmt: skip
def test_what_does_not_lie_over_each_other(stages, sources, told):
    with pytest.raises(PlanError, match=told):
        laid(*sources, **stages)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_the_ready_pipeline_takes_every_rate(rate):
    sound = Audio(torch.randn(2, rate // 2, generator=torch.manual_seed(0)) * 0.01, rate)
    result = load("pitch").run(sound)
    assert len(result["picture"]) == len(result["pitch"]) == 51
