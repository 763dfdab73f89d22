"""The stage `watermark`: what it does to sound, and that it is what is looked for."""

import pytest
import torch
from torch import Tensor

from audiopipe import Audio, Pipeline, chain
from audiopipe.stages.watermark import Watermark
from audiopipe.watermark import pattern


def noise(rate, seconds=2.0, channels=1):
    generator = torch.Generator().manual_seed(rate)
    return Audio(0.1 * torch.randn(channels, round(seconds * rate), generator=generator), rate)


def marked(audio, **options):
    return Pipeline([Watermark(**options)]).run(audio)["watermark"]


def bands(samples: Tensor, rate: int) -> Tensor:
    """Level in dB of each frame and band of the grid, of samples [time]."""
    hop = rate // 50
    window = torch.hann_window(2 * hop)
    padded = torch.nn.functional.pad(samples, (hop, hop))
    power = torch.fft.rfft(padded.unfold(0, 2 * hop, hop) * window).abs().square()
    grid = power[:, 12 : 12 + 4 * 47].unflatten(1, (-1, 4)).mean(2)
    return 10 * grid.log10()


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("kind", pattern.KINDS)
def test_bands_are_louder_and_softer_by_the_signs(rate, kind):
    audio = noise(rate, 3.0)
    change = bands(marked(audio, kind=kind).samples[0], rate) - bands(audio.samples[0], rate)
    signs = pattern.signs(kind).repeat(2, 1)[: len(change)]
    agreement = (change * signs[:, : change.shape[1]])[2:-2]
    assert agreement.mean() == pytest.approx(0.71, abs=0.02)  # neighbours blur the 1 dB
    assert (agreement > 0).float().mean() > 0.8
    assert change.abs().quantile(0.99) < 2


@pytest.mark.parametrize("rate", [16000, 48000])
def test_what_is_outside_its_bands_stays(rate):
    audio = noise(rate)
    changed = marked(audio).samples - audio.samples
    power = torch.fft.rfft(changed[0]).abs().square()
    hertz = torch.arange(len(power)) * rate / changed.shape[1]
    inside = (hertz > 200) & (hertz < 5100)
    assert power[~inside].sum() < 1e-3 * power.sum()
    before = torch.fft.rfft(audio.samples[0]).abs().square()[inside].sum()
    assert 10 * (power.sum() / before).log10() == pytest.approx(-20.5, abs=1)


def test_silence_stays_silence():
    assert not marked(Audio(torch.zeros(1, 24000), 24000)).samples.any()


def test_the_pattern_goes_on_over_blocks_and_begins_with_the_stream():
    audio = noise(24000, 4.0)
    twice = Audio(torch.cat([audio.samples, audio.samples], 1), 24000)
    first, second = marked(twice).samples.split(4 * 24000, 1)
    assert torch.equal(first[:, :-480], marked(audio).samples[:, :-480])
    assert not torch.allclose(first, second, atol=1e-3)


def test_channels_have_the_same_gains():
    mono = noise(24000)
    both = marked(Audio(torch.cat([mono.samples, 0.5 * mono.samples]), 24000)).samples
    assert torch.allclose(both[1], 0.5 * both[0], atol=1e-6)
    assert torch.allclose(both[:1], marked(mono).samples, atol=1e-6)


def test_a_rate_that_does_not_fit_the_grid_is_resampled():
    plan = chain("watermark").plan(Audio.empty(11025, 1))
    assert [step.stage.name for step in plan.steps] == ["resample", "watermark"]
    assert plan.output("watermark").rate == 12000


def test_a_rate_that_no_resampler_is_asked_for():
    with pytest.raises(Exception, match="multiple of 50 Hz"):
        chain("watermark").plan(Audio.empty(192001, 1))
