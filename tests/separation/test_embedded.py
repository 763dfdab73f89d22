"""The embedded family, with a small network of random weights."""

import pytest
import torch
from separators import stems_model, write_card

from audiopipe import Audio, Pipeline
from audiopipe.errors import ModelError, PlanError
from audiopipe.nets.stems import AHEAD, BINS, HOP, STEMS, WINDOW, StemsNet
from audiopipe.separators.embedded import LEAD, STEP, stems_net
from audiopipe.stages.separate import Separate
from audiopipe.testing import CHECKS, Case, audio_source


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return stems_model(tmp_path_factory.mktemp("models") / "small")


def noise(channels=2, length=30000, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(channels, length, generator=generator) * 0.1


def reference(net: StemsNet, samples: torch.Tensor) -> torch.Tensor:
    """Stems [stems, 2, time] by one transform over the whole recording, and one inverse."""
    hann, length = torch.hann_window(WINDOW), samples.shape[-1]
    after = WINDOW + STEP * HOP
    padded = torch.nn.functional.pad(samples, (LEAD, after))
    spectra = torch.fft.rfft(padded.unfold(-1, WINDOW, HOP) * hann).mT
    late = torch.cat([spectra, torch.zeros(2, BINS, AHEAD, dtype=torch.complex64)], -1)
    with torch.inference_mode():
        stems = net(late[None])[0][0, ..., AHEAD:]
    stretches = torch.fft.irfft(stems.mT, n=WINDOW) * hann
    whole = torch.zeros(len(STEMS), 2, padded.shape[-1])
    for frame in range(stretches.shape[-2]):
        whole[..., frame * HOP : frame * HOP + WINDOW] += stretches[..., frame, :] / 1.5
    return whole[..., LEAD : LEAD + length]


@pytest.mark.parametrize("length", [1, 1023, 1024, 5000, 30001])
def test_equals_one_transform_over_the_whole(model, length):
    samples = noise(length=length)
    stage = Separate(model=model, remainder="none")
    found = Pipeline([stage]).run(Audio(samples, 44100))["separate"]
    wanted = reference(stems_net(model), samples)
    for name, want in zip(STEMS, wanted, strict=True):
        assert found[name].samples.shape == samples.shape
        torch.testing.assert_close(found[name].samples, want, atol=2e-6, rtol=1e-4)


def test_stems_differ_and_add_up(model):
    samples = noise()
    found = Pipeline([Separate(model=model)]).run(Audio(samples, 44100))["separate"]
    parts = [found[name].samples for name in STEMS]
    torch.testing.assert_close(sum(parts), samples, atol=1e-6, rtol=0)
    assert all((part - samples).norm() > 0.1 * samples.norm() for part in parts)


def test_latency_is_within_half_a_second(model):
    plan = Pipeline([Separate(model=model)]).plan(Audio.empty(44100, 2))
    # A frame, the frames ahead, and the frames that come together; the sample itself is there.
    assert plan.output_latency("separate") * 44100 == WINDOW + (STEP - 1 + AHEAD) * HOP - 1
    assert plan.output_latency("separate") < 0.5


def test_a_number_that_is_none_does_not_stay(model):
    samples = noise(length=120000)
    broken = samples.clone()
    broken[:, 20000] = torch.nan
    pipeline = Pipeline([Separate(model=model, remainder="none")])
    whole = pipeline.run(Audio(broken, 44100))["separate"]["vocals"].samples
    assert whole[:, 60000:].isfinite().all()


@pytest.mark.parametrize("check", CHECKS, ids=str)
@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (16000, 1)])
def test_conformance(model, check, rate, channels):
    if check.gpu and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    stage = Separate(model=model, stems=("vocals",))
    check(Case(stage, audio_source(rate, channels), chunkings=2))


def test_overlap_is_refused(model):
    with pytest.raises(PlanError, match="no overlap to set"):
        Pipeline([Separate(model=model, overlap=0.5)]).plan()


def test_other_stems_than_the_networks_are_refused(tmp_path):
    name = stems_model(tmp_path / "small")
    (tmp_path / "small" / "card.toml").unlink()
    write_card(tmp_path / "small", "stems-net", ("drums", "vocals"), {"channels": 4})
    with pytest.raises(ModelError, match=r"makes vocals, drums, bass, other at 44100 Hz"):
        Pipeline([Separate(model=name)]).plan()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"channels": 4, "hidden": 16}, "do not fit its card"),
        ({"channels": 10**6, "hidden": 8}, "at most 512 are possible"),
        ({"colour": 1}, "colour"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, settings, told):
    name = stems_model(tmp_path / "small")
    (tmp_path / "small" / "card.toml").unlink()
    write_card(tmp_path / "small", "stems-net", STEMS, settings)
    with pytest.raises(ModelError, match=told):
        stems_net(name)
