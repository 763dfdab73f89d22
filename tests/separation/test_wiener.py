"""The multichannel Wiener filter: against its formulas, on known truth, behind networks."""

import numpy as np
import pytest
import spleeters
import torch
from separators import music, random_weights, stems_model, write_card

from audiopipe import Audio, Pipeline
from audiopipe.errors import DefinitionError
from audiopipe.metrics import sdr
from audiopipe.pipeline import parse
from audiopipe.separators import wiener as module
from audiopipe.separators.segments import Segments
from audiopipe.separators.wiener import EPSILON, PEAK, Wiener, wiener
from audiopipe.stages.separate import Separate
from audiopipe.testing import CHECKS, Case, audio_source

STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return stems_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Segments of a few frames, as a recording in a test has not many."""
    monkeypatch.setattr(module, "FRAMES", 8)
    monkeypatch.setattr(module, "SHARED", 2)


def complex_noise(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def reference(stems, mix, iterations):
    """Nugraha, Liutkus & Vincent 2016, (8) to (12), with averages in place of their maximum
    likelihood as in norbert: bin by bin, with an inverse of matrices."""
    scale = np.abs(mix).max() / PEAK
    found = np.array(stems) / scale
    for _ in range(iterations):
        powers = (np.abs(found) ** 2).mean(1)
        after = np.zeros_like(found)
        for k in range(mix.shape[-1]):
            spatial = [
                (y[:, :, k] @ y[:, :, k].conj().T) / (EPSILON + v[:, k].sum())
                for y, v in zip(found, powers, strict=True)
            ]
            for n in range(mix.shape[1]):
                parts = [v[n, k] * r for v, r in zip(powers, spatial, strict=True)]
                inverse = np.linalg.inv(sum(parts) + EPSILON**0.5 * np.eye(2))
                for j, part in enumerate(parts):
                    after[j, :, n, k] = part @ inverse @ (mix[:, n, k] / scale)
        found = after
    return found * scale


@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize(("stems", "loud"), [(2, 1.0), (4, 1e-3), (5, 1e3)])
def test_equals_the_formulas(stems, loud, iterations):
    rng = np.random.default_rng(stems)
    truth = complex_noise(rng, stems, 2, 20, 6) * rng.uniform(0.1, 3, (stems, 1, 20, 6)) * loud
    mix = truth.sum(0)
    estimate = truth + 0.5 * loud * complex_noise(rng, *truth.shape)
    found = wiener(torch.from_numpy(estimate), torch.from_numpy(mix), iterations).numpy()
    want = reference(estimate, mix, iterations)
    assert np.abs(found - want).max() < 1e-6 * np.abs(want).max()
    assert np.abs(found - estimate).max() > 0.1 * np.abs(estimate).max()  # it does something
    assert np.abs(found.sum(0) - mix).max() < 1e-3 * np.abs(mix).max()
    single = wiener(torch.from_numpy(estimate).cfloat(), torch.from_numpy(mix).cfloat(), iterations)
    assert np.abs(single.numpy() - want).max() < 1e-4 * np.abs(want).max()


def test_what_is_equal_left_and_right_is_filtered_by_power_alone():
    rng = np.random.default_rng(0)
    stems = complex_noise(rng, 3, 1, 20, 6)
    mix = stems.sum(0) + complex_noise(rng, 1, 20, 6)
    power = np.abs(stems) ** 2
    want = np.repeat(power / power.sum(0) * mix, 2, 1)
    twice = [torch.from_numpy(np.repeat(part, 2, -3)).cfloat() for part in (stems, mix)]
    np.testing.assert_allclose(wiener(*twice, 1).numpy(), want, atol=1e-4)


def test_more_bins_than_fit_into_a_group(monkeypatch):
    rng = np.random.default_rng(0)
    stems = torch.from_numpy(complex_noise(rng, 2, 2, 5, 11))
    want = wiener(stems, stems.sum(0), 2)
    monkeypatch.setattr(module, "GROUP", 4)
    assert torch.allclose(wiener(stems, stems.sum(0), 2), want)


def test_what_lies_apart_is_told_apart_better_than_by_masks():
    """Three sounds at three places: masks that are wrong by some dB, then the filter on them."""
    rng = np.random.default_rng(0)
    angles = np.array([0.1, 0.25, 0.4]) * np.pi
    places = np.stack([np.cos(angles), np.sin(angles)], 1)[:, :, None, None]
    loud = rng.exponential(1, (3, 1, 200, 40)) ** 2
    truth = complex_noise(rng, 3, 1, 200, 40) * loud * places
    guess = (np.abs(truth) ** 2).mean(1, keepdims=True) * 10 ** rng.normal(0, 0.6, loud.shape)
    mix = truth.sum(0)
    masked = guess / guess.sum(0) * mix
    of_power = guess**2 / (guess**2).sum(0) * mix  # what the filter would do with one channel
    filtered = wiener(torch.from_numpy(masked), torch.from_numpy(mix), 1).numpy()

    def ratios(found):
        flat = [np.stack([x.real, x.imag]).reshape(1, -1) for x in (*truth, *found)]
        return np.array([sdr(flat[k], flat[3 + k]) for k in range(3)])

    assert (ratios(filtered) - ratios(masked)).min() > 1.5
    assert (ratios(filtered) - ratios(of_power)).min() > 1.5


def side_by_side(samples, shares):
    """What `Gather` gives where each stem is a share of the mix."""
    return Audio(torch.cat([samples, *(share * samples for share in shares)]), 44100)


def test_segments_are_joined_without_a_trace(model):
    noise = torch.randn(2, 80000, generator=torch.Generator().manual_seed(0))
    samples = torch.cat([torch.zeros(2, 3000), 0.1 * noise], 1)
    source = side_by_side(samples, [0.3, 0.7, 0.0, 0.0])
    found = Pipeline([Wiener(model=model)]).run(source)["wiener"]
    for name, share in zip(STEMS, [0.09 / 0.58, 0.49 / 0.58, 0, 0], strict=True):
        torch.testing.assert_close(found[name].samples, share * samples, atol=5e-6, rtol=1e-4)


def test_what_no_stem_has_is_in_none(model):
    samples = music(0.5).samples
    found = Pipeline([Wiener(model=model)]).run(side_by_side(samples, [0.0] * 4))["wiener"]
    assert not any(stem.samples.any() for stem in found.values())


def separate(audio, model, **options):
    return Pipeline([Separate(model=model, **options)]).run(audio)["separate"]


@pytest.mark.parametrize(
    ("rate", "channels", "given"), [(44100, 2, 2), (44100, 1, 1), (48000, 6, 2), (16000, 1, 1)]
)
def test_stems_are_like_their_source_and_add_up_to_it(model, rate, channels, given):
    source = music(0.5, rate, channels)
    plain = separate(source, model)
    stems = separate(source, model, wiener=1)
    assert list(stems) == list(STEMS)
    for name, stem in stems.items():
        assert (stem.rate, stem.channels, len(stem)) == (rate, given, len(source))
        assert (stem.samples - plain[name].samples).norm() > 0.03 * stem.samples.norm()
    mix = sum(stem.samples for stem in plain.values())
    torch.testing.assert_close(sum(s.samples for s in stems.values()), mix, atol=2e-6, rtol=0)


def hybrid(folder):
    """A small `hdemucs`, whose stems do not add up to anything."""
    from torchaudio.models import HDemucs

    torch.manual_seed(1)
    small = {"channels": 4, "nfft": 4096, "depth": 6}
    random_weights(HDemucs(sources=list(STEMS), **small), folder)
    return write_card(folder, "hdemucs", STEMS, {**small, "segment": 0.5})


@pytest.mark.parametrize("kind", ["stems", "hdemucs", "spleeter"])
def test_behind_any_network_they_add_up_by_themselves(kind, tmp_path):
    makers = {"stems": stems_model, "hdemucs": hybrid, "spleeter": lambda f: spleeters.tiny(f, 4)}
    source = music(0.5)
    stems = separate(source, makers[kind](tmp_path / "model"), wiener=1, remainder="keep")
    rest = torch.fft.rfft(stems["remainder"].samples).abs()
    mix = torch.fft.rfft(source.samples).abs()
    masked = round(1000 / 2049 * mix.shape[-1]) if kind == "spleeter" else mix.shape[-1]
    assert rest[:, :masked].norm() < 0.01 * mix[:, :masked].norm()
    if kind == "spleeter":  # above its masks, no stem has anything
        above = round(1050 / 2049 * mix.shape[-1])
        assert (rest - mix)[:, above:].norm() < 0.1 * mix[:, above:].norm()


def test_a_stem_is_the_same_whatever_else_is_kept(model):
    source = music(0.5)
    every = separate(source, model, wiener=1)
    alone = separate(source, model, wiener=1, stems=("vocals",))
    assert list(alone) == ["vocals", "accompaniment"]
    torch.testing.assert_close(alone["vocals"].samples, every["vocals"].samples)
    rest = sum(every[name].samples for name in STEMS[1:])
    torch.testing.assert_close(alone["accompaniment"].samples, rest, atol=1e-6, rtol=0)


def test_silence_gives_silence(model):
    silence = Audio(torch.zeros(2, 50000), 44100)
    stems = separate(silence, model, wiener=2, remainder="none")
    assert not any(stem.samples.any() for stem in stems.values())
    rng = np.random.default_rng(0)
    heard = torch.from_numpy(complex_noise(rng, 4, 2, 20, 6))  # what a network may hear in it
    assert not wiener(heard, torch.zeros_like(heard[0]), 2).any()


def test_it_is_later_by_a_segment(model, monkeypatch):
    monkeypatch.undo()
    plain, filtered = (
        Pipeline([Separate(model=model, wiener=n)]).plan(Audio.empty(44100, 2)) for n in (0, 1)
    )
    later = filtered.output_latency("separate") - plain.output_latency("separate")
    assert later * 44100 == Segments(300, 75).samples - 1


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(c, marks=pytest.mark.slow if c.name == "reach" else (), id=c.name)
        for c in CHECKS
    ],
)
def test_conformance(model, check):
    if check.gpu and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    stage = Separate(model=model, stems=("vocals",), wiener=1)
    check(Case(stage, audio_source(44100, 2), chunkings=1))


def test_so_many_iterations_are_refused(model):
    definition = "audiopipe: 1\nstages: [{use: separate, wiener: 11}]\n"
    with pytest.raises(DefinitionError, match="less than or equal to 10"):
        parse(definition)
